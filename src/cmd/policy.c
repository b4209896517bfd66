#include "cmd/policy.h"

#include <getopt.h>
#include <stdio.h>

#include "base/limits.h"
#include "cmd/policy_files.h"

enum { EXIT_FINE = 0, EXIT_FOUND = 1, EXIT_USAGE = 2, EXIT_TROUBLE = 3 };

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
	return EXIT_TROUBLE;
}

static int print(struct buf *text)
{
	if (text->error < 0) {
		fprintf(stderr, "bondgate: %s\n", err_name(text->error));
		return EXIT_TROUBLE;
	}
	if (fwrite(text->p ? text->p : "", 1, text->n, stdout) != text->n || fflush(stdout) != 0) {
		perror("bondgate: cannot write");
		return EXIT_TROUBLE;
	}
	return EXIT_FINE;
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
		return r == -EBADMSG || r == -EPERM || r == -EFBIG ? EXIT_FOUND : EXIT_TROUBLE;
	}
	if (!c->quiet)
		printf("%s: fine\n", path ? path : "the policy in force");
	policy_unref(p);
	return EXIT_FINE;
}

static int run_check(const struct call *c)
{
	int worst = c->files ? EXIT_FINE : check_one(c, NULL);

	for (int i = 0; i < c->files; i++) {
		int code = check_one(c, c->file[i]);

		/* A policy with errors was found: that wins over one that could not be read. */
		if (worst != EXIT_FOUND && code != EXIT_FINE)
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
	return code == EXIT_FINE && count ? EXIT_FOUND : code;
}

static int run_document(const struct call *c)
{
	CLEANUP_BUF struct buf out = BUF(1 * MIB);

	(void)c;
	policy_document(&out);
	return print(&out);
}

static const struct verb {
	const char *name;
	int (*run)(const struct call *c);
	int least, most; /* files */
	const char *arguments, *text;
} verbs[] = {
	{"check", run_check, 0, 1 << 20, "[FILE...]", "says what is wrong, by line; without a FILE, with the policy in force"},
	{"show", run_show, 0, 1, "[FILE]", "prints the whole policy in force, with the line that each value comes from"},
	{"diff", run_diff, 1, 2, "[FILE] FILE", "compares the policy in force (or the first FILE) with another"},
	{"document", run_document, 0, 0, "", "prints the page that explains every key"},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static int usage(FILE *to)
{
	fprintf(to, "usage: bondgate policy VERB [--policy FILE] [--quiet] [FILE...]\n");
	for (size_t i = 0; i < VERBS; i++)
		fprintf(to, "  %-8s %-11s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].text);
	return to == stderr ? EXIT_USAGE : EXIT_FINE;
}

int cmd_policy(int argc, char **argv)
{
	static const struct option options[] = {
		{"policy", required_argument, NULL, 'p'}, {"quiet", no_argument, NULL, 'q'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct call c = {.now = time_now()};
	const char *name;

	optind = 0; /* start anew, also when main() has parsed options of its own */
	for (int o; (o = getopt_long(argc, argv, "hq", options, NULL)) != -1;) {
		if (o == 'h')
			return usage(stdout);
		if (o == 'p')
			c.policy = optarg;
		else if (o == 'q')
			c.quiet = true;
		else
			return usage(stderr);
	}
	if (optind >= argc)
		return usage(stderr);
	name = argv[optind++];
	c.file = argv + optind;
	c.files = argc - optind;
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(name, verbs[i].name) == 0)
			return c.files < verbs[i].least || c.files > verbs[i].most ? usage(stderr) : verbs[i].run(&c);
	fprintf(stderr, "bondgate: policy has no verb \"%s\"\n", name);
	return usage(stderr);
}
