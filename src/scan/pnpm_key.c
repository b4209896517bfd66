#include "scan/pnpm_key.h"

#include <errno.h>

#include "codec/semver.h"
#include "scan/lock.h"

struct str pnpm_without_peers(struct str key)
{
	ptrdiff_t open = str_chr(key, '(');

	return open < 0 ? key : str_take(key, (size_t)open);
}

unsigned pnpm_major(struct str version)
{
	unsigned n = 0;

	for (size_t i = 0; i < version.n && i < 4 && version.p[i] >= '0' && version.p[i] <= '9'; i++)
		n = n * 10 + (unsigned)(version.p[i] - '0');
	return n;
}

static bool is_version(struct str s)
{
	struct semver v;

	return s.n && s.p[0] >= '0' && s.p[0] <= '9' && semver_parse(s, SEMVER_LOOSE, &v) == 0;
}

/* "name/1.2.3_peers" or "@scope/name/1.2.3", perhaps with older "/peer@1" after it. */
static int slashed(struct str path, struct pnpm_key *ret)
{
	struct str rest = path, scope, name, version;
	ptrdiff_t suffix;

	if (!str_split(&rest, '/', &name))
		return -EINVAL;
	if (name.n && name.p[0] == '@') {
		scope = name;
		if (!str_split(&rest, '/', &name))
			return -EINVAL;
		name = (struct str){scope.p, scope.n + 1 + name.n};
	}
	if (!str_split(&rest, '/', &version))
		return -EINVAL;
	suffix = str_chr(version, '_');
	if (suffix >= 0)
		version = str_take(version, (size_t)suffix);
	if (!is_version(version) || name.n == 0)
		return -EINVAL;
	ret->name = name;
	ret->version = version;
	return 0;
}

static int joined(struct str path, struct pnpm_key *ret)
{
	struct str name, version;
	ptrdiff_t suffix;

	if (!lock_split_at(path, &name, &version) || !version.n)
		return -EINVAL;
	if (lock_source_of(version) != LOCK_REGISTRY || str_chr(version, ':') >= 0) {
		ret->name = name;
		ret->reference = version;
		return 0;
	}
	suffix = str_chr(version, '_');
	if (suffix >= 0)
		version = str_take(version, (size_t)suffix);
	if (!is_version(version))
		return -EINVAL;
	ret->name = name;
	ret->version = version;
	return 0;
}

int pnpm_key_parse(struct str key, unsigned major, struct pnpm_key *ret)
{
	struct str path = pnpm_without_peers(key), host;

	*ret = (struct pnpm_key){0};
	if (lock_source_of(path) == LOCK_FILE || lock_source_of(path) == LOCK_HTTP) {
		ret->reference = path;
		return -EINVAL;
	}
	if (path.n && path.p[0] == '/') {
		path = str_skip(path, 1);
		if (major >= 6 && joined(path, ret) == 0)
			return 0;
		return slashed(path, ret) == 0 ? 0 : joined(path, ret);
	}
	if (major >= 9)
		return joined(path, ret);
	/* Before version 9 a key without the slash begins with the host that it came from. */
	ret->reference = path;
	if (str_chr(path, '/') < 0)
		return major == 6 ? joined(path, ret) : -EINVAL;
	str_split(&path, '/', &host);
	if (slashed(path, ret) == 0)
		return 0;
	return major >= 6 ? joined(path, ret) : -EINVAL;
}
