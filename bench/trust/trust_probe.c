/* What a policy would have said of the releases of one package, each a minute after it was published and until it would have been cleared:
 * trust_probe POLICY INDEX PACKUMENT NAME SINCE NOW [NAMES]. INDEX: of advisories, or "-". NAMES: lines "name<tab>TIME" of when packages began, for
 * new-dependency; the names that are missing there are printed. Of each release since SINCE, and each older one that an advisory names as a fix:
 *   {"asks": names that NAMES lacks, "version", "published", "recent", "stable", "publisher", "fix", "advised": seconds until the advisory, "delay":
 *   seconds or -1, "reasons": [{"code", "text"}]} */
#include <stdio.h>
#include <stdlib.h>

#include "advisory/advisory.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "codec/json.h"
#include "gate/facts.h"

struct survey {
	struct policy *policy;
	struct advisories *advisories;
	struct map names; /* name -> usec of its first version */
	struct npm_packument *packument;
	usec since, now;
};

static void give_up(const char *what, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", what, err->text);
	exit(3);
}

static void read_names(struct survey *s, struct arena *a, const char *path)
{
	struct buf text = BUF(64 * MIB);
	struct err err = {0};
	struct str rest, line, name;
	usec time;

	if (file_read(path, &text, &err) < 0)
		give_up(path, &err);
	rest = arena_str(a, buf_str(&text));
	while (str_split(&rest, '\n', &line))
		if (str_split(&line, '\t', &name) && time_parse(line, &time) == 0)
			map_put(&s->names, name, (void *)(uintptr_t)time);
	buf_free(&text);
}

/* As the gate judges it where it never saw the package before: a gained name that is younger than the policy's delay. */
static void gained_names(const struct survey *s, const struct npm_version *v, struct version_facts *f, struct json_writer *w)
{
	jw_key(w, STR("asks"));
	jw_array(w);
	for (uint32_t i = 0; i < v->gained_count; i++) {
		struct str name = npm_version_dependency(v, i);
		usec began = (usec)(uintptr_t)map_get(&s->names, name);

		if (!began) {
			jw_str(w, name);
		} else if (v->published - began < policy_new_dependency(s->policy) && began > f->trust.dependency_published) {
			f->trust.dependency = name;
			f->trust.dependency_published = began;
		}
	}
	jw_array_end(w);
}

/* From one minute after its publication until it is cleared; -1: a person decides. */
static usec delay_of(const struct survey *s, const struct version_facts *f, usec fix_known)
{
	usec at = f->published + USEC_MINUTE;

	for (int i = 0; i < 100; i++) {
		struct decision d;
		usec next;

		decide(s->policy, s->advisories, f, at, NULL, &d);
		if (d.verdict == VERDICT_ALLOW)
			return i ? at - f->published : 0;
		next = d.until > at ? d.until : d.next_change;
		if (fix_known > at && fix_known < next)
			next = fix_known;
		if (next == USEC_NEVER || next <= at)
			return -1;
		at = next;
	}
	return -1;
}

