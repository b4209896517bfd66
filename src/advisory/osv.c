/* OSV's schema (ossf.github.io/osv-schema, version 1.6) as far as the questions of advisory.h need it. Members are first found as
 * slices, then read in the order that makes sense here: a record may write them in any. */
#include "advisory/internal.h"

#include "base/limits.h"
#include "codec/json.h"

enum {
	SUMMARY_BYTES = 300,
	RANGE_EVENTS = 100000, /* events of one range */
	NAMES_MAX = 64,        /* aliases of one record, and its CWEs */
	VECTOR_BYTES = 512,
};

struct reader {
	struct advisories *into;
	struct arena *a;
	struct problem *problem;
	struct record *record;
	struct affected *of_record;
	bool malicious;
};

struct members {
	struct str id, summary, published, modified, withdrawn, affected, severity, references, aliases, database_specific;
};

/* True with the reader inside; false when it is null, which OSV's producers write for "none". */
static bool enter(struct json_reader *r, enum json_kind kind)
{
	if (json_peek(r) == JSON_NULL) {
		json_skip(r, NULL);
		return false;
	}
	if (kind == JSON_OBJECT)
		json_enter_object(r);
	else
		json_enter_array(r);
	return !json_failed(r);
}

static int finish(struct reader *o, struct json_reader *r)
{
	if (json_finish(r, NULL) == 0)
		return 0;
	*o->problem = (struct problem){r->problem, r->where};
	return -EBADMSG;
}

static struct str string(struct reader *o, struct json_reader *r)
{
	struct str text = STR("");

	if (json_peek(r) == JSON_NULL)
		json_skip(r, NULL);
	else
		json_string_decoded(r, o->a, &text);
	return text;
}

static void read_members(struct json_reader *r, struct members *m)
{
	const struct {
		struct str key;
		struct str *slice;
	} table[] = {
		{STR("id"), &m->id},
		{STR("summary"), &m->summary},
		{STR("published"), &m->published},
		{STR("modified"), &m->modified},
		{STR("withdrawn"), &m->withdrawn},
		{STR("affected"), &m->affected},
		{STR("severity"), &m->severity},
		{STR("references"), &m->references},
		{STR("aliases"), &m->aliases},
		{STR("database_specific"), &m->database_specific},
	};
	struct str key;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		struct str *slice = NULL;

		for (size_t i = 0; !slice && i < sizeof(table) / sizeof(table[0]); i++)
			if (json_raw_equals(key, table[i].key))
				slice = table[i].slice;
		json_skip(r, slice);
	}
}

static int read_text(struct reader *o, struct str slice, struct str *ret)
{
	struct json_reader r;

	*ret = STR("");
	if (slice.n == 0)
		return 0;
	json_init(&r, slice);
	*ret = string(o, &r);
	return finish(o, &r);
}

/* A time that cannot be read is treated as none: it must not hide the record. */
static int read_time(struct reader *o, struct str slice, usec *ret)
{
	struct str text;
	int r = read_text(o, slice, &text);

	*ret = 0;
	if (r == 0)
		time_parse(text, ret);
	return r;
}

/* ---- malware ---- */

/* Puts a text at the end of a list that is kept; past NAMES_MAX it is left out. */
static void append(struct reader *o, struct str text, const struct str **list, size_t *count)
{
	struct str *longer;

	for (size_t i = 0; i < *count; i++)
		if (str_eq((*list)[i], text))
			return;
	if (text.n == 0 || text.n > LIMIT_NAME_BYTES || *count == NAMES_MAX)
		return;
	/* Doubled whenever the count is a power of two. */
	if ((*count & (*count - 1)) == 0) {
		longer = ARENA_ARRAY(o->a, struct str, *count ? 2 * *count : 1);
		if (!longer)
			return;
		if (*count)
			memcpy(longer, *list, *count * sizeof(*longer));
		*list = longer;
	}
	((struct str *)(uintptr_t)*list)[(*count)++] = arena_str(o->a, text);
}

/* CWE-506 to CWE-512 are the kinds of embedded malicious code. */
static void judge_cwe(struct reader *o, struct str id)
{
	static const struct str malicious[] = {STR("CWE-506"), STR("CWE-507"), STR("CWE-508"), STR("CWE-509"),
	                                       STR("CWE-510"), STR("CWE-511"), STR("CWE-512")};

	for (size_t i = 0; i < sizeof(malicious) / sizeof(malicious[0]); i++)
		if (str_eq_nocase(id, malicious[i]))
			o->malicious = true;
	if (str_starts_nocase(id, STR("CWE-")))
		append(o, id, &o->record->as.cwes, &o->record->as.cwe_count);
}

