#include "registry/npm/keys.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <xxhash.h>

#include "codec/base64.h"
#include "codec/json.h"

enum {
	KEYS = 64,       /* of all files together */
	KEY_TEXT = 512,  /* base64 of one */
	SIGNATURES = 16, /* of one version: more are not looked at */
	SIGNATURE_TEXT = 128,
	SIGNATURE_BYTES = 96,
};

struct key {
	char *id;
	EVP_PKEY *key;
	usec expires; /* USEC_NEVER: it does not */
};

struct npm_keys {
	_Atomic int refs;
	struct key items[KEYS];
	size_t count;
	uint64_t id;
};

struct npm_keys *npm_keys_new(void)
{
	struct npm_keys *k = calloc(1, sizeof(*k));

	if (k)
		k->refs = 1;
	return k;
}

struct npm_keys *npm_keys_ref(struct npm_keys *k)
{
	if (k)
		atomic_fetch_add(&k->refs, 1);
	return k;
}

void npm_keys_unref(struct npm_keys *k)
{
	if (!k || atomic_fetch_sub(&k->refs, 1) != 1)
		return;
	for (size_t i = 0; i < k->count; i++) {
		free(k->items[i].id);
		EVP_PKEY_free(k->items[i].key);
	}
	free(k);
}

size_t npm_keys_count(const struct npm_keys *k)
{
	return k->count;
}

uint64_t npm_keys_id(const struct npm_keys *k)
{
	return k ? k->id : 0;
}

static const struct key *find_key(const struct npm_keys *k, struct str id)
{
	for (size_t i = 0; i < k->count; i++)
		if (str_eq(str_of(k->items[i].id), id))
			return &k->items[i];
	return NULL;
}

/* ---- reading ---- */

struct reading {
	struct npm_keys *keys;
	struct json_reader reader;
	struct arena *arena;
	struct err *err;
	int code;
};

static void refuse(struct reading *r, struct str id, const char *problem)
{
	if (r->code == 0)
		r->code = err_set(r->err, -EBADMSG, "the key \"%.*s\" %s", STR_ARG(str_take(id, 100)), problem);
}

