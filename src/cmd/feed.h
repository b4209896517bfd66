/* What the verbs of `bondgate feed` share. */
#ifndef BONDGATE_CMD_FEED_H
#define BONDGATE_CMD_FEED_H

#include "advisory/feed.h"

struct feed_options {
	const char *state, *source, *priority;
	bool json, fresh, quiet, malware;
	char index[4096]; /* STATE/advisories.idx */
};

/* Each gets the words behind its name and returns the exit code. */
int feed_list(const struct feed_options *o, int count, char **words);
int feed_show(const struct feed_options *o, int count, char **words);
int feed_status(const struct feed_options *o, int count, char **words);

#endif
