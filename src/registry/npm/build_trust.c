/* What a version gained: scripts that run on installing, commands, dependencies from elsewhere, dependencies at all.
 *
 * The version that it is compared with is the highest lower one of its line that had been out for a while when it was published; the
 * first of a line is compared with the highest below it. "For a while" keeps a burst of releases from hiding what the first of
 * them brought: each of them has gained it until it is as old as the hold that it leads to. A stable version is
 * not compared with prereleases where its line has stable ones: few people look at those. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "registry/npm/build.h"

#define SETTLED_AFTER (14 * USEC_DAY)       /* the delay of `install-script` as it is shipped */
#define SETTLED_NAMES_AFTER (30 * USEC_DAY) /* that of `new-dependency` */
#define TAKEN_BACK_WITHIN (30 * USEC_DAY)   /* rule 8 */

enum { NAMED = 3 /* items of a list that a sentence names */ };

/* ---- texts ---- */

void build_text_add(struct trust_text *t, const char *format, ...)
{
	size_t room = sizeof(t->bytes) - t->n;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->bytes + t->n, room, format, args);
	va_end(args);
	if (n < 0)
		return;
	n = (size_t)n < room ? n : (int)room - 1;
	for (size_t end = t->n + (size_t)n; t->n < end; t->n++)
		if ((unsigned char)t->bytes[t->n] < 0x20 || (unsigned char)t->bytes[t->n] > 0x7e)
			t->bytes[t->n] = '?';
}

struct str build_text_keep(struct builder *b, const struct trust_text *t)
{
	return t->n ? arena_str(b->arena, (struct str){t->bytes, t->n}) : STR_NULL;
}

static void add_item(struct trust_text *t, const char *what, struct str item)
{
	build_text_add(t, "%s%s%.*s", t->n ? ", " : "", what, STR_ARG(str_take(item, 100)));
}

/* ---- gains ---- */

static usec published(const struct seen_version *s)
{
	usec at = s->upstream_time && s->upstream_time < s->first_seen ? s->upstream_time : s->first_seen;

	return at > s->lacked_at ? at : s->lacked_at;
}

static bool native(struct str binary)
{
	return binary.n && !str_starts(binary, STR("bundled "));
}

bool npm_archive_gained(const struct seen_package *seen, struct str version, enum npm_archive_kind kind, bool expected)
{
	const struct seen_version *it = NULL, *before = NULL;
	struct semver own, best = {0}, other;

	for (size_t i = 0; i < seen->version_count && !it; i++)
		it = str_eq(seen->versions[i].version, version) ? &seen->versions[i] : NULL;
	if (!it || (kind == NPM_ARCHIVE_SCRIPT ? it->archive_script : it->archive_binary).n == 0 ||
	    semver_parse(version, SEMVER_LOOSE, &own) < 0)
		return false;
	for (size_t i = 0; i < seen->version_count; i++) {
		const struct seen_version *s = &seen->versions[i];

		if (!s->archive_at || semver_parse(s->version, SEMVER_LOOSE, &other) < 0 || semver_compare(&other, &own) >= 0 ||
		    published(it) - published(s) < SETTLED_AFTER || (before && semver_compare(&other, &best) <= 0))
			continue;
		before = s;
		best = other;
	}
	if (!before)
		return !expected;
	if (kind == NPM_ARCHIVE_SCRIPT)
		return !before->archive_script.n;
	return native(it->archive_binary) ? !native(before->archive_binary) : !before->archive_binary.n;
}

/* What a look into the archive showed, if it is new. */
static struct str archive_gain(const struct builder *b, const struct draft *d, const struct draft *base, enum npm_archive_kind kind)
{
	struct str text = kind == NPM_ARCHIVE_SCRIPT ? d->trust.archive_script : d->trust.archive_binary;
	bool expected = base && (kind == NPM_ARCHIVE_SCRIPT ? base->flags & RECORD_INSTALL_SCRIPT : base->trust.platform);

