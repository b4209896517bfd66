/* What a version object says of who made it and what it brings along. A trusted publisher is what `_npmUser.trustedPublisher.id` vouches
 * for ("github", "gitlab") together with the repository that the version names: the metadata does not say which repository's
 * workflow it was, so the source is a claim, and counts only where the repository lies at the host that the id stands for. */
#include "registry/npm/build.h"
#include "registry/npm/repository.h"

enum { COMMANDS = 256 /* of one package: more say nothing more */, PERSON_BYTES = 128 };

static const struct str script_names[TRUST_SCRIPTS] = {STR("preinstall"), STR("install"), STR("postinstall")};

/* ---- lists of shared texts ---- */

static uint32_t symbol(struct symbol_table *t, struct str text)
{
	uintptr_t found = (uintptr_t)map_get(&t->index, text);
	struct symbol *s;

	if (found)
		return (uint32_t)(found - 1);
	s = LIST_PUSH(&t->symbols, struct symbol);
	if (!s)
		return 0;
	s->text = text;
	found = LIST_COUNT(&t->symbols, struct symbol);
	if (map_put(&t->index, text, (void *)found) < 0)
		t->symbols.error = -ENOMEM;
	return (uint32_t)(found - 1);
}

/* Once each a version. */
static void list_add(struct builder *b, struct trust_draft *t, size_t kind, struct str text)
{
	struct symbol_table *table = &b->tables[kind];
	uint32_t number, *item;

	if (!text.n)
		return;
	number = symbol(table, text);
	if (table->symbols.error || LIST_AT(&table->symbols, struct symbol, number)->stamp == b->stamp)
		return;
	LIST_AT(&table->symbols, struct symbol, number)->stamp = b->stamp;
	item = LIST_PUSH(&table->lists, uint32_t);
	if (!item)
		return;
	*item = number;
	t->lists[kind].n++;
}

void build_begin_trust(struct builder *b, struct trust_draft *t)
{
	b->stamp++;
	for (size_t i = 0; i < SYMBOLS_KINDS; i++)
		t->lists[i] = (struct symbol_list){LIST_COUNT(&b->tables[i].lists, uint32_t), 0};
}

void build_drop_trust(struct builder *b, const struct trust_draft *t)
{
	for (size_t i = 0; i < SYMBOLS_KINDS; i++)
		if (!b->tables[i].lists.error)
			b->tables[i].lists.n = t->lists[i].first * sizeof(uint32_t);
}

/* ---- who ---- */

/* A string's text; anything else is passed over and empty. */
static struct str text_here(struct builder *b)
{
	struct str raw = STR_NULL;

	if (json_peek(&b->reader) != JSON_STRING) {
		json_skip(&b->reader, NULL);
		return STR_NULL;
	}
	json_string(&b->reader, &raw);
	return str_trim(build_decode(b, raw));
}

/* {"name": "alice", …}, "alice" or "alice <alice@…>". */
static struct str person_here(struct builder *b)
{
	struct str key, name = STR_NULL;
	ptrdiff_t at;

	if (json_peek(&b->reader) == JSON_OBJECT) {
		json_enter_object(&b->reader);
		while (json_next_member(&b->reader, &key)) {
			if (json_raw_equals(key, STR("name")))
				name = text_here(b);
			else
				json_skip(&b->reader, NULL);
		}
	} else {
		name = text_here(b);
		at = str_find(name, STR(" <"));
		name = at >= 0 ? str_take(name, (size_t)at) : name;
	}
	return name.n <= PERSON_BYTES ? name : STR_NULL;
}

static void read_trusted(struct builder *b, struct trust_draft *t)
{
	struct str key;

	if (json_peek(&b->reader) != JSON_OBJECT) {
		json_skip(&b->reader, NULL);
		return;
	}
	json_enter_object(&b->reader);
	while (json_next_member(&b->reader, &key)) {
		if (json_raw_equals(key, STR("id")))
			t->trusted_id = text_here(b);
		else
			json_skip(&b->reader, NULL);
	}
	if (!t->trusted_id.n || t->trusted_id.n > PERSON_BYTES)
		t->trusted_id = STR("unnamed");
}

void build_read_user(struct builder *b, struct trust_draft *t)
{
	struct str key;

	if (json_peek(&b->reader) != JSON_OBJECT) {
		t->publisher = person_here(b);
		return;
	}
	json_enter_object(&b->reader);
	while (json_next_member(&b->reader, &key)) {
		if (json_raw_equals(key, STR("name")))
			t->publisher = text_here(b);
		else if (json_raw_equals(key, STR("trustedPublisher")))
			read_trusted(b, t);
		else if (json_raw_equals(key, STR("approver")))
			t->approver = person_here(b);
		else
			json_skip(&b->reader, NULL);
	}
	if (t->publisher.n > PERSON_BYTES)
		t->publisher = STR_NULL;
}