/* ["CWE-506"] as GitHub writes it, or [{"cweId": "CWE-506"}]. */
static void read_cwes(struct reader *o, struct json_reader *r)
{
	struct str key;

	if (!enter(r, JSON_ARRAY))
		return;
	while (json_next_item(r)) {
		if (json_peek(r) == JSON_STRING) {
			judge_cwe(o, string(o, r));
			continue;
		}
		if (!enter(r, JSON_OBJECT))
			continue;
		while (json_next_member(r, &key)) {
			if (json_raw_equals(key, STR("cweId")))
				judge_cwe(o, string(o, r));
			else
				json_skip(r, NULL);
		}
	}
}

static void read_specific(struct reader *o, struct json_reader *r)
{
	struct str key;

	if (!enter(r, JSON_OBJECT))
		return;
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("severity")) && json_peek(r) == JSON_STRING)
			severity_parse(string(o, r), &o->record->as.severity);
		else if (json_raw_equals(key, STR("cwe_ids")) || json_raw_equals(key, STR("cwes")))
			read_cwes(o, r);
		else {
			o->malicious |= json_raw_equals(key, STR("malicious-packages-origins"));
			json_skip(r, NULL);
		}
	}
}

static int read_aliases(struct reader *o, struct str slice)
{
	struct json_reader r;

	if (slice.n == 0)
		return 0;
	json_init(&r, slice);
	if (enter(&r, JSON_ARRAY)) {
		while (json_next_item(&r)) {
			struct str alias = string(o, &r);

			o->malicious |= str_starts(alias, STR("MAL-"));
			append(o, alias, &o->record->as.aliases, &o->record->as.alias_count);
		}
	}
	return finish(o, &r);
}

/* Lists of malware that set none of the marks above write their summaries in these two forms. */
static void judge_texts(struct reader *o)
{
	o->malicious |= str_starts(o->record->as.id, STR("MAL-")) || str_starts_nocase(o->record->as.summary, STR("Malicious code in ")) ||
	                str_starts_nocase(o->record->as.summary, STR("Compromised release of "));
}

/* ---- severity, references ---- */

/* Of several vectors the highest score counts. */
static void judge_vector(struct reader *o, struct str vector)
{
	int score = vector.n <= VECTOR_BYTES ? cvss_score(vector) : -EINVAL;

	if (score <= o->record->as.score)
		return;
	o->record->as.score = score;
	o->record->as.vector = arena_str(o->a, vector);
}

/* [{"type": "CVSS_V3", "score": "CVSS:3.1/…"}]; the vector itself says which version it is. */
static void read_vectors(struct reader *o, struct json_reader *r)
{
	struct str key;

	if (!enter(r, JSON_ARRAY))
		return;
	while (json_next_item(r)) {
		json_enter_object(r);
		while (json_next_member(r, &key)) {
			if (json_raw_equals(key, STR("score")))
				judge_vector(o, string(o, r));
			else
				json_skip(r, NULL);
		}
	}
}

static int read_severity(struct reader *o, struct str slice)
{
	struct json_reader r;

	if (slice.n == 0)
		return 0;
	json_init(&r, slice);
	read_vectors(o, &r);
	return finish(o, &r);
}

static int rank_reference(struct str type)
{
	static const struct str ranked[] = {STR("ADVISORY"), STR("REPORT"), STR("ARTICLE"), STR("WEB")};

	for (int i = 0; i < 4; i++)
		if (str_eq(type, ranked[i]))
			return 4 - i;
	return 0;
}

static int read_references(struct reader *o, struct str slice)
{
	struct json_reader r;
	struct str key;
	int best = 0;

	if (slice.n == 0)
		return 0;
	json_init(&r, slice);
	if (enter(&r, JSON_ARRAY)) {
		while (json_next_item(&r)) {
			struct str type = STR(""), url = STR("");

			json_enter_object(&r);
			while (json_next_member(&r, &key)) {
				if (json_raw_equals(key, STR("type")))
					type = string(o, &r);
				else if (json_raw_equals(key, STR("url")))
					url = string(o, &r);
				else
					json_skip(&r, NULL);
			}
			if (rank_reference(type) > best && (str_starts(url, STR("https://")) || str_starts(url, STR("http://")))) {
				best = rank_reference(type);
				o->record->as.url = url;
			}
		}
	}
	return finish(o, &r);
}

