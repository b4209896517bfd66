/* libcurl, loaded when it is first used (base/lazy.h). With it come some thirty other libraries. */
#include <curl/curl.h>
#include <stdarg.h>

#include "base/lazy.h"
#include "gate/upstream.h"

#define CURL_FUNCTION(type, name, parameters, arguments) LAZY_FUNCTION("libcurl.so.4", type, name, parameters, arguments)

/* One argument of the size of a pointer follows, whatever its type: it is handed on as it came. */
_Static_assert(sizeof(curl_off_t) == sizeof(void *) && sizeof(long) == sizeof(void *), "arguments of options are not all of one size");
#define CURL_OPTION_FUNCTION(type, name, handle, option) \
	type(name)(handle * h, option o, ...) \
	{ \
		static _Atomic(void *) known; \
		void *function = known, *value; \
		va_list arguments; \
\
		if (!function) \
			known = function = lazy_function("libcurl.so.4", #name); \
		va_start(arguments, o); \
		value = va_arg(arguments, void *); \
		va_end(arguments); \
		return ((type(*)(handle *, option, ...))function)(h, o, value); \
	}

CURL_OPTION_FUNCTION(CURLcode, curl_easy_setopt, CURL, CURLoption)
CURL_OPTION_FUNCTION(CURLcode, curl_easy_getinfo, CURL, CURLINFO)
CURL_OPTION_FUNCTION(CURLMcode, curl_multi_setopt, CURLM, CURLMoption)

CURL_FUNCTION(CURLcode, curl_global_init, (long flags), (flags))
CURL_FUNCTION(CURL *, curl_easy_init, (void), ())
CURL_FUNCTION(CURLcode, curl_easy_perform, (CURL * h), (h))
CURL_FUNCTION(CURLcode, curl_easy_pause, (CURL * h, int bits), (h, bits))
CURL_FUNCTION(char *, curl_easy_escape, (CURL * h, const char *text, int length), (h, text, length))
CURL_FUNCTION(const char *, curl_easy_strerror, (CURLcode code), (code))
CURL_FUNCTION(CURLM *, curl_multi_init, (void), ())
CURL_FUNCTION(CURLMcode, curl_multi_add_handle, (CURLM * m, CURL *h), (m, h))
CURL_FUNCTION(CURLMcode, curl_multi_remove_handle, (CURLM * m, CURL *h), (m, h))
CURL_FUNCTION(CURLMcode, curl_multi_assign, (CURLM * m, curl_socket_t s, void *p), (m, s, p))
CURL_FUNCTION(CURLMcode, curl_multi_cleanup, (CURLM * m), (m))
CURL_FUNCTION(CURLMcode, curl_multi_socket_action, (CURLM * m, curl_socket_t s, int bits, int *running), (m, s, bits, running))
CURL_FUNCTION(CURLMsg *, curl_multi_info_read, (CURLM * m, int *left), (m, left))
CURL_FUNCTION(struct curl_slist *, curl_slist_append, (struct curl_slist * l, const char *text), (l, text))
CURL_FUNCTION(CURLU *, curl_url, (void), ())
CURL_FUNCTION(CURLUcode, curl_url_get, (CURLU * u, CURLUPart what, char **part, unsigned flags), (u, what, part, flags))
CURL_FUNCTION(CURLUcode, curl_url_set, (CURLU * u, CURLUPart what, const char *part, unsigned flags), (u, what, part, flags))
CURL_FUNCTION(const char *, curl_url_strerror, (CURLUcode code), (code))
CURL_FUNCTION(curl_version_info_data *, curl_version_info, (CURLversion age), (age))

/* Those that return nothing, and are called with nothing where there is nothing to free. */
#define CURL_FREE_FUNCTION(name, type) \
	void name(type *p) \
	{ \
		static _Atomic(void *) known; \
		void *function = known; \
\
		if (!p) \
			return; \
		if (!function) \
			known = function = lazy_function("libcurl.so.4", #name); \
		((void (*)(type *))function)(p); \
	}
CURL_FREE_FUNCTION(curl_easy_cleanup, CURL)
CURL_FREE_FUNCTION(curl_free, void)
CURL_FREE_FUNCTION(curl_slist_free_all, struct curl_slist)
CURL_FREE_FUNCTION(curl_url_cleanup, CURLU)

void fetcher_load(void)
{
	curl_version_info(CURLVERSION_NOW);
}
