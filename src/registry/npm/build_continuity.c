/* Publisher continuity: is a version published by those, and in the way, that the releases before it were? The reasons are in
 * docs/decisions/0011-publisher-continuity.md.
 *
 * Versions are gone through in the order of their publication. A fact that is absent everywhere says nothing.
 *  - A person who publishes (or approves) for the first time is a change when others did before, and stays one until
 *    NEW_FOR is over. One who comes back after DORMANT while others published is a change for as long. Whoever else has published any line of
 *    the package is none: back-ports raise no alarm.
 *  - A machine that publishes by trusted publishing stands for the repository that it claims, not for a person.
 *  - A repository of another owner is a change for NEW_FOR; another one of the same owner is none.
 *  - Publisher's name, trusted publisher, provenance, approver or repository missing is a change when the LAST releases before
 *    had it as a habit (since it began, none was without): those of the line, or of the package where the line is new. So that a
 *    second release does not make the first one normal, the same is asked of the releases that are older than NEW_FOR. */
#include <stdio.h>
#include <stdlib.h>

#include "registry/npm/build.h"
#include "registry/npm/repository.h"

#define NEW_FOR (30 * USEC_DAY)
#define MONTH (30 * USEC_DAY)
#define OUT_OF_ORDER (180 * USEC_DAY)
#define DORMANT (548 * USEC_DAY) /* 18 months */

enum { MISDATED = 3, LAST = 5, LAST_MASK = (1 << LAST) - 1, NAMES = 4, NAME_SHOWN = 40, SENTENCE = 160 };

/* What a release can have or lack, one history each. */
enum { HAS_PUBLISHER, HAS_TRUSTED, HAS_PROVENANCE, HAS_APPROVER, HAS_REPOSITORY, HAS_KINDS };

struct habit {
	uint32_t releases;
	uint8_t last[HAS_KINDS]; /* one bit a release, the latest lowest */
};

struct line {
	struct habit all, settled;
	const struct draft *highest; /* of those that are older than OUT_OF_ORDER */
	uint32_t names[NAMES];       /* who published it, the latest first: number of an identity + 1 */
};

/* A person or an owner of repositories. */
struct identity {
	struct str name, first_version;
	struct str before; /* the repository that the package had when this owner came */
	usec first, last;
	struct str back_version; /* with which a sleeper came back last, when, and after how long (0: none ever did) */
	usec back, silent;
	bool came_later; /* there were others before */
};

struct identities {
	struct buf items; /* struct identity */
	struct map index; /* name -> number + 1 */
};

struct continuity {
	struct builder *builder;
	struct identities people, approvers, owners;
	struct line *lines, package;
	uint32_t last_publisher; /* number + 1 */
	struct str last_repository;
	bool misdated; /* by a mirror */
};

static void identities_free(struct identities *s)
{
	buf_free(&s->items);
	map_free(&s->index);
}

static void continuity_free(struct continuity *c)
{
	identities_free(&c->people);
	identities_free(&c->approvers);
	identities_free(&c->owners);
}

static struct identity *identity_find(const struct identities *s, struct str name)
{
	uintptr_t number = name.n ? (uintptr_t)map_get(&s->index, name) : 0;

	return number ? LIST_AT(&s->items, struct identity, number - 1) : NULL;
}

/* Its number + 1, or 0 without a name. */
static uint32_t identity_meet(struct identities *s, struct str name, const struct draft *d, struct str before)
{
	uintptr_t number = name.n ? (uintptr_t)map_get(&s->index, name) : 0;
	struct identity *i;

	if (!name.n)
		return 0;
	if (number) {
		LIST_AT(&s->items, struct identity, number - 1)->last = d->trust.time;
		return (uint32_t)number;
	}
	number = LIST_COUNT(&s->items, struct identity) + 1;
	i = LIST_PUSH(&s->items, struct identity);
	if (!i)
		return 0;
	*i = (struct identity){.name = name, .first_version = d->key, .before = before, .first = d->trust.time, .last = d->trust.time};
	i->came_later = number > 1;
	if (map_put(&s->index, name, (void *)number) < 0)
		s->items.error = -ENOMEM;
	return (uint32_t)number;
}

/* ---- habits ---- */

static void habit_add(struct habit *h, unsigned has)
{
	h->releases++;
	for (size_t i = 0; i < HAS_KINDS; i++)
		h->last[i] = (uint8_t)((h->last[i] << 1 | (has >> i & 1)) & LAST_MASK);
}

