#include "scan/lock.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"

const char *lock_source_name(enum lock_source s)
{
	static const char *const names[] = {
#define X(constant, name) name,
		LOCK_SOURCES(X)
#undef X
	};

	return names[s];
}

int lock_init(struct lock *l, struct str text, struct str file)
{
	*l = (struct lock){.text = text, .file = file, .arena = arena_new(LIMIT_LOCK_ARENA_BYTES)};
	return l->arena ? 0 : -ENOMEM;
}

void lock_free(struct lock *l)
{
	free(l->packages);
	free(l->needs);
	map_free(&l->by_key);
	arena_free(l->arena);
	*l = (struct lock){0};
}

/* Makes room for one more item of `size`; false once the limit is reached or memory is out. */
static bool grow(struct lock *l, void **array, uint32_t count, uint32_t *room, size_t size, size_t limit)
{
	size_t more = *room ? (size_t)*room * 2 : 256;
	void *bigger;

	if (count < *room)
		return true;
	if (count >= limit) {
		l->error = -EFBIG;
		return false;
	}
	bigger = reallocarray(*array, more, size);
	if (!bigger) {
		l->error = -ENOMEM;
		return false;
	}
	*array = bigger;
	*room = (uint32_t)more;
	return true;
}

uint32_t lock_add(struct lock *l, struct str key, struct str name, const char *at)
{
	void *array = l->packages;

	if (l->error || !grow(l, &array, l->count, &l->room, sizeof(*l->packages), LIMIT_LOCK_PACKAGES))
		return LOCK_NONE;
	l->packages = array;
	l->packages[l->count] =
		(struct lock_package){.name = name, .key = key, .at = at, .needs = LOCK_NONE, .listed = LOCK_NONE, .via = LOCK_NONE};
	/* Indices are kept as pointers one higher, since a map holds no NULL. */
	if (key.p && map_put(&l->by_key, key, (void *)(uintptr_t)(l->count + 1)) < 0) {
		l->error = -ENOMEM;
		return LOCK_NONE;
	}
	return l->count++;
}

uint32_t lock_find(const struct lock *l, struct str key)
{
	uintptr_t found = (uintptr_t)map_get(&l->by_key, key);

	return found ? (uint32_t)(found - 1) : LOCK_NONE;
}

void lock_also(struct lock *l, uint32_t at, struct str key)
{
	if (at != LOCK_NONE && map_put(&l->by_key, key, (void *)(uintptr_t)(at + 1)) < 0)
		l->error = -ENOMEM;
}

void lock_need(struct lock *l, uint32_t from, struct str name, struct str spec, enum need_kind kind)
{
	void *array = l->needs;

	if (from == LOCK_NONE || l->error || !grow(l, &array, l->need_count, &l->need_room, sizeof(*l->needs), LIMIT_LOCK_NEEDS))
		return;
	l->needs = array;
	l->needs[l->need_count] =
		(struct lock_need){.name = name, .spec = spec, .to = LOCK_NONE, .next = l->packages[from].needs, .kind = kind};
	l->packages[from].needs = l->need_count++;
}

unsigned lock_line(const struct lock *l, const char *at)
{
	unsigned line = 1;

	if (!at || at < l->text.p || at > l->text.p + l->text.n)
		return 0;
	for (const char *p = l->text.p; (p = memchr(p, '\n', (size_t)(at - p))); p++)
		line++;
	return line;
}

static int place(const struct lock *l, const char *at, char *out, size_t size)
{
	return at ? snprintf(out, size, "%.*s:%u", STR_ARG(l->file), lock_line(l, at)) : snprintf(out, size, "%.*s", STR_ARG(l->file));
}

int lock_error(const struct lock *l, const char *at, struct err *err, const char *format, ...)
{
	char text[320], where[300];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	place(l, at, where, sizeof(where));
	return err_set(err, -EBADMSG, "%s: %s", where, text);
}

