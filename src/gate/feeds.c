#include "gate/feeds.h"

#include <stdio.h>
#include <stdlib.h>

#include "advisory/feed.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "gate/feed_fetch.h"

#define TURN (10 * USEC_SECOND)
/* After a failure a feed is asked again this much sooner than in its turn, but not more often than the second. */
enum { SOONER = 12 };
#define SOONEST USEC_MINUTE

struct feeds {
	struct gate *gate;
	struct loop *loop;
	struct fetcher *fetcher;
	struct loop_timer *timer;
	char folder[4096], index[4096];
	struct rules *rules; /* while a feed is under way: it belongs to them */
	const struct policy_feed *feed;
	struct minisign_public key;
	struct feed_got got;
	struct advisories_imported imported;
	size_t skipped;
	char problem[512]; /* the first one */
	int result;
	struct err err;
	bool stopped;
};

usec feeds_due(const struct policy_feed *feed, usec checked, bool failed)
{
	usec wait = failed ? feed->every / SOONER : feed->every;

	if (checked == 0)
		return 0;
	return checked + (wait < SOONEST ? SOONEST : wait);
}

static void turn(void *arg);

static void free_stopped(struct feeds *f)
{
	rules_unref(f->rules);
	free(f);
}

static void finished(struct feeds *f)
{
	rules_unref(TAKE_PTR(f->rules));
	f->feed = NULL;
	if (f->stopped)
		free_stopped(f);
	else
		f->timer = loop_after(f->loop, USEC_SECOND, turn, f);
}

/* ---- building ---- */

static void on_problem(void *arg, const char *text)
{
	struct feeds *f = arg;

	if (f->skipped++ == 0)
		snprintf(f->problem, sizeof(f->problem), "%s", text);
}

static void build_work(void *arg)
{
	struct feeds *f = arg;
	const char *path = f->got.path;
	const struct advisories_import import = {.index = f->index,
	                                         .paths = &path,
	                                         .path_count = 1,
	                                         .source = f->feed->name,
	                                         .priority = f->feed->priority,
	                                         .now = f->gate->now(),
	                                         .problem = on_problem,
	                                         .arg = f};

	f->result = advisories_build(&import, &f->imported, &f->err);
	if (f->result == 0)
		f->result = feed_imported(f->folder, f->feed->name, f->gate->now(), &f->err);
}

static void build_done(void *arg)
{
	struct feeds *f = arg;
	char text[400];

	if (f->result < 0) {
		log_event(LOG_ERROR, "a feed could not be imported; the advisories stay as they are", "feed=%.*s error=%s", STR_ARG(f->feed->name),
		          log_quote(str_of(f->err.text)));
	} else {
		snprintf(text, sizeof(text), "%.*s: %zu read, %zu added, %zu updated, %zu withdrawn, %zu skipped",
		         STR_ARG(str_take(f->feed->name, 64)), f->imported.read, f->imported.added, f->imported.updated, f->imported.withdrawn,
		         f->imported.skipped);
		log_event(f->skipped ? LOG_WARNING : LOG_INFO, "feed imported", "%s first_problem=%s", text, log_quote(str_of(f->problem)));
		gate_record(f->gate, EVIDENCE_ADMIN, ECOSYSTEM_NPM, STR(""), STR(""), STR("feed imported"), str_of(text));
	}
	finished(f);
}

/* ---- fetching ---- */

static void fetched(void *arg, const struct feed_got *result)
{
	struct feeds *f = arg;

	f->got = *result;
	if (result->code < 0) {
		if (result->code != -ECANCELED)
			log_event(LOG_WARNING, "a feed could not be fetched", "feed=%.*s error=%s", STR_ARG(f->feed->name),
			          log_quote(str_of(result->err.text)));
		finished(f);
	} else if (f->stopped || (result->unchanged && result->imported)) {
		finished(f);
	} else {
		f->skipped = 0;
		f->problem[0] = '\0';
		f->err = (struct err){0};
		loop_work(f->loop, build_work, build_done, f);
	}
}

/* Reads the little files of all feeds: on a worker. The first that is due is taken. */
static void choose_work(void *arg)
{
	struct feeds *f = arg;
	const struct policy_feed *all;
	size_t n = policy_feeds(f->rules->policy, &all);
	struct err err = {0};

	f->feed = NULL;
	for (size_t i = 0; i < n && !f->feed; i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct feed_state state = {0};

		if (!a)
			return;
		feed_state_read(f->folder, all[i].name, a, &state, &err);
		if (!str_eq(state.url, all[i].url))
			state.checked = 0;
		/* A clock that was set back must not silence it. */
		if (state.checked > f->gate->now() || feeds_due(&all[i], state.checked, state.error.n || !state.imported) <= f->gate->now())
			f->feed = &all[i];
	}
	f->result = f->feed && f->feed->key.n ? minisign_public_parse(f->feed->key, &f->key, &f->err) : 0;
	if (f->feed && f->result == 0)
		f->result = dir_make(f->folder, 0700, &f->err);
}

static void choose_done(void *arg)
{
	struct feeds *f = arg;
	struct feed_wish wish;

	if (!f->feed || f->stopped || f->result < 0) {
		bool bad = f->feed && f->result < 0;

		if (bad)
			log_event(LOG_ERROR, "a feed could not be fetched", "feed=%.*s error=%s", STR_ARG(f->feed->name),
			          log_quote(str_of(f->err.text)));
		rules_unref(TAKE_PTR(f->rules));
		f->feed = NULL;
		if (f->stopped)
			free_stopped(f);
		else
			f->timer = loop_after(f->loop, bad ? SOONEST : TURN, turn, f);
		return;
	}
	wish = (struct feed_wish){.name = f->feed->name,
	                          .url = f->feed->url,
	                          .authorization = f->feed->authorization,
	                          .ca_file = f->feed->ca_file.n ? f->feed->ca_file.p : NULL,
	                          .folder = f->folder,
	                          .key = f->feed->key.n ? &f->key : NULL};
	feed_fetch(f->loop, f->fetcher, &wish, fetched, f);
}

static void turn(void *arg)
{
	struct feeds *f = arg;

	f->timer = NULL;
	f->rules = gate_rules(f->gate);
	f->err = (struct err){0};
	loop_work(f->loop, choose_work, choose_done, f);
}

struct feeds *feeds_start(struct gate *g, struct loop *l, struct err *err)
{
	const struct fetcher_limits limits = fetcher_default_limits();
	struct feeds *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->gate = g;
	f->loop = l;
	if (snprintf(f->folder, sizeof(f->folder), "%s/feeds", g->state_dir) >= (int)sizeof(f->folder) ||
	    snprintf(f->index, sizeof(f->index), "%s/" ADVISORY_INDEX, g->state_dir) >= (int)sizeof(f->index)) {
		err_set(err, -ENAMETOOLONG, "the path of the state is too long");
	} else if (fetcher_new(l, &limits, g->via, &f->fetcher, err) == 0) {
		f->timer = loop_after(l, USEC_SECOND, turn, f);
		return f;
	}
	free(f);
	return NULL;
}

void feeds_stop(struct feeds *f)
{
	struct fetcher *fetcher = f->fetcher;
	bool busy = f->rules != NULL;

	f->stopped = true;
	if (f->timer)
		loop_cancel(f->timer);
	f->timer = NULL;
	/* What is under way ends with -ECANCELED, or when its work is done, and frees the rest. */
	f->fetcher = NULL;
	if (!busy)
		free_stopped(f);
	fetcher_free(fetcher);
}
