/* Certificates: the chain, and whom the leaf names. */
#include <ctype.h>
#include <openssl/asn1.h>
#include <openssl/x509v3.h>

#include "codec/sigstore_internal.h"

/* 1.3.6.1.4.1.57264.1.N, N from 8 on: a UTF8String in DER; below: bare bytes. */
enum { EXTENSION_ISSUER_OLD = 1, EXTENSION_REPOSITORY_OLD = 5, EXTENSION_REF_OLD = 6, EXTENSION_DER = 8, EXTENSION_ISSUER = 8 };
enum { EXTENSION_SOURCE = 12, EXTENSION_SOURCE_DIGEST = 13, EXTENSION_SOURCE_REF = 14 };

static X509 *parse(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);

	if (x && p != (const unsigned char *)der.p + der.n) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

int certificate_leaf(const struct bundle *b, X509 **ret, struct err *err)
{
	X509 *leaf = parse(b->chain[0]);

	if (!leaf)
		return err_set(err, -EBADMSG, "the bundle's certificate cannot be read");
	*ret = leaf;
	return 0;
}

static int check_use(X509 *leaf, struct err *err)
{
	/* OpenSSL's own question is whether it may sign certificates; what calls itself an authority is none that signs code either. */
	if (X509_check_ca(leaf) || (X509_get_extension_flags(leaf) & EXFLAG_CA))
		return err_set(err, -EKEYREJECTED, "the bundle's certificate is an authority's own, not a signer's");
	if (!(X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) || !(X509_get_extended_key_usage(leaf) & XKU_CODE_SIGN))
		return err_set(err, -EKEYREJECTED, "the bundle's certificate is not for signing code");
	if (!(X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE))
		return err_set(err, -EKEYREJECTED, "the bundle's certificate is not for signatures");
	return 0;
}

static void time_text(int64_t seconds, char out[TIME_TEXT])
{
	time_format_utc(seconds * USEC_SECOND, out);
}

static int explain(X509_STORE_CTX *context, int64_t at, struct err *err)
{
	int problem = X509_STORE_CTX_get_error(context);
	char when[TIME_TEXT];

	time_text(at, when);
	switch (problem) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return err_set(err, -EKEYREJECTED, "the certificate was not valid at %s, when the log says that it signed", when);
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return err_set(err, -EKEYREJECTED, "the certificate does not come from a configured authority (%s)",
		               X509_verify_cert_error_string(problem));
	default:
		return err_set(err, -EKEYREJECTED, "the certificate cannot be trusted: %s", X509_verify_cert_error_string(problem));
	}
}

static int verify_chain(const struct sigstore_trust *t, X509 *leaf, STACK_OF(X509) * others, int64_t at, struct err *err)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int r = -ENOMEM;

	if (!context || X509_STORE_CTX_init(context, t->authorities, leaf, others) != 1) {
		X509_STORE_CTX_free(context);
		return err_set(err, r, "no memory to verify a certificate");
	}
	/* The configured authorities are each an end of the chain: an intermediate may be pinned without its root. */
	X509_STORE_CTX_set_flags(context, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_CTX_set_time(context, 0, (time_t)at);
	r = X509_verify_cert(context) == 1 ? 0 : explain(context, at, err);
	X509_STORE_CTX_free(context);
	return r;
}

int certificate_verify(const struct sigstore_trust *t, const struct bundle *b, int64_t at, struct err *err)
{
	STACK_OF(X509) *others = sk_X509_new_null();
	X509 *leaf = NULL;
	int r = others ? certificate_leaf(b, &leaf, err) : -ENOMEM;

	for (size_t i = 1; r == 0 && i < b->chain_count; i++) {
		X509 *one = parse(b->chain[i]);

		if (!one || !sk_X509_push(others, one)) {
			X509_free(one);
			r = err_set(err, -EBADMSG, "certificate %zu of the bundle cannot be read", i + 1);
		}
	}
	if (r == 0)
		r = check_use(leaf, err);
	if (r == 0)
		r = verify_chain(t, leaf, others, at, err);
	X509_free(leaf);
	sk_X509_pop_free(others, X509_free);
	return r;
}

/* ---- whom it names ---- */

static bool printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f)
			return false;
	return s.n > 0 && s.n <= 2048;
}

static struct str extension(X509 *leaf, struct arena *a, int number)
{
	struct str oid = arena_printf(a, "1.3.6.1.4.1.57264.1.%d", number), text = STR_NULL;
	ASN1_OBJECT *object = oid.p ? OBJ_txt2obj(oid.p, 1) : NULL;
	int at = object ? X509_get_ext_by_OBJ(leaf, object, -1) : -1;
	X509_EXTENSION *found = at >= 0 ? X509_get_ext(leaf, at) : NULL;
	const ASN1_OCTET_STRING *value = found ? X509_EXTENSION_get_data(found) : NULL;

