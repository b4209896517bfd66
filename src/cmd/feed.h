/* What the verbs of `bondgate feed` share. */
#ifndef BONDGATE_CMD_FEED_H
#define BONDGATE_CMD_FEED_H

#include "advisory/feed.h"

struct feed_options {
	const char *state, *source, *priority, *key, *sign, *policy, *note;
	bool json, fresh, quiet, malware, unsigned_;
	char index[4096]; /* STATE/advisories.idx */
};

/* STATE/feeds, there or not: what was fetched, and what is known of it. */
int feeds_path(const struct feed_options *o, char *out, size_t room, struct err *err);

/* Each gets the words behind its name and returns the exit code. */
int feed_import(const struct feed_options *o, int count, char **words);
int feed_diff(const struct feed_options *o, int count, char **words);
int feed_refresh(const struct feed_options *o, int count, char **words);
int feed_bundle(const struct feed_options *o, int count, char **words);
int feed_pending(const struct feed_options *o, int count, char **words);
int feed_list(const struct feed_options *o, int count, char **words);
int feed_show(const struct feed_options *o, int count, char **words);
int feed_status(const struct feed_options *o, int count, char **words);

#endif
