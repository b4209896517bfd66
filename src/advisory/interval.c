/* OSV's ranges (schema 1.6, "affected[].ranges[].events"): events in the order of their versions switch "affected" on and off.
 * They are turned into intervals once, so that matching is two comparisons. */
#include "advisory/internal.h"

static int compare_events(const struct event *a, const struct event *b)
{
	if (a->zero || b->zero)
		return (int)b->zero - (int)a->zero;
	return version_compare(&a->version, &b->version);
}

/* By merging: stable, since at one version the record's own order counts, and not slow for whoever writes a long list. */
static void sort_events(struct event *events, size_t count, struct event *room)
{
	size_t half = count / 2, i = 0, k = half, n = 0;

	if (count < 2)
		return;
	sort_events(events, half, room);
	sort_events(events + half, count - half, room);
	while (i < half && k < count)
		room[n++] = compare_events(&events[i], &events[k]) <= 0 ? events[i++] : events[k++];
	while (i < half)
		room[n++] = events[i++];
	while (k < count)
		room[n++] = events[k++];
	memcpy(events, room, count * sizeof(*events));
}

/* Versions at or above the highest limit are not affected, whatever the other events say. */
static const struct event *highest_limit(const struct event *events, size_t count)
{
	while (count--)
		if (events[count].kind == EVENT_LIMIT)
			return &events[count];
	return NULL;
}

static bool close_interval(struct interval *i, const struct event *at, enum interval_end end)
{
	i->to = at->version;
	i->to_text = at->text;
	i->end = end;
	return true;
}

/* False when nothing is left of it. */
static bool cut_at_limit(struct interval *i, const struct event *limit)
{
	if (!limit)
		return true;
	if (!i->from_zero && version_compare(&i->from, &limit->version) >= 0)
		return false;
	if (i->end == INTERVAL_OPEN || version_compare(&i->to, &limit->version) >= 0)
		close_interval(i, limit, INTERVAL_LIMIT);
	return true;
}

struct interval *intervals_make(struct arena *a, struct event *events, size_t count, struct interval *next)
{
	struct event *room = ARENA_ARRAY(a, struct event, count ? count : 1);
	struct interval *first = NULL, **end = &first, *open = NULL;
	const struct event *limit;

	if (!room)
		return NULL;
	sort_events(events, count, room);
	limit = highest_limit(events, count);
	for (size_t k = 0; k < count; k++) {
		const struct event *e = &events[k];

		if (e->kind == EVENT_INTRODUCED && !open) {
			open = ARENA_NEW(a, struct interval);
			if (!open)
				return NULL;
			*open = (struct interval){.from_zero = e->zero, .from = e->version};
			*end = open;
			end = &open->next;
		} else if (open && (e->kind == EVENT_FIXED || e->kind == EVENT_LAST_AFFECTED)) {
			close_interval(open, e, e->kind == EVENT_FIXED ? INTERVAL_FIXED : INTERVAL_LAST);
			open = NULL;
		}
	}
	for (struct interval **i = &first; *i;) {
		if (cut_at_limit(*i, limit))
			i = &(*i)->next;
		else
			*i = (*i)->next;
	}
	for (end = &first; *end;)
		end = &(*end)->next;
	*end = next;
	return first;
}

bool interval_holds(const struct interval *i, const struct version *v)
{
	int above;

	if (!i->from_zero && version_compare(v, &i->from) < 0)
		return false;
	if (i->end == INTERVAL_OPEN)
		return true;
	above = version_compare(v, &i->to);
	return above < 0 || (above == 0 && i->end == INTERVAL_LAST);
}

bool interval_is_all(const struct interval *i)
{
	return i->from_zero && i->end == INTERVAL_OPEN;
}

void intervals_format(const struct interval *list, struct buf *out)
{
	for (; list; list = list->next) {
		if (out->n)
			buf_add_str(out, STR(" || "));
		if (interval_is_all(list))
			buf_add_char(out, '*');
		if (!list->from_zero)
			buf_printf(out, ">=%.*s", STR_ARG(list->from.text));
		if (!list->from_zero && list->end != INTERVAL_OPEN)
			buf_add_char(out, ' ');
		if (list->end != INTERVAL_OPEN)
			buf_printf(out, "%s%.*s", list->end == INTERVAL_LAST ? "<=" : "<", STR_ARG(list->to.text));
	}
}
