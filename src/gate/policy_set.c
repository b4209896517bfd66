#include <stdatomic.h>

#include "codec/sigstore.h"
#include "gate/policy_set.h"
#include "registry/npm/keys.h"

struct policy_set *policy_set_new(struct policy *base)
{
	struct policy_set *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->refs = 1;
	s->base = base;
	return s;
}

void policy_set_team(struct policy_set *s, struct str label, struct policy *proven, struct policy *tightened)
{
	struct team_policies *grown = reallocarray(s->teams, s->team_count + 1, sizeof(*grown));
	char *copy = str_dup(label);

	if (!grown || !copy)
		abort();
	s->teams = grown;
	s->teams[s->team_count++] = (struct team_policies){{copy, label.n}, copy, proven, tightened};
}

void policy_set_provenance(struct policy_set *s, struct sigstore_trust *trust)
{
	sigstore_trust_unref(s->provenance);
	s->provenance = trust;
}

void policy_set_keys(struct policy_set *s, struct npm_keys *keys)
{
	npm_keys_unref(s->keys);
	s->keys = keys;
}

struct policy_set *policy_set_ref(struct policy_set *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void policy_set_unref(struct policy_set *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	for (size_t i = 0; i < s->team_count; i++) {
		policy_unref(s->teams[i].proven);
		policy_unref(s->teams[i].tightened);
		free(s->teams[i].copy);
	}
	free(s->teams);
	sigstore_trust_unref(s->provenance);
	policy_unref(s->base);
	npm_keys_unref(s->keys);
	free(s);
}

const struct policy *policy_set_base(const struct policy_set *s)
{
	return s->base;
}

static bool same_origin_secrets(const struct policy *a, const struct policy *b)
{
	const struct origin *as, *bs;
	size_t n = policy_origins(a, &as);

	if (policy_origins(b, &bs) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_eq(as[i].authorization, bs[i].authorization))
			return false;
	return true;
}

static bool same_feed_secrets(const struct policy *a, const struct policy *b)
{
	const struct policy_feed *as, *bs;
	size_t n = policy_feeds(a, &as);

	if (policy_feeds(b, &bs) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_eq(as[i].authorization, bs[i].authorization))
			return false;
	return true;
}

/* The address of a webhook is a secret too: who knows it may write there. */
static bool same_webhook_secrets(const struct policy *a, const struct policy *b)
{
	const struct policy_webhook *as, *bs;
	size_t n = policy_webhooks(a, &as);

	if (policy_webhooks(b, &bs) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_eq(as[i].authorization, bs[i].authorization) || !str_eq(as[i].url, bs[i].url))
			return false;
	return true;
}

/* Of policies with one digest: secrets take no part in it, for it is shown. */
static bool same_secrets(const struct policy *a, const struct policy *b)
{
	return same_origin_secrets(a, b) && same_feed_secrets(a, b) && same_webhook_secrets(a, b);
}

static bool same(const struct policy *a, const struct policy *b)
{
	return policy_digest(a) == policy_digest(b) && same_secrets(a, b);
}

static bool same_trust(const struct sigstore_trust *a, const struct sigstore_trust *b)
{
	return a && b ? str_eq(str_of(sigstore_trust_id(a)), str_of(sigstore_trust_id(b))) : a == b;
}

bool policy_set_same(const struct policy_set *a, const struct policy_set *b)
{
	if (!same_trust(a->provenance, b->provenance))
		return false;
	if (npm_keys_id(a->keys) != npm_keys_id(b->keys) || a->team_count != b->team_count || !same(a->base, b->base))
		return false;
	for (size_t i = 0; i < a->team_count; i++)
		if (!str_eq(a->teams[i].label, b->teams[i].label) || !same(a->teams[i].proven, b->teams[i].proven) ||
		    !same(a->teams[i].tightened, b->teams[i].tightened))
			return false;
	return true;
}
