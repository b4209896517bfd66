/* A list of objects as a table: one column a member. */
#ifndef BONDGATE_CMD_CALL_TABLE_H
#define BONDGATE_CMD_CALL_TABLE_H

#include "base/str.h"

struct call_column {
	const char *heading, *member;
	bool date; /* its first 16 characters, as a time of day in UTC */
};

/* Prints the objects in the list `key` of the object `json`; `nothing` where there is none. The count. */
size_t call_table(struct str json, const char *key, const struct call_column *columns, size_t count, const char *nothing);

#endif
