#include "cmd/npmrc.h"

#include <limits.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"

static struct str read_file(struct arena *a)
{
	const char *named = getenv("NPM_CONFIG_USERCONFIG"), *home = getenv("HOME");
	CLEANUP_BUF struct buf path = BUF(PATH_MAX), text = BUF(MIB);

	if (!named)
		named = getenv("npm_config_userconfig");
	if (named && *named)
		buf_add_str(&path, str_of(named));
	else if (home)
		buf_printf(&path, "%s/.npmrc", home);
	if (!path.n || file_read(buf_cstr(&path), &text, NULL) < 0)
		return STR_NULL;
	return arena_str(a, buf_str(&text));
}

/* Without quotes, and with ${NAME} from the environment, as npm reads it. */
static struct str value_of(struct str text, struct arena *a)
{
	CLEANUP_BUF struct buf out = BUF(8 * KIB);

	text = str_trim(text);
	if (text.n > 1 && text.p[0] == '"' && text.p[text.n - 1] == '"')
		text = str_take(str_skip(text, 1), text.n - 2);
	while (text.n) {
		ptrdiff_t end = str_starts(text, STR("${")) ? str_chr(text, '}') : -1;

		if (end > 0) {
			const char *value = getenv(arena_str(a, str_take(str_skip(text, 2), (size_t)end - 2)).p);

			buf_add_str(&out, str_of(value));
			text = str_skip(text, (size_t)end + 1);
		} else {
			buf_add_char(&out, text.p[0]);
			text = str_skip(text, 1);
		}
	}
	return arena_str(a, buf_str(&out));
}

static bool next_setting(struct str *rest, struct str *ret_key, struct str *ret_value)
{
	struct str line;

	while (str_split(rest, '\n', &line)) {
		ptrdiff_t equals;

		line = str_trim(line);
		if (!line.n || line.p[0] == '#' || line.p[0] == ';')
			continue;
		equals = str_chr(line, '=');
		if (equals < 0)
			continue;
		*ret_key = str_trim(str_take(line, (size_t)equals));
		*ret_value = str_skip(line, (size_t)equals + 1);
		return true;
	}
	return false;
}

struct str npmrc_gate(struct arena *a)
{
	struct str rest = read_file(a), key, value, found = STR_NULL;

	while (next_setting(&rest, &key, &value))
		if (str_eq(key, STR("registry")))
			found = value_of(value, a);
	return str_ends(found, STR("/npm/")) || str_ends(found, STR("/npm")) ? found : STR_NULL;
}

/* "//host:port" */
static struct str authority(struct str url)
{
	ptrdiff_t scheme = str_find(url, STR("://")), slash;

	if (scheme < 0)
		return STR_NULL;
	url = str_skip(url, (size_t)scheme + 1);
	slash = str_chr(str_skip(url, 2), '/');
	return slash < 0 ? url : str_take(url, (size_t)slash + 2);
}

struct str npmrc_token(struct str url, struct arena *a)
{
	struct str rest = read_file(a), key, value, host = authority(url), found = STR_NULL;

	while (host.n && next_setting(&rest, &key, &value)) {
		/* Of "//gate" and not of "//gate:4873", another port of it. */
		if (!str_starts(key, host) || !str_ends(key, STR(":_authToken")) ||
		    (key.p[host.n] != '/' && !str_eq(str_skip(key, host.n), STR(":_authToken"))))
			continue;
		if (str_starts(value_of(value, a), STR("bg_")))
			found = value_of(value, a);
	}
	return found;
}
