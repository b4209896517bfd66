#include "gate/webhooks.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "gate/webhook_message.h"

#define LOOK_EVERY USEC_SECOND
#define PAUSE_MOST (5 * USEC_MINUTE)
/* A place that only moved over records of other kinds is written down this often. */
#define PLACE_EVERY USEC_MINUTE
enum { SCANNED_AT_ONCE = 20000, MESSAGES_AT_ONCE = 16, ANSWER_MOST = 64 * 1024, MESSAGE_MOST = 64 * 1024, REFUSALS_MOST = 5, ID_TEXT = 16 };

struct message {
	int64_t seq;
	struct str body;
};

/* One webhook. Between two looks of the loop it is idle, or one thing is under way for it: reading, sending, or noting its place. */
struct hook {
	struct hook *next;
	struct webhooks *all;
	char id[ID_TEXT + 1];
	bool busy, seen;     /* seen: the policy in force still has it */
	struct rules *rules; /* while busy: what `config` lives in */
	const struct policy_webhook *config;
	int64_t place, noted; /* in the evidence: told up to here, and written down; -1: not known yet */
	usec noted_at, not_before;
	unsigned failures, refusals;
	/* What was read. */
	struct arena *texts;
	struct message messages[MESSAGES_AT_ONCE];
	size_t count, at;
	int64_t scanned;
	size_t scanned_count;
	int result;
	struct err err;
};

struct webhooks {
	struct gate *gate;
	struct loop *loop;
	struct fetcher *fetcher;
	struct loop_timer *timer;
	struct hook *hooks;
	bool stopping;
};

/* ---- sending ---- */

struct sending {
	struct fetch_hosts hosts;
	webhook_sent done;
	void *arg;
	int status;
	char *url, *ca_file;
};

struct str webhook_name(const struct policy_webhook *config)
{
	ptrdiff_t scheme = str_find(config->url, STR("://")), slash;
	struct str rest = scheme < 0 ? config->url : str_skip(config->url, (size_t)scheme + 3);

	slash = str_chr(rest, '/');
	return slash < 0 ? rest : str_take(rest, (size_t)slash);
}

static int note_head(void *arg, const struct fetch_head *head)
{
	struct sending *s = arg;

	s->status = head->status;
	return 0;
}

static int drop_data(void *arg, const void *bytes, size_t n)
{
	(void)arg, (void)bytes, (void)n;
	return 0;
}

static void sent(void *arg, const struct fetch_result *result)
{
	struct sending *s = arg;

	s->done(s->arg, result->code, s->status, &result->err);
	free(s->url);
	free(s->ca_file);
	free(s);
}

void webhook_send(struct fetcher *f, const struct policy_webhook *config, struct str body, webhook_sent done, void *arg)
{
	struct sending *s = calloc(1, sizeof(*s));
	struct fetch what;

	if (!s || !(s->url = str_dup(config->url)) || (config->ca_file.n && !(s->ca_file = str_dup(config->ca_file))))
		abort();
	s->done = done;
	s->arg = arg;
	s->hosts.url = str_of(s->url);
	what = (struct fetch){
		.method = STR("POST"),
		.url = s->hosts.url,
		.hosts = &s->hosts,
		.authorization = config->authorization,
		.content_type = STR("application/json"),
		.accept = STR("*/*"),
		.body = body,
		.ca_file = s->ca_file,
		.max_bytes = ANSWER_MOST,
		.on_head = note_head,
		.on_data = drop_data,
		.on_done = sent,
		.arg = s,
	};
	fetch_start(f, &what);
}

/* ---- reading, on a worker ---- */

static void setting_key(const struct hook *h, char key[static 40])
{
	snprintf(key, 40, "webhook.place.%s", h->id);
}

static int note_seq(void *arg, const struct evidence *e)
{
	*(int64_t *)arg = e->seq;
	return 0;
}

/* Where it stands: what was written down, or for a new one the end of the evidence. */
static int find_place(struct hook *h)
{
	struct evidence_filter newest = {.kind = -1, .ecosystem = -1, .newest_first = true, .limit = 1};
	struct store *s = h->all->gate->store;
	char key[40], number[24];
	struct str text;
	int64_t place = 0;
	int r;

	setting_key(h, key);
	r = store_setting_get(s, str_of(key), h->texts, &text, &h->err);
	if (r == 0)
		return str_to_i64(text, &h->place);
	if (r != -ENOENT)
		return r;
	r = store_evidence(s, &newest, note_seq, &place, &h->err);
	if (r < 0)
		return r;
	snprintf(number, sizeof(number), "%lld", (long long)place);
	r = store_setting_set(s, str_of(key), str_of(number), &h->err);
	if (r == 0)
		h->place = h->noted = place;
	return r;
}

