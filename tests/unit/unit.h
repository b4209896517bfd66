/* What every unit test includes first: cmocka with the headers that it needs. */
#ifndef BONDGATE_TESTS_UNIT_H
#define BONDGATE_TESTS_UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
