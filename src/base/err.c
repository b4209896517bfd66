#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void keep_to_one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	keep_to_one_line(err->text);
	return code;
}

int err_prefix(struct err *err, const char *format, ...)
{
	char old[sizeof(err->text)];
	size_t n;
	va_list args;

	if (!err)
		return -EINVAL;
	memcpy(old, err->text, sizeof(old));
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof(err->text) - n, ": %s", old);
	keep_to_one_line(err->text);
	return err->code;
}

const char *err_name(int code)
{
	const char *name = strerrordesc_np(code < 0 ? -code : code);

	return name ? name : "unknown error";
}
