#include "policy/adopt.h"

enum { REVIEW_FIRST = 90, REVIEW_SPREAD = 180, EXEMPTION_DAYS = 90 };

/* ---- lines ---- */

static void put_text(struct buf *out, struct str text)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_add_char(out, (char)c);
	}
	buf_add_char(out, '"');
}

static void put_date(struct buf *out, usec time)
{
	char text[TIME_TEXT];

	time_format_utc(time, text);
	buf_add_str(out, str_take(str_of(text), 10));
}

static void put_reason(struct buf *out, const struct adoption *a, struct str file)
{
	CLEANUP_BUF struct buf reason = BUF(8192);

	buf_add_str(&reason, STR("adopted "));
	put_date(&reason, a->now);
	buf_printf(&reason, " from %.*s", STR_ARG(str_take(file, 4096)));
	buf_add_str(out, STR(", reason: "));
	put_text(out, buf_str(&reason));
	buf_add_str(out, STR(", owner: "));
	put_text(out, a->owner);
}

static void put_package(struct buf *out, enum ecosystem e, struct str name, struct str version)
{
	CLEANUP_BUF struct buf text = BUF(8192);

	buf_printf(&text, "%s:%.*s%s%.*s", ecosystem_name(e), STR_ARG(name), version.n ? "@" : "", STR_ARG(version));
	put_text(out, buf_str(&text));
}

static void put_root(struct buf *out, const struct adoption *a, size_t i, size_t indent)
{
	const struct adopted_root *r = &a->roots[i];

	buf_printf(out, "%*s- {name: ", (int)indent, "");
	put_package(out, r->ecosystem, r->name, STR_NULL);
	put_reason(out, a, r->file);
	buf_add_str(out, STR(", review-by: "));
	put_date(out, a->now + (REVIEW_FIRST + (usec)(i * REVIEW_SPREAD / a->root_count)) * USEC_DAY);
	buf_add_str(out, STR("}\n"));
}

static void put_rules(struct buf *out, uint32_t rules)
{
	const char *between = "";

	buf_add_str(out, STR(", rules: ["));
	for (int code = 0; code < REASON_CODE_COUNT; code++) {
		if (!(rules & UINT32_C(1) << code))
			continue;
		buf_printf(out, "%s%s", between, reason_code_name((enum reason_code)code));
		between = ", ";
	}
	buf_add_char(out, ']');
}

static void put_exemption(struct buf *out, const struct adoption *a, size_t i, size_t indent)
{
	const struct adopted_exemption *e = &a->exemptions[i];
	usec latest = a->now + EXEMPTION_DAYS * USEC_DAY, ends = latest;

	/* A day more than it needs: the rule may see the version a little later than it was published. */
	if (e->until != USEC_NEVER && e->until + USEC_DAY < latest)
		ends = e->until + USEC_DAY;
	buf_printf(out, "%*s- {package: ", (int)indent, "");
	put_package(out, e->ecosystem, e->name, e->version);
	put_rules(out, e->rules);
	put_reason(out, a, e->file);
	buf_add_str(out, STR(", approved-by: "));
	put_text(out, a->approved_by);
	buf_add_str(out, STR(", expires: "));
	put_date(out, ends);
	buf_add_str(out, STR("}\n"));
}

static void put_roots(struct buf *out, const struct adoption *a, size_t indent)
{
	for (size_t i = 0; i < a->root_count; i++)
		put_root(out, a, i, indent);
}

static void put_exemptions(struct buf *out, const struct adoption *a, size_t indent)
{
	for (size_t i = 0; i < a->exemption_count; i++)
		put_exemption(out, a, i, indent);
}

/* ---- where they belong ---- */

/* A key with a block below it, as the lines show it. */
struct place {
	bool found;
	struct str line;  /* "roots: []" with what stands behind it */
	struct str value; /* what stands on the same line, without a comment */
	struct str block; /* the lines below that belong to it, without blank lines and comments at their end */
	size_t indent;    /* of its first line; 0 with an empty block */
};

static size_t indent_of(struct str line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] == ' ')
		n++;
	return n;
}

static bool says_nothing(struct str line)
{
	struct str text = str_trim(line);

	return text.n == 0 || text.p[0] == '#';
}

/* The next line with its end. */
static struct str take_line(struct str *rest)
{
	ptrdiff_t end = str_chr(*rest, '\n');
	struct str line = end < 0 ? *rest : str_take(*rest, (size_t)end + 1);

	*rest = str_skip(*rest, line.n);
	return line;
}

static struct str without_comment(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '#' && (i == 0 || text.p[i - 1] == ' ' || text.p[i - 1] == '\t'))
			return str_trim(str_take(text, i));
	return str_trim(text);
}