	return text.n && npm_archive_gained(b->input->seen, d->key, kind, expected) ? text : STR_NULL;
}

static void gained_scripts(struct builder *b, struct draft *d, const struct draft *base)
{
	static const char *const names[TRUST_SCRIPTS] = {"preinstall", "install", "postinstall"};
	const struct trust_draft *t = &d->trust, *old = base ? &base->trust : NULL;
	struct trust_text text = {.n = 0};
	struct str untold = archive_gain(b, d, base, NPM_ARCHIVE_SCRIPT);
	bool shown = false, old_shown = false;

	for (size_t i = 0; i < TRUST_SCRIPTS; i++) {
		shown |= t->scripts[i].n != 0;
		old_shown |= old && old->scripts[i].n != 0;
	}
	for (size_t i = 0; i < TRUST_SCRIPTS; i++) {
		if (!t->scripts[i].n || (old && str_eq(t->scripts[i], old->scripts[i])))
			continue;
		/* A registry that says only that there are some cannot be held against one that shows them. */
		if (old && old->told_script && !old_shown)
			continue;
		build_text_add(&text, "%s%s%s", text.n ? ", " : "", names[i], old && old->scripts[i].n ? " changed" : "");
	}
	/* npm runs node-gyp by itself where neither of the two scripts before it is there. */
	if (t->gypfile && !t->scripts[0].n && !t->scripts[1].n && !(old && (old->gypfile || old->told_script)))
		add_item(&text, "binding.gyp", STR(""));
	else if (t->told_script && !shown && !t->gypfile && !(base && base->flags & RECORD_INSTALL_SCRIPT))
		add_item(&text, "a script on install", STR(""));
	if (untold.n)
		add_item(&text, "", untold);
	d->trust.install_script_gained = build_text_keep(b, &text);
}

/* Puts those that `base` had not first, and says how many they are. */
static uint32_t partition(struct builder *b, const struct draft *d, const struct draft *base, size_t kind)
{
	struct symbol_table *table = &b->tables[kind];
	const struct symbol_list *mine = &d->trust.lists[kind];
	uint32_t *numbers = LIST_AT(&table->lists, uint32_t, mine->first), gained = 0;

	if (!mine->n)
		return 0;
	b->stamp++;
	for (uint32_t i = 0; base && i < base->trust.lists[kind].n; i++)
		LIST_AT(&table->symbols, struct symbol, *LIST_AT(&table->lists, uint32_t, base->trust.lists[kind].first + i))->stamp = b->stamp;
	for (uint32_t i = 0; i < mine->n; i++) {
		uint32_t number = numbers[i];

		if (LIST_AT(&table->symbols, struct symbol, number)->stamp == b->stamp)
			continue;
		numbers[i] = numbers[gained];
		numbers[gained++] = number;
	}
	return gained;
}

static struct str gained_texts(struct builder *b, const struct draft *d, size_t kind, uint32_t gained, const char *what, struct str also)
{
	struct symbol_table *table = &b->tables[kind];
	struct trust_text text = {.n = 0};

	if (also.n)
		add_item(&text, "", also);
	for (uint32_t i = 0; i < gained && i < NAMED; i++)
		add_item(&text, what,
		         LIST_AT(&table->symbols, struct symbol, *LIST_AT(&table->lists, uint32_t, d->trust.lists[kind].first + i))->text);
	if (gained > NAMED)
		build_text_add(&text, " and %u more", gained - NAMED);
	return build_text_keep(b, &text);
}

static void gain(struct builder *b, struct draft *d, const struct draft *base, const struct draft *names_base)
{
	uint32_t commands = partition(b, d, base, SYMBOLS_COMMAND), remotes = partition(b, d, base, SYMBOLS_REMOTE);

	gained_scripts(b, d, base);
	d->trust.native_expected = base && base->trust.platform;
	d->trust.binary_gained = gained_texts(b, d, SYMBOLS_COMMAND, commands, "bin/", archive_gain(b, d, base, NPM_ARCHIVE_BINARY));
	d->trust.remote_gained = gained_texts(b, d, SYMBOLS_REMOTE, remotes, "", STR_NULL);
	d->trust.gained_dependencies = partition(b, d, names_base, SYMBOLS_DEPENDENCY);
}

