#include "gate/package_facts.h"

#include "gate/adopted.h"

static usec first_snapshot(const struct npm_packument *p)
{
	size_t n = npm_packument_version_count(p);
	usec first = USEC_NEVER;

	for (size_t i = 0; i < n; i++) {
		struct npm_version v;

		npm_packument_version(p, i, &v);
		if (v.first_seen && v.first_seen < first)
			first = v.first_seen;
	}
	return first;
}

void package_facts_begin(struct package_facts *f, const struct npm_packument *p, struct rules *rules, struct arena *a)
{
	struct str name = npm_packument_name(p);

	if (rules->reach) {
		struct reach_answer answer;

		reach_look(rules->reach, name, a, &answer);
		f->reached_from = answer.path;
		f->reach_pending = answer.state == REACH_PENDING;
		f->reach_may_end = answer.may_end;
		f->reach_note = answer.note;
		f->peer_of = arena_str(a, answer.peer_of);
	}
	if (policy_mode(rules->policy, REASON_LOOK_ALIKE) != MODE_OFF)
		f->resembles = arena_str(a, policy_resembles(rules->policy, ECOSYSTEM_NPM, name));
	f->first_snapshot = first_snapshot(p);
	f->adopted = adopted_names_have(rules->adopted, ECOSYSTEM_NPM, name);
	f->period = policy_mode(rules->policy, REASON_NEW_DEPENDENCY) == MODE_OFF ? 0 : policy_new_dependency(rules->policy);
}

static bool any_claim(const struct npm_packument *p, const struct policy *policy)
{
	size_t n = npm_packument_version_count(p);

	for (size_t i = 0; i < n; i++) {
		struct npm_version v;

		npm_packument_version(p, i, &v);
		if (provenance_claim(policy, &v).n)
			return true;
	}
	return false;
}

void package_facts_prove(struct package_facts *f, const struct npm_packument *p, struct gate *g, struct rules *rules,
                         const struct origin *origin, usec now, struct arena *a)
{
	size_t n = npm_packument_version_count(p);
	struct provenance_known known;

	f->proofs = NULL;
	if (!any_claim(p, rules->policy))
		return;
	f->proofs = ARENA_ARRAY(a, struct proof, n);
	provenance_load(g, origin, npm_packument_name(p), a, &known);
	for (size_t i = 0; i < n && f->proofs; i++) {
		struct proof *proof = &f->proofs[i];
		enum provenance_state state;
		struct npm_version v;
		struct str text;

		npm_packument_version(p, i, &v);
		if (!provenance_claim(rules->policy, &v).n)
			continue;
		state = provenance_look(&known, rules, &v, now, &text);
		proof->unknown = state == PROVENANCE_UNKNOWN;
		if (state == PROVENANCE_VERIFIED)
			proof->source = text;
		else
			proof->problem = text.n ? text : STR("its registry could not be asked for its provenance yet");
	}
	map_free(&known.by_version);
}

void package_facts_put(const struct package_facts *f, const struct npm_packument *p, size_t index, const struct npm_version *v, usec now,
                       struct version_facts *facts)
{
	facts->reached_from = f->reached_from;
	facts->reach_pending = f->reach_pending;
	facts->resembles = f->resembles;
	facts->name_known = f->adopted || f->first_snapshot < v->published || now - npm_packument_first_published(p) >= f->period;
	if (f->proofs) {
		facts->trust.verified_source = f->proofs[index].source;
		facts->trust.unproven = f->proofs[index].problem;
	}
	facts->trust.fixed_line_denied = f->line_denied && f->line_denied[index];
	for (size_t i = 0; i < f->gained_count; i++) {
		if (f->gained[i].index != index)
			continue;
		facts->trust.dependency = f->gained[i].dependency;
		facts->trust.dependency_published = f->gained[i].published;
	}
}

/* ---- what it gained ---- */

bool gained_wanted(const struct package_facts *f, const struct npm_version *v, usec now)
{
	return f->period > 0 && v->gained_count > 0 && now - v->published < f->period;
}

void gained_want(struct sets *s, const struct npm_version *v)
{
	for (uint32_t i = 0; i < v->gained_count; i++)
		sets_want(s, npm_version_dependency(v, i));
}

/* Was the name in the store before the version came, or is it old? (DESIGN: a name is *known*) */
static bool known(const struct npm_packument *p, const struct npm_version *v, usec period, usec now)
{
	return first_snapshot(p) < v->published || now - npm_packument_first_published(p) >= period;
}

bool gained_judge(struct package_facts *f, struct sets *s, const struct rules *rules, const struct npm_packument *p, size_t index, usec now,
                  struct arena *a, bool *ret_again)
{
	struct gained youngest = {.index = index};
	struct npm_version v;
	bool found = false;

	npm_packument_version(p, index, &v);
	for (uint32_t i = 0; i < v.gained_count; i++) {
		struct str name = npm_version_dependency(&v, i);
		const struct npm_packument *document = NULL;
		enum set_wanted wanted = sets_wanted(s, name, &document);

		/* What exists nowhere cannot be installed, and what it is cannot be said. */
		if (wanted == SET_NOWHERE || adopted_names_have(rules->adopted, ECOSYSTEM_NPM, name) ||
		    (wanted == SET_FOUND && known(document, &v, f->period, now)))
			continue;
		if (wanted == SET_UNKNOWN) {
			*ret_again = true;
			if (!found)
				youngest.dependency = name;
		} else if (!found || npm_packument_first_published(document) > youngest.published) {
			youngest.dependency = name;
			youngest.published = npm_packument_first_published(document);
		}
		found = true;
	}
	if (!found)
		return false;
	youngest.dependency = arena_str(a, youngest.dependency);
	f->gained[f->gained_count++] = youngest;
	return true;
}

/* ---- lines ---- */

struct line {
	uint64_t major, minor;
	size_t versions, alive; /* alive: not denied */
};

static struct line *find_line(struct line *lines, size_t *count, const struct npm_version *v)
{
	uint64_t minor = v->semver.major ? 0 : v->semver.minor;

	/* Neighbours are mostly of one line. */
	for (size_t i = *count; i-- > 0;)
		if (lines[i].major == v->semver.major && lines[i].minor == minor)
			return &lines[i];
	lines[*count] = (struct line){v->semver.major, minor, 0, 0};
	return &lines[(*count)++];
}

bool lines_judge(struct package_facts *f, const struct npm_packument *p, const uint8_t *verdicts, struct arena *a)
{
	size_t n = npm_packument_version_count(p), count = 0;
	struct line *lines = NULL;
	bool any = false;

	for (size_t i = 0; i < n && !any; i++)
		any = verdicts[i] == VERDICT_DENY;
	if (!any)
		return false;
	lines = ARENA_ARRAY(a, struct line, n);
	f->line_denied = ARENA_ARRAY(a, bool, n);
	if (!lines || !f->line_denied)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct npm_version v;
		struct line *line;

		npm_packument_version(p, i, &v);
		if (!v.semver_ok)
			continue;
		line = find_line(lines, &count, &v);
		line->versions++;
		line->alive += verdicts[i] != VERDICT_DENY;
	}
	any = false;
	for (size_t i = 0; i < n; i++) {
		struct npm_version v;
		const struct line *line;

		npm_packument_version(p, i, &v);
		if (!v.semver_ok || verdicts[i] == VERDICT_DENY)
			continue;
		line = find_line(lines, &count, &v);
		f->line_denied[i] = line->alive == 1 && line->versions > 1;
		any |= f->line_denied[i];
	}
	return any;
}
