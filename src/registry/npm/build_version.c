/* One member of `versions`: checked, indexed, and its abbreviated form written. */
#include "registry/npm/build.h"

enum field {
	FIELD_OTHER,
	FIELD_NAME,
	FIELD_VERSION,
	FIELD_DESCRIPTION,
	FIELD_DEPRECATED,
	FIELD_DEPENDENCIES,
	FIELD_DIST,
	FIELD_SCRIPTS,
	FIELD_HAS_INSTALL_SCRIPT,
	FIELD_GYPFILE,
	FIELD_BIN,
	FIELD_PLATFORM,
	FIELD_NPM_USER,
	FIELD_REPOSITORY,
	FIELD_KEPT, /* goes into the abbreviated form as it is */
};

/* Source of the list: facts/protocol.md 2.3 and the registry's document on package metadata responses. */
static const struct {
	struct str key;
	enum field field;
} fields[] = {
	{STR("name"), FIELD_NAME},
	{STR("version"), FIELD_VERSION},
	{STR("description"), FIELD_DESCRIPTION},
	{STR("deprecated"), FIELD_DEPRECATED},
	{STR("dependencies"), FIELD_DEPENDENCIES},
	{STR("optionalDependencies"), FIELD_DEPENDENCIES},
	{STR("devDependencies"), FIELD_KEPT},
	{STR("bundleDependencies"), FIELD_KEPT},
	{STR("bundledDependencies"), FIELD_KEPT},
	{STR("peerDependencies"), FIELD_DEPENDENCIES},
	{STR("peerDependenciesMeta"), FIELD_KEPT},
	{STR("acceptDependencies"), FIELD_KEPT},
	{STR("bin"), FIELD_BIN},
	{STR("directories"), FIELD_KEPT},
	{STR("dist"), FIELD_DIST},
	{STR("engines"), FIELD_KEPT},
	{STR("_hasShrinkwrap"), FIELD_KEPT},
	{STR("hasInstallScript"), FIELD_HAS_INSTALL_SCRIPT},
	{STR("cpu"), FIELD_PLATFORM},
	{STR("os"), FIELD_KEPT},
	{STR("libc"), FIELD_KEPT},
	{STR("funding"), FIELD_KEPT},
	{STR("scripts"), FIELD_SCRIPTS},
	{STR("gypfile"), FIELD_GYPFILE},
	{STR("_npmUser"), FIELD_NPM_USER},
	{STR("repository"), FIELD_REPOSITORY},
};

static enum field field_of(struct str raw_key, struct str *ret_plain)
{
	bool escaped = memchr(raw_key.p, '\\', raw_key.n) != NULL;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (escaped ? !json_raw_equals(raw_key, fields[i].key) : !str_eq(raw_key, fields[i].key))
			continue;
		*ret_plain = fields[i].key;
		return fields[i].field;
	}
	return FIELD_OTHER;
}

/* What is gathered of the object while it is read. */
struct gathering {
	struct str raw_key;
	struct str name, version; /* raw */
	const char *problem;      /* why the version is left out; NULL: nothing speaks against it */
	bool has_name, has_version, has_dist;
};

static void leave_out(struct gathering *g, const char *problem)
{
	if (!g->problem)
		g->problem = problem;
}

static void keep(struct builder *b, struct str key, struct str value)
{
	buf_add_char(b->tail, '"');
	buf_add_str(b->tail, key);
	buf_add(b->tail, "\":", 2);
	buf_add_str(b->tail, value);
	buf_add_char(b->tail, ',');
}

/* Any value; its slice. */
static struct str take(struct builder *b)
{
	struct str slice = STR_NULL;

	json_skip(&b->reader, &slice);
	return slice;
}

static struct str inside_quotes(struct str slice)
{
	return (struct str){slice.p + 1, slice.n - 2};
}