/* ---- affected ---- */

struct target {
	bool known; /* of an ecosystem that is served here */
	enum ecosystem ecosystem;
	struct str name;
};

static void read_package(struct reader *o, struct json_reader *r, struct target *t)
{
	struct str key, ecosystem = STR("");

	if (!enter(r, JSON_OBJECT))
		return;
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("ecosystem")))
			ecosystem = string(o, r);
		else if (json_raw_equals(key, STR("name")))
			t->name = string(o, r);
		else
			json_skip(r, NULL);
	}
	/* Compared without case: the schema writes "npm" and "NuGet", some producers do not. */
	t->known = t->name.n && ecosystem_parse(ecosystem, &t->ecosystem) == 0;
	if (!t->known && t->name.n && (str_eq_nocase(ecosystem, STR("npm")) || str_eq_nocase(ecosystem, STR("nuget")))) {
		t->known = true;
		t->ecosystem = str_eq_nocase(ecosystem, STR("npm")) ? ECOSYSTEM_NPM : ECOSYSTEM_NUGET;
	}
}

static const struct {
	struct str key;
	enum event_kind kind;
} event_keys[] = {
	{STR("introduced"), EVENT_INTRODUCED},
	{STR("fixed"), EVENT_FIXED},
	{STR("last_affected"), EVENT_LAST_AFFECTED},
	{STR("limit"), EVENT_LIMIT},
};

/* One event. False when its version cannot be ordered: an end that cannot be read is left out, so that the range stays open,
 * a start that cannot be read begins with the first version. Rather one false alarm than one miss. */
static bool read_event(struct reader *o, enum ecosystem e, struct json_reader *r, enum event_kind kind, struct event *ret)
{
	struct str text = string(o, r);

	*ret = (struct event){.kind = kind, .text = arena_str(o->a, text)};
	ret->zero = kind == EVENT_INTRODUCED && str_eq(text, STR("0"));
	if (ret->zero || (kind == EVENT_LIMIT && str_eq(text, STR("*"))))
		return ret->zero;
	version_read(o->a, e, text, &ret->version);
	if (ret->version.ordered)
		return true;
	ret->zero = kind == EVENT_INTRODUCED;
	return ret->zero;
}

static size_t count_items(struct str array)
{
	struct json_reader r;
	size_t n = 0;

	json_init(&r, array);
	json_enter_array(&r);
	for (; n < RANGE_EVENTS && json_next_item(&r); n++)
		json_skip(&r, NULL);
	return n;
}

static struct event *read_events(struct reader *o, enum ecosystem e, struct str slice, size_t *ret_count)
{
	/* An item has one member by the schema; four are allowed for. */
	size_t most = 4 * count_items(slice), n = 0;
	struct event *events = ARENA_ARRAY(o->a, struct event, most ? most : 1);
	struct json_reader r;
	struct str key;

	json_init(&r, slice);
	if (!events || !enter(&r, JSON_ARRAY))
		return NULL;
	while (json_next_item(&r)) {
		json_enter_object(&r);
		while (json_next_member(&r, &key)) {
			size_t k = 0;

			while (k < 4 && !json_raw_equals(key, event_keys[k].key))
				k++;
			if (k == 4 || n == most)
				json_skip(&r, NULL);
			else if (read_event(o, e, &r, event_keys[k].kind, &events[n]))
				n++;
		}
	}
	*ret_count = n;
	return finish(o, &r) == 0 ? events : NULL;
}

/* GIT ranges are of commits, which nobody installs from a registry. */
static void read_range(struct reader *o, enum ecosystem e, struct json_reader *r, struct affected *to)
{
	struct str key, type = STR(""), slice = STR_NULL;
	struct event *events;
	size_t count = 0;

	if (!enter(r, JSON_OBJECT))
		return;
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("type")))
			type = string(o, r);
		else
			json_skip(r, json_raw_equals(key, STR("events")) ? &slice : NULL);
	}
	if (json_failed(r) || slice.n == 0 || (!str_eq(type, STR("SEMVER")) && !str_eq(type, STR("ECOSYSTEM"))))
		return;
	events = read_events(o, e, slice, &count);
	if (events)
		to->intervals = intervals_make(o->a, events, count, to->intervals);
}

