/* bondgate gate: the service. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "advisory/lazy_archive.h"
#include "base/limits.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/open.h"
#include "cmd/options.h"
#include "gate/confine.h"
#include "gate/server.h"

#define DEFAULT_LISTEN "127.0.0.1:4873"
/* Threads for what blocks: disk, hashing, rendering. More than processors, since they wait for the disk. */
#define WORKERS "8"

struct command {
	struct opened opened;
	const char *listen;
	struct notify notify;
	char certificate[1024], key[1024];
	bool tls, unconfined;
};

/* The files whose change means a reload: policies, advisories, certificate and key. */
static void watch_list(struct command *c, struct arena *a, const char *const *paths, size_t n, const char *const **ret, size_t *ret_count)
{
	const char **list = ARENA_ARRAY(a, const char *, n + 2);

	if (!list)
		abort();
	memcpy(list, paths, n * sizeof(*list));
	if (c->tls) {
		list[n++] = c->certificate;
		list[n++] = c->key;
	}
	*ret = list;
	*ret_count = n;
}

static int reload(void *arg, struct reloaded *ret, struct err *err)
{
	struct command *c = arg;
	struct gate *g = c->opened.gate;
	const char *const *paths;
	struct policy *policy, *complete;
	size_t path_count;
	int r = load_rules(c->opened.options.policy, c->opened.state_dir, ret->arena, &policy, &ret->advisories, &paths, &path_count, err);

	/* What `auto` stands for was found out at the start; npm cannot be asked from within the confinement. */
	if (r == 0 && g->upstream_npm.n) {
		r = policy_set_upstream(policy, ECOSYSTEM_NPM, g->upstream_npm, &complete, err);
		policy_unref(policy);
		policy = complete;
	}
	if (r == 0)
		r = load_teams(c->opened.teams, policy, ret->arena, &paths, &path_count, &ret->policies, &ret->problems, err);
	if (r == -EACCES && !c->unconfined)
		err_prefix(err, "the gate reaches only the files and folders that its policy named when it was started: restart it for other ones");
	if (r == 0)
		watch_list(c, ret->arena, paths, path_count, &ret->watched, &ret->watched_count);
	return r;
}

static int reload_tls(void *arg, struct http_tls **ret, struct err *err)
{
	struct command *c = arg;

	return http_tls_load(c->certificate, c->key, ret, err);
}

/* After this the process can reach its state, its configuration, the resolver's files, and the network. */
static int confine(struct command *c, struct err *err)
{
	const char *write[1] = {c->opened.state_dir};
	const struct policy_webhook *hooks;
	const struct policy_feed *feeds;
	const struct origin *origins;
	size_t hook_count = policy_webhooks(c->opened.policy, &hooks), feed_count = policy_feeds(c->opened.policy, &feeds);
	size_t n = 0, count = policy_origins(c->opened.policy, &origins);
	const char **read = ARENA_ARRAY(c->opened.arena, const char *, c->opened.path_count + 2 + count + feed_count + hook_count);
	struct confine_paths paths = {.read = read, .write = write, .write_count = 1};
	ptrdiff_t colon = str_rchr(str_of(c->listen), ':');
	uint64_t port = 0;

	if (!read)
		return err_set(err, -ENOMEM, "no memory");
	for (size_t i = 0; i < c->opened.path_count; i++)
		read[n++] = c->opened.paths[i];
	if (c->tls) {
		read[n++] = c->certificate;
		read[n++] = c->key;
	}
	for (size_t i = 0; i < count; i++)
		if (origins[i].ca_file.n)
			read[n++] = origins[i].ca_file.p;
	for (size_t i = 0; i < feed_count; i++)
		if (feeds[i].ca_file.n)
			read[n++] = feeds[i].ca_file.p;
	for (size_t i = 0; i < hook_count; i++)
		if (hooks[i].ca_file.n)
			read[n++] = hooks[i].ca_file.p;
	paths.read_count = n;
	if (colon >= 0 && str_to_u64(str_skip(str_of(c->listen), (size_t)colon + 1), &port) == 0)
		paths.low_ports = port > 0 && port < 1024;
	return confine_start(&paths, err);
}

static int listening(void *arg, const char *address, struct err *err)
{
	struct command *c = arg;

	(void)err;
	if (!c->opened.options.quiet)
		fprintf(stderr, "The gate is open. Put this line into .npmrc (Ctrl-C ends it):\n");
	printf("registry=%s://%s/npm/\n", c->tls ? "https" : "http", address);
	fflush(stdout);
	return 0;
}

