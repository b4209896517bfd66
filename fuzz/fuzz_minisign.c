/* Minisign's files: nothing but the real signature is taken, and keys that were read are written so that they read the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_ARENA struct arena *a = arena_new(1 * MIB);
	struct str text = {(const char *)data, size};
	struct minisign_public key, again;
	struct minisign_secret secret;
	struct minisign_verified v;

	if (!a || minisign_public_parse(STR("RWS+amNZHWzKtYiDSJbiT3LtTmAukqG1c5M8MgyMmlTjrN/p4PJOfpKD"), &key, NULL) < 0)
		abort();
	minisign_verify(&key, 1, text, STR("hello\n"), &v, NULL);
	if (minisign_public_parse(text, &key, NULL) == 0 && (minisign_public_parse(minisign_public_line(&key, a), &again, NULL) < 0 || memcmp(&key, &again, sizeof(key)) != 0))
		abort();
	minisign_secret_parse(text, STR_NULL, &secret, NULL);
	return 0;
}
