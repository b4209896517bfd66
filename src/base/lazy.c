#include "base/lazy.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

enum { CANNOT = 3 };

void *lazy_function(const char *library, const char *function)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL), *found = handle ? dlsym(handle, function) : NULL;

	if (found)
		return found;
	fprintf(stderr, "bondgate: %s: install the package that has %s\n", dlerror(), library);
	_exit(CANNOT);
}