static int read_record(void *arg, const struct evidence *e)
{
	struct hook *h = arg;
	CLEANUP_BUF struct buf body = BUF(MESSAGE_MOST);

	if (h->count == MESSAGES_AT_ONCE)
		return 1;
	h->scanned = e->seq;
	h->scanned_count++;
	if (!(webhook_event_of(e) & h->config->events))
		return 0;
	webhook_message(h->config->format, e, str_of(store_instance(h->all->gate->store)), &body);
	if (body.error)
		return body.error;
	h->messages[h->count++] = (struct message){e->seq, arena_str(h->texts, buf_str(&body))};
	return arena_failed(h->texts) ? -ENOMEM : 0;
}

static void read_work(void *arg)
{
	struct hook *h = arg;
	struct evidence_filter filter = {.kind = -1, .ecosystem = -1, .limit = SCANNED_AT_ONCE};

	h->result = h->place < 0 ? find_place(h) : 0;
	if (h->result < 0)
		return;
	h->scanned = filter.after_seq = h->place;
	h->result = store_evidence(h->all->gate->store, &filter, read_record, h, &h->err);
}

static void place_work(void *arg)
{
	struct hook *h = arg;
	char key[40], number[24];

	setting_key(h, key);
	snprintf(number, sizeof(number), "%lld", (long long)h->place);
	h->result = store_setting_set(h->all->gate->store, str_of(key), str_of(number), &h->err);
}

/* ---- one after the other, on the loop ---- */

static void rest(struct hook *h)
{
	arena_free(TAKE_PTR(h->texts));
	rules_unref(TAKE_PTR(h->rules));
	h->config = NULL;
	h->busy = false;
}

/* Ever longer pauses, from a second on. */
static void fail(struct hook *h, int status, const char *why)
{
	usec pause = h->failures < 9 ? USEC_SECOND << h->failures : PAUSE_MOST;
	char text[TIME_TEXT];

	if (pause > PAUSE_MOST)
		pause = PAUSE_MOST;
	h->failures++;
	h->not_before = time_monotonic() + pause;
	duration_format(pause, text);
	METRIC_ADD(&h->all->gate->metrics, webhooks_failed, 1);
	log_event(LOG_WARNING, "a webhook was not told; it will be tried again", "host=%s status=%d error=%s after=%s",
	          log_quote(webhook_name(h->config)), status, log_quote(str_of(why)), text);
	rest(h);
}

static void send_next(struct hook *h);

static void place_noted(void *arg)
{
	struct hook *h = arg;

	if (h->result < 0) {
		fail(h, 0, h->err.text);
		return;
	}
	h->noted = h->place;
	h->noted_at = time_monotonic();
	if (h->all->stopping || h->at == h->count)
		rest(h);
	else
		send_next(h);
}

static void note_place(struct hook *h, int64_t place)
{
	h->place = place;
	loop_work(h->all->loop, place_work, place_noted, h);
}

/* An answer that says that this very message cannot be taken: after some tries it must not keep the others waiting for ever. */
static bool is_refusal(int status)
{
	return status == 400 || status == 413 || status == 422;
}

static void answered(void *arg, int code, int status, const struct err *err)
{
	struct hook *h = arg;
	struct gate *g = h->all->gate;

	if (h->all->stopping) {
		rest(h);
	} else if (code == 0 && status / 100 == 2) {
		h->failures = h->refusals = 0;
		METRIC_ADD(&g->metrics, webhooks_delivered, 1);
		note_place(h, h->messages[h->at++].seq);
	} else if (code == 0 && is_refusal(status) && ++h->refusals >= REFUSALS_MOST) {
		h->failures = h->refusals = 0;
		METRIC_ADD(&g->metrics, webhooks_passed_over, 1);
		log_event(LOG_ERROR, "a webhook refuses a message, which is passed over", "host=%s status=%d record=%lld",
		          log_quote(webhook_name(h->config)), status, (long long)h->messages[h->at].seq);
		note_place(h, h->messages[h->at++].seq);
	} else {
		/* libcurl's texts name the host and no path. */
		fail(h, status, code < 0 ? err->text : "it did not answer 2xx");
	}
}

