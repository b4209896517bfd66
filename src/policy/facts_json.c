#include "policy/facts_json.h"

#include <stddef.h>

#include "codec/json.h"

enum { LIMIT_FACTS_ITEMS = 4096 };

enum member_type { MEMBER_TEXT, MEMBER_TIME, MEMBER_BOOL, MEMBER_ECOSYSTEM, MEMBER_WITHDRAWAL, MEMBER_SIGNATURE };

/* Every member that is one value; lists are written by hand below. Names never change their meaning: files hold them. */
static const struct member {
	const char *key;
	enum member_type type;
	size_t offset;
} members[] = {
#define M(key, type, field) \
	{ \
		key, MEMBER_##type, offsetof(struct version_facts, field) \
	}
	M("ecosystem", ECOSYSTEM, ecosystem),
	M("name", TEXT, name),
	M("version", TEXT, version),
	M("published", TIME, published),
	M("upstream-time", TIME, upstream_time),
	M("first-seen", TIME, first_seen),
	M("lacked-at", TIME, lacked_at),
	M("package-published", TIME, package_published),
	M("integrity", TEXT, integrity),
	M("shasum", TEXT, shasum),
	M("own-origin", BOOL, own_origin),
	M("origin-cooldown", TIME, origin_cooldown),
	M("hash-changed", BOOL, hash_changed),
	M("hash-first", TEXT, hash_first),
	M("hash-now", TEXT, hash_now),
	M("mismatch", TEXT, mismatch),
	M("withdrawal", WITHDRAWAL, withdrawal),
	M("withdrawn-at", TIME, withdrawn_at),
	M("held-dependency", TEXT, held_dependency),
	M("held-until", TIME, held_dependency_until),
	M("trusted-publisher", TEXT, trust.trusted_publisher),
	M("verified-source", TEXT, trust.verified_source),
	M("provenance", BOOL, trust.provenance),
	M("unproven", TEXT, trust.unproven),
	M("continuity", TEXT, trust.continuity),
	M("install-script", TEXT, trust.install_script),
	M("binary", TEXT, trust.binary),
	M("remote-dependency", TEXT, trust.remote_dependency),
	M("dependency", TEXT, trust.dependency),
	M("dependency-published", TIME, trust.dependency_published),
	M("signature", SIGNATURE, trust.signature),
	M("fixed-line-denied", BOOL, trust.fixed_line_denied),
	M("resembles", TEXT, resembles),
	M("reached-from", TEXT, reached_from),
	M("name-known", BOOL, name_known),
	M("reach-pending", BOOL, reach_pending),
	M("fixes", TEXT, fixes),
#undef M
};

static const char *const withdrawals[] = {
	[WITHDRAWN_NOT] = "", [WITHDRAWN_YOUNG] = "young", [WITHDRAWN_PLACEHOLDER] = "placeholder", [WITHDRAWN_OLD] = "old"};
static const char *const signatures[] = {
	[SIGNATURE_UNKNOWN] = "", [SIGNATURE_ABSENT] = "absent", [SIGNATURE_VALID] = "valid", [SIGNATURE_INVALID] = "invalid"};

/* ---- out ---- */

static void put_text(struct json_writer *w, const char *key, struct str text)
{
	if (text.n)
		jw_member_str(w, key, text);
}

static void put_member(struct json_writer *w, const struct version_facts *f, const struct member *m)
{
	const void *at = (const char *)f + m->offset;

	switch (m->type) {
	case MEMBER_TEXT:
		put_text(w, m->key, *(const struct str *)at);
		break;
	case MEMBER_TIME:
		if (*(const usec *)at)
			jw_member_int(w, m->key, *(const usec *)at);
		break;
	case MEMBER_BOOL:
		if (*(const bool *)at)
			jw_member_bool(w, m->key, true);
		break;
	case MEMBER_ECOSYSTEM:
		jw_member_str(w, m->key, str_of(ecosystem_name(f->ecosystem)));
		break;
	case MEMBER_WITHDRAWAL:
		put_text(w, m->key, str_of(withdrawals[f->withdrawal]));
		break;
	case MEMBER_SIGNATURE:
		put_text(w, m->key, str_of(signatures[f->trust.signature]));
		break;
	}
}

