/* Access logs of other proxies: any line is read or refused, and what is named as an artifact is a plain name and version. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/access_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	struct str rest = {(const char *)data, size}, line;
	struct access_line l;
	struct purl p;

	while (a && str_split(&rest, '\n', &line)) {
		for (enum access_format f = ACCESS_AUTO; f <= ACCESS_VERDACCIO; f++) {
			if (access_log_line(f, line, a, &l) < 0)
				continue;
			if (l.status < 100 || l.status > 999 || !l.path.n)
				abort();
			if (access_log_artifact(l.path, a, &p) == 0 && (!p.name.n || !p.version.n || str_chr(p.version, '/') >= 0))
				abort();
		}
	}
	return 0;
}