/* Everything that needs the machine's programs and files, then the confinement, then everything that has threads. */
static int serve(struct command *c, const char *listen, const char *threads, struct err *err)
{
	struct server_options options = {.reload = reload, .listening = listening, .notify = &c->notify, .arg = c};
	const struct gate_settings *settings;
	struct open_options wanted = c->opened.options;
	uint64_t number;
	int r;

	if (threads && (str_to_u64(str_of(threads), &number) < 0 || number > 64))
		return err_set(err, -EINVAL, "--threads takes a number from 0 to 64");
	r = open_prepare(&wanted, true, listen, false, &c->opened, err);
	if (r < 0)
		return r;
	settings = policy_gate(c->opened.policy);
	c->listen = c->opened.listen;
	options.listen = c->listen;
	options.threads = threads ? (size_t)number : (size_t)settings->threads;
	options.connections = (size_t)settings->connections;
	if (settings->tls_certificate.n) {
		snprintf(c->certificate, sizeof(c->certificate), "%.*s", STR_ARG(settings->tls_certificate));
		snprintf(c->key, sizeof(c->key), "%.*s", STR_ARG(settings->tls_key));
		c->tls = true;
		options.reload_tls = reload_tls;
		r = http_tls_load(c->certificate, c->key, &options.tls, err);
	}
	watch_list(c, c->opened.arena, c->opened.paths, c->opened.path_count, &options.watched, &options.watched_count);
	if (r == 0)
		r = notify_open(&c->notify, err);
	if (r == 0 && !c->unconfined) {
		fetcher_load();
		archive_load();
		r = confine(c, err);
		if (r == 0)
			log_event(LOG_INFO, "confined", "by=%s", log_quote(str_of(confine_describe())));
	}
	if (r == 0)
		r = open_gate(&c->opened, false, err);
	if (r == 0)
		r = server_run(c->opened.gate, &options, err);
	http_tls_unref(options.tls); /* each thread has counted it for itself */
	return r;
}

/* As many connections as the system lets one process have; the limits of the server come first. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int cmd_gate(int argc, char **argv)
{
	struct command c = {.notify = NOTIFY_NOBODY};
	const char *listen = NULL, *level = NULL, *threads = NULL;
	const struct option_row rows[] = {
		{.name = "listen", .argument = "ADDR:PORT", .help = "where to listen (default " DEFAULT_LISTEN ")", .value = &listen},
		{.name = "policy",
	     .argument = "FILE",
	     .help = "the policy (default $BONDGATE_POLICY, /etc/bondgate/bondgate.yaml)",
	     .value = &c.opened.options.policy},
		{.name = "state",
	     .argument = "DIR",
	     .help = "where state, cache and evidence are kept (default $BONDGATE_STATE)",
	     .value = &c.opened.options.state},
		{.name = "threads", .argument = "N", .help = "event loops (default: one a processor, at most 4)", .value = &threads},
		{.name = "log-level", .argument = "LEVEL", .help = "error, warning, info or debug", .value = &level},
		{.name = "unconfined", .help = "do not confine the process (for debugging only)", .flag = &c.unconfined},
		{.name = "quiet", .help = "print the .npmrc line only, log warnings and errors only", .flag = &c.opened.options.quiet},
	};
	const struct command_usage usage = {"gate [OPTIONS]",
	                                    "Stands in front of the npm registry: serves what the policy clears, remembers who received what.",
	                                    rows, sizeof(rows) / sizeof(rows[0])};
	enum log_level parsed = LOG_INFO;
	struct err err = {0};
	int words, r;
	bool done;

	r = options_read(&usage, argc, argv, &words, &done);
	if (r || done)
		return r;
	if (words)
		return usage_error(&usage, "gate takes no words, only options: %s", argv[0]);
	if (level && log_level_parse(str_of(level), &parsed) < 0)
		return usage_error(&usage, "--log-level takes error, warning, info or debug");
	log_set_level(level ? parsed : c.opened.options.quiet ? LOG_WARNING : LOG_INFO);
	raise_file_limit();
	setenv("UV_THREADPOOL_SIZE", WORKERS, 0);
	r = serve(&c, listen, threads, &err);
	if (r < 0)
		fprintf(stderr, "bondgate: %s\n", err.text);
	notify_close(&c.notify);
	close_gate(&c.opened);
	return r < 0 ? EXIT_CANNOT : EXIT_NOTHING;
}
