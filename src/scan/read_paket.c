/* paket.lock: sections by indentation. Four blanks: a package with its version in brackets; six: what it needs. */
#include "scan/formats.h"
#include "scan/nuget_names.h"
#include "scan/whole.h"

struct paket {
	struct lock *l;
	struct err *err;
	struct str group;
	enum { OTHER, NUGET, REPOSITORY } section;
	struct str remote;
	uint32_t at;
};

/* "Name (1.2.3) - restriction: …"; false when the bracket is missing or open. */
static bool name_and_bracket(struct str line, struct str *ret_name, struct str *ret_inside)
{
	ptrdiff_t open = str_find(line, STR(" (")), close;

	if (open <= 0)
		return false;
	close = str_chr(str_skip(line, (size_t)open), ')');
	if (close < 0)
		return false;
	*ret_name = str_take(line, (size_t)open);
	*ret_inside = str_take(str_skip(line, (size_t)open + 2), (size_t)close - 2);
	return true;
}

static int add_package(struct paket *k, struct str line, const char *where)
{
	struct str name, version;

	if (!name_and_bracket(line, &name, &version))
		return lock_error(k->l, where, k->err, "a package is a name and a version in brackets: is the file cut?");
	k->at = lock_add(k->l, nuget_key(k->l->arena, k->group, name), name, where);
	if (k->at == LOCK_NONE)
		return k->l->error;
	k->l->packages[k->at].ecosystem = ECOSYSTEM_NUGET;
	k->l->packages[k->at].resolved = k->remote;
	if (k->section == NUGET) {
		k->l->packages[k->at].version = version;
		return 0;
	}
	/* A file of a repository is no package that an advisory could name. */
	k->l->packages[k->at].source = LOCK_GIT;
	return 0;
}

static void read_header(struct paket *k, struct str line)
{
	k->at = LOCK_NONE;
	k->remote = STR_NULL;
	if (str_starts(line, STR("GROUP "))) {
		k->group = str_trim(str_skip(line, 6));
		k->section = OTHER;
	} else {
		k->section = str_eq(line, STR("NUGET")) ? NUGET
		             : str_eq(line, STR("GITHUB")) || str_eq(line, STR("GIT")) || str_eq(line, STR("GIST")) || str_eq(line, STR("HTTP"))
		                 ? REPOSITORY
		                 : OTHER;
	}
}

static int read_line(struct paket *k, struct str line, const char *where)
{
	size_t indent = 0;
	struct str content, name, range;

	while (indent < line.n && line.p[indent] == ' ')
		indent++;
	content = str_trim(str_skip(line, indent));
	if (!content.n)
		return 0;
	if (indent == 0)
		return read_header(k, content), 0;
	if (k->section == OTHER)
		return 0;
	if (indent == 2) {
		if (str_starts(content, STR("remote:")))
			k->remote = str_trim(str_skip(content, 7));
		return 0;
	}
	if (indent == 4)
		return add_package(k, content, where);
	if (k->at == LOCK_NONE)
		return lock_error(k->l, where, k->err, "a dependency that belongs to no package");
	if (!name_and_bracket(content, &name, &range)) {
		ptrdiff_t blank = str_chr(content, ' ');

		name = str_take(content, blank < 0 ? content.n : (size_t)blank);
	}
	lock_need(k->l, k->at, name, k->group, NEED_PROD);
	return 0;
}

static uint32_t paket_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	(void)from;
	return nuget_find(l, need->spec, need->name);
}

int read_paket(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct paket k = {.l = l, .err = err, .group = STR("main"), .at = LOCK_NONE};
	const char *end = l->text.p + l->text.n;

	(void)extras;
	for (const char *p = l->text.p; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		int code = read_line(&k, str_range(p, eol ? eol : end), p);

		if (code < 0)
			return code;
		p = eol ? eol + 1 : end;
	}
	lock_link(l, paket_target);
	return whole_check(l, true, err);
}