static void put_advisory(struct json_writer *w, const struct advisory *a)
{
	jw_object(w);
	put_text(w, "id", a->id);
	if (a->kind == ADVISORY_MALWARE)
		jw_member_bool(w, "malware", true);
	if (a->severity != SEVERITY_UNKNOWN)
		jw_member_str(w, "severity", str_of(severity_name(a->severity)));
	put_text(w, "summary", a->summary);
	put_text(w, "fixed", a->fixed);
	put_text(w, "not-affected", a->not_affected);
	if (a->published)
		jw_member_int(w, "published", a->published);
	jw_object_end(w);
}

void facts_to_json(const struct version_facts *facts, struct buf *out)
{
	struct json_writer w;

	jw_init(&w, out);
	jw_object(&w);
	jw_member_int(&w, "v", FACTS_JSON_VERSION);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		put_member(&w, facts, &members[i]);
	if (facts->trust.publisher_count) {
		jw_key(&w, STR("publishers"));
		jw_array(&w);
		for (size_t i = 0; i < facts->trust.publisher_count; i++)
			jw_str(&w, facts->trust.publishers[i]);
		jw_array_end(&w);
	}
	if (facts->advisories_given) {
		jw_key(&w, STR("advisories"));
		jw_array(&w);
		for (size_t i = 0; i < facts->advisory_count; i++)
			put_advisory(&w, &facts->advisories[i]);
		jw_array_end(&w);
	}
	jw_object_end(&w);
}

/* ---- in ---- */

struct reading {
	struct json_reader r;
	struct arena *arena;
	int64_t version;
	bool has_ecosystem;
};

/* Decoded and copied: the JSON may be gone long before the facts. */
static struct str get_text(struct reading *g)
{
	struct str raw, text = STR_NULL;

	json_string(&g->r, &raw);
	if (!json_failed(&g->r) && raw.n) {
		text = json_decode(g->arena, raw);
		if (text.p == raw.p)
			text = arena_str(g->arena, raw);
		if (!text.p)
			json_fail(&g->r, "out of memory");
	}
	return text;
}

static int get_name(struct reading *g, const char *const *names, int count)
{
	struct str text = get_text(g);

	for (int i = 0; i < count; i++)
		if (str_eq(text, str_of(names[i])))
			return i;
	json_fail(&g->r, "a word that facts do not know");
	return 0;
}

static void get_member(struct reading *g, struct version_facts *f, const struct member *m)
{
	void *at = (char *)f + m->offset;

	switch (m->type) {
	case MEMBER_TEXT:
		*(struct str *)at = get_text(g);
		break;
	case MEMBER_TIME:
		json_int(&g->r, at);
		break;
	case MEMBER_BOOL:
		json_bool(&g->r, at);
		break;
	case MEMBER_ECOSYSTEM:
		if (ecosystem_parse(get_text(g), &f->ecosystem) < 0)
			json_fail(&g->r, "an ecosystem that facts do not know");
		g->has_ecosystem = true;
		break;
	case MEMBER_WITHDRAWAL:
		f->withdrawal = (enum withdrawal)get_name(g, withdrawals, 4);
		break;
	case MEMBER_SIGNATURE:
		f->trust.signature = get_name(g, signatures, 4);
		break;
	}
}

/* Room for one more item of a list that grows by doubling; NULL and a failed reader when there is none. */
static void *one_more(struct reading *g, void **items, size_t *count, size_t size)
{
	if (*count == LIMIT_FACTS_ITEMS) {
		json_fail(&g->r, "a list that is too long");
		return NULL;
	}
	if ((*count & (*count - 1)) == 0) {
		void *longer = arena_alloc_array(g->arena, *count ? 2 * *count : 1, size);

		if (!longer) {
			json_fail(&g->r, "out of memory");
			return NULL;
		}
		if (*count)
			memcpy(longer, *items, *count * size);
		*items = longer;
	}
	return (char *)*items + size * (*count)++;
}