/* How many of the last releases had it, if it is a habit: since it began none was without, and all that there are, or two, had it. Otherwise 0. */
static uint32_t habit_holds(const struct habit *h, size_t kind)
{
	uint32_t n = h->releases < LAST ? h->releases : LAST, had = (uint32_t)__builtin_popcount(h->last[kind]);

	if ((h->last[kind] & (h->last[kind] + 1)) != 0)
		return 0;
	return had == n || had >= 2 ? had : 0;
}

static unsigned has(const struct trust_draft *t)
{
	return (unsigned)(t->publisher.n != 0) << HAS_PUBLISHER | (unsigned)(t->trusted_id.n != 0) << HAS_TRUSTED |
	       (unsigned)t->provenance << HAS_PROVENANCE | (unsigned)(t->approver.n != 0) << HAS_APPROVER |
	       (unsigned)(t->repository.n != 0) << HAS_REPOSITORY;
}

static uint32_t lost(const struct continuity *c, const struct draft *d, size_t kind)
{
	const struct line *line = &c->lines[d->trust.line];
	uint32_t n;

	if ((has(&d->trust) >> kind & 1) || (kind == HAS_REPOSITORY && c->misdated))
		return 0;
	n = habit_holds(line->all.releases ? &line->all : &c->package.all, kind);
	return n ? n : habit_holds(line->settled.releases ? &line->settled : &c->package.settled, kind);
}

/* ---- who ---- */

/* Somebody who is new here, though not the first. */
static bool newcomer(const struct identities *s, struct str name, usec now)
{
	const struct identity *i = identity_find(s, name);

	if (!i)
		return LIST_COUNT(&s->items, struct identity) != 0;
	return i->came_later && now - i->first < NEW_FOR;
}

/* For how long somebody had been silent, while others published, who comes back with this release or came back less than NEW_FOR ago: else the
 * first release of a burst would make the others normal. 0: it is no such person. */
static usec silence(const struct continuity *c, struct str name, usec now)
{
	const struct identity *i = identity_find(&c->people, name);

	if (!i)
		return 0;
	if (i->last && now - i->last > DORMANT && c->last_publisher && LIST_AT(&c->people.items, struct identity, c->last_publisher - 1) != i)
		return now - i->last;
	return i->silent && now - i->back < NEW_FOR ? i->silent : 0;
}

/* A machine whose claimed source belongs to an owner whom the package knew: its name says nothing. */
static bool known_machine(const struct continuity *c, const struct trust_draft *t)
{
	return t->trusted_source.n && identity_find(&c->owners, npm_repository_owner(t->repository));
}

/* ---- the sentence ---- */

struct sentence {
	struct trust_text text;
};

static void add_part(struct sentence *s, const struct trust_text *part)
{
	if (!part->n || s->text.n + part->n + 2 > SENTENCE)
		return;
	build_text_add(&s->text, "%s%.*s", s->text.n ? "; " : "", (int)part->n, part->bytes);
}

static void add_names(const struct continuity *c, const struct line *line, struct str but, struct trust_text *to)
{
	size_t shown = 0;

	for (size_t i = 0; i < NAMES && line->names[i]; i++) {
		struct str name = LIST_AT(&c->people.items, struct identity, line->names[i] - 1)->name;

		if (str_eq(name, but))
			continue;
		if (shown++ == NAMES - 1)
			build_text_add(to, " and others");
		else
			build_text_add(to, "%s%.*s", shown == 1 ? " by " : ", ", STR_ARG(str_take(name, NAME_SHOWN / 2)));
	}
}

static void line_name(const struct draft *d, char *ret, size_t size)
{
	if (d->semver.major)
		snprintf(ret, size, "%llu.x", (unsigned long long)d->semver.major);
	else
		snprintf(ret, size, "0.%llu.x", (unsigned long long)d->semver.minor);
}

static void add_those_before(const struct continuity *c, const struct draft *d, struct str but, struct trust_text *to)
{
	const struct line *line = &c->lines[d->trust.line];
	char name[48];

	line_name(d, name, sizeof(name));
	/* A line that only the newcomer has published tells nothing: then the whole package does. */
	if (!line->names[0] || (!line->names[1] && str_eq(LIST_AT(&c->people.items, struct identity, line->names[0] - 1)->name, but)))
		line = &c->package;
	build_text_add(to, "; the ");
	if (!identity_find(&c->people, but))
		build_text_add(to, "%u ", line->all.releases);
	build_text_add(to, "release%s%s%s before it", line->all.releases == 1 ? "" : "s", line == &c->package ? "" : " of ",
	               line == &c->package ? "" : name);
	add_names(c, line, but, to);
}

