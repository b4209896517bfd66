#include "cmd/person.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

void local_person(char out[static PERSON_TEXT])
{
	char room[4096];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(geteuid(), &entry, room, sizeof(room), &found) == 0 && found)
		snprintf(out, PERSON_TEXT, "local:%s", found->pw_name);
	else
		snprintf(out, PERSON_TEXT, "local:%u", (unsigned)geteuid());
}