/* "1.2.3", "=1.2.3", "v1.2.3" pin a version; ranges do not. */
static bool exact_version(struct str range, struct str *ret)
{
	struct semver v;

	range = str_trim(range);
	if (range.n && range.p[0] == '=')
		range = str_trim(str_skip(range, 1));
	if (range.n && range.p[0] == 'v')
		range = str_skip(range, 1);
	/* Most ranges start with ^, ~ or >: they are told apart without the parser. */
	if (range.n == 0 || range.p[0] < '0' || range.p[0] > '9' || semver_parse(range, 0, &v) < 0)
		return false;
	*ret = range;
	/* Build metadata takes no part in choosing a version. */
	if (v.build.n)
		ret->n = (size_t)(v.build.p - 1 - range.p);
	return true;
}

static void read_pin(struct builder *b, struct str name, struct str range, bool optional)
{
	struct npm_pin pin = {.name = STR_NULL, .optional = optional};
	struct npm_pin *pushed;

	if (str_starts(range, STR("npm:"))) {
		struct str alias = str_skip(range, 4);
		ptrdiff_t at = str_rchr(alias, '@');

		if (at <= 0)
			return;
		pin.name = str_take(alias, (size_t)at);
		range = str_skip(alias, (size_t)at + 1);
	}
	if (!exact_version(range, &pin.version))
		return;
	if (!pin.name.p)
		pin.name = name;
	pushed = LIST_PUSH(&b->pins, struct npm_pin);
	if (pushed)
		*pushed = pin;
}

/* `dependencies`, `optionalDependencies` or `peerDependencies`: the slice of the whole value. */
static struct str read_dependencies(struct builder *b, struct draft *d, struct str kind)
{
	bool optional = str_eq(kind, STR("optionalDependencies")), peer = str_eq(kind, STR("peerDependencies"));
	struct json_reader *r = &b->reader;
	struct str name, range;
	const char *from;

	if (json_peek(r) != JSON_OBJECT)
		return take(b);
	from = r->p;
	json_enter_object(r);
	while (json_next_member(r, &name)) {
		if (json_peek(r) != JSON_STRING) {
			json_skip(r, NULL);
			continue;
		}
		json_string(r, &range);
		name = build_decode(b, name);
		range = build_decode(b, range);
		/* A peer is somebody else's to bring; a range of it pins nothing. */
		if (!peer)
			read_pin(b, name, range, optional);
		build_note_dependency(b, &d->trust, name, range);
	}
	return str_range(from, r->p);
}

static bool says_something(struct str value)
{
	return value.n && !str_eq(value, STR("\"\"")) && !str_eq(value, STR("null")) && !str_eq(value, STR("false"));
}

static void read_scripts(struct builder *b, struct draft *d)
{
	static const struct str names[] = {STR("preinstall"), STR("install"), STR("postinstall")};
	struct json_reader *r = &b->reader;
	struct str name;

	if (json_peek(r) != JSON_OBJECT) {
		json_skip(r, NULL);
		return;
	}
	json_enter_object(r);
	while (json_next_member(r, &name)) {
		struct str value = take(b);

		for (size_t i = 0; i < 3; i++)
			if (json_raw_equals(name, names[i]) && says_something(value))
				d->flags |= RECORD_INSTALL_SCRIPT;
		build_note_script(&d->trust, name, value);
	}
}

static struct str read_dist(struct builder *b, struct draft *d, struct gathering *g)
{
	struct json_reader *r = &b->reader;
	const char *from;
	struct str key;

	if (json_peek(r) != JSON_OBJECT) {
		leave_out(g, "its `dist` is not an object");
		return take(b);
	}
	from = r->p;
	json_enter_object(r);
	json_keys_clear(b->dist_keys);
	while (json_next_member(r, &key)) {
		struct str value, *to = json_raw_equals(key, STR("tarball"))     ? &d->tarball_raw
		                        : json_raw_equals(key, STR("integrity")) ? &d->integrity
		                        : json_raw_equals(key, STR("shasum"))    ? &d->shasum
		                                                                 : NULL;

		if (json_keys_seen(b->dist_keys, key))
			json_fail(r, "a key comes twice in `dist`");
		if (json_raw_equals(key, STR("attestations"))) {
			build_read_attestations(b, &d->trust);
			continue;
		}
		if (json_raw_equals(key, STR("signatures"))) {
			d->trust.signatures = take(b);
			continue;
		}
		if (!to || json_peek(r) != JSON_STRING) {
			/* A `null` shasum or integrity is none at all; of anything else it is unclear what a client makes of it. */
			if (to && json_peek(r) != JSON_NULL)
				leave_out(g, "a text in its `dist` is not a text");
			json_skip(r, NULL);
			continue;
		}
		json_string(r, &value);
		*to = value;
	}
	g->has_dist = true;
	return str_range(from, r->p);
}

