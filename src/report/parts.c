#include "report/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

int report_end(struct arena *a, const struct buf *out)
{
	if (arena_failed(a))
		return -ENOMEM;
	return out->error;
}

void part_optional(struct json_writer *w, const char *key, struct str value)
{
	if (value.n)
		jw_member_str(w, key, value);
}

void part_nullable(struct json_writer *w, const char *key, struct str value)
{
	if (value.n) {
		jw_member_str(w, key, value);
		return;
	}
	jw_key(w, str_of(key));
	jw_null(w);
}

struct str part_coordinate(struct arena *a, struct str name, struct str version)
{
	return version.n ? arena_printf(a, "%.*s@%.*s", STR_ARG(name), STR_ARG(version)) : name;
}

struct str part_way(struct arena *a, const struct report_way *way)
{
	struct str text = STR_NULL;

	for (size_t i = 0; i < way->count; i++)
		text = arena_printf(a, "%.*s%s%.*s", STR_ARG(text), i ? " > " : "", STR_ARG(way->steps[i].name));
	return text;
}

struct str part_purl(struct arena *a, enum ecosystem e, struct str name, struct str version)
{
	return purl_format(a, e, name, version);
}

struct str part_title(struct arena *a, const struct report_finding *f)
{
	return arena_printf(a, "%.*s: %.*s", STR_ARG(part_coordinate(a, f->name, f->version)), STR_ARG(f->summary.n ? f->summary : f->id));
}

struct str part_advice(struct arena *a, const struct report_finding *f)
{
	if (strcmp(f->kind, "malware") == 0)
		return STR("Remove it; look at what it did before you rotate credentials.");
	if (f->fixed.n)
		return arena_printf(a, "Upgrade %.*s to %.*s or later.", STR_ARG(f->name), STR_ARG(f->fixed));
	if (strcmp(f->kind, "vulnerability") == 0)
		return STR("No fixed version is known: replace it, or accept it in the policy with a reason, an owner and an end.");
	if (f->until.n)
		return arena_printf(a, "Wait until %.*s, or ask for an exception: bondgate request %s:%.*s", STR_ARG(f->until),
		                    ecosystem_name(f->ecosystem), STR_ARG(part_coordinate(a, f->name, f->version)));
	if (strcmp(f->kind, "policy") == 0)
		return arena_printf(a, "Ask why: bondgate explain %s:%.*s", ecosystem_name(f->ecosystem),
		                    STR_ARG(part_coordinate(a, f->name, f->version)));
	return STR_NULL;
}

struct str part_score(struct arena *a, int score)
{
	return score < 0 ? STR_NULL : arena_printf(a, "%d.%d", score / 10, score % 10);
}

bool part_is_absolute(struct str path)
{
	return path.n && path.p[0] == '/';
}

struct str part_uri(struct arena *a, struct str path)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out;
	size_t n = 0;

	while (str_starts(path, STR("./")))
		path = str_skip(path, 2);
	out = arena_alloc(a, path.n * 3 + 1);
	for (size_t i = 0; out && i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~/@+!$&'()*,;=", c))) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return (struct str){out, n};
}

struct str part_time(struct arena *a, usec time)
{
	char text[TIME_TEXT];

	time_format_utc(time, text);
	return arena_printf(a, "%.19sZ", text);
}

static void hash_text(XXH3_state_t *state, struct str text)
{
	uint64_t n = text.n;

	XXH3_128bits_update(state, &n, sizeof(n));
	XXH3_128bits_update(state, text.p ? text.p : "", text.n);
}

/* Seedless: the name has to be the same in every run. Nothing is kept from colliding by it, so strangers gain nothing. */
void report_fingerprint(const struct report_finding *f, char out[REPORT_FINGERPRINT])
{
	XXH3_state_t *state = XXH3_createState();
	XXH128_hash_t hash = {0};
	struct str file = f->file;

	while (str_starts(file, STR("./")))
		file = str_skip(file, 2);
	if (state) {
		XXH3_128bits_reset(state);
		hash_text(state, str_of(f->kind));
		hash_text(state, f->id);
		hash_text(state, str_of(ecosystem_name(f->ecosystem)));
		hash_text(state, f->name);
		hash_text(state, f->version);
		hash_text(state, file);
		hash = XXH3_128bits_digest(state);
	}
	XXH3_freeState(state);
	snprintf(out, REPORT_FINGERPRINT, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64, (uint64_t)hash.low64);
}

struct str part_uuid(const struct report *r, struct arena *a)
{
	XXH3_state_t *state = XXH3_createState();
	XXH128_hash_t hash = {0};

	if (!state)
		return STR("00000000-0000-8000-8000-000000000000");
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, &r->now, sizeof(r->now));
	for (size_t i = 0; i < r->file_count; i++) {
		hash_text(state, r->files[i].path);
		for (size_t k = 0; r->files[i].packages && k < r->files[i].count; k++) {
			hash_text(state, r->files[i].packages[k].name);
			hash_text(state, r->files[i].packages[k].version);
		}
	}
	hash = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	return arena_printf(a, "%08x-%04x-8%03x-%04x-%012" PRIx64, (unsigned)(hash.high64 >> 32), (unsigned)(hash.high64 >> 16) & 0xffff,
	                    (unsigned)hash.high64 & 0xfff, ((unsigned)(hash.low64 >> 48) & 0x3fff) | 0x8000,
	                    (uint64_t)(hash.low64 & 0xffffffffffff));
}

size_t part_steers(struct str text, size_t i)
{
	unsigned char c = (unsigned char)text.p[i], next = i + 1 < text.n ? (unsigned char)text.p[i + 1] : 0;
	unsigned char last = i + 2 < text.n ? (unsigned char)text.p[i + 2] : 0;

	if (c < 0x20 || c == 0x7f)
		return 1;
	if (c == 0xc2 && next >= 0x80 && next < 0xa0)
		return 2;
	/* U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F, U+FEFF */
	if (c == 0xe2 && next == 0x80 && ((last >= 0x8b && last <= 0x8f) || (last >= 0xa8 && last <= 0xae)))
		return 3;
	if (c == 0xe2 && next == 0x81 && last >= 0xa0 && last <= 0xaf)
		return 3;
	return c == 0xef && next == 0xbb && last == 0xbf ? 3 : 0;
}

uint32_t part_line(uint32_t line)
{
	return line ? line : 1;
}
