#include "policy/lines.h"

#include <errno.h>

#include "base/limits.h"
#include "policy/load.h"

/* Plain where YAML reads it as the same text anywhere, also inside [] and {}; else in double quotes. */
static bool plain(struct str s)
{
	if (s.n == 0 || str_eq(s, STR("null")) || str_eq(s, STR("Null")) || str_eq(s, STR("NULL")))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && !(i > 0 && strchr("-_.+", c)) && c != '/')
			return false;
	}
	return true;
}

static void add_text(struct buf *out, struct str s)
{
	if (plain(s)) {
		buf_add_str(out, s);
		return;
	}
	buf_add_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, s.p[i]);
	}
	buf_add_char(out, '"');
}

static void add_size(struct buf *out, int64_t bytes)
{
	static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;

	while (unit < 4 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	buf_printf(out, "%lld%s", (long long)bytes, units[unit]);
}

static void add_texts(struct buf *out, const struct list *list)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			buf_add_str(out, STR(", "));
		add_text(out, list->items[i].text);
	}
	buf_add_char(out, ']');
}

static void add_events(struct buf *out, uint32_t events)
{
	const char *separator = "[";

	if (events == WEBHOOK_EVENTS_ALL) {
		buf_add_str(out, STR("all"));
		return;
	}
	for (uint32_t bit = 1; bit <= WEBHOOK_BREAK_GLASS; bit <<= 1)
		if (events & bit) {
			buf_printf(out, "%s%s", separator, webhook_event_name((enum webhook_event)bit));
			separator = ", ";
		}
	buf_add_char(out, ']');
}

static void add_secret(struct buf *out, const struct secret *secret)
{
	if (!secret->kind.n) {
		if (secret->name.n)
			add_text(out, secret->name);
		return;
	}
	buf_printf(out, "{%.*s: ", STR_ARG(secret->kind));
	add_text(out, secret->name);
	buf_add_char(out, '}');
}

static void add_duration(struct buf *out, usec duration)
{
	char text[TIME_TEXT];

	if (duration < 0)
		return;
	if (duration == USEC_NEVER) {
		buf_add_str(out, STR("until-decided"));
		return;
	}
	duration_format(duration, text);
	buf_add_str(out, str_of(text));
}

static void add_rules(struct buf *out, uint32_t rules)
{
	const char *separator = "[";

	for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++)
		if (rules & UINT32_C(1) << c) {
			buf_printf(out, "%s%s", separator, reason_code_name(c));
			separator = ", ";
		}
	buf_add_char(out, ']');
}

/* The value of a key as it would be written; nothing where it is not set. */
static void add_value(struct buf *out, const struct key *k, const void *target)
{
	bool small = k->type == KEY_TYPE_MODE || k->type == KEY_TYPE_SEVERITY || k->type == KEY_TYPE_FORMAT;
	int choice = small ? *(const int8_t *)target : 0;
	const struct str *text = target;

	switch (k->type) {
	case KEY_TYPE_INTEGER:
		buf_printf(out, "%lld", (long long)*(const int64_t *)target);
		break;
	case KEY_TYPE_SIZE:
		add_size(out, *(const int64_t *)target);
		break;
	case KEY_TYPE_DURATION:
	case KEY_TYPE_HOLD:
		add_duration(out, *(const usec *)target);
		break;
	case KEY_TYPE_MODE:
		buf_add_str(out, str_of(mode_name((enum mode)choice)));
		break;
	case KEY_TYPE_SEVERITY:
		buf_add_str(out, choice == SEVERITY_UNKNOWN ? STR("never") : str_of(severity_name((enum severity)choice)));
		break;
	case KEY_TYPE_FORMAT:
		buf_add_str(out, str_of(webhook_format_name((enum webhook_format)choice)));
		break;
	case KEY_TYPE_BOOL:
		buf_add_str(out, *(const bool *)target ? STR("true") : STR("false"));
		break;
	case KEY_TYPE_SECRET:
	case KEY_TYPE_ENDPOINT:
		add_secret(out, target);
		break;
	case KEY_TYPE_RULES:
		add_rules(out, *(const uint32_t *)target);
		break;
	case KEY_TYPE_EVENTS:
		add_events(out, *(const uint32_t *)target);
		break;
	case KEY_TYPE_PACKAGE:
	case KEY_TYPE_PUBLISHER:
		if (((const struct listed *)target)->text.n)
			add_text(out, ((const struct listed *)target)->text);
		break;
	case KEY_TYPE_DATE:
		add_text(out, ((const struct dated *)target)->text);
		break;
	case KEY_TYPE_NAMES:
	case KEY_TYPE_TEXTS:
		if (((const struct list *)target)->count)
			add_texts(out, target);
		break;
	default:
		if (text->n)
			add_text(out, *text);
		break;
	}
}

