#include "registry/npm/build.h"
#include "registry/npm/keys.h"

/* The result of the document before, where nothing of what it was made of has changed; -1: there is none. */
static int verified_before(const struct builder *b, const struct draft *d)
{
	const struct npm_packument *p = b->input->previous;
	ptrdiff_t at;
	struct record r;

	if (!p || p->head.keys_id != npm_keys_id(b->input->keys) || !str_eq(npm_packument_name(p), b->input->name))
		return -1;
	at = npm_packument_find(p, d->key);
	if (at < 0)
		return -1;
	r = DOCUMENT_ITEM(p, p->head.versions, struct record, at);
	if (!str_eq(document_slice(p, r.integrity), d->integrity) || !str_eq(document_slice(p, r.signatures), d->trust.signatures) ||
	    r.published != d->published)
		return -1;
	return (int)r.signature;
}

void build_signatures(struct builder *b)
{
	size_t count = b->input->keys ? LIST_COUNT(&b->drafts, struct draft) : 0;

	for (size_t i = 0; i < count; i++) {
		struct draft *d = LIST_AT(&b->drafts, struct draft, i);
		const struct npm_signed s = {b->input->name, d->key, d->integrity, d->trust.signatures, d->published};
		int before = verified_before(b, d);

		d->trust.signature = before >= 0 ? before : npm_keys_verify(b->input->keys, &s);
	}
}
