/* bondgate gate: the service. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/open.h"
#include "cmd/options.h"
#include "cmd/upstream_auto.h"
#include "gate/confine.h"
#include "gate/server.h"

#define DEFAULT_LISTEN "127.0.0.1:4873"

struct command {
	struct opened opened;
	char certificate[1024], key[1024];
	bool tls, unconfined;
};

static int reload(void *arg, struct policy **ret_policy, struct advisories **ret_advisories, struct err *err)
{
	struct command *c = arg;
	struct gate *g = c->opened.gate;
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	struct policy *policy, *complete;
	int r = a ? load_rules(c->opened.options.policy, g->state_dir, a, &policy, ret_advisories, NULL, NULL, err) : -ENOMEM;

	if (r < 0)
		return r;
	/* What `auto` stands for was found out at the start; npm cannot be asked from within the confinement. */
	if (g->upstream_npm.n) {
		r = policy_set_upstream(policy, ECOSYSTEM_NPM, g->upstream_npm, &complete, err);
		policy_unref(policy);
		policy = complete;
	}
	*ret_policy = r < 0 ? NULL : policy;
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
	const char *read[64], *write[1] = {c->opened.gate->state_dir};
	const struct origin *origins;
	size_t n = 0, count = policy_origins(c->opened.gate->rules->policy, &origins);
	struct confine_paths paths = {.read = read, .write = write, .write_count = 1};

	for (size_t i = 0; i < c->opened.path_count && n < 40; i++)
		read[n++] = c->opened.paths[i];
	if (c->tls) {
		read[n++] = c->certificate;
		read[n++] = c->key;
	}
	for (size_t i = 0; i < count && n < 60; i++)
		if (origins[i].ca_file.n)
			read[n++] = origins[i].ca_file.p;
	paths.read_count = n;
	return confine_start(&paths, err);
}

static int listening(void *arg, const char *address, struct err *err)
{
	struct command *c = arg;
	const char *scheme = c->tls ? "https" : "http";
	int r = 0;

	if (!c->unconfined) {
		r = confine(c, err);
		if (r == 0)
			log_event(LOG_INFO, "confined", "by=%s", log_quote(str_of(confine_describe())));
	}
	if (r < 0)
		return r;
	if (!c->opened.options.quiet)
		fprintf(stderr, "The gate is open. Put this line into .npmrc (Ctrl-C ends it):\n");
	printf("registry=%s://%s/npm/\n", scheme, address);
	fflush(stdout);
	return 0;
}

static int serve(struct command *c, const char *listen, const char *threads, struct err *err)
{
	const struct gate_settings *settings = policy_gate(c->opened.gate->rules->policy);
	struct server_options options = {
		.listen = listen ? listen : settings->listen.n ? settings->listen.p : DEFAULT_LISTEN,
		.threads = (size_t)settings->threads,
		.connections = (size_t)settings->connections,
		.watched = c->opened.paths,
		.watched_count = c->opened.path_count,
		.reload = reload,
		.listening = listening,
		.arg = c,
	};
	uint64_t wanted;
	int r;

	if (threads && (str_to_u64(str_of(threads), &wanted) < 0 || wanted > 64))
		return err_set(err, -EINVAL, "--threads takes a number from 0 to 64");
	if (threads)
		options.threads = (size_t)wanted;
	if (settings->tls_certificate.n) {
		snprintf(c->certificate, sizeof(c->certificate), "%.*s", STR_ARG(settings->tls_certificate));
		snprintf(c->key, sizeof(c->key), "%.*s", STR_ARG(settings->tls_key));
		c->tls = true;
		options.reload_tls = reload_tls;
		r = http_tls_load(c->certificate, c->key, &options.tls, err);
		if (r < 0)
			return r;
	}
	r = upstream_auto(c->opened.gate, options.listen, c->opened.arena, err);
	return r < 0 ? r : server_run(c->opened.gate, &options, err);
}

int cmd_gate(int argc, char **argv)
{
	struct command c = {0};
	const char *listen = NULL, *level = NULL, *threads = NULL;
	const struct option_row rows[] = {
		{.name = "listen", .argument = "ADDR:PORT", .help = "where to listen (default " DEFAULT_LISTEN ")", .value = &listen},
		{.name = "policy", .argument = "FILE", .help = "the policy (default $BONDGATE_POLICY, /etc/bondgate/bondgate.yaml)", .value = &c.opened.options.policy},
		{.name = "state", .argument = "DIR", .help = "where state, cache and evidence are kept (default $BONDGATE_STATE)", .value = &c.opened.options.state},
		{.name = "threads", .argument = "N", .help = "event loops (default: one a processor, at most 4)", .value = &threads},
		{.name = "log-level", .argument = "LEVEL", .help = "error, warning, info or debug", .value = &level},
		{.name = "unconfined", .help = "do not confine the process (for debugging only)", .flag = &c.unconfined},
		{.name = "quiet", .help = "print the .npmrc line only, log warnings and errors only", .flag = &c.opened.options.quiet},
	};
	const struct command_usage usage = {"gate [OPTIONS]",
	                                    "Stands in front of the npm registry: serves what the policy clears, remembers who received what.",
	                                    rows, sizeof(rows) / sizeof(rows[0])};
	struct open_options options;
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
	options = c.opened.options;
	r = open_gate(&options, false, &c.opened, &err);
	if (r == 0)
		r = serve(&c, listen, threads, &err);
	if (r < 0)
		fprintf(stderr, "bondgate: %s\n", err.text);
	close_gate(&c.opened);
	return r < 0 ? EXIT_CANNOT : EXIT_NOTHING;
}
