#include "report/report.h"

static const struct report_format formats[] = {
#define X(function, name, packages, help) {name, help, packages, function},
	REPORT_FORMATS(X)
#undef X
};

size_t report_formats(const struct report_format **ret_array)
{
	*ret_array = formats;
	return sizeof(formats) / sizeof(formats[0]);
}

const struct report_format *report_format(struct str name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (str_eq(name, str_of(formats[i].name)))
			return &formats[i];
	return NULL;
}