/* Members that are looked at and do not go into the abbreviated form; false: it is none of them. */
static bool read_unkept(struct builder *b, enum field field, struct draft *d)
{
	struct str value;

	switch (field) {
	case FIELD_OTHER:
		json_skip(&b->reader, NULL);
		return true;
	case FIELD_DESCRIPTION:
		value = take(b);
		d->description_of_placeholder = json_raw_equals(value, STR("\"security holding package\""));
		return true;
	case FIELD_SCRIPTS:
		read_scripts(b, d);
		return true;
	case FIELD_HAS_INSTALL_SCRIPT:
		if (says_something(take(b))) {
			d->flags |= RECORD_INSTALL_SCRIPT;
			d->trust.told_script = true;
		}
		return true;
	case FIELD_GYPFILE:
		d->trust.gypfile = says_something(take(b));
		return true;
	case FIELD_NPM_USER:
		build_read_user(b, &d->trust);
		return true;
	case FIELD_REPOSITORY:
		build_read_repository(b, &d->trust);
		return true;
	default:
		return false;
	}
}

static void read_member(struct builder *b, struct str raw_key, struct draft *d, struct gathering *g)
{
	struct str plain = STR_NULL, value;
	enum field field = field_of(raw_key, &plain);
	size_t at;

	if (read_unkept(b, field, d))
		return;
	switch (field) {
	case FIELD_BIN:
		value = take(b);
		build_note_bin(b, &d->trust, value);
		break;
	case FIELD_PLATFORM:
		value = take(b);
		d->trust.platform = says_something(value) && !str_eq(value, STR("[]"));
		break;
	case FIELD_NAME:
		value = g->name = take(b);
		g->has_name = true;
		break;
	case FIELD_VERSION:
		value = g->version = take(b);
		g->has_version = true;
		break;
	case FIELD_DEPRECATED:
		value = take(b);
		if (says_something(value))
			d->flags |= RECORD_DEPRECATED;
		break;
	case FIELD_DEPENDENCIES:
		value = read_dependencies(b, d, plain);
		break;
	case FIELD_DIST:
		value = read_dist(b, d, g);
		at = b->tail->n + plain.n + 3;
		if (d->tarball_raw.p)
			d->abbreviated_tarball_at = at + (size_t)(d->tarball_raw.p - value.p);
		break;
	case FIELD_KEPT:
	default:
		value = take(b);
		break;
	}
	keep(b, plain, value);
}

