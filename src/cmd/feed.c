/* bondgate feed: advisories in, and what is there. */
#include "cmd/feed.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cmd/commands.h"
#include "cmd/open.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/state.h"

/* ---- the verbs ---- */

static const struct verb {
	const char *name;
	int words_least, words_most;
	int (*run)(const struct feed_options *o, int count, char **words);
} verbs[] = {
	{"import", 1, 1 << 20, feed_import}, {"diff", 1, 1 << 20, feed_diff}, {"list", 0, 1, feed_list},
	{"show", 1, 1, feed_show},           {"status", 0, 0, feed_status},   {"refresh", 0, 1 << 20, feed_refresh},
	{"bundle", 1, 1, feed_bundle},       {"pending", 0, 2, feed_pending},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int find_index(struct feed_options *o, struct err *err)
{
	CLEANUP_BUF struct buf dir = BUF(4096);
	int r = state_dir(o->state, &dir, err);

	if (r < 0)
		return r;
	if (snprintf(o->index, sizeof(o->index), "%s/%s", buf_cstr(&dir), ADVISORY_INDEX) >= (int)sizeof(o->index))
		return err_set(err, -ENAMETOOLONG, "the path of the state is too long");
	return 0;
}

int cmd_feed(int argc, char **argv)
{
	static struct feed_options o;
	const struct option_row rows[] = {
		{.name = "source", .argument = "NAME", .help = "import, diff: what the records are from (default osv)", .value = &o.source},
		{.name = "priority",
	     .argument = "N",
	     .help = "import, diff: of two with one id, the source with the higher one counts (default 0)",
	     .value = &o.priority},
		{.name = "key",
	     .argument = "KEY",
	     .help = "import, diff: what is read must be signed with it (FILE.minisig beside it); a file, or the key itself",
	     .value = &o.key},
		{.name = "unsigned", .help = "import, diff: take a bundle without a signature", .flag = &o.unsigned_},
		{.name = "sign", .argument = "FILE", .help = "bundle: the secret key (bondgate keys generate)", .value = &o.sign},
		{.name = "note", .argument = "TEXT", .help = "pending accept, reject: why", .value = &o.note},
		{.name = "fresh",
	     .help = "import, diff: start from nothing instead of from what is there; refresh: fetch what has not changed too",
	     .flag = &o.fresh},
		{.name = "malware", .help = "list: malware only", .flag = &o.malware},
		{.name = "json", .help = "machine-readable", .flag = &o.json},
		{.name = "quiet", .help = "say nothing but errors", .flag = &o.quiet},
		{.name = "policy", .argument = "FILE", .help = "refresh, status: the policy (default $BONDGATE_POLICY)", .value = &o.policy},
		{.name = "state", .argument = "DIR", .help = "where state is kept (default $BONDGATE_STATE)", .value = &o.state},
	};
	const struct command_usage usage = {
		"feed import PATH|URL... | diff PATH|URL... | refresh [FEED...] | bundle FILE | pending [accept|reject ID] | list [PACKAGE] | show "
		"ID | status",
		"import  reads advisories (OSV) into the index that gate and scan use: files, zip archives such as OSV's all.zip, folders,\n"
		"        bundles, and any of them from a URL.\n"
		"        What is there stays, newer records replace older ones; a broken one is told and skipped.\n"
		"diff    says what an import would change; exits 1 when it would.\n"
		"refresh fetches the feeds that the policy names (advisories.feeds), which a gate does by itself.\n"
		"bundle  writes the index into one file and signs it (FILE.minisig), to be carried to a machine without a network.\n"
		"pending lists the advisories that the brake holds back, because they would newly deny what many projects received;\n"
		"        accept lets one count, reject leaves it out. Exits 1 while one waits.\n"
		"list    lists what is in the index, of all packages or one (npm:left-pad).\n"
		"show    shows one advisory, by its id or another of its names.\n"
		"status  says what the index holds, from where and since when, and how the feeds of the policy fare.",
		rows, sizeof(rows) / sizeof(rows[0])};
	const struct verb *verb;
	struct err err = {0};
	int words, r;
	bool done;

	o = (struct feed_options){0};
	r = options_read(&usage, argc, argv, &words, &done);
	if (r || done)
		return r;
	verb = words ? find_verb(argv[0]) : NULL;
	if (!verb)
		return usage_error(&usage, words ? "feed has no verb %s" : "feed needs a verb", words ? argv[0] : "");
	if (words - 1 < verb->words_least || words - 1 > verb->words_most)
		return usage_error(&usage, "feed %s: %s", verb->name, words - 1 < verb->words_least ? "something is missing" : "too many words");
	if (find_index(&o, &err) < 0) {
		fprintf(stderr, "bondgate: %s\n", err.text);
		return EXIT_CANNOT;
	}
	return verb->run(&o, words - 1, argv + 1);
}