static void check_person(struct continuity *c, const struct draft *d, struct sentence *s)
{
	const struct trust_draft *t = &d->trust;
	const struct identity *i = identity_find(&c->people, t->publisher);
	struct trust_text part = {.n = 0};
	usec silent = silence(c, t->publisher, t->time);

	if (!t->publisher.n || (t->trusted_id.n && known_machine(c, t)))
		return;
	if (newcomer(&c->people, t->publisher, t->time)) {
		build_text_add(&part, "published by %.*s", STR_ARG(str_take(t->publisher, NAME_SHOWN)));
		if (i)
			build_text_add(&part, ", new since %.*s", STR_ARG(str_take(i->first_version, 24)));
	} else if (silent) {
		build_text_add(&part, "published by %.*s, silent for %lld months", STR_ARG(str_take(t->publisher, NAME_SHOWN)),
		               (long long)(silent / MONTH));
		if (t->time - i->last <= DORMANT)
			build_text_add(&part, " before %.*s", STR_ARG(str_take(i->back_version, 24)));
	} else {
		return;
	}
	add_those_before(c, d, t->publisher, &part);
	add_part(s, &part);
}

static void check_approver(struct continuity *c, const struct draft *d, struct sentence *s)
{
	const struct trust_draft *t = &d->trust;
	const struct identity *i = identity_find(&c->people, t->approver);
	struct trust_text part = {.n = 0};

	if (!t->approver.n || !newcomer(&c->approvers, t->approver, t->time) || (i && t->time - i->first >= NEW_FOR))
		return;
	build_text_add(&part, "approved by %.*s, who did not before", STR_ARG(str_take(t->approver, NAME_SHOWN)));
	add_part(s, &part);
}

static void check_repository(struct continuity *c, const struct draft *d, struct sentence *s)
{
	const struct trust_draft *t = &d->trust;
	struct str owner = npm_repository_owner(t->repository);
	const struct identity *i = identity_find(&c->owners, owner);
	struct trust_text part = {.n = 0};

	if (!owner.n || c->misdated || !newcomer(&c->owners, owner, t->time))
		return;
	build_text_add(&part, "its repository moved from %.*s to %.*s", STR_ARG(str_take(i ? i->before : c->last_repository, 55)),
	               STR_ARG(str_take(t->repository, 55)));
	add_part(s, &part);
}

static void check_lost(struct continuity *c, const struct draft *d, struct sentence *s)
{
	static const struct {
		size_t kind;
		const char *text;
	} kinds[] = {
		{HAS_TRUSTED, "without the trusted publisher"},  {HAS_PROVENANCE, "without the provenance"}, {HAS_APPROVER, "without the approval"},
		{HAS_PUBLISHER, "without the publisher's name"}, {HAS_REPOSITORY, "without the repository"},
	};
	struct trust_text part = {.n = 0};
	uint32_t releases = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint32_t n = lost(c, d, kinds[i].kind);

		if (!n)
			continue;
		build_text_add(&part, "%s%s",
		               part.n                               ? " and "
		               : s->text.n || !d->trust.publisher.n ? ""
		                                                    : "published ",
		               kinds[i].text + (part.n ? 8 : 0));
		releases = releases ? releases : n;
	}
	if (!releases)
		return;
	build_text_add(&part, " that the %u release%s before had", releases, releases == 1 ? "" : "s");
	add_part(s, &part);
}

/* ---- through the package's life ---- */

static void remember_name(struct line *line, uint32_t number)
{
	size_t at = 0;

	if (!number)
		return;
	while (at < NAMES - 1 && line->names[at] && line->names[at] != number)
		at++;
	memmove(line->names + 1, line->names, at * sizeof(line->names[0]));
	line->names[0] = number;
}

static uint32_t remember_person(struct continuity *c, const struct draft *d)
{
	usec silent = silence(c, d->trust.publisher, d->trust.time);
	uint32_t number = identity_meet(&c->people, d->trust.publisher, d, STR_NULL);
	struct identity *i = number ? LIST_AT(&c->people.items, struct identity, number - 1) : NULL;

	if (!i || !silent)
		return number;
	if (!i->silent || d->trust.time - i->back >= NEW_FOR) {
		i->back = d->trust.time;
		i->back_version = d->key;
	}
	i->silent = silent;
	return number;
}

