/* The in-toto statement: about which artifact, and what SLSA's predicate claims of its source. */
#include "codec/purl.h"
#include "codec/sigstore_internal.h"

static const struct predicate {
	struct str type;
	const char *builder;
	const char *source; /* an address, for v0.2 with "@ref" behind it */
} predicates[] = {
	{{"https://slsa.dev/provenance/v1", 30}, "runDetails.builder.id", "buildDefinition.externalParameters.workflow.repository"},
	{{"https://slsa.dev/provenance/v0.2", 32}, "builder.id", "invocation.configSource.uri"},
};

static const struct predicate *find_predicate(struct str type)
{
	for (size_t i = 0; i < sizeof(predicates) / sizeof(predicates[0]); i++)
		if (str_eq(type, predicates[i].type))
			return &predicates[i];
	return NULL;
}

static int one_subject(struct str list, struct str *ret, struct err *err)
{
	struct json_reader r;
	size_t n = 0;

	json_init(&r, list);
	json_enter_array(&r);
	while (json_next_item(&r)) {
		json_skip(&r, ret);
		n++;
	}
	if (json_finish(&r, NULL) < 0 || n != 1)
		return err_set(err, -EKEYREJECTED, "the statement must be about exactly one artifact");
	return 0;
}

static int check_subject(struct str list, const struct sigstore_expected *e, struct arena *a, struct err *err)
{
	static const char *const names[] = {"name", "digest"};
	struct str subject, values[2], name, digest;
	unsigned char sha512[sizeof(e->sha512)];
	struct purl purl;
	int r = one_subject(list, &subject, err);

	if (r < 0)
		return r;
	if (pick(subject, "the statement's subject", names, values, 2, err) < 0 ||
	    pick_string(a, values[0], "the subject's name", &name, err) < 0 ||
	    pick_path(values[1], "the subject's digest", "sha512", &digest, err) < 0 ||
	    pick_string(a, digest, "the subject's digest", &digest, err) < 0)
		return -EBADMSG;
	if (!str_starts(name, STR("pkg:npm/")) || purl_parse(a, name, &purl, NULL) < 0)
		return err_set(err, -EKEYREJECTED, "the statement is not about an npm package");
	if (!str_eq(purl.name, e->name) || !str_eq(purl.version, e->version))
		return err_set(err, -EKEYREJECTED, "the statement is about another package: %.*s@%.*s", STR_ARG(str_take(purl.name, 120)),
		               STR_ARG(str_take(purl.version, 80)));
	if (hex_decode(digest, sha512, sizeof(sha512)) < 0 || memcmp(sha512, e->sha512, sizeof(sha512)) != 0)
		return err_set(err, -EKEYREJECTED, "the statement is about another artifact: its SHA-512 is not this version's");
	return 0;
}

/* The certificate says where it was built from; a predicate that says otherwise is a lie of one of them. */
static int check_source(const struct predicate *p, struct str predicate, struct arena *a, const struct sigstore_verified *v,
                        struct err *err)
{
	struct str address, source;
	ptrdiff_t at;

	if (pick_path(predicate, "the predicate", p->source, &address, err) < 0 ||
	    pick_string(a, address, "the predicate's source", &address, err) < 0)
		return -EBADMSG;
	if (!address.n)
		return err_set(err, -EKEYREJECTED, "the predicate does not name the repository that was built");
	at = str_rchr(address, '@');
	if (at >= 0)
		address = str_take(address, (size_t)at);
	source = source_of_address(a, address);
	if (!str_eq_nocase(source, v->source))
		return err_set(err, -EKEYREJECTED, "the predicate names another repository than the certificate, %.*s",
		               STR_ARG(str_take(address, 160)));
	return 0;
}

int statement_verify(struct str payload, const struct sigstore_expected *expected, struct arena *a, struct sigstore_verified *ret,
                     struct err *err)
{
	static const char *const names[] = {"_type", "predicateType", "subject", "predicate"};
	struct str values[4], type, predicate_type, builder;
	const struct predicate *p;
	int r = pick(payload, "the statement", names, values, 4, err);

	if (r == 0)
		r = pick_string(a, values[0], "the statement's type", &type, err);
	if (r == 0)
		r = pick_string(a, values[1], "the statement's predicateType", &predicate_type, err);
	if (r < 0)
		return r;
	if (!str_eq(type, STR("https://in-toto.io/Statement/v1")) && !str_eq(type, STR("https://in-toto.io/Statement/v0.1")))
		return err_set(err, -EBADMSG, "the envelope does not hold an in-toto statement");
	p = find_predicate(predicate_type);
	if (!p)
		return err_set(err, -EBADMSG, "the statement is not SLSA provenance: \"%.*s\"", STR_ARG(str_take(predicate_type, 120)));
	r = check_subject(values[2], expected, a, err);
	if (r == 0)
		r = check_source(p, values[3], a, ret, err);
	if (r == 0)
		r = pick_path(values[3], "the predicate", p->builder, &builder, err);
	if (r == 0)
		r = pick_string(a, builder, "the predicate's builder", &ret->builder, err);
	return r;
}

int sigstore_find_provenance(struct str attestations, struct arena *a, struct str *ret_bundle, struct err *err)
{
	static const char *const names[] = {"predicateType", "bundle"};
	struct json_reader r;
	struct str list, item, values[2], type;
	int code = pick_path(attestations, "the answer about attestations", "attestations", &list, err);

	if (code < 0)
		return code;
	json_init(&r, list);
	json_enter_array(&r);
	while (json_next_item(&r)) {
		json_skip(&r, &item);
		if (json_failed(&r))
			break;
		if (pick(item, "an attestation", names, values, 2, err) < 0 || pick_string(a, values[0], "its predicateType", &type, err) < 0)
			return -EBADMSG;
		if (!find_predicate(type))
			continue;
		*ret_bundle = values[1];
		return values[1].n ? 0 : err_set(err, -EBADMSG, "an attestation has no bundle");
	}
	if (json_failed(&r))
		return err_set(err, -EBADMSG, "the attestations are not a list");
	return err_set(err, -ENOENT, "its registry has no SLSA provenance of it");
}
