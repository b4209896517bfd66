/* forge DIR NAME VERSION SHA512-HEX [SOURCE [FLAW]]: an answer about attestations from the private Sigstore whose keys are in DIR (drawn the
 * first time, with ca.pem and log.pem for the policy). */
#include <stdio.h>

#include "base/limits.h"
#include "forge.h"

int main(int argc, char **argv)
{
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct forge_wish w = forge_defaults();
	struct forge *f;

	if (argc < 5 || hex_decode(str_of(argv[4]), w.sha512, sizeof(w.sha512)) < 0) {
		fprintf(stderr, "usage: forge DIR NAME VERSION SHA512-HEX [SOURCE [FLAW]]\n");
		return 2;
	}
	w.name = argv[2];
	w.version = argv[3];
	if (argc > 5)
		w.source = argv[5];
	for (int i = 0; argc > 6 && i < FLAW_COUNT; i++)
		if (str_eq(str_of(argv[6]), str_of(flaw_name((enum flaw)i))))
			w.flaw = (enum flaw)i;
	if (argc > 6 && !str_eq(str_of(argv[6]), str_of(flaw_name(w.flaw)))) {
		fprintf(stderr, "forge: there is no flaw %s\n", argv[6]);
		return 2;
	}
	f = forge_new(argv[1]);
	forge_attestations(f, &w, &out);
	puts(buf_cstr(&out));
	forge_free(f);
	return 0;
}