static void send_next(struct hook *h)
{
	webhook_send(h->all->fetcher, h->config, h->messages[h->at].body, answered, h);
}

static void read_done(void *arg)
{
	struct hook *h = arg;
	usec now = time_monotonic();

	if (h->result < 0) {
		fail(h, 0, h->err.text);
		return;
	}
	if (h->count && !h->all->stopping) {
		send_next(h);
		return;
	}
	if (h->scanned > h->place && !h->all->stopping) {
		bool far = h->scanned_count == SCANNED_AT_ONCE;

		h->place = h->scanned;
		if (far || now - h->noted_at > PLACE_EVERY) {
			note_place(h, h->scanned);
			return;
		}
	}
	rest(h);
}

static void begin(struct hook *h, struct rules *rules, const struct policy_webhook *config)
{
	h->busy = true;
	h->rules = rules_ref(rules);
	h->config = config;
	h->texts = arena_new(4 * MIB);
	h->count = h->at = h->scanned_count = 0;
	h->err = (struct err){0};
	if (!h->texts)
		abort();
	loop_work(h->all->loop, read_work, read_done, h);
}

/* ---- which there are ---- */

/* Its address is its identity: other events or another token leave it where it stands. */
static void hook_id(const struct policy_webhook *config, char id[static ID_TEXT + 1])
{
	unsigned char hash[EVP_MAX_MD_SIZE] = {0};

	EVP_Digest(config->url.p, config->url.n, hash, NULL, EVP_sha256(), NULL);
	hex_encode(hash, ID_TEXT / 2, id);
}

static struct hook *find_hook(struct webhooks *w, const struct policy_webhook *config)
{
	char id[ID_TEXT + 1];
	struct hook *h;

	hook_id(config, id);
	for (h = w->hooks; h; h = h->next)
		if (strcmp(h->id, id) == 0)
			return h;
	h = calloc(1, sizeof(*h));
	if (!h)
		abort();
	h->all = w;
	h->place = h->noted = -1;
	memcpy(h->id, id, sizeof(id));
	h->next = w->hooks;
	w->hooks = h;
	return h;
}

/* Those that left the policy. One that comes back stands where it stood. */
static void drop_unseen(struct webhooks *w)
{
	struct hook **at = &w->hooks;

	while (*at) {
		struct hook *h = *at;

		if (h->seen || h->busy) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		free(h);
	}
}

static void look(void *arg)
{
	struct webhooks *w = arg;
	struct rules *rules = gate_rules(w->gate);
	const struct policy_webhook *configs;
	size_t n = policy_webhooks(rules->policy, &configs);
	usec now = time_monotonic();

	for (struct hook *h = w->hooks; h; h = h->next)
		h->seen = false;
	for (size_t i = 0; i < n; i++) {
		struct hook *h = find_hook(w, &configs[i]);

		/* The same address twice is one webhook: the first line counts. */
		if (!h->seen && !h->busy && h->not_before <= now)
			begin(h, rules, &configs[i]);
		h->seen = true;
	}
	drop_unseen(w);
	rules_unref(rules);
	w->timer = loop_after(w->loop, LOOK_EVERY, look, w);
}

int webhooks_start(struct gate *g, struct loop *l, struct webhooks **ret, struct err *err)
{
	struct fetcher_limits limits = fetcher_default_limits();
	struct webhooks *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return err_set(err, -ENOMEM, "no memory");
	w->gate = g;
	w->loop = l;
	limits.connect_timeout = 10 * USEC_SECOND;
	limits.stall_timeout = 20 * USEC_SECOND;
	limits.total_timeout = 30 * USEC_SECOND;
	limits.redirects = 0;
	limits.per_host = 2;
	r = fetcher_new(l, &limits, g->via, &w->fetcher, err);
	if (r < 0) {
		free(w);
		return r;
	}
	w->timer = loop_after(l, LOOK_EVERY, look, w);
	*ret = w;
	return 0;
}

void webhooks_stop(struct webhooks *w)
{
	if (!w)
		return;
	w->stopping = true;
	if (w->timer)
		loop_cancel(w->timer);
	w->timer = NULL;
	fetcher_free(TAKE_PTR(w->fetcher));
}

void webhooks_free(struct webhooks *w)
{
	struct hook *h;

	if (!w)
		return;
	while ((h = w->hooks)) {
		w->hooks = h->next;
		free(h);
	}
	free(w);
}