struct collector {
	const struct policy *p;
	struct arena *arena;
	struct lines *lines;
	unsigned order;
	struct buf value;
};

static int collect(struct collector *c, const char *path, bool item, const struct policy_source *source)
{
	struct lines *lines = c->lines;
	struct line *line;

	if (c->value.error < 0)
		return -ENOMEM;
	if (c->value.n == 0)
		return 0;
	if (lines->count == lines->room) {
		size_t room = lines->room ? lines->room * 2 : 128;
		struct line *bigger = ARENA_ARRAY(c->arena, struct line, room);

		if (!bigger)
			return -ENOMEM;
		if (lines->count)
			memcpy(bigger, lines->array, lines->count * sizeof(*bigger));
		lines->array = bigger;
		lines->room = room;
	}
	line = &lines->array[lines->count++];
	*line =
		(struct line){.path = path, .order = c->order, .item = item, .value = arena_str(c->arena, buf_str(&c->value)), .source = *source};
	buf_clear(&c->value);
	return line->value.p ? 0 : -ENOMEM;
}

/* "{names: [...], upstream: ...}": the members of an item that are set. */
static void add_item(struct collector *c, enum key_group group, const void *item)
{
	const char *separator = "{";

	for (enum key_id id = 0; id < KEY_COUNT; id++) {
		size_t before = c->value.n, after;

		if (keys[id].group != group || keys[id].flags & KEY_NPM_ONLY)
			continue;
		buf_printf(&c->value, "%s%s: ", separator, keys[id].path);
		after = c->value.n;
		add_value(&c->value, &keys[id], (const char *)item + keys[id].offset);
		if (c->value.n == after)
			c->value.n = before; /* it is not set */
		else
			separator = ", ";
	}
	buf_add_char(&c->value, '}');
}

