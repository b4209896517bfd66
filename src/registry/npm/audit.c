#include "registry/npm/audit.h"

#include <xxhash.h>

#include "base/limits.h"
#include "base/map.h"
#include "codec/json.h"

/* One advisory that matched, and where. */
struct hit {
	struct str package;
	struct advisory advisory;
	int64_t id;
	struct buf findings; /* struct finding */
};

struct finding {
	struct str version, path;
};

struct audit {
	const struct advisories *advisories;
	const struct policy *policy;
	usec now;
	struct arena *arena;
	struct json_reader reader;
	struct buf hits;   /* struct hit */
	struct map by_key; /* "package\nadvisory" -> index + 1 */
	size_t dependencies, findings;
	bool dev;
};

/* More places than these help nobody, and a made-up tree could name very many. */
enum { FINDINGS_MAX = 10000, PATH_MAX_BYTES = 2000 };

/* npm's answers number their advisories. Ours have names: the number is drawn from the name, positive and within 31 bits, which
 * every client's integer type holds. */
static int64_t number_of(struct str id)
{
	return (int64_t)(XXH3_64bits(id.p ? id.p : "", id.n) & 0x7fffffff) | 1;
}

/* npm knows info, low, moderate, high, critical. Malware has no score in its records, and nothing is worse. */
static const char *severity_of(const struct advisory *a)
{
	if (a->kind == ADVISORY_MALWARE)
		return "critical";
	return a->severity == SEVERITY_UNKNOWN ? "moderate" : severity_name(a->severity);
}

static struct str title_of(const struct advisory *a)
{
	return a->summary.n ? a->summary : a->id;
}

static struct str vulnerable_of(const struct advisory *a)
{
	return a->vulnerable_versions.n ? a->vulnerable_versions : STR("*");
}

static struct hit *hit_of(struct audit *a, struct str package, const struct advisory *advisory)
{
	struct str key = arena_printf(a->arena, "%.*s\n%.*s", STR_ARG(package), STR_ARG(advisory->id));
	void *index = map_get(&a->by_key, key);
	struct hit *hit;

	if (index)
		return (struct hit *)(void *)a->hits.p + ((uintptr_t)index - 1);
	hit = buf_reserve(&a->hits, sizeof(*hit));
	if (!hit || !key.p)
		return NULL;
	*hit = (struct hit){
		.package = package, .advisory = *advisory, .id = number_of(advisory->id), .findings = BUF(FINDINGS_MAX * sizeof(struct finding))};
	a->hits.n += sizeof(*hit);
	if (map_put(&a->by_key, key, (void *)(a->hits.n / sizeof(*hit))) < 0)
		a->hits.error = -ENOMEM;
	return hit;
}

static void look_up(struct audit *a, struct str name, struct str version, struct str path)
{
	struct advisory *found;
	size_t count = advisories_match(a->advisories, ECOSYSTEM_NPM, name, version, a->now, a->arena, &found);

	/* What is marked as not affecting the version stands last. */
	for (size_t i = 0; i < count && !found[i].not_affected.n; i++) {
		struct finding finding = {version, path};
		struct hit *hit;

		if (a->policy && policy_ignored(a->policy, &found[i], ECOSYSTEM_NPM, name, version, a->now))
			continue;
		hit = hit_of(a, name, &found[i]);
		if (!hit || a->findings >= FINDINGS_MAX)
			return;
		a->findings++;
		buf_add(&hit->findings, &finding, sizeof(finding));
	}
}

static int audit_begin(struct audit *a, struct str body, const struct advisories *advisories, const struct policy *policy, usec now,
                       struct err *err)
{
	*a = (struct audit){.advisories = advisories, .policy = policy, .now = now, .arena = arena_new(64 * MIB), .hits = BUF(64 * MIB)};
	if (!a->arena)
		return err_set(err, -ENOMEM, "no memory for an audit");
	if (body.n > LIMIT_AUDIT_BODY_BYTES)
		return err_set(err, -EBADMSG, "the audit request is larger than %zu MiB", LIMIT_AUDIT_BODY_BYTES / MIB);
	json_init(&a->reader, body);
	return 0;
}

static void audit_free(struct audit *a)
{
	for (size_t i = 0; i < a->hits.n / sizeof(struct hit); i++)
		buf_free(&((struct hit *)(void *)a->hits.p)[i].findings);
	buf_free(&a->hits);
	map_free(&a->by_key);
	arena_free(a->arena);
}

static int audit_read_end(struct audit *a, struct err *err)
{
	int r = json_finish(&a->reader, err);

	if (r < 0) {
		err_prefix(err, "the audit request");
		return -EBADMSG;
	}
	if (arena_failed(a->arena) || a->hits.error)
		return err_set(err, -EBADMSG, "the audit request asks for too much at once");
	return 0;
}

