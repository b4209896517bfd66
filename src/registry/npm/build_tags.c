/* Rule 6: a tag that moves back to an old version which was never tagged before keeps its former target for a while. How
 * long is the policy's business, which render.c asks; here the move is recognised and dated. */
#include "registry/npm/build.h"

/* A second move within this time is taken for a part of the first, so that two steps back reach no further than one. */
static const usec one_move = 30 * USEC_DAY;

/* Where the upstream does not know the package any more, the tags stay as they were. */
static void tags_of_gone(struct builder *b)
{
	const struct seen_package *seen = b->input->seen;
	const struct npm_packument *p = b->input->previous;
	struct tag_item *item;

	for (size_t i = 0; seen && i < seen->tag_count; i++) {
		item = LIST_PUSH(&b->tags, struct tag_item);
		if (item)
			*item = (struct tag_item){.tag = seen->tags[i].tag, .target = seen->tags[i].target};
	}
	for (size_t i = 0; p && !(seen && seen->tag_count) && i < npm_packument_tag_count(p); i++) {
		struct npm_tag tag;

		npm_packument_tag(p, i, &tag);
		item = LIST_PUSH(&b->tags, struct tag_item);
		if (item)
			*item = (struct tag_item){.tag = tag.tag, .target = tag.target};
	}
}

void build_mark_tagged(struct builder *b)
{
	if (b->input->gone)
		tags_of_gone(b);
	for (size_t i = 0; i < LIST_COUNT(&b->tags, struct tag_item); i++) {
		struct draft *d = build_find(b, LIST_AT(&b->tags, struct tag_item, i)->target);

		if (d)
			d->tagged = true;
	}
}

/* The target that the tag had, as far as it is served: not the one that a step of the same move put in between. */
static struct str reference(const struct builder *b, const struct seen_tag *s)
{
	return s->former.n && b->input->now - s->since < one_move ? s->former : s->target;
}

static void compare_tag(struct builder *b, struct tag_item *t, const struct seen_tag *s, const struct map *seen_versions)
{
	const struct seen_version *remembered = map_get(seen_versions, t->target);
	const struct draft *target = build_find(b, t->target), *former;
	struct str from;

	t->since = b->input->now;
	if (!s)
		return;
	if (str_eq(s->target, t->target)) {
		t->since = s->since;
		t->former = s->former;
		t->hold_from = s->former.n ? s->since : 0;
		return;
	}
	from = reference(b, s);
	former = build_find(b, from);
	/* A former target that is gone upstream had to be left: the move is honest. */
	if (!target || !former || target == former || former->flags & RECORD_GHOST)
		return;
	if (target->published >= former->published || (remembered && remembered->ever_tagged))
		return;
	t->former = from;
	t->hold_from = b->input->now;
}

int build_tag_history(struct builder *b, const struct map *seen_versions)
{
	CLEANUP_MAP struct map seen_tags = MAP_EMPTY;
	const struct seen_package *seen = b->input->seen;
	struct seen_package *out = &b->changes->seen;
	size_t count = LIST_COUNT(&b->tags, struct tag_item);
	int r = 0;

	for (size_t i = 0; seen && r == 0 && i < seen->tag_count; i++)
		r = map_put(&seen_tags, seen->tags[i].tag, &seen->tags[i]);
	out->tags = ARENA_ARRAY(b->arena, struct seen_tag, count);
	if (r < 0 || !out->tags)
		return err_set(b->err, -ENOMEM, "no memory for the packument of %.*s", STR_ARG(b->input->name));
	for (size_t i = 0; i < count; i++) {
		struct tag_item *t = LIST_AT(&b->tags, struct tag_item, i);

		compare_tag(b, t, map_get(&seen_tags, t->tag), seen_versions);
		out->tags[out->tag_count++] = (struct seen_tag){t->tag, t->target, t->since, t->former};
	}
	return 0;
}
