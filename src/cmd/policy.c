/* bondgate policy: checks, shows and compares policies. Exit code 1: a policy with errors (check), a difference (diff). */
#include <stdio.h>

#include "base/limits.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/policy_files.h"

struct call {
	const char *policy; /* --policy */
	bool quiet;
	int files;
	char **file;
	usec now;
};

static int trouble(const struct err *err)
{
	fprintf(stderr, "bondgate: %s\n", err->text);
	return EXIT_CANNOT;
}

static int print(struct buf *text)
{
	if (text->error < 0) {
		fprintf(stderr, "bondgate: %s\n", err_name(text->error));
		return EXIT_CANNOT;
	}
	if (fwrite(text->p ? text->p : "", 1, text->n, stdout) != text->n || fflush(stdout) != 0) {
		perror("bondgate: cannot write");
		return EXIT_CANNOT;
	}
	return EXIT_NOTHING;
}

static void print_warnings(const struct call *c, struct buf *warnings)
{
	if (!c->quiet && warnings->n)
		fprintf(stderr, "%s", buf_cstr(warnings));
}

/* The policy of one named file, or with `path` NULL the one in force. Secrets are not needed here, so none are read. */
static int load(const struct call *c, const char *path, struct policy **ret, struct err *err)
{
	CLEANUP_BUF struct buf warnings = BUF(1 * MIB);
	int r = path ? policy_file_load(path, c->now, NULL, ret, &warnings, err)
	             : policy_files_load_with(c->policy, c->now, NULL, ret, &warnings, err);

	print_warnings(c, &warnings);
	return r;
}

/* Files are checked for form; the policy in force also for its secrets, as the gate will want them. */
static int check_one(const struct call *c, const char *path)
{
	struct policy *p = NULL;
	struct err err = {0};
	int r;

	if (path) {
		r = load(c, path, &p, &err);
	} else {
		CLEANUP_BUF struct buf warnings = BUF(1 * MIB);

		r = policy_files_load(c->policy, c->now, &p, &warnings, &err);
		print_warnings(c, &warnings);
	}
	if (r < 0) {
		fprintf(stderr, "%s\n", err.text);
		return r == -EBADMSG || r == -EPERM || r == -EFBIG ? EXIT_FOUND : EXIT_CANNOT;
	}
	if (!c->quiet)
		printf("%s: fine\n", path ? path : "the policy in force");
	policy_unref(p);
	return EXIT_NOTHING;
}

static int run_check(const struct call *c)
{
	int worst = c->files ? EXIT_NOTHING : check_one(c, NULL);

	for (int i = 0; i < c->files; i++) {
		int code = check_one(c, c->file[i]);

		/* A policy with errors was found: that wins over one that could not be read. */
		if (worst != EXIT_FOUND && code != EXIT_NOTHING)
			worst = code;
	}
	return worst;
}

static int run_show(const struct call *c)
{
	CLEANUP_BUF struct buf out = BUF(16 * LIMIT_POLICY_BYTES);
	struct policy *p;
	struct err err = {0};

	if (load(c, c->files ? c->file[0] : NULL, &p, &err) < 0)
		return trouble(&err);
	policy_show(p, &out);
	policy_unref(p);
	return print(&out);
}

static int run_diff(const struct call *c)
{
	CLEANUP_BUF struct buf out = BUF(16 * LIMIT_POLICY_BYTES);
	struct policy *a, *b;
	struct err err = {0};
	size_t count;
	int code;

	if (load(c, c->files == 2 ? c->file[0] : NULL, &a, &err) < 0)
		return trouble(&err);
	if (load(c, c->file[c->files - 1], &b, &err) < 0) {
		policy_unref(a);
		return trouble(&err);
	}
	count = policy_diff(a, b, &out);
	policy_unref(a);
	policy_unref(b);
	code = print(&out);
	return code == EXIT_NOTHING && count ? EXIT_FOUND : code;
}

static int run_document(const struct call *c)
{
	CLEANUP_BUF struct buf out = BUF(1 * MIB);

	(void)c;
	policy_document(&out);
	return print(&out);
}

/* What comes with the program, to be read, copied and changed. */
static int run_shipped(const struct call *c)
{
	CLEANUP_BUF struct buf out = BUF(1 * MIB);
	const char *name = c->files ? c->file[0] : "";

	if (!c->files)
		buf_add_str(&out, STR("default\nstrict\n"));
	else
		buf_add_str(&out, policy_shipped(str_of(name)));
	if (out.n)
		return print(&out);
	fprintf(stderr, "bondgate: there is no shipped policy %s; there are: default, strict\n", name);
	return EXIT_USAGE;
}

static const struct verb {
	const char *name;
	int (*run)(const struct call *c);
	int least, most; /* files */
} verbs[] = {
	{"check", run_check, 0, 1 << 20}, {"show", run_show, 0, 1},         {"diff", run_diff, 1, 2},
	{"shipped", run_shipped, 0, 1},   {"document", run_document, 0, 0},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

int cmd_policy(int argc, char **argv)
{
	struct call c = {.now = time_now()};
	const struct option_row options[] = {
		{.name = "policy",
	     .argument = "FILE",
	     .help = "the machine's policy (default: BONDGATE_POLICY, /etc/bondgate/bondgate.yaml)",
	     .value = &c.policy},
		{.name = "quiet", .help = "say only what is wrong", .flag = &c.quiet},
	};
	const struct command_usage usage = {
		.synopsis = "policy check [FILE...] | show [FILE] | diff [FILE] FILE | shipped [NAME] | document",
		.purpose =
			"check says what is wrong, by line; show prints the whole policy with the line that each value comes from; diff compares the\n"
			"policy in force, or the first FILE, with another; shipped prints a policy that comes with the program (default, strict) to "
			"begin\n"
			"from; document prints the page that explains every key.",
		.options = options,
		.option_count = sizeof(options) / sizeof(options[0]),
	};
	bool done;
	int r = options_read(&usage, argc, argv, &c.files, &done);

	if (r || done)
		return r;
	if (c.files == 0)
		return usage_error(&usage, "what shall be done with the policy?");
	c.file = argv + 1;
	c.files--;
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(argv[0], verbs[i].name) == 0) {
			if (c.files < verbs[i].least || c.files > verbs[i].most)
				return usage_error(&usage, "policy %s does not take %d files", verbs[i].name, c.files);
			return verbs[i].run(&c);
		}
	return usage_error(&usage, "there is no policy %s", argv[0]);
}