static int collect_list(struct collector *c, const struct key *k, const struct list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		add_text(&c->value, list->items[i].text);
		if (collect(c, k->path, true, &list->items[i].source) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What time has made of it, as of the day that the policy was read. */
static struct str item_note(struct collector *c, enum key_group group, const void *item)
{
	char end[TIME_TEXT];
	usec ended = USEC_NEVER, overdue = USEC_NEVER, ends = 0;

	switch (group) {
	case GROUP_EXEMPTION:
		ended = ((const struct exemption_rule *)item)->expires.time;
		break;
	case GROUP_IGNORE:
		ended = ((const struct ignore_rule *)item)->expires.time;
		break;
	case GROUP_ROOT:
		overdue = ((const struct root_rule *)item)->review_by.time;
		ends = ((const struct root_rule *)item)->ends;
		break;
	case GROUP_PUBLISHER:
		overdue = ((const struct publisher_rule *)item)->review_by.time;
		break;
	default:
		break;
	}
	if (ended <= c->p->loaded)
		return STR("ended: it does nothing");
	if (ends) {
		time_format_utc(ends, end);
		return arena_printf(c->arena, "until %s", end);
	}
	return overdue <= c->p->loaded ? STR("overdue: look at it again; it is in force") : STR_NULL;
}

static int collect_items(struct collector *c, enum key_id id)
{
	const struct key *k = &keys[id];
	const struct items *items = (const struct items *)((const char *)c->p + k->offset);
	enum key_group group = key_group_of(id);
	size_t size = key_groups[group].size;

	/* The first two origins are those of `registries`. */
	for (size_t i = group == GROUP_ORIGIN ? ECOSYSTEM_NUGET + 1 : 0; i < items->count; i++) {
		const char *item = (const char *)items->array + i * size;
		struct policy_source source;

		memcpy(&source, item, sizeof(source));
		add_item(c, group, item);
		if (collect(c, k->path, true, &source) < 0)
			return -ENOMEM;
		c->lines->array[c->lines->count - 1].note = item_note(c, group, item);
	}
	return 0;
}

static int collect_sets(struct collector *c, const struct key *k)
{
	const struct set_rule *sets = c->p->set_rules.array;

	for (size_t i = 0; i < c->p->set_rules.count; i++) {
		struct str path = arena_printf(c->arena, "%s.%.*s", k->path, STR_ARG(sets[i].name));
		bool last = true;

		for (size_t j = i + 1; j < c->p->set_rules.count; j++)
			last = last && !str_eq(sets[j].name, sets[i].name);
		if (!last)
			continue;
		add_texts(&c->value, &sets[i].publishers);
		if (!path.p || collect(c, path.p, false, &sets[i].source) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* One line a key, since this is where most policies say something. */
static int collect_default_origin(struct collector *c, const struct key *k)
{
	const struct origin_rule *rule = &origin_rules(c->p)[k->offset];

	for (enum key_id id = 0; id < KEY_COUNT; id++) {
		const struct key *of = &keys[id];
		struct str path;
		int r;

		if (of->group != GROUP_ORIGIN || of->type == KEY_TYPE_MAP || of->flags & KEY_OWN_ONLY ||
		    (of->flags & KEY_NPM_ONLY && k->offset != ECOSYSTEM_NPM))
			continue;
		add_value(&c->value, of, (of->flags & KEY_NPM_ONLY ? (const char *)c->p : (const char *)rule) + of->offset);
		c->order++;
		path = arena_printf(c->arena, "%s.%s", k->path, of->path);
		r = path.p ? collect(c, path.p, false, &rule->source) : -ENOMEM;
		if (r < 0)
			return r;
		if (id == KEY_ORIGIN_UPSTREAM && c->p->origins[k->offset].automatic)
			c->lines->array[c->lines->count - 1].resolved = c->p->origins[k->offset].url;
	}
	return 0;
}

/* The mode that results, with the line that it comes from. */
static int collect_mode(struct collector *c, enum key_id id)
{
	for (enum reason_code code = 0; code < REASON_CODE_COUNT; code++) {
		const struct rule_mode *rule = rule_mode_of(code);
		enum mode mode = policy_mode(c->p, code);
		bool own = c->p->rule_modes[code] != MODE_UNSET;
		enum key_id from = id;

		if (rule->key != id)
			continue;
		buf_add_str(&c->value, str_of(mode_name(mode)));
		if (!own && rule->delay != KEY_COUNT && c->p->sources[rule->delay].line)
			from = rule->delay;
		else if (!own && mode != rule->standard)
			from = KEY_MODE;
		return collect(c, keys[id].path, false, &c->p->sources[from]);
	}
	return 0;
}

static int collect_key(struct collector *c, enum key_id id)
{
	const struct key *k = &keys[id];
	const void *target = (const char *)c->p + k->offset;

	c->order = (unsigned)id * KEY_COUNT;
	if (key_is_list(k))
		return collect_list(c, k, target);
	switch (k->type) {
	case KEY_TYPE_MAP:
		return 0;
	case KEY_TYPE_ORIGIN:
		return collect_default_origin(c, k);
	case KEY_TYPE_ITEMS:
		return collect_items(c, id);
	case KEY_TYPE_SETS:
		return collect_sets(c, k);
	case KEY_TYPE_MODE:
		if (id != KEY_MODE)
			return collect_mode(c, id);
		/* fallthrough */
	default:
		add_value(&c->value, k, target);
		return collect(c, k->path, false, &c->p->sources[id]);
	}
}

int policy_lines(const struct policy *p, struct arena *a, struct lines *ret)
{
	struct collector c = {.p = p, .arena = a, .lines = ret, .value = BUF(LIMIT_POLICY_BYTES)};
	int r = 0;

	*ret = (struct lines){0};
	for (enum key_id id = 0; r == 0 && id < KEY_COUNT; id++)
		if (keys[id].group == GROUP_POLICY && (!(keys[id].flags & KEY_LATER) || keys[id].type == KEY_TYPE_ORIGIN))
			r = collect_key(&c, id);
	buf_free(&c.value);
	return r;
}

int policy_lines_digest(const struct policy *p, uint64_t *ret)
{
	CLEANUP_ARENA struct arena *a = arena_new(16 * LIMIT_POLICY_BYTES);
	struct lines lines;
	uint64_t hash = STABLE_HASH_SEED;

	if (!a || policy_lines(p, a, &lines) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < lines.count; i++) {
		const struct line *line = &lines.array[i];
		CLEANUP_BUF struct buf source = BUF(8192);

		/* Reasons name file and line, so these count too. */
		source_add(&source, &line->source);
		hash = stable_hash(stable_hash(hash, str_of(line->path)), STR("\n"));
		hash = stable_hash(stable_hash(hash, line->value), STR("\n"));
		hash = stable_hash(stable_hash(hash, line->resolved), STR("\n"));
		hash = stable_hash(stable_hash(hash, buf_str(&source)), STR("\n"));
	}
	*ret = hash;
	return 0;
}
