/* Included in front of every source file by the build: functions that must not be used do not compile.
 * See CONTRIBUTING.md for what to use instead. */
#ifndef BONDGATE_BASE_FORBID_H
#define BONDGATE_BASE_FORBID_H

/* These declare or expand some of the names below, so they come first. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#undef alloca
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll atof gets alloca strncpy strncat

#endif