static void write_cwes(struct json_writer *w, const struct advisory *a)
{
	bool said = false;

	jw_key(w, STR("cwe"));
	jw_array(w);
	for (size_t i = 0; i < a->cwe_count; i++) {
		said = said || str_eq(a->cwes[i], STR("CWE-506"));
		jw_str(w, a->cwes[i]);
	}
	/* CWE-506: embedded malicious code. */
	if (a->kind == ADVISORY_MALWARE && !said)
		jw_str(w, STR("CWE-506"));
	jw_array_end(w);
}

static void write_cvss_and_cwe(struct json_writer *w, const struct advisory *a)
{
	char score[16];

	write_cwes(w, a);
	jw_key(w, STR("cvss"));
	jw_object(w);
	snprintf(score, sizeof(score), a->score % 10 > 0 ? "%d.%d" : "%d", a->score > 0 ? a->score / 10 : 0, a->score % 10);
	jw_key(w, STR("score"));
	jw_raw(w, str_of(score));
	jw_key(w, STR("vectorString"));
	if (a->vector.n)
		jw_str(w, a->vector);
	else
		jw_null(w);
	jw_object_end(w);
}

static void write_bulk_hit(struct json_writer *w, const struct hit *hit)
{
	jw_object(w);
	jw_member_int(w, "id", hit->id);
	jw_member_str(w, "url", hit->advisory.url);
	jw_member_str(w, "title", title_of(&hit->advisory));
	jw_member_str(w, "severity", str_of(severity_of(&hit->advisory)));
	jw_member_str(w, "vulnerable_versions", vulnerable_of(&hit->advisory));
	write_cvss_and_cwe(w, &hit->advisory);
	jw_object_end(w);
}

/* {"name":["1.0.0",…],…} */
static void read_bulk(struct audit *a)
{
	struct json_reader *r = &a->reader;
	struct str key, version;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		struct str name = json_decode(a->arena, key);

		json_enter_array(r);
		while (json_next_item(r)) {
			json_string_decoded(r, a->arena, &version);
			if (!json_failed(r))
				look_up(a, name, version, name);
		}
	}
}

int npm_audit_bulk(struct str body, const struct advisories *advisories, const struct policy *policy, usec now, struct buf *out,
                   struct err *err)
{
	CLEANUP(audit_free) struct audit a;
	struct str package = STR_NULL;
	struct json_writer w;
	int r = audit_begin(&a, body, advisories, policy, now, err);

	if (r < 0)
		return r;
	read_bulk(&a);
	r = audit_read_end(&a, err);
	if (r < 0)
		return r;
	jw_init(&w, out);
	jw_object(&w);
	/* The hits of one package stand together: they were found together. */
	for (size_t i = 0; i < a.hits.n / sizeof(struct hit); i++) {
		const struct hit *hit = (struct hit *)(void *)a.hits.p + i;

		if (!package.p || !str_eq(package, hit->package)) {
			if (package.p)
				jw_array_end(&w);
			package = hit->package;
			jw_key(&w, package);
			jw_array(&w);
		}
		write_bulk_hit(&w, hit);
	}
	if (package.p)
		jw_array_end(&w);
	jw_object_end(&w);
	return out->error ? err_set(err, out->error, "the audit's answer is too large") : 0;
}

static void read_tree(struct audit *a, struct str above);

/* One dependency of the tree, the reader at its value. Its version may come after its own dependencies. */
static void read_node(struct audit *a, struct str name, struct str path)
{
	struct json_reader *r = &a->reader;
	struct str key, version = STR_NULL;

	if (json_peek(r) != JSON_OBJECT) {
		json_skip(r, NULL);
		return;
	}
	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("version")) && json_peek(r) == JSON_STRING)
			json_string_decoded(r, a->arena, &version);
		else if (json_raw_equals(key, STR("dependencies")) && json_peek(r) == JSON_OBJECT)
			read_tree(a, path);
		else
			json_skip(r, NULL);
	}
	if (json_failed(r) || version.n == 0)
		return;
	a->dependencies++;
	look_up(a, name, version, path);
}

/* The members of a `dependencies` object. The reader's limit on depth is the recursion's. */
static void read_tree(struct audit *a, struct str above)
{
	struct json_reader *r = &a->reader;
	struct str key;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		struct str name = json_decode(a->arena, key), path = name;

		if (above.n && above.n + name.n < PATH_MAX_BYTES)
			path = arena_printf(a->arena, "%.*s>%.*s", STR_ARG(above), STR_ARG(name));
		read_node(a, name, path);
	}
}