static void read_ranges(struct reader *o, enum ecosystem e, struct str slice, struct affected *to)
{
	struct json_reader r;

	if (slice.n == 0)
		return;
	json_init(&r, slice);
	if (enter(&r, JSON_ARRAY))
		while (json_next_item(&r))
			read_range(o, e, &r, to);
	finish(o, &r);
}

static int by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void read_listed(struct reader *o, enum ecosystem e, struct str slice, struct affected *to)
{
	struct listed *l = ARENA_NEW(o->a, struct listed);
	struct json_reader r;
	size_t most;

	if (slice.n == 0 || !l)
		return;
	most = count_items(slice);
	l->versions = ARENA_ARRAY(o->a, struct str, most ? most : 1);
	json_init(&r, slice);
	if (l->versions && enter(&r, JSON_ARRAY)) {
		while (json_next_item(&r) && l->count < most) {
			struct version v;

			version_read(o->a, e, string(o, &r), &v);
			l->versions[l->count++] = v.ordered ? v.text : arena_str(o->a, v.text);
		}
		qsort(l->versions, l->count, sizeof(*l->versions), by_bytes);
	}
	if (finish(o, &r) == 0 && l->count) {
		l->next = to->listed;
		to->listed = l;
	}
}

static void read_one_affected(struct reader *o, struct json_reader *r)
{
	struct str key, ranges = STR_NULL, versions = STR_NULL;
	struct target t = {0};
	struct affected *to;

	if (!enter(r, JSON_OBJECT))
		return;
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("package")))
			read_package(o, r, &t);
		else if (json_raw_equals(key, STR("database_specific")) || json_raw_equals(key, STR("ecosystem_specific")))
			read_specific(o, r);
		else if (json_raw_equals(key, STR("severity")))
			read_vectors(o, r);
		else if (json_raw_equals(key, STR("ranges")))
			json_skip(r, &ranges);
		else
			json_skip(r, json_raw_equals(key, STR("versions")) ? &versions : NULL);
	}
	if (json_failed(r) || !t.known)
		return;
	to = index_affected(o->into, t.ecosystem, t.name, o->record, &o->of_record);
	if (!to)
		return;
	read_ranges(o, t.ecosystem, ranges, to);
	read_listed(o, t.ecosystem, versions, to);
}

static int read_affected(struct reader *o, struct str slice)
{
	struct json_reader r;
	int result;

	if (slice.n == 0)
		return 0;
	json_init(&r, slice);
	if (enter(&r, JSON_ARRAY))
		while (json_next_item(&r))
			read_one_affected(o, &r);
	result = finish(o, &r);
	return o->problem->text ? -EBADMSG : result;
}

static bool within(struct reader *o, enum ecosystem e, const struct interval *list, struct str text)
{
	struct version v;

	version_read(o->a, e, text, &v);
	for (; list; list = list->next)
		if (v.ordered ? interval_holds(list, &v) : interval_is_all(list))
			return true;
	return false;
}

static int by_start(const void *a, const void *b)
{
	const struct interval *x = *(struct interval *const *)a, *y = *(struct interval *const *)b;

	if (x->from_zero || y->from_zero)
		return (int)y->from_zero - (int)x->from_zero;
	return version_compare(&x->from, &y->from);
}

/* The intervals of all ranges in the order of their versions, as people expect to read them. */
static struct interval *sort_intervals(struct arena *a, struct interval *list)
{
	struct interval **all;
	size_t count = 0;

	for (const struct interval *i = list; i; i = i->next)
		count++;
	all = count > 1 ? ARENA_ARRAY(a, struct interval *, count) : NULL;
	if (!all)
		return list;
	for (size_t n = 0; n < count; n++, list = list->next)
		all[n] = list;
	qsort(all, count, sizeof(struct interval *), by_start);
	for (size_t n = 0; n < count; n++)
		all[n]->next = n + 1 < count ? all[n + 1] : NULL;
	return all[0];
}

