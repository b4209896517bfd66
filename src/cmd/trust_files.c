#include "cmd/trust_files.h"

#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"

static int read_file(struct str name, struct buf *to, struct err *err)
{
	char path[PATH_MAX];

	if (name.n >= sizeof(path))
		return err_set(err, -ENAMETOOLONG, "registries.npm.provenance: the path is too long");
	snprintf(path, sizeof(path), "%.*s", STR_ARG(name));
	return file_read(path, to, err);
}

int trust_files_load(const struct policy *p, void (*note)(void *arg, struct str path), void *arg, struct sigstore_trust **ret,
                     struct err *err)
{
	const struct policy_trust *t = policy_trust(p);
	CLEANUP_BUF struct buf ca = BUF(MIB), log = BUF(MIB);
	int r;

	*ret = NULL;
	if (!t->fulcio_ca_file.n && !t->rekor_key_file.n)
		return 0;
	if (!t->fulcio_ca_file.n || !t->rekor_key_file.n)
		return err_set(err, -EINVAL, "registries.npm.provenance names %s without %s: provenance is verified with both, or not at all",
		               t->fulcio_ca_file.n ? "fulcio-ca-file" : "rekor-key-file",
		               t->fulcio_ca_file.n ? "rekor-key-file" : "fulcio-ca-file");
	note(arg, t->fulcio_ca_file);
	note(arg, t->rekor_key_file);
	r = read_file(t->fulcio_ca_file, &ca, err);
	if (r == 0)
		r = read_file(t->rekor_key_file, &log, err);
	if (r < 0)
		return r;
	r = sigstore_trust_new(buf_str(&ca), buf_str(&log), ret, err);
	return r < 0 ? err_prefix(err, "registries.npm.provenance (%.*s, %.*s)", STR_ARG(t->fulcio_ca_file), STR_ARG(t->rekor_key_file)) : 0;
}