/* A point of P-256, and nothing behind it. */
static EVP_PKEY *read_spki(struct reading *r, struct str text)
{
	struct str bytes;
	const unsigned char *p;
	EVP_PKEY *key;
	char group[32] = "";

	if (text.n > KEY_TEXT || base64_decode(r->arena, text, &bytes) < 0)
		return NULL;
	p = (const unsigned char *)bytes.p;
	key = d2i_PUBKEY(NULL, &p, (long)bytes.n);
	if (!key)
		return NULL;
	if (p != (const unsigned char *)bytes.p + bytes.n || !EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 || strcmp(group, "prime256v1") != 0) {
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

struct entry {
	struct str id, type, scheme, key, expires;
	bool expires_given;
};

static void add_key(struct reading *r, const struct entry *e)
{
	struct npm_keys *k = r->keys;
	struct key *to = &k->items[k->count];
	char *id;

	/* Registries may come to sign in other ways as well. */
	if (!str_eq(e->scheme, STR("ecdsa-sha2-nistp256")) || find_key(k, e->id))
		return;
	*to = (struct key){.expires = USEC_NEVER};
	if (!e->id.n)
		refuse(r, e->id, "has no keyid");
	else if (e->expires_given && time_parse(e->expires, &to->expires) < 0)
		refuse(r, e->id, "has an `expires` that is not a time");
	else if (k->count == KEYS)
		refuse(r, e->id, "is one too many: at most 64 are taken");
	else if (!(to->key = read_spki(r, e->key)))
		refuse(r, e->id, "is not a public key of the curve P-256 in base64 (SubjectPublicKeyInfo)");
	if (r->code < 0)
		return;
	id = str_dup(e->id);
	if (!id) {
		EVP_PKEY_free(to->key);
		r->code = err_set(r->err, -ENOMEM, "no memory for keys");
		return;
	}
	to->id = id;
	k->count++;
	k->id = XXH3_64bits_withSeed(e->id.p, e->id.n, k->id + 1);
	k->id = XXH3_64bits_withSeed(e->key.p, e->key.n, k->id);
	k->id = XXH3_64bits_withSeed(&to->expires, sizeof(to->expires), k->id);
}

static void read_key(struct reading *r)
{
	struct entry e = {.id = STR_NULL};
	struct str key;

	json_enter_object(&r->reader);
	while (json_next_member(&r->reader, &key)) {
		struct str *to = json_raw_equals(key, STR("keyid"))     ? &e.id
		                 : json_raw_equals(key, STR("keytype")) ? &e.type
		                 : json_raw_equals(key, STR("scheme"))  ? &e.scheme
		                 : json_raw_equals(key, STR("key"))     ? &e.key
		                 : json_raw_equals(key, STR("expires")) ? &e.expires
		                                                        : NULL;

		if (!to || (to == &e.expires && json_peek(&r->reader) == JSON_NULL)) {
			json_skip(&r->reader, NULL);
			continue;
		}
		e.expires_given |= to == &e.expires;
		json_string_decoded(&r->reader, r->arena, to);
	}
	if (!json_failed(&r->reader))
		add_key(r, &e);
}

int npm_keys_add(struct npm_keys *k, struct str json, struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(1 * MIB);
	struct reading r = {.keys = k, .arena = a, .err = err};
	size_t before = k->count;
	struct str key;
	int code;

	if (!a)
		return err_set(err, -ENOMEM, "no memory for keys");
	json_init(&r.reader, json);
	json_enter_object(&r.reader);
	while (r.code == 0 && json_next_member(&r.reader, &key)) {
		if (!json_raw_equals(key, STR("keys"))) {
			json_skip(&r.reader, NULL);
			continue;
		}
		json_enter_array(&r.reader);
		while (r.code == 0 && json_next_item(&r.reader))
			read_key(&r);
	}
	if (r.code < 0)
		return r.code;
	code = json_finish(&r.reader, err);
	if (code < 0)
		return code;
	if (k->count == before)
		return err_set(err, -EBADMSG,
		               "there is no key in it that signatures could be verified with ({\"keys\": [{\"keyid\", \"scheme\": "
		               "\"ecdsa-sha2-nistp256\", \"key\", \"expires\"}]})");
	return 0;
}

/* ---- verifying ---- */

static bool fits(const struct key *key, struct str text, struct str signature)
{
	CLEANUP_ARENA struct arena *a = arena_new(4 * KIB);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct str bytes;
	bool good = false;

	if (a && context && signature.n <= SIGNATURE_TEXT && base64_decode(a, signature, &bytes) == 0 && bytes.n <= SIGNATURE_BYTES &&
	    EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->key) == 1)
		good = EVP_DigestVerify(context, (const unsigned char *)bytes.p, bytes.n, (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

static int check_one(const struct npm_keys *k, const struct npm_signed *s, struct json_reader *r, struct arena *a, struct str text)
{
	struct str key, id = STR_NULL, signature = STR_NULL;
	const struct key *found;

	if (json_peek(r) != JSON_OBJECT) {
		json_skip(r, NULL);
		return SIGNATURE_UNKNOWN;
	}
	json_enter_object(r);
	while (json_next_member(r, &key)) {
		struct str *to = json_raw_equals(key, STR("keyid")) ? &id : json_raw_equals(key, STR("sig")) ? &signature : NULL;

		if (to && json_peek(r) == JSON_STRING)
			json_string_decoded(r, a, to);
		else
			json_skip(r, NULL);
	}
	found = json_failed(r) ? NULL : find_key(k, id);
	if (!found)
		return SIGNATURE_UNKNOWN;
	return s->published < found->expires && fits(found, text, signature) ? SIGNATURE_VALID : SIGNATURE_INVALID;
}

int npm_keys_verify(const struct npm_keys *k, const struct npm_signed *s)
{
	CLEANUP_ARENA struct arena *a = arena_new(64 * KIB);
	struct json_reader r;
	struct str text;
	size_t items = 0;
	int result = SIGNATURE_ABSENT;

	if (!s->signatures.n || s->signatures.p[0] != '[')
		return SIGNATURE_ABSENT;
	text = a ? arena_printf(a, "%.*s@%.*s:%.*s", STR_ARG(s->name), STR_ARG(s->version), STR_ARG(s->integrity)) : STR_NULL;
	json_init(&r, s->signatures);
	json_enter_array(&r);
	while (items < SIGNATURES && json_next_item(&r)) {
		int one = s->integrity.n && text.n ? check_one(k, s, &r, a, text) : SIGNATURE_UNKNOWN;

		if (!s->integrity.n || !text.n)
			json_skip(&r, NULL);
		if (one == SIGNATURE_VALID)
			return one;
		result = result == SIGNATURE_INVALID ? result : one;
		items++;
	}
	return result;
}
