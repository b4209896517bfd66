/* bondgate webhook test: tells every webhook of the policy a message, and says what each answered. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/policy_files.h"
#include "gate/webhook_message.h"
#include "gate/webhooks.h"

struct trial {
	struct json_writer json;
	bool as_json;
	size_t waiting, failed;
	struct loop *loop;
};

struct one {
	struct trial *trial;
	const struct policy_webhook *hook;
};

static void answered(void *arg, int code, int status, const struct err *err)
{
	struct one *o = arg;
	struct trial *t = o->trial;
	struct str name = webhook_name(o->hook);
	bool good = code == 0 && status / 100 == 2;
	char place[64];

	snprintf(place, sizeof(place), "%.*s:%u", STR_ARG(str_take(o->hook->source.file, 40)), o->hook->source.line);
	t->failed += !good;
	if (t->as_json) {
		jw_object(&t->json);
		jw_member_str(&t->json, "host", name);
		jw_member_str(&t->json, "source", str_of(place));
		jw_member_int(&t->json, "status", status);
		jw_member_bool(&t->json, "delivered", good);
		output_member(&t->json, "error", code < 0 ? str_of(err->text) : STR_NULL);
		jw_object_end(&t->json);
	} else if (code < 0) {
		printf("%.*s (%s): not reached: %s\n", STR_ARG(name), place, err->text);
	} else {
		printf("%.*s (%s): %s (%d)\n", STR_ARG(name), place, good ? "delivered" : "refused", status);
	}
	if (--t->waiting == 0)
		loop_stop(t->loop);
}

static int tell_all(const struct policy *p, struct trial *t, struct err *err)
{
	const struct evidence e = {
		.time = time_now(), .kind = EVIDENCE_REQUEST, .decision = STR("test"), .detail = STR("this is a test of the webhook")};
	struct fetcher_limits limits = fetcher_default_limits();
	const struct policy_webhook *hooks;
	size_t n = policy_webhooks(p, &hooks);
	CLEANUP_FREE struct one *ones = calloc(n + 1, sizeof(*ones));
	struct fetcher *fetcher = NULL;
	int r = ones ? loop_new(&t->loop, err) : -ENOMEM;

	limits.redirects = 0;
	limits.total_timeout = 30 * USEC_SECOND;
	if (r == 0)
		r = fetcher_new(t->loop, &limits, "1.1 bondgate-test", &fetcher, err);
	t->waiting = n;
	for (size_t i = 0; r == 0 && i < n; i++) {
		CLEANUP_BUF struct buf body = BUF(64 * KIB);

		webhook_message(hooks[i].format, &e, STR("test"), &body);
		ones[i] = (struct one){t, &hooks[i]};
		webhook_send(fetcher, &hooks[i], buf_str(&body), answered, &ones[i]);
	}
	if (r == 0)
		loop_run(t->loop);
	if (fetcher) {
		fetcher_free(fetcher);
		loop_run(t->loop);
	}
	if (t->loop)
		loop_free(t->loop);
	return r;
}

static int test(const char *policy_option, bool as_json)
{
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct trial t = {.as_json = as_json};
	const struct policy_webhook *hooks;
	const struct policy_environment environment = {.token = policy_read_token};
	struct policy *p = NULL;
	struct err err = {0};
	int r = policy_files_load_with(policy_option, time_now(), &environment, &p, NULL, &err);

	if (r == 0 && policy_webhooks(p, &hooks) == 0)
		r = err_set(&err, -ENOENT, "the policy has no webhooks: docs/approvals.md says how to add one");
	jw_init(&t.json, &out);
	jw_object(&t.json);
	jw_key(&t.json, STR("webhooks"));
	jw_array(&t.json);
	if (r == 0)
		r = tell_all(p, &t, &err);
	jw_array_end(&t.json);
	jw_object_end(&t.json);
	policy_unref(p);
	if (r < 0) {
		fprintf(stderr, "bondgate: %s\n", err.text);
		return EXIT_CANNOT;
	}
	if (as_json) {
		buf_add_char(&out, '\n');
		output_flush(&t.json, stdout);
	}
	return t.failed ? EXIT_FOUND : EXIT_NOTHING;
}

int cmd_webhook(int argc, char **argv)
{
	const char *policy = NULL;
	bool json = false, done;
	const struct option_row rows[] = {
		{.name = "policy",
	     .argument = "FILE",
	     .help = "the policy (default $BONDGATE_POLICY, /etc/bondgate/bondgate.yaml)",
	     .value = &policy},
		{.name = "json", .help = "machine-readable", .flag = &json},
	};
	const struct command_usage usage = {
		"webhook test [OPTIONS]", "Sends a test message to every webhook of the policy. Exits 0 when all took it, 1 when one did not.",
		rows, sizeof(rows) / sizeof(rows[0])};
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	if (words != 1 || strcmp(argv[0], "test") != 0)
		return usage_error(&usage, "webhook knows test");
	log_set_level(LOG_ERROR);
	return test(policy, json);
}