/* The text for people and for npm's audit: intervals first, then the listed versions that these do not hold. */
static void describe(struct reader *o, struct affected *f)
{
	CLEANUP_BUF struct buf out = BUF(64 * KIB);

	f->intervals = sort_intervals(o->a, f->intervals);
	f->all = o->malicious && !f->intervals && !f->listed;
	if (f->all)
		buf_add_char(&out, '*');
	intervals_format(f->intervals, &out);
	for (const struct listed *l = f->listed; l; l = l->next) {
		for (size_t i = 0; i < l->count; i++) {
			if (within(o, f->package->ecosystem, f->intervals, l->versions[i]))
				continue;
			if (out.n)
				buf_add_str(&out, STR(" || "));
			buf_add_str(&out, l->versions[i]);
		}
	}
	/* Too long to be told is told as everything; nothing at all, as npm writes the empty range. */
	if (out.error)
		f->range = STR("*");
	else
		f->range = out.n ? arena_str(o->a, buf_str(&out)) : STR("<0.0.0-0");
}

/* Text that is kept for good must not point into the file. */
static struct str keep(struct arena *a, struct str text, size_t most)
{
	if (text.n > most) {
		text = str_take(text, most);
		/* Not in the middle of a UTF-8 sequence. */
		while (text.n && ((unsigned char)text.p[text.n - 1] & 0xc0) == 0x80)
			text.n--;
		text.n -= text.n > 0 && (unsigned char)text.p[text.n - 1] >= 0xc0;
	}
	return text.n ? arena_str(a, text) : STR("");
}

static int read_head(struct reader *o, const struct members *m)
{
	struct record *rec = o->record;
	int r = read_text(o, m->id, &rec->as.id);

	if (r == 0 && rec->as.id.n == 0) {
		*o->problem = (struct problem){"a record without an id", m->id.p};
		r = -EBADMSG;
	}
	r = r < 0 ? r : read_text(o, m->summary, &rec->as.summary);
	r = r < 0 ? r : read_time(o, m->published, &rec->as.published);
	r = r < 0 ? r : read_time(o, m->modified, &rec->as.modified);
	if (r == 0 && m->database_specific.n) {
		struct json_reader specific;

		json_init(&specific, m->database_specific);
		read_specific(o, &specific);
		r = finish(o, &specific);
	}
	r = r < 0 ? r : read_aliases(o, m->aliases);
	r = r < 0 ? r : read_severity(o, m->severity);
	return r < 0 ? r : read_references(o, m->references);
}

static bool is_withdrawn(const struct members *m)
{
	return m->withdrawn.n && !str_eq(m->withdrawn, STR("null"));
}

static int read_record(struct reader *o, const struct members *m)
{
	struct record *rec = o->record;
	int r = read_head(o, m);

	if (r < 0)
		return r;
	rec->as.id = keep(o->a, rec->as.id, LIMIT_NAME_BYTES);
	rec->as.summary = keep(o->a, rec->as.summary, SUMMARY_BYTES);
	rec->as.url = keep(o->a, rec->as.url, 2 * KIB);
	rec->withdrawn = is_withdrawn(m);
	if (rec->withdrawn)
		return 0;
	judge_texts(o);
	r = read_affected(o, m->affected);
	if (r < 0)
		index_forget(o->of_record);
	return r;
}

/* What the parts of a record say together. */
static void conclude(struct reader *o)
{
	struct advisory *as = &o->record->as;

	for (struct affected *f = o->of_record; f; f = f->of_record)
		describe(o, f);
	as->kind = o->malicious ? ADVISORY_MALWARE : ADVISORY_VULNERABILITY;
	/* What the database says in a word was judged by people, and is preferred. */
	if (as->severity == SEVERITY_UNKNOWN && as->score >= 0)
		as->severity = severity_of_score(as->score);
	if (o->malicious && as->severity == SEVERITY_UNKNOWN)
		as->severity = SEVERITY_CRITICAL;
}

int osv_read(struct advisories *into, struct str json, struct record **ret_record, struct affected **ret_affected,
             struct problem *ret_problem)
{
	struct reader o = {.into = into, .a = into->arena, .problem = ret_problem};
	struct members m = {0};
	struct json_reader r;
	int result;

	*ret_problem = (struct problem){0};
	json_init(&r, json);
	read_members(&r, &m);
	result = finish(&o, &r);
	if (result < 0)
		return result;
	o.record = ARENA_NEW(o.a, struct record);
	if (!o.record)
		return -ENOMEM;
	*o.record = (struct record){.as = {.score = -1}, .priority = PRIORITY_OWN};
	result = read_record(&o, &m);
	if (result < 0)
		return result;
	conclude(&o);
	if (ret_record)
		*ret_record = o.record;
	if (ret_affected)
		*ret_affected = o.of_record;
	return arena_failed(o.a) ? -ENOMEM : 0;
}