/* A text that came as JSON is taken only if it is one and is what it should be. */
static bool text_is(struct str slice, struct str plain)
{
	return slice.n >= 2 && slice.p[0] == '"' && json_raw_equals(inside_quotes(slice), plain);
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

static const char *version_problem(const struct builder *b, const struct draft *d, const struct gathering *g)
{
	struct semver v;

	if (g->problem)
		return g->problem;
	if (d->key.n == 0 || d->key.n > LIMIT_VERSION_BYTES || has_control(d->key) || str_chr(d->key, ' ') >= 0 ||
	    semver_parse(d->key, SEMVER_LOOSE, &v) < 0)
		return "its key is not a version";
	if (!g->has_version || !text_is(g->version, d->key))
		return "its `version` is another than its key";
	if (g->has_name && !text_is(g->name, b->input->name))
		return "its `name` is another than the package's";
	if (!g->has_dist || !d->tarball_raw.n)
		return "it has no tarball";
	if (has_control(d->tarball) || (!str_starts_nocase(d->tarball, STR("http://")) && !str_starts_nocase(d->tarball, STR("https://"))))
		return "its tarball is not a web address";
	if (has_control(d->integrity) || has_control(d->shasum))
		return "its hash is not one";
	if (d->integrity.n == 0 && d->shasum.n == 0)
		return "it has no hash to verify it by";
	return NULL;
}

static void finish_abbreviated(struct builder *b, const struct draft *d)
{
	if (d->flags & RECORD_INSTALL_SCRIPT)
		buf_add_str(b->tail, STR("\"hasInstallScript\":true,"));
	if (b->tail->error)
		return;
	/* There is always a comma behind the last member: a version without any does not come this far. */
	b->tail->p[b->tail->n - 1] = '}';
	buf_add_char(b->tail, ',');
}

/* The reader stands at the object. */
static void read_object(struct builder *b, struct draft *d, struct gathering *g)
{
	struct str member;
	const char *from = b->reader.p;

	buf_add_char(b->tail, '"');
	buf_add_str(b->tail, g->raw_key);
	buf_add(b->tail, "\":{", 3);
	json_enter_object(&b->reader);
	json_keys_clear(b->member_keys);
	while (json_next_member(&b->reader, &member)) {
		if (json_keys_seen(b->member_keys, member))
			json_fail(&b->reader, "a key comes twice in a version");
		read_member(b, member, d, g);
	}
	d->object = str_range(from, b->reader.p);
	d->entry = str_range(g->raw_key.p - 1, b->reader.p);
}

void build_read_version(struct builder *b, struct str raw_key)
{
	struct gathering g = {.raw_key = raw_key};
	struct draft d = {.first_pin = LIST_COUNT(&b->pins, struct npm_pin)};
	struct draft *pushed;
	struct str *left_out;

	build_begin_trust(b, &d.trust);
	d.key = build_decode(b, raw_key);
	d.abbreviated_at = b->tail->n;
	if (json_peek(&b->reader) == JSON_OBJECT) {
		read_object(b, &d, &g);
	} else {
		leave_out(&g, "it is not an object");
		json_skip(&b->reader, NULL);
	}
	if (json_failed(&b->reader))
		return;
	d.tarball = build_decode(b, d.tarball_raw);
	d.integrity = build_decode(b, d.integrity);
	d.shasum = build_decode(b, d.shasum);
	g.problem = version_problem(b, &d, &g);
	if (g.problem) {
		build_note(b, "%.*s@%.*s is left out: %s", STR_ARG(b->input->name), STR_ARG(str_take(d.key, 100)), g.problem);
		if (!b->tail->error)
			b->tail->n = d.abbreviated_at;
		b->pins.n = d.first_pin * sizeof(struct npm_pin);
		build_drop_trust(b, &d.trust);
		left_out = LIST_PUSH(&b->left_out, struct str);
		if (left_out)
			*left_out = d.key;
		return;
	}
	build_finish_trust(&d.trust);
	finish_abbreviated(b, &d);
	d.abbreviated_n = b->tail->n - 1 - d.abbreviated_at;
	d.pin_count = (uint32_t)(LIST_COUNT(&b->pins, struct npm_pin) - d.first_pin);
	if (semver_parse(d.key, SEMVER_LOOSE, &d.semver) == 0)
		d.flags |= RECORD_SEMVER_OK;
	pushed = LIST_PUSH(&b->drafts, struct draft);
	if (pushed)
		*pushed = d;
}

void build_reread_version(struct builder *b, struct draft *d)
{
	struct json_reader reader = b->reader;
	struct gathering g = {.raw_key = d->key};
	struct draft again = {.first_pin = 0};
	size_t tail = b->tail->n, pins = b->pins.n;

	build_begin_trust(b, &again.trust);
	json_init(&b->reader, d->object);
	if (json_peek(&b->reader) == JSON_OBJECT)
		read_object(b, &again, &g);
	if (!json_failed(&b->reader))
		build_finish_trust(&again.trust);
	d->trust = again.trust;
	b->reader = reader;
	b->pins.n = pins;
	if (!b->tail->error)
		b->tail->n = tail;
}