/* ---- the version before ---- */

bool build_counts(const struct draft *d)
{
	return !(d->flags & RECORD_GHOST) || d->gone_at - d->published >= TAKEN_BACK_WITHIN;
}

/* Versions so far, in the order of precedence, without those that a later one is both higher and older than: their times grow, so that the
 * highest one that is old enough is found by halving. */
struct candidates {
	struct draft **items;
	size_t n;
};

static void candidates_add(struct candidates *c, struct draft *d)
{
	while (c->n && c->items[c->n - 1]->trust.time >= d->trust.time)
		c->n--;
	c->items[c->n++] = d;
}

static struct draft *candidates_find(const struct candidates *c, usec not_after)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->items[middle]->trust.time <= not_after)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? c->items[low - 1] : NULL;
}

static struct draft *version_before(const struct candidates *stable, const struct candidates *all, const struct draft *d, usec settled)
{
	usec not_after = d->trust.time > settled ? d->trust.time - settled : 0;
	struct draft *found = semver_is_prerelease(&d->semver) ? NULL : candidates_find(stable, not_after);

	return found && found->trust.line == d->trust.line ? found : candidates_find(all, not_after);
}

static int by_precedence(const void *x, const void *y)
{
	const struct draft *a = *(struct draft *const *)x, *b = *(struct draft *const *)y;
	int r = semver_compare_build(&a->semver, &b->semver);

	return r ? r : (a > b) - (a < b);
}

static bool same_line(const struct semver *a, const struct semver *b)
{
	return a->major == b->major && (a->major != 0 || a->minor == b->minor);
}

/* When each was published. Where no version has a time nothing can be compared; but one alone without a time must not pass for that: it is as
 * new as this gate's knowledge of it. */
static void put_times(struct builder *b, size_t count)
{
	bool timed = false;

	for (size_t i = 0; i < count && !timed; i++) {
		const struct draft *d = LIST_AT(&b->drafts, struct draft, i);

		timed = d->upstream_time || d->lacked_at;
	}
	for (size_t i = 0; i < count; i++) {
		struct draft *d = LIST_AT(&b->drafts, struct draft, i);

		d->trust.time = timed ? d->published : 0;
	}
}

int build_trust(struct builder *b)
{
	size_t count = LIST_COUNT(&b->drafts, struct draft);
	struct draft **order = ARENA_ARRAY(b->arena, struct draft *, count + 1);
	struct candidates stable = {ARENA_ARRAY(b->arena, struct draft *, count + 1), 0};
	struct candidates all = {ARENA_ARRAY(b->arena, struct draft *, count + 1), 0};

	if (!order || !stable.items || !all.items)
		return err_set(b->err, -ENOMEM, "no memory for the packument of %.*s", STR_ARG(b->input->name));
	for (size_t i = 0; i < count; i++)
		order[i] = LIST_AT(&b->drafts, struct draft, i);
	put_times(b, count);
	if (count)
		qsort(order, count, sizeof(struct draft *), by_precedence);
	for (size_t i = 0; i < count; i++) {
		struct draft *d = order[i];

		d->trust.line = i ? order[i - 1]->trust.line + !same_line(&d->semver, &order[i - 1]->semver) : 0;
		gain(b, d, version_before(&stable, &all, d, SETTLED_AFTER), version_before(&stable, &all, d, SETTLED_NAMES_AFTER));
		if (!build_counts(d))
			continue;
		candidates_add(&all, d);
		if (!semver_is_prerelease(&d->semver))
			candidates_add(&stable, d);
	}
	return 0;
}
