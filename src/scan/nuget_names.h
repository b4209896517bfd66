/* NuGet's names are one whatever their case, and a package stands once in each target framework. */
#ifndef BONDGATE_SCAN_NUGET_NAMES_H
#define BONDGATE_SCAN_NUGET_NAMES_H

#include "scan/lock.h"

/* "framework\nname in lower case", in the arena. */
struct str nuget_key(struct arena *a, struct str framework, struct str name);
uint32_t nuget_find(const struct lock *l, struct str framework, struct str name);
/* "Name/1.2.3" into its parts; false without a version. */
bool nuget_split(struct str text, struct str *ret_name, struct str *ret_version);
/* What restore takes for a requested version: the number of "[1.0]" and "1.0", the lower bound of an interval; empty for a
 * floating one. */
struct str nuget_lowest(struct arena *a, struct str requested);

#endif