static void find_block(struct place *place, size_t indent, struct str rest)
{
	const char *begin = rest.p, *end = rest.p;

	while (rest.n) {
		struct str line = take_line(&rest), text = str_trim(line);
		size_t own = indent_of(line);

		if (says_nothing(line))
			continue;
		/* The items of a list may stand as far to the left as their key. */
		if (own < indent || (own == indent && !str_starts(text, STR("- "))))
			break;
		if (end == begin)
			place->indent = own;
		end = line.p + line.n;
	}
	place->block = str_range(begin, end);
}

/* The key at this depth in the lines of `text`. */
static struct place find(struct str text, size_t indent, struct str key)
{
	struct place place = {0};
	struct str rest = text;

	while (rest.n) {
		struct str line = take_line(&rest), own = str_skip(line, indent_of(line));

		if (indent_of(line) != indent || !str_starts(own, key) || own.n <= key.n || own.p[key.n] != ':')
			continue;
		place.found = true;
		place.line = line;
		place.value = without_comment(str_skip(own, key.n + 1));
		find_block(&place, indent, rest);
		break;
	}
	return place;
}

/* Lines may be put below it: its block, or nothing, or an empty list or map that gives way. */
static int check_place(const struct place *p, const char *key, struct err *err)
{
	if (!p->found || !p->value.n || str_eq(p->value, STR("[]")) || str_eq(p->value, STR("{}")))
		return 0;
	return err_set(err, -EINVAL, "%s: nothing can be added to \"%.*s\", which stands on one line: write one item a line below %s:", key,
	               STR_ARG(str_take(p->value, 60)), key);
}

static void end_line(struct buf *out)
{
	if (out->n && buf_str(out).p[out->n - 1] != '\n')
		buf_add_char(out, '\n');
}

/* Copies the text up to the end of the place's block, without the empty value; what follows is left in *rest. */
static void copy_place(struct buf *out, const struct place *p, struct str *rest)
{
	const char *value = p->value.n ? p->value.p : p->line.p + p->line.n;

	buf_add_str(out, str_range(rest->p, value));
	if (p->value.n)
		buf_add_str(out, str_trim(str_range(p->value.p + p->value.n, p->line.p + p->line.n)));
	end_line(out);
	buf_add_str(out, p->block);
	end_line(out);
	*rest = str_range(p->block.p + p->block.n, rest->p + rest->n);
}

static int add_roots(struct str *rest, const struct adoption *a, struct buf *out, struct err *err)
{
	struct place allow = find(*rest, 0, STR("allow")), roots = {0};
	int r = check_place(&allow, "allow", err);

	if (r == 0 && allow.found && allow.indent)
		roots = find(allow.block, allow.indent, STR("roots"));
	if (r == 0)
		r = check_place(&roots, "allow.roots", err);
	if (r < 0)
		return r;
	if (roots.found) {
		copy_place(out, &roots, rest);
		put_roots(out, a, roots.block.n ? roots.indent : allow.indent + 2);
	} else if (allow.found) {
		size_t indent = allow.indent ? allow.indent : 2;

		copy_place(out, &allow, rest);
		buf_printf(out, "%*sroots:\n", (int)indent, "");
		put_roots(out, a, indent + 2);
	}
	return 0;
}

static int add_exemptions(struct str *rest, const struct adoption *a, struct buf *out, struct err *err)
{
	struct place place = find(*rest, 0, STR("exemptions"));
	int r = check_place(&place, "exemptions", err);

	if (r < 0 || !place.found)
		return r;
	copy_place(out, &place, rest);
	put_exemptions(out, a, place.block.n ? place.indent : 2);
	return 0;
}

static int add_existing(struct str text, const struct adoption *a, struct buf *out, struct err *err)
{
	struct place allow = find(text, 0, STR("allow")), exemptions = find(text, 0, STR("exemptions"));
	bool roots_first = !exemptions.found || !allow.found || allow.line.p < exemptions.line.p;
	struct str rest = text;
	int r = 0;

	for (int i = 0; r == 0 && i < 2; i++) {
		if ((i == 0) == roots_first)
			r = a->root_count ? add_roots(&rest, a, out, err) : 0;
		else
			r = a->exemption_count ? add_exemptions(&rest, a, out, err) : 0;
	}
	buf_add_str(out, rest);
	end_line(out);
	return r;
}

int policy_adopt(struct str text, const struct adoption *a, struct buf *out, struct err *err)
{
	int r = 0;

	if (text.n)
		r = add_existing(text, a, out, err);
	else
		buf_add_str(out, STR("version: 1\n"));
	if (r < 0)
		return r;
	if (a->root_count && !find(text, 0, STR("allow")).found) {
		buf_add_str(out, STR("allow:\n"
		                     "  mode: report   # enforce refuses what no approved root needs; bondgate report says what that would be\n"
		                     "  roots:\n"));
		put_roots(out, a, 4);
	}
	if (a->exemption_count && !find(text, 0, STR("exemptions")).found) {
		buf_add_str(out, STR("exemptions:\n"));
		put_exemptions(out, a, 2);
	}
	return out->error ? err_set(err, out->error, "the policy grows too large") : 0;
}