static void remember(struct continuity *c, const struct draft *d)
{
	const struct trust_draft *t = &d->trust;
	struct line *line = &c->lines[t->line];
	uint32_t number = remember_person(c, d);

	identity_meet(&c->approvers, t->approver, d, STR_NULL);
	identity_meet(&c->owners, npm_repository_owner(t->repository), d, c->last_repository);
	if (t->repository.n)
		c->last_repository = t->repository;
	if (number)
		c->last_publisher = number;
	remember_name(line, number);
	remember_name(&c->package, number);
	habit_add(&line->all, has(t));
	habit_add(&c->package.all, has(t));
}

static void settle(struct continuity *c, const struct draft *d)
{
	habit_add(&c->lines[d->trust.line].settled, has(&d->trust));
	habit_add(&c->package.settled, has(&d->trust));
}

static int by_time(const void *x, const void *y)
{
	const struct draft *a = *(struct draft *const *)x, *b = *(struct draft *const *)y;
	int r = (a->trust.time > b->trust.time) - (a->trust.time < b->trust.time);

	if (r == 0)
		r = semver_compare(&a->semver, &b->semver);
	return r ? r : (a > b) - (a < b);
}

static struct str judge(struct continuity *c, const struct draft *d)
{
	struct sentence s = {.text = {.n = 0}};

	/* Without a time nothing can be said of what came before. */
	if (!d->trust.time)
		return STR_NULL;
	check_person(c, d, &s);
	check_repository(c, d, &s);
	check_approver(c, d, &s);
	check_lost(c, d, &s);
	return build_text_keep(c->builder, &s.text);
}

/* Some mirrors date old versions by the day on which they copied them: then what an old version names as its repository looks like a move away
 * from where the new ones are. Told by many versions that came half a year after a higher one of their line; an honest project has few of
 * those. Whoever makes a package look so gains nothing but that its repository, which anybody may claim, is not compared. */
static bool misdated(struct continuity *c, struct draft *const *order, size_t count)
{
	size_t late = 0, old = 0, releases = 0;

	for (size_t i = 0; i < count; i++) {
		const struct line *line = &c->lines[order[i]->trust.line];

		for (; old < i && order[i]->trust.time - order[old]->trust.time > OUT_OF_ORDER; old++) {
			struct line *other = &c->lines[order[old]->trust.line];

			if (!other->highest || semver_compare(&other->highest->semver, &order[old]->semver) < 0)
				other->highest = order[old];
		}
		if (!order[i]->trust.time || semver_is_prerelease(&order[i]->semver))
			continue;
		releases++;
		late += line->highest && semver_compare(&order[i]->semver, &line->highest->semver) < 0;
	}
	return late >= MISDATED && late * 10 > releases;
}

int build_continuity(struct builder *b)
{
	size_t count = LIST_COUNT(&b->drafts, struct draft), lines = 0, settled = 0;
	struct draft **order = ARENA_ARRAY(b->arena, struct draft *, count + 1);
	CLEANUP(continuity_free)
	struct continuity c = {
		.builder = b,
		.people = {BUF(GIB), MAP_EMPTY},
		.approvers = {BUF(GIB), MAP_EMPTY},
		.owners = {BUF(GIB), MAP_EMPTY},
	};

	for (size_t i = 0; order && i < count; i++) {
		order[i] = LIST_AT(&b->drafts, struct draft, i);
		lines = order[i]->trust.line >= lines ? order[i]->trust.line + 1 : lines;
	}
	c.lines = ARENA_ARRAY(b->arena, struct line, lines + 1);
	if (!order || !c.lines)
		return err_set(b->err, -ENOMEM, "no memory for the packument of %.*s", STR_ARG(b->input->name));
	if (count)
		qsort(order, count, sizeof(struct draft *), by_time);
	c.misdated = misdated(&c, order, count);
	for (size_t i = 0; i < count; i++) {
		struct draft *d = order[i];

		for (; settled < i && d->trust.time - order[settled]->trust.time >= NEW_FOR; settled++)
			if (build_counts(order[settled]))
				settle(&c, order[settled]);
		d->trust.continuity = judge(&c, d);
		if (build_counts(d))
			remember(&c, d);
	}
	if (c.people.items.error || c.approvers.items.error || c.owners.items.error)
		return err_set(b->err, -ENOMEM, "no memory for the packument of %.*s", STR_ARG(b->input->name));
	return 0;
}
