/* Shared libraries that only some commands need, loaded when the first of their functions is called: each of them, with all that it brings
 * along, costs every start of the program some milliseconds of the loader's work, and a scan that never leaves the machine needs none. */
#ifndef BONDGATE_BASE_LAZY_H
#define BONDGATE_BASE_LAZY_H

/* The function of that name in `library` ("libcurl.so.4"). When there is none, says so and ends the process, as the loader would have done at
 * the start: the package's dependencies see to it that the library is there. Any thread. */
void *lazy_function(const char *library, const char *function);

/* Defines a function of the header's that calls the library's. */
#define LAZY_FUNCTION(library, type, name, parameters, arguments) \
	type name parameters \
	{ \
		static _Atomic(void *) known; \
		void *function = known; \
\
		if (!function) \
			known = function = lazy_function(library, #name); \
		return ((type(*) parameters)function)arguments; \
	}

#endif
