/* Provenance: whatever is taken must be about the package that was asked for. Corpus and keys are of a private Sigstore (tests/unit/forge.h). */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/sigstore_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char CA[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBYjCCAQigAwIBAgIIDvBxgzbwFW0wCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJ\n"
	"VGVzdCBSb290MCAXDTIwMDkxMzEyMjY0MFoYDzIwOTYxMDAyMDcwNjQwWjAUMRIw\n"
	"EAYDVQQDDAlUZXN0IFJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARJq8Og\n"
	"AAqfU63dHniaac1n5IQ2xiu+MEhw/kOZ3drV21lnpoOmjHQJfZR606NjJbudbTzA\n"
	"w2bY3+0CcnAjsFulo0IwQDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIB\n"
	"BjAdBgNVHQ4EFgQU7L1f6IfakZ/iq8zj1YV2RHsKeFQwCgYIKoZIzj0EAwIDSAAw\n"
	"RQIgL3aHxu25CRK1N0+fCTDrBOI9vSqelXprbivn+srFoe4CIQDRYUKlRJb6pI31\n"
	"BOJFN1xz2GqIjsw6/DATs50TCi8MTg==\n"
	"-----END CERTIFICATE-----\n"
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBajCCARCgAwIBAgIIPo0/XBQpSuYwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJ\n"
	"VGVzdCBSb290MCAXDTIwMDkxMzEyMjY0MFoYDzIwOTYxMDAyMDcwNjQwWjAcMRow\n"
	"GAYDVQQDDBFUZXN0IEludGVybWVkaWF0ZTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
	"A0IABOj8a/5G/NLObvaLsIDaWwvDy3qlrY9sYUL1bbEbuVU6mgad3INnOrf+t6MG\n"
	"Ow8aN4G087gAzlZkJnWfXfCXlBKjQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0P\n"
	"AQH/BAQDAgEGMB0GA1UdDgQWBBSLQj8BhkXLiwZDva+wxifVqRbs5zAKBggqhkjO\n"
	"PQQDAgNIADBFAiBy+72tZseQL/xfMgmyKmJuVDYBBxwDct104usJUO2ciQIhAOYz\n"
	"qWiYNx8wBBoeskPtWe7o9sVWxFu5mOBYi3O9eswv\n"
	"-----END CERTIFICATE-----\n";
static const char LOG[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtmtlkaADpUVNtzlduO74gXu2WZbw\n"
	"UXV8WddKYmFxj3aTQkxoL5sIvXhmV6AWPV2fxVaA0cIAwFlHPCPrGiKNDg==\n"
	"-----END PUBLIC KEY-----\n";

/* What stands behind signatures that a fuzzer cannot make is also read directly. */
static void read_parts(const struct sigstore_trust *t, struct str text, const struct sigstore_expected *e, struct arena *a)
{
	struct bundle b;
	struct log_entry entry = {0};
	struct sigstore_verified v = {0};
	X509 *leaf = NULL;

	statement_verify(text, e, a, &v, NULL);
	if (bundle_read(text, a, &b, NULL) < 0)
		return;
	if (log_verify(t, &b, a, &entry, NULL) == 0)
		log_matches(&entry, &b, a, NULL);
	certificate_verify(t, &b, 1700000000, NULL);
	if (certificate_leaf(&b, &leaf, NULL) == 0)
		certificate_identity(leaf, a, &v, NULL);
	statement_verify(b.payload, e, a, &v, NULL);
	X509_free(leaf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sigstore_trust *trust;
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	struct str text = {(const char *)data, size}, bundle = text;
	struct sigstore_expected e = {.name = STR("left-pad"), .version = STR("1.3.0")};
	struct sigstore_verified v;

	if (!trust && sigstore_trust_new(str_of(CA), str_of(LOG), &trust, NULL) < 0)
		abort();
	memset(e.sha512, 0x5a, sizeof(e.sha512));
	if (!a)
		return 0;
	sigstore_find_provenance(text, a, &bundle, NULL);
	if (sigstore_verify(trust, bundle, &e, a, &v, NULL) == 0 && !str_eq(v.source, STR("github.com/acme/left-pad")))
		abort();
	read_parts(trust, bundle, &e, a);
	return 0;
}
