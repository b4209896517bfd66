/* yarn.lock of yarn 1: blocks of patterns with an indented list of fields, a format of its own ("# yarn lockfile v1"). */
#include "base/limits.h"
#include "scan/formats.h"
#include "scan/whole.h"

struct classic {
	struct lock *l;
	struct err *err;
	const char *p, *end;
	uint32_t at; /* the block that is read; LOCK_NONE: none yet */
	bool has_version;
	bool in_needs;
	enum need_kind kind; /* of the list that is read */
};

/* The next word of a line: quoted or up to a blank, comma or colon at the end. False: there is none, or a quote is open. */
static bool next_word(struct classic *c, struct str *line, struct str *ret, bool *ret_broken)
{
	size_t n = 0;

	while (line->n && (line->p[0] == ' ' || line->p[0] == ','))
		*line = str_skip(*line, 1);
	if (line->n == 0)
		return false;
	if (line->p[0] == '"') {
		for (n = 1; n < line->n && line->p[n] != '"'; n++)
			n += line->p[n] == '\\';
		if (n >= line->n) {
			*ret_broken = true;
			return false;
		}
		*ret = str_take(str_skip(*line, 1), n - 1);
		if (str_chr(*ret, '\\') >= 0)
			*ret = json_decode(c->l->arena, *ret);
		*line = str_skip(*line, n + 1);
		return ret->p != NULL;
	}
	while (n < line->n && line->p[n] != ' ' && line->p[n] != ',' && !(line->p[n] == ':' && n + 1 == line->n))
		n++;
	*ret = str_take(*line, n);
	*line = str_skip(*line, n);
	return true;
}

static int fail(struct classic *c, const char *at, const char *what)
{
	return lock_error(c->l, at, c->err, "%s", what);
}

static int finish_block(struct classic *c)
{
	struct lock_package *p;

	if (c->at == LOCK_NONE)
		return 0;
	p = &c->l->packages[c->at];
	if (!c->has_version)
		return fail(c, p->at, "this entry has no version: is the file cut?");
	if (p->source == LOCK_REGISTRY && p->resolved.n)
		npm_trace(c->l, c->at);
	return 0;
}

/* `"a@^1", a@~1.2:` — all patterns lead to one package. */
static int read_patterns(struct classic *c, struct str line, const char *at)
{
	struct str rest = line, pattern, name, range, real, real_range;
	bool broken = false;
	int code = finish_block(c);

	if (code < 0)
		return code;
	if (line.p[line.n - 1] != ':')
		return fail(c, at, "a pattern must end in a colon: is the file cut?");
	c->at = LOCK_NONE;
	c->has_version = c->in_needs = false;
	while (next_word(c, &rest, &pattern, &broken)) {
		if (c->at == LOCK_NONE) {
			lock_split_at(pattern, &name, &range);
			c->at = lock_add(c->l, pattern, name, at);
			if (c->at == LOCK_NONE)
				return c->l->error;
			c->l->packages[c->at].source = lock_source_of(range);
			if (npm_alias(range, &real, &real_range)) {
				c->l->packages[c->at].name = real;
				c->l->packages[c->at].alias = str_eq(real, name) ? STR_NULL : name;
				c->l->packages[c->at].source = LOCK_REGISTRY;
			}
		} else {
			lock_also(c->l, c->at, pattern);
		}
		if (rest.n == 1 && rest.p[0] == ':')
			break;
	}
	return broken ? fail(c, at, "a quote is not closed: is the file cut?") : c->at == LOCK_NONE ? fail(c, at, "no pattern stands here") : 0;
}

static int read_field(struct classic *c, struct str line, const char *at)
{
	struct str name, value = STR_NULL;
	struct lock_package *p = &c->l->packages[c->at];
	bool broken = false, section = line.p[line.n - 1] == ':';

	if (!next_word(c, &line, &name, &broken) || (!section && !next_word(c, &line, &value, &broken)))
		return fail(c, at, broken ? "a quote is not closed: is the file cut?" : "a field without a value: is the file cut?");
	c->in_needs = false;
	if (section) {
		c->in_needs = true;
		c->kind = str_eq(name, STR("optionalDependencies")) ? NEED_OPTIONAL : NEED_PROD;
		return 0;
	}
	if (str_eq(name, STR("version"))) {
		p->version = value;
		c->has_version = true;
	} else if (str_eq(name, STR("resolved"))) {
		p->resolved = value;
	} else if (str_eq(name, STR("integrity"))) {
		p->integrity = value;
		if (c->p >= c->end && !whole_integrity(value))
			return fail(c, at, "this hash is not whole: is the file cut?");
	}
	return 0;
}

static int read_need(struct classic *c, struct str line, const char *at)
{
	struct str name, spec;
	bool broken = false;

	if (!c->in_needs || !next_word(c, &line, &name, &broken) || !next_word(c, &line, &spec, &broken))
		return fail(c, at, broken ? "a quote is not closed: is the file cut?" : "a dependency is a name and a range: is the file cut?");
	lock_need(c->l, c->at, name, spec, c->kind);
	return 0;
}

static int read_line(struct classic *c, const char *start, const char *eol)
{
	const char *p = start;

	if (eol > p && eol[-1] == '\r')
		eol--;
	while (p < eol && *p == ' ')
		p++;
	if (p == eol || *p == '#')
		return 0;
	if (p == start)
		return read_patterns(c, str_range(p, eol), start);
	if (c->at == LOCK_NONE)
		return fail(c, start, "an indented line belongs to no package");
	return p - start == 2   ? read_field(c, str_range(p, eol), start)
	       : p - start == 4 ? read_need(c, str_range(p, eol), start)
	                        : fail(c, start, "this indentation is not yarn's");
}

/* yarn 1 finds a dependency by its very pattern. With `resolutions` the pattern is gone and any entry of that name is meant. */
static uint32_t classic_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	char pattern[2048];
	int n = snprintf(pattern, sizeof(pattern), "%.*s@%.*s", STR_ARG(need->name), STR_ARG(need->spec));

	(void)from;
	return n < 0 || (size_t)n >= sizeof(pattern) ? LOCK_NONE : lock_find(l, (struct str){pattern, (size_t)n});
}

int read_yarn_classic(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct classic c = {.l = l, .err = err, .p = l->text.p, .end = l->text.p + l->text.n, .at = LOCK_NONE};
	bool alone;
	int code;

	while (c.p < c.end) {
		const char *eol = memchr(c.p, '\n', (size_t)(c.end - c.p));

		const char *line = c.p;

		c.p = eol ? eol + 1 : c.end;
		code = read_line(&c, line, eol ? eol : c.end);
		if (code < 0)
			return code;
	}
	code = finish_block(&c);
	if (code < 0)
		return code;
	lock_link(l, classic_target);
	code = whole_check(l, true, err);
	if (code < 0)
		return code;
	alone = manifest_root(l, extras);
	lock_link(l, classic_target);
	if (!alone)
		return 0;
	manifest_check(l);
	return lock_mark(l);
}

int read_yarn(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	bool berry = str_starts(l->text, STR("__metadata:")) || str_find(l->text, STR("\n__metadata:")) >= 0;

	return berry ? read_yarn_berry(l, extras, err) : read_yarn_classic(l, extras, err);
}