static void write_actions(struct json_writer *w, const struct hit *hits, size_t count)
{
	jw_key(w, STR("actions"));
	jw_array(w);
	for (size_t i = 0; i < count; i++) {
		const struct finding *findings = (const struct finding *)(const void *)hits[i].findings.p;

		/* "review": what to install instead is for the client to find out, among what is cleared. */
		jw_object(w);
		jw_member_str(w, "action", STR("review"));
		jw_member_str(w, "module", hits[i].package);
		jw_key(w, STR("resolves"));
		jw_array(w);
		for (size_t f = 0; f < hits[i].findings.n / sizeof(struct finding); f++) {
			jw_object(w);
			jw_member_int(w, "id", hits[i].id);
			jw_member_str(w, "path", findings[f].path);
			jw_member_bool(w, "dev", false);
			jw_member_bool(w, "optional", false);
			jw_member_bool(w, "bundled", false);
			jw_object_end(w);
		}
		jw_array_end(w);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_findings(struct json_writer *w, const struct hit *hit)
{
	const struct finding *findings = (const struct finding *)(const void *)hit->findings.p;

	jw_key(w, STR("findings"));
	jw_array(w);
	for (size_t f = 0; f < hit->findings.n / sizeof(struct finding); f++) {
		jw_object(w);
		jw_member_str(w, "version", findings[f].version);
		jw_key(w, STR("paths"));
		jw_array(w);
		jw_str(w, findings[f].path);
		jw_array_end(w);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_quick_hit(struct json_writer *w, const struct hit *hit)
{
	const struct advisory *a = &hit->advisory;
	char number[32], time[TIME_TEXT];

	snprintf(number, sizeof(number), "%lld", (long long)hit->id);
	time_format_utc(a->published, time);
	jw_key(w, str_of(number));
	jw_object(w);
	write_findings(w, hit);
	jw_member_int(w, "id", hit->id);
	jw_member_str(w, "title", title_of(a));
	jw_member_str(w, "module_name", hit->package);
	jw_member_str(w, "created", str_of(time));
	jw_member_str(w, "updated", str_of(time));
	jw_member_str(w, "vulnerable_versions", vulnerable_of(a));
	jw_key(w, STR("patched_versions"));
	if (a->fixed.n) {
		CLEANUP_BUF struct buf patched = BUF(KIB);

		buf_printf(&patched, ">=%.*s", STR_ARG(a->fixed));
		jw_str(w, buf_str(&patched));
	} else {
		jw_str(w, STR("<0.0.0"));
	}
	jw_member_str(w, "overview", title_of(a));
	jw_member_str(w, "recommendation", a->fixed.n ? STR("Upgrade to a patched version") : STR("None"));
	jw_member_str(w, "references", a->url);
	jw_member_str(w, "access", STR("public"));
	jw_member_str(w, "severity", str_of(severity_of(a)));
	jw_member_str(w, "url", a->url);
	jw_key(w, STR("cves"));
	jw_array(w);
	for (size_t i = 0; i < a->alias_count; i++)
		if (str_starts(a->aliases[i], STR("CVE-")))
			jw_str(w, a->aliases[i]);
	jw_array_end(w);
	write_cvss_and_cwe(w, a);
	jw_object_end(w);
}

static void write_metadata(struct json_writer *w, const struct audit *a, const struct hit *hits, size_t count)
{
	static const char *const severities[] = {"info", "low", "moderate", "high", "critical"};

	jw_key(w, STR("metadata"));
	jw_object(w);
	jw_key(w, STR("vulnerabilities"));
	jw_object(w);
	for (size_t s = 0; s < sizeof(severities) / sizeof(severities[0]); s++) {
		int64_t found = 0;

		for (size_t i = 0; i < count; i++)
			if (strcmp(severity_of(&hits[i].advisory), severities[s]) == 0)
				found += (int64_t)(hits[i].findings.n / sizeof(struct finding));
		jw_member_int(w, severities[s], found);
	}
	jw_object_end(w);
	jw_member_int(w, "dependencies", (int64_t)a->dependencies);
	jw_member_int(w, "devDependencies", 0);
	jw_member_int(w, "optionalDependencies", 0);
	jw_member_int(w, "totalDependencies", (int64_t)a->dependencies);
	jw_object_end(w);
}

int npm_audit_quick(struct str body, const struct advisories *advisories, const struct policy *policy, usec now, struct buf *out,
                    struct err *err)
{
	CLEANUP(audit_free) struct audit a;
	const struct hit *hits;
	struct json_writer w;
	struct str key;
	size_t count;
	int r = audit_begin(&a, body, advisories, policy, now, err);

	if (r < 0)
		return r;
	json_enter_object(&a.reader);
	while (json_next_member(&a.reader, &key)) {
		if (json_raw_equals(key, STR("dependencies")) && json_peek(&a.reader) == JSON_OBJECT)
			read_tree(&a, STR_NULL);
		else
			json_skip(&a.reader, NULL);
	}
	r = audit_read_end(&a, err);
	if (r < 0)
		return r;
	hits = (const struct hit *)(const void *)a.hits.p;
	count = a.hits.n / sizeof(*hits);
	jw_init(&w, out);
	jw_object(&w);
	write_actions(&w, hits, count);
	jw_key(&w, STR("advisories"));
	jw_object(&w);
	for (size_t i = 0; i < count; i++)
		write_quick_hit(&w, &hits[i]);
	jw_object_end(&w);
	jw_key(&w, STR("muted"));
	jw_array(&w);
	jw_array_end(&w);
	write_metadata(&w, &a, hits, count);
	jw_object_end(&w);
	return out->error ? err_set(err, out->error, "the audit's answer is too large") : 0;
}