void build_read_repository(struct builder *b, struct trust_draft *t)
{
	struct str key, text = STR_NULL;

	if (json_peek(&b->reader) == JSON_OBJECT) {
		json_enter_object(&b->reader);
		while (json_next_member(&b->reader, &key)) {
			if (json_raw_equals(key, STR("url")))
				text = text_here(b);
			else
				json_skip(&b->reader, NULL);
		}
	} else {
		text = text_here(b);
	}
	if (!text.n)
		return;
	if (!str_eq(text, b->last_repository)) {
		b->last_repository = text;
		b->last_normal = npm_repository(b->arena, text);
	}
	t->repository = b->last_normal;
}

/* {"url": …, "provenance": {"predicateType": "https://slsa.dev/provenance/v1"}} */
void build_read_attestations(struct builder *b, struct trust_draft *t)
{
	struct str key, inner;

	if (json_peek(&b->reader) != JSON_OBJECT) {
		json_skip(&b->reader, NULL);
		return;
	}
	json_enter_object(&b->reader);
	while (json_next_member(&b->reader, &key)) {
		if (!json_raw_equals(key, STR("provenance")) || json_peek(&b->reader) != JSON_OBJECT) {
			json_skip(&b->reader, NULL);
			continue;
		}
		json_enter_object(&b->reader);
		while (json_next_member(&b->reader, &inner)) {
			if (json_raw_equals(inner, STR("predicateType")))
				t->provenance = str_starts(text_here(b), STR("https://slsa.dev/provenance/"));
			else
				json_skip(&b->reader, NULL);
		}
	}
}

/* ---- what ---- */

void build_note_script(struct trust_draft *t, struct str raw_name, struct str value)
{
	if (value.n <= 2 || value.p[0] != '"')
		return;
	for (size_t i = 0; i < TRUST_SCRIPTS; i++)
		if (json_raw_equals(raw_name, script_names[i]))
			t->scripts[i] = (struct str){value.p + 1, value.n - 2};
}

static struct str base_name(struct str name)
{
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\')
			return str_skip(name, i);
	return name;
}

void build_note_bin(struct builder *b, struct trust_draft *t, struct str value)
{
	struct json_reader r;
	struct str key;

	if (value.n > 2 && value.p[0] == '"')
		list_add(b, t, SYMBOLS_COMMAND, base_name(b->input->name));
	if (!value.n || value.p[0] != '{')
		return;
	json_init(&r, value);
	json_enter_object(&r);
	while (json_next_member(&r, &key) && t->lists[SYMBOLS_COMMAND].n < COMMANDS) {
		list_add(b, t, SYMBOLS_COMMAND, base_name(build_decode(b, key)));
		json_skip(&r, NULL);
	}
}

/* An address without the commit at its end, which every honest release moves, and without a password. */
static struct str remote_text(struct builder *b, struct str name, struct str spec)
{
	ptrdiff_t hash = str_chr(spec, '#'), scheme, at, slash;
	struct str front = STR("");

	spec = hash >= 0 ? str_take(spec, (size_t)hash) : spec;
	scheme = str_find(spec, STR("://"));
	if (scheme >= 0) {
		front = str_take(spec, (size_t)scheme + 3);
		spec = str_skip(spec, front.n);
		slash = str_chr(spec, '/');
		at = str_rchr(slash >= 0 ? str_take(spec, (size_t)slash) : spec, '@');
		spec = str_skip(spec, (size_t)(at + 1));
	}
	return arena_printf(b->arena, "%.*s (%.*s%.*s)", STR_ARG(str_take(name, 214)), STR_ARG(front), STR_ARG(str_take(spec, 256)));
}

void build_note_dependency(struct builder *b, struct trust_draft *t, struct str name, struct str spec)
{
	struct str real;

	if (npm_dependency_source(name, spec, &real) == NPM_FROM_ELSEWHERE)
		list_add(b, t, SYMBOLS_REMOTE, remote_text(b, name, str_trim(spec)));
	else
		list_add(b, t, SYMBOLS_DEPENDENCY, real);
}

void build_finish_trust(struct trust_draft *t)
{
	static const struct {
		struct str id, host;
	} hosts[] = {{STR("github"), STR("github.com/")}, {STR("gitlab"), STR("gitlab.com/")}};

	if (!t->trusted_id.n)
		return;
	t->trusted_source = t->repository;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (str_eq(t->trusted_id, hosts[i].id) && !str_starts(t->repository, hosts[i].host))
			t->trusted_source = STR_NULL;
}
