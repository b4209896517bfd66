#include <stdio.h>

#include "gate/reach_internal.h"

/* What it was asked for is counted anew. */
static void forget_all(struct reach *r)
{
	struct str name;
	void *value;

	for (size_t i = 0; map_next(&r->nodes, &i, &name, &value);) {
		struct node *n = value;

		reach_set(r, n, false, n->known);
		n->parent = NULL;
		n->asked_before = n->any ? UINT32_MAX : n->range_count;
		n->range_count = 0;
		n->any = n->root && !n->ranged;
	}
}

/* Of whom less is asked than before, and who is not needed: the former are looked at again, of the latter nothing is kept. */
static void settle_rest(struct reach *r)
{
	struct str name;
	void *value;

	for (size_t i = 0; map_next(&r->nodes, &i, &name, &value);) {
		struct node *n = value;

		if (!n->reached) {
			reach_set(r, n, false, false);
			free(n->edges);
			n->edges = NULL;
			n->edge_count = 0;
		} else if (n->known && n->asked_before != (n->any ? UINT32_MAX : n->range_count)) {
			n->asks++;
			reach_set(r, n, true, false);
			reach_push(r, n, REST);
		}
	}
}

/* Breadth first over the edges that are known. */
void reach_sweep(struct reach *r)
{
	struct node **line = calloc(r->nodes.used + 1, sizeof(struct node *));
	size_t end = 0;
	struct str name;
	void *value;

	if (!line)
		abort();
	forget_all(r);
	for (size_t i = 0; map_next(&r->nodes, &i, &name, &value);) {
		struct node *n = value;

		if (!n->root)
			continue;
		reach_set(r, n, true, n->known);
		line[end++] = n;
	}
	for (size_t at = 0; at < end; at++) {
		struct node *from = line[at];

		for (uint32_t i = 0; i < from->edge_count; i++) {
			struct node *to = from->edges[i].to;

			reach_ask(to, from->edges[i].range);
			if (to->root && to->ranged && to != from && !to->parent)
				to->parent = from;
			if (to->reached)
				continue;
			to->parent = from;
			reach_set(r, to, true, to->known);
			if (!to->known)
				reach_push(r, to, REST);
			line[end++] = to;
		}
	}
	free(line);
	r->shrunk = false;
	settle_rest(r);
}

/* ---- roots ---- */

static bool is_pattern(struct str name)
{
	return str_chr(name, '*') >= 0;
}

void reach_take_roots(struct reach *r)
{
	const struct approved_publisher *all;
	const struct approval *approvals;
	size_t n = policy_approvals(r->rules->policy, &approvals), publishers = policy_publishers(r->rules->policy, &all);
	struct str name;
	void *value;

	/* First what is approved no more. */
	for (size_t i = 0; map_next(&r->nodes, &i, &name, &value);) {
		struct node *node = value;

		if (!node->root || policy_root(r->rules->policy, ECOSYSTEM_NPM, node->name) || (node->by_publisher && publishers))
			continue;
		node->root = false;
		/* Who needs it may be needed by it alone: until the sweep, ways end here as they did. */
		node->parent = NULL;
		r->root_count--;
		r->shrunk = true;
	}
	for (size_t i = 0; i < n; i++) {
		const struct approval *a = &approvals[i], *counts;

		if (a->package.ecosystem != ECOSYSTEM_NPM)
			continue;
		if (is_pattern(a->package.name))
			r->expanding = EXPAND_WANTED;
		else if ((counts = policy_root(r->rules->policy, ECOSYSTEM_NPM, a->package.name)))
			reach_make_root(r, reach_node(r, a->package.name), counts->package.version.n != 0);
	}
	/* Names that were reached before, and that a pattern approves. */
	for (size_t i = 0; r->expanding == EXPAND_WANTED && map_next(&r->nodes, &i, &name, &value);) {
		struct node *node = value;
		const struct approval *a = policy_root(r->rules->policy, ECOSYSTEM_NPM, node->name);

		if (a)
			reach_make_root(r, node, a->package.version.n != 0);
	}
}

static int take_name(void *arg, struct str name)
{
	struct reach *r = arg;
	const struct approval *a;

	pthread_mutex_lock(&r->lock);
	a = r->rules ? policy_root(r->rules->policy, ECOSYSTEM_NPM, name) : NULL;
	if (a)
		reach_make_root(r, reach_node(r, name), a->package.version.n != 0);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

void reach_expand_patterns(struct reach *r)
{
	struct err err = {0};
	int code = store_package_names(r->gate->store, ECOSYSTEM_NPM, take_name, r, &err);

	pthread_mutex_lock(&r->lock);
	if (code < 0)
		snprintf(r->problem, sizeof(r->problem), "%.150s", err.text);
	if (r->expanding == EXPAND_GOING)
		r->expanding = EXPAND_NOT;
	pthread_mutex_unlock(&r->lock);
}