	/* One that comes twice has two meanings, so it has none. */
	if (value && X509_get_ext_by_OBJ(leaf, object, at) < 0) {
		const unsigned char *p = ASN1_STRING_get0_data(value);
		long n = ASN1_STRING_length(value);

		if (number < EXTENSION_DER) {
			text = arena_str(a, (struct str){(const char *)p, (size_t)n});
		} else {
			ASN1_UTF8STRING *der = d2i_ASN1_UTF8STRING(NULL, &p, n);

			if (der)
				text = arena_str(a, (struct str){(const char *)ASN1_STRING_get0_data(der), (size_t)ASN1_STRING_length(der)});
			ASN1_UTF8STRING_free(der);
		}
	}
	ASN1_OBJECT_free(object);
	return printable(text) ? text : STR_NULL;
}

/* The one URI among the alternative names. */
static int read_signer(X509 *leaf, struct arena *a, struct str *ret, struct err *err)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	size_t found = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_URI) {
			const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;

			*ret = arena_str(a, (struct str){(const char *)ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri)});
			found++;
		}
	}
	GENERAL_NAMES_free(names);
	if (found != 1 || !printable(*ret))
		return err_set(err, -EKEYREJECTED, "the certificate does not name the workflow that signed (one address as alternative name)");
	return 0;
}

struct str source_of_address(struct arena *a, struct str address)
{
	struct str rest, copy;
	ptrdiff_t slash;

	if (str_starts(address, STR("git+")))
		address = str_skip(address, 4);
	if (!str_starts(address, STR("https://")) || !printable(address))
		return STR_NULL;
	rest = str_skip(address, 8);
	while (str_ends(rest, STR("/")))
		rest.n--;
	if (str_ends(rest, STR(".git")))
		rest.n -= 4;
	slash = str_chr(rest, '/');
	/* A user, a port, a query or a step back have no place in the name of a source. */
	if (slash <= 0 || str_find(rest, STR("@")) >= 0 || str_find(rest, STR(":")) >= 0 || str_find(rest, STR("?")) >= 0 ||
	    str_find(rest, STR("#")) >= 0 || str_find(rest, STR("//")) >= 0 || str_find(rest, STR("/..")) >= 0)
		return STR_NULL;
	copy = arena_str(a, rest);
	for (ptrdiff_t i = 0; copy.p && i < slash; i++)
		((char *)copy.p)[i] = (char)tolower((unsigned char)copy.p[i]);
	return copy;
}

static struct str host_of(struct str source)
{
	ptrdiff_t slash = str_chr(source, '/');

	return slash < 0 ? source : str_take(source, (size_t)slash);
}

/* An identity provider speaks for the repositories of its own host only: that of another service could name any repository. */
static bool issuer_speaks_for(struct str issuer, struct str source)
{
	struct str host = host_of(source);

	if (str_eq(host, STR("github.com")))
		return str_eq(issuer, STR("https://token.actions.githubusercontent.com")) ||
		       str_starts(issuer, STR("https://token.actions.githubusercontent.com/"));
	return str_starts(issuer, STR("https://")) && str_eq_nocase(host_of(str_skip(issuer, 8)), host);
}

/* "https://github.com/org/repo/.github/workflows/x.yml@refs/…" → ".github/workflows/x.yml"; the path is behind "//" at GitLab. */
static struct str workflow_of(struct str signer)
{
	ptrdiff_t at = str_chr(signer, '@'), path;
	struct str address = str_skip(at < 0 ? signer : str_take(signer, (size_t)at), 8);

	path = str_find(address, STR("//"));
	if (path >= 0)
		return str_skip(address, (size_t)path + 2);
	for (int i = 0; i < 3 && (path = str_chr(address, '/')) >= 0; i++)
		address = str_skip(address, (size_t)path + 1);
	return path < 0 ? STR_NULL : address;
}

int certificate_identity(X509 *leaf, struct arena *a, struct sigstore_verified *ret, struct err *err)
{
	struct str address = extension(leaf, a, EXTENSION_SOURCE), old = extension(leaf, a, EXTENSION_REPOSITORY_OLD);
	int r = read_signer(leaf, a, &ret->signer, err);

	if (r < 0)
		return r;
	ret->issuer = extension(leaf, a, EXTENSION_ISSUER);
	if (!ret->issuer.n)
		ret->issuer = extension(leaf, a, EXTENSION_ISSUER_OLD);
	if (!ret->issuer.n)
		return err_set(err, -EKEYREJECTED, "the certificate does not say who vouched for its signer (no issuer)");
	/* Certificates of before mid-2023 name the repository as "org/repo", and only one service was known then. */
	if (!address.n && old.n && str_eq(ret->issuer, STR("https://token.actions.githubusercontent.com")))
		address = arena_printf(a, "https://github.com/%.*s", STR_ARG(old));
	ret->source = source_of_address(a, address);
	if (!ret->source.n)
		return err_set(err, -EKEYREJECTED, "the certificate does not name the repository that it was built from");
	if (!issuer_speaks_for(ret->issuer, ret->source))
		return err_set(err, -EKEYREJECTED, "%.*s does not vouch for repositories of %.*s", STR_ARG(str_take(ret->issuer, 120)),
		               STR_ARG(str_take(host_of(ret->source), 80)));
	ret->source_ref = extension(leaf, a, EXTENSION_SOURCE_REF);
	if (!ret->source_ref.n)
		ret->source_ref = extension(leaf, a, EXTENSION_REF_OLD);
	ret->source_digest = extension(leaf, a, EXTENSION_SOURCE_DIGEST);
	ret->workflow = workflow_of(ret->signer);
	return 0;
}