static void get_publishers(struct reading *g, struct version_facts *f)
{
	void *items = NULL;
	size_t count = 0;

	json_enter_array(&g->r);
	while (json_next_item(&g->r)) {
		struct str *one = one_more(g, &items, &count, sizeof(*one));

		if (!one)
			return;
		*one = get_text(g);
	}
	f->trust.publishers = items;
	f->trust.publisher_count = count;
}

static void get_advisory(struct reading *g, struct advisory *a)
{
	struct str key;
	bool malware = false;

	*a = (struct advisory){.score = -1};
	json_enter_object(&g->r);
	while (json_next_member(&g->r, &key)) {
		if (json_raw_equals(key, STR("id"))) {
			a->id = get_text(g);
		} else if (json_raw_equals(key, STR("malware"))) {
			json_bool(&g->r, &malware);
		} else if (json_raw_equals(key, STR("severity"))) {
			if (severity_parse(get_text(g), &a->severity) < 0)
				json_fail(&g->r, "a severity that facts do not know");
		} else if (json_raw_equals(key, STR("summary"))) {
			a->summary = get_text(g);
		} else if (json_raw_equals(key, STR("fixed"))) {
			a->fixed = get_text(g);
		} else if (json_raw_equals(key, STR("not-affected"))) {
			a->not_affected = get_text(g);
		} else if (json_raw_equals(key, STR("published"))) {
			json_int(&g->r, &a->published);
		} else {
			json_skip(&g->r, NULL);
		}
	}
	a->kind = malware ? ADVISORY_MALWARE : ADVISORY_VULNERABILITY;
}

static void get_advisories(struct reading *g, struct version_facts *f)
{
	void *items = NULL;
	size_t count = 0;

	json_enter_array(&g->r);
	while (json_next_item(&g->r)) {
		struct advisory *one = one_more(g, &items, &count, sizeof(*one));

		if (!one)
			return;
		get_advisory(g, one);
	}
	f->advisories = items;
	f->advisory_count = count;
	f->advisories_given = true;
}

static void get_any(struct reading *g, struct version_facts *f, struct str key)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (json_raw_equals(key, str_of(members[i].key))) {
			get_member(g, f, &members[i]);
			return;
		}
	if (json_raw_equals(key, STR("v")))
		json_int(&g->r, &g->version);
	else if (json_raw_equals(key, STR("publishers")))
		get_publishers(g, f);
	else if (json_raw_equals(key, STR("advisories")))
		get_advisories(g, f);
	else
		json_skip(&g->r, NULL);
}

int facts_from_json(struct str json, struct arena *a, struct version_facts *ret, struct err *err)
{
	struct reading g = {.arena = a};
	struct version_facts f = {0};
	struct str key;
	int r;

	json_init(&g.r, json);
	json_enter_object(&g.r);
	while (json_next_member(&g.r, &key))
		get_any(&g, &f, key);
	r = json_finish(&g.r, err);
	if (arena_failed(a))
		return err_set(err, -ENOMEM, "out of memory");
	if (g.version > FACTS_JSON_VERSION)
		return err_set(err, -EPROTONOSUPPORT, "these facts were written by a newer bondgate (version %lld of their form)",
		               (long long)g.version);
	if (r < 0)
		return -EBADMSG;
	if (g.version < 1 || !g.has_ecosystem || !f.name.n)
		return err_set(err, -EBADMSG, "no facts about a version: \"v\", \"ecosystem\" or \"name\" is missing");
	*ret = f;
	return 0;
}

int facts_take_advisories(struct version_facts *facts, const struct advisories *advisories, usec at, struct arena *a)
{
	struct advisory *found = NULL;
	struct str fixes = STR_NULL;
	enum severity severity;
	size_t count = 0;

	if (advisories && advisories_know(advisories, facts->ecosystem, facts->name)) {
		count = advisories_match(advisories, facts->ecosystem, facts->name, facts->version, at, a, &found);
		advisories_fixed_by(advisories, facts->ecosystem, facts->name, facts->version, at, a, &fixes, &severity);
	}
	if (arena_failed(a))
		return -ENOMEM;
	facts->advisories = found;
	facts->advisory_count = count;
	facts->fixes = fixes;
	facts->advisories_given = true;
	return 0;
}