void lock_warn(struct lock *l, const char *at, const char *format, ...)
{
	char text[320];
	va_list arguments;

	if (l->warning_count < LOCK_WARNINGS) {
		va_start(arguments, format);
		vsnprintf(text, sizeof(text), format, arguments);
		va_end(arguments);
		l->warnings[l->warning_count] =
			at ? arena_printf(l->arena, "line %u: %s", lock_line(l, at), text) : arena_printf(l->arena, "%s", text);
	}
	l->warning_count++;
}

int lock_json_finish(const struct lock *l, struct json_reader *r, struct err *err)
{
	int code = json_finish(r, NULL);

	if (code == 0 || l->error)
		return l->error;
	lock_error(l, r->where, err, "%s", r->problem ? r->problem : "this is not JSON");
	if (err)
		err->code = code;
	return code;
}

/* Packages come nearly always in the order of the text, so lines are counted on from the last one. */
int lock_finish(struct lock *l, struct err *err)
{
	const char *p = l->text.p, *end = l->text.p + l->text.n;
	unsigned line = 1;

	if (arena_failed(l->arena) && !l->error)
		l->error = -EFBIG;
	if (l->error)
		return err_set(err, l->error, "%.*s: %s", STR_ARG(l->file),
		               l->error == -EFBIG ? "more packages than a lockfile may have" : "out of memory");
	for (uint32_t i = 0; i < l->count; i++) {
		const char *at = l->packages[i].at, *next;

		if (!at || at < l->text.p || at > end)
			continue;
		if (at < p) {
			p = l->text.p;
			line = 1;
		}
		while ((next = memchr(p, '\n', (size_t)(at - p)))) {
			line++;
			p = next + 1;
		}
		l->packages[i].line = line;
	}
	return 0;
}

bool lock_is_listed(const struct lock_package *p)
{
	return !(p->flags & LOCK_HIDDEN) && (p->source != LOCK_PROJECT || p->flags & LOCK_SHOWN);
}

bool lock_split_at(struct str text, struct str *ret_name, struct str *ret_version)
{
	ptrdiff_t at = text.n > 1 ? str_chr(str_skip(text, 1), '@') : -1;

	if (at < 0) {
		*ret_name = text;
		*ret_version = STR_NULL;
		return false;
	}
	*ret_name = str_take(text, (size_t)at + 1);
	*ret_version = str_skip(text, (size_t)at + 2);
	return true;
}

enum lock_source lock_source_of(struct str spec)
{
	static const struct {
		const char *start;
		enum lock_source source;
	} starts[] = {
		{"git+", LOCK_GIT},    {"git:", LOCK_GIT},       {"git@", LOCK_GIT},     {"github:", LOCK_GIT},
		{"gitlab:", LOCK_GIT}, {"bitbucket:", LOCK_GIT}, {"gist:", LOCK_GIT},    {"ssh:", LOCK_GIT},
		{"file:", LOCK_FILE},  {"link:", LOCK_LINK},     {"portal:", LOCK_LINK}, {"workspace:", LOCK_WORKSPACE},
		{"http:", LOCK_HTTP},  {"https:", LOCK_HTTP},    {"./", LOCK_FILE},      {"../", LOCK_FILE},
	};
	bool web;

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (!str_starts(spec, str_of(starts[i].start)))
			continue;
		web = starts[i].source == LOCK_HTTP;
		if (web && (str_find(spec, STR(".git#")) >= 0 || str_ends(spec, STR(".git")) || str_find(spec, STR("#commit=")) >= 0))
			return LOCK_GIT;
		return starts[i].source;
	}
	/* "owner/repository#ref": npm's short form for a repository. A scope's slash comes after its @. */
	if (spec.n && spec.p[0] != '@' && str_chr(spec, '/') > 0 && str_chr(spec, ':') < 0 && str_chr(spec, ' ') < 0)
		return LOCK_GIT;
	return LOCK_REGISTRY;
}
