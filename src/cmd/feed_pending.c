/* bondgate feed pending: what the brake holds back for a person. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "cmd/feed.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/person.h"
#include "cmd/state.h"
#include "store/recall.h"

struct pending {
	const struct feed_options *options;
	struct json_writer json;
	struct str wanted; /* the advisory to be decided on; empty: list them */
	struct arena *arena;
	struct braked found[64];
	size_t count, open;
};

static void put_json(struct json_writer *w, const struct braked *b)
{
	char time[TIME_TEXT];

	time_format_utc(b->since, time);
	jw_object(w);
	jw_member_str(w, "advisory", b->advisory);
	jw_member_str(w, "ecosystem", str_of(ecosystem_name(b->ecosystem)));
	jw_member_str(w, "package", b->name);
	jw_member_int(w, "projects", b->projects);
	jw_member_str(w, "since", str_of(time));
	jw_member_str(w, "state", str_of(brake_state_name(b->state)));
	output_member(w, "decided_by", b->decided_by);
	output_member(w, "note", b->note);
	jw_object_end(w);
}

static int list_one(void *arg, const struct braked *b)
{
	struct pending *p = arg;
	char time[TIME_TEXT];

	p->open += b->state == BRAKE_PENDING;
	if (p->options->json) {
		put_json(&p->json, b);
		return 0;
	}
	time_format_local(b->since, time);
	output_cell(stdout, b->advisory, 22);
	printf("  %-8s  %s  %lld projects  %s:", brake_state_name(b->state), time, (long long)b->projects, ecosystem_name(b->ecosystem));
	output_cell(stdout, b->name, 0);
	putchar('\n');
	return 0;
}

static int find_one(void *arg, const struct braked *b)
{
	struct pending *p = arg;

	if (!str_eq(b->advisory, p->wanted) || p->count == sizeof(p->found) / sizeof(p->found[0]))
		return 0;
	p->found[p->count] = *b;
	p->found[p->count].advisory = arena_str(p->arena, b->advisory);
	p->found[p->count++].name = arena_str(p->arena, b->name);
	return 0;
}

static int list(struct pending *p, struct store *s, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF(16 * MIB);
	int r;

	jw_init(&p->json, &out);
	jw_array(&p->json);
	r = store_brakes(s, list_one, p, err);
	jw_array_end(&p->json);
	buf_add_char(&out, '\n');
	if (r < 0)
		return r;
	if (p->options->json)
		output_flush(&p->json, stdout);
	else if (p->open == 0 && !p->options->quiet)
		printf("nothing waits for a decision\n");
	return 0;
}

/* The gate looks again when the index's file changes, be it only in its times. */
static void wake_gate(const char *index)
{
	utimensat(AT_FDCWD, index, NULL, 0);
}

static int decide_on(struct pending *p, struct store *s, bool accept, struct err *err)
{
	char person[PERSON_TEXT];
	struct str decider;
	int r = store_brakes(s, find_one, p, err);

	if (r < 0)
		return r;
	if (p->count == 0)
		return err_set(err, -ENOENT, "the brake holds no advisory %.*s (bondgate feed pending lists them)",
		               STR_ARG(str_take(p->wanted, 100)));
	local_person(person);
	decider = arena_str(p->arena, str_of(person));
	if (!decider.p)
		return err_set(err, -ENOMEM, "no memory");
	for (size_t i = 0; i < p->count && r == 0; i++) {
		struct braked *b = &p->found[i];
		struct evidence act = {.time = time_now(),
		                       .kind = EVIDENCE_ADMIN,
		                       .ecosystem = b->ecosystem,
		                       .name = b->name,
		                       .identity = decider,
		                       .decision = accept ? STR("brake accepted") : STR("brake rejected"),
		                       .detail = arena_printf(p->arena, "%.*s %s%s", STR_ARG(b->advisory), p->options->note ? p->options->note : "",
		                                              accept ? " (it counts from now on)" : " (it does not count for this package)")};

		b->state = accept ? BRAKE_ACCEPTED : BRAKE_REJECTED;
		b->decided_by = decider;
		b->decided = act.time;
		b->note = str_of(p->options->note ? p->options->note : "");
		r = store_brake_put(s, b, &act, err);
	}
	if (r == 0)
		wake_gate(p->options->index);
	return r;
}

int feed_pending(const struct feed_options *o, int count, char **words)
{
	static struct pending p;
	bool accept = count && strcmp(words[0], "accept") == 0, reject = count && strcmp(words[0], "reject") == 0;
	struct err err = {0};
	struct store *s;
	int r;

	p = (struct pending){.options = o, .arena = arena_new(MIB)};
	if (!p.arena)
		return EXIT_CANNOT;
	if (count && ((!accept && !reject) || count != 2)) {
		fprintf(stderr, "bondgate: feed pending lists; feed pending accept ID and feed pending reject ID decide\n");
		arena_free(p.arena);
		return EXIT_USAGE;
	}
	r = state_open(o->state, count ? STORE_WRITE : STORE_READ, &s, &err);
	if (r == 0) {
		p.wanted = str_of(count ? words[1] : "");
		r = count ? decide_on(&p, s, accept, &err) : list(&p, s, &err);
		store_close(s);
	}
	arena_free(p.arena);
	if (r < 0) {
		fprintf(stderr, "bondgate: %s\n", err.text);
		return EXIT_CANNOT;
	}
	return fflush(stdout) != 0 ? EXIT_CANNOT : p.open ? EXIT_FOUND : EXIT_NOTHING;
}
