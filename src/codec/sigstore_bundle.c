/* The bundle's own form: which member holds what. */
#include "codec/sigstore_internal.h"

enum { SIGNATURES = 1 };

static int read_media_type(struct arena *a, struct str value, struct bundle *ret, struct err *err)
{
	static const struct {
		struct str name;
		bool needs_proof;
	} known[] = {
		{{"application/vnd.dev.sigstore.bundle+json;version=0.1", 52}, false},
		{{"application/vnd.dev.sigstore.bundle+json;version=0.2", 52}, true},
		{{"application/vnd.dev.sigstore.bundle+json;version=0.3", 52}, true},
		{{"application/vnd.dev.sigstore.bundle.v0.3+json", 45}, true},
	};
	struct str type;

	if (pick_string(a, value, "the bundle's mediaType", &type, err) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_eq(type, known[i].name)) {
			ret->needs_proof = known[i].needs_proof;
			return 0;
		}
	}
	return err_set(err, -EBADMSG, "the bundle is of a version that is not known here: \"%.*s\"", STR_ARG(str_take(type, 80)));
}

static int read_certificate(struct arena *a, struct str value, struct bundle *ret, struct err *err)
{
	static const char *const names[] = {"rawBytes"};
	struct str bytes;
	int r;

	if (ret->chain_count == CHAIN)
		return err_set(err, -EBADMSG, "the bundle has more than %d certificates", CHAIN);
	r = pick(value, "the bundle's certificate", names, &bytes, 1, err);
	return r < 0 ? r : pick_base64(a, bytes, "the bundle's certificate", &ret->chain[ret->chain_count++], err);
}

static int read_chain(struct arena *a, struct str value, struct bundle *ret, struct err *err)
{
	struct json_reader r;
	struct str list, item;
	int code = pick_path(value, "the bundle's chain of certificates", "certificates", &list, err);

	if (code < 0)
		return code;
	json_init(&r, list);
	json_enter_array(&r);
	while (code == 0 && json_next_item(&r)) {
		json_skip(&r, &item);
		code = json_failed(&r) ? -EBADMSG : read_certificate(a, item, ret, err);
	}
	if (code < 0)
		return code;
	return json_finish(&r, NULL) < 0 ? err_set(err, -EBADMSG, "the bundle's chain of certificates is not a list") : 0;
}

static int read_material(struct arena *a, struct str value, struct bundle *ret, struct err *err)
{
	static const char *const names[] = {"certificate", "x509CertificateChain", "publicKey", "tlogEntries"};
	struct str values[4];
	int r = pick(value, "the bundle's verificationMaterial", names, values, 4, err);

	if (r < 0)
		return r;
	if ((values[0].n != 0) + (values[1].n != 0) + (values[2].n != 0) != 1)
		return err_set(err, -EBADMSG, "the bundle must have a certificate, or a chain of them, and not several kinds of keys");
	if (values[2].n)
		return err_set(err, -EBADMSG, "the bundle is signed with a bare key, not with a certificate that says who signed");
	r = values[0].n ? read_certificate(a, values[0], ret, err) : read_chain(a, values[1], ret, err);
	if (r == 0 && ret->chain_count == 0)
		r = err_set(err, -EBADMSG, "the bundle has no certificate");
	ret->entries = values[3];
	return r;
}

static int read_signature(struct arena *a, struct str value, struct bundle *ret, struct err *err)
{
	static const char *const names[] = {"sig"};
	struct json_reader r;
	struct str item = STR_NULL, sig;
	size_t n = 0;

	json_init(&r, value);
	json_enter_array(&r);
	while (json_next_item(&r)) {
		json_skip(&r, &item);
		n++;
	}
	if (json_finish(&r, NULL) < 0 || n != SIGNATURES)
		return err_set(err, -EBADMSG, "the envelope must have exactly one signature");
	return pick(item, "the envelope's signature", names, &sig, 1, err) < 0
	           ? -EBADMSG
	           : pick_base64(a, sig, "the envelope's signature", &ret->signature, err);
}

static int read_envelope(struct arena *a, struct str value, struct bundle *ret, struct err *err)
{
	static const char *const names[] = {"payloadType", "payload", "signatures"};
	struct str values[3];
	int r = pick(value, "the envelope", names, values, 3, err);

	if (r == 0)
		r = pick_string(a, values[0], "the envelope's payloadType", &ret->payload_type, err);
	if (r == 0)
		r = pick_base64(a, values[1], "the envelope's payload", &ret->payload, err);
	if (r == 0)
		r = read_signature(a, values[2], ret, err);
	if (r == 0 && !str_eq(ret->payload_type, STR("application/vnd.in-toto+json")))
		r = err_set(err, -EBADMSG, "the envelope does not hold an in-toto statement");
	return r;
}

int bundle_read(struct str text, struct arena *a, struct bundle *ret, struct err *err)
{
	static const char *const names[] = {"mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"};
	struct str values[4];
	int r;

	*ret = (struct bundle){0};
	r = pick(text, "the bundle", names, values, 4, err);
	if (r == 0)
		r = read_media_type(a, values[0], ret, err);
	if (r == 0 && (!values[2].n || values[3].n))
		r = err_set(err, -EBADMSG, "the bundle has no envelope with a statement");
	if (r == 0)
		r = read_material(a, values[1], ret, err);
	if (r == 0)
		r = read_envelope(a, values[2], ret, err);
	return r;
}