static void print_release(const struct survey *s, const struct npm_version *v, struct arena *a)
{
	const struct origin *origin = policy_origin(s->policy, ECOSYSTEM_NPM, npm_packument_name(s->packument));
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct str fix = STR_NULL;
	enum severity severity;
	struct version_facts f;
	struct json_writer w;
	struct decision d;
	usec delay, known = 0;

	if (s->advisories)
		advisories_fixed_by(s->advisories, ECOSYSTEM_NPM, npm_packument_name(s->packument), v->version, 0, a, &fix, &severity);
	if (v->published < s->since && !fix.n)
		return;
	facts_of(s->packument, v, origin, s->now, &f);
	f.first_seen = f.published;
	f.lacked_at = 0;
	f.resembles = policy_resembles(s->policy, ECOSYSTEM_NPM, f.name);
	jw_init(&w, &out);
	jw_object(&w);
	gained_names(s, v, &f, &w);
	/* When the advisory came out: the first day at which it is known. */
	for (usec t = f.published; fix.n && !known && t < f.published + 60 * USEC_DAY; t += USEC_HOUR) {
		struct str id;

		if (advisories_fixed_by(s->advisories, ECOSYSTEM_NPM, f.name, v->version, t, a, &id, &severity))
			known = t;
	}
	delay = delay_of(s, &f, known);
	decide(s->policy, s->advisories, &f, f.published + USEC_MINUTE, a, &d);
	jw_member_str(&w, "version", v->version);
	jw_member_int(&w, "published", f.published / USEC_SECOND);
	jw_member_bool(&w, "recent", v->published >= s->since);
	jw_member_bool(&w, "stable", !v->semver.pre.n);
	jw_member_bool(&w, "publisher", v->publisher.n != 0);
	if (fix.n) {
		jw_member_str(&w, "fix", fix);
		jw_member_int(&w, "advised", known ? (known - f.published) / USEC_SECOND : -1);
	}
	jw_member_int(&w, "delay", delay < 0 ? -1 : delay / USEC_SECOND);
	jw_key(&w, STR("reasons"));
	jw_array(&w);
	for (size_t i = 0; i < d.reason_count; i++) {
		if (d.reasons[i].mode != MODE_ENFORCE || d.reasons[i].verdict == VERDICT_ALLOW)
			continue;
		jw_object(&w);
		jw_member_str(&w, "code", str_of(reason_code_name(d.reasons[i].code)));
		jw_member_str(&w, "text", d.reasons[i].text);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
	printf("%.*s\n", STR_ARG(buf_str(&out)));
}

static void open_packument(struct survey *s, struct buf *file, const char *path, struct str name, struct arena *a)
{
	CLEANUP_BUF struct buf tail = BUF(2 * GIB);
	struct seen_package seen = {.first_snapshot = 0};
	struct npm_build input = {.name = name, .now = s->now, .seen = &seen};
	char header[NPM_DOCUMENT_HEADER] = {0};
	struct npm_changes changes;
	struct err err = {0};

	buf_add(file, header, sizeof(header));
	if (file_read(path, file, &err) < 0 || npm_packument_build(buf_str(file), &input, a, &tail, header, &changes, &err) < 0)
		give_up(path, &err);
	memcpy(file->p, header, sizeof(header));
	buf_add_str(file, buf_str(&tail));
	if (npm_packument_open(buf_str(file), &s->packument, &err) < 0)
		give_up(path, &err);
}

int main(int argc, char **argv)
{
	CLEANUP_ARENA struct arena *a = arena_new(2 * GIB);
	CLEANUP_BUF struct buf text = BUF(MIB), file = BUF(4 * GIB);
	struct survey s = {.names = MAP_EMPTY};
	struct err err = {0};

	if (argc < 7 || !a || time_parse(str_of(argv[5]), &s.since) < 0 || time_parse(str_of(argv[6]), &s.now) < 0) {
		fprintf(stderr, "usage: %s POLICY INDEX PACKUMENT NAME SINCE NOW [NAMES]\n", argv[0]);
		return 2;
	}
	if (file_read(argv[1], &text, &err) < 0 || policy_load(buf_str(&text), str_of(argv[1]), s.now, NULL, &s.policy, NULL, &err) < 0)
		give_up(argv[1], &err);
	if (!str_eq(str_of(argv[2]), STR("-")) && advisories_open(argv[2], &s.advisories, &err) < 0)
		give_up(argv[2], &err);
	if (argc > 7)
		read_names(&s, a, argv[7]);
	open_packument(&s, &file, argv[3], str_of(argv[4]), a);
	for (size_t i = 0; i < npm_packument_version_count(s.packument); i++) {
		struct npm_version v;

		npm_packument_version(s.packument, i, &v);
		if (v.upstream_time)
			print_release(&s, &v, a);
	}
	npm_packument_free(s.packument);
	advisories_unref(s.advisories);
	map_free(&s.names);
	policy_unref(s.policy);
	return 0;
}
