/* Hands what was found to report/: findings and packages as plain values, and every output that was asked for. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/scan.h"
#include "scan/ways.h"

static bool is_terminal_with_colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

static unsigned terminal_width(void)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The packages that a need leads to, over links: their places in the list. */
static uint32_t listed_target(const struct lock *l, uint32_t to)
{
	for (unsigned steps = 0; to != LOCK_NONE && steps < 4; steps++) {
		const struct lock_package *p = &l->packages[to];

		if (p->listed != LOCK_NONE)
			return p->listed;
		to = p->source == LOCK_LINK && p->needs != LOCK_NONE ? l->needs[p->needs].to : LOCK_NONE;
	}
	return LOCK_NONE;
}

static void add_needs(struct scan *s, const struct lock *l, const struct lock_package *p, struct report_package *into)
{
	size_t count = 0;
	uint32_t *needs;

	for (uint32_t n = p->needs; n != LOCK_NONE; n = l->needs[n].next)
		count += listed_target(l, l->needs[n].to) != LOCK_NONE;
	needs = count ? ARENA_ARRAY(s->arena, uint32_t, count) : NULL;
	into->needs = needs;
	for (uint32_t n = p->needs; needs && n != LOCK_NONE; n = l->needs[n].next)
		if (listed_target(l, l->needs[n].to) != LOCK_NONE)
			needs[into->need_count++] = listed_target(l, l->needs[n].to);
}

static const struct report_package *packages_of(struct scan *s, const struct scanned *one)
{
	const struct lock *l = &one->lock;
	struct report_package *array = ARENA_ARRAY(s->arena, struct report_package, one->count ? one->count : 1);

	for (size_t i = 0; array && i < one->count; i++) {
		const struct lock_package *p = &l->packages[one->listed[i].package];

		array[i] = (struct report_package){
			.ecosystem = p->ecosystem,
			.name = p->name,
			.version = p->version,
			.alias = p->alias,
			.requested = p->requested,
			.integrity = p->integrity,
			.resolved = p->resolved,
			.licence = p->licence,
			.source = lock_source_name(p->source),
			.declared = p->source == LOCK_DECLARED,
			.dev = one->listed[i].dev,
			.optional = p->flags & LOCK_OPTIONAL,
			.bundled = p->flags & LOCK_BUNDLED,
			.line = p->line,
		};
		add_needs(s, l, p, &array[i]);
	}
	/* Named by the project in any of its places. */
	for (uint32_t i = 0; array && i < l->count; i++)
		if (l->packages[i].listed != LOCK_NONE && lock_is_direct(l, i))
			array[l->packages[i].listed].direct = true;
	return array;
}

static const struct report_way *ways_of(struct scan *s, const struct finding *f, size_t *ret_count)
{
	struct way found[WAYS];
	size_t n = f->package == LOCK_NONE ? 0 : lock_ways(f->lock, f->lock->packages[f->package].listed, f->package, found);
	struct report_way *ways = ARENA_ARRAY(s->arena, struct report_way, n ? n : 1);

	for (size_t i = 0; ways && i < n; i++) {
		struct report_step *steps = ARENA_ARRAY(s->arena, struct report_step, found[i].count ? found[i].count : 1);

		for (size_t k = 0; steps && k < found[i].count; k++) {
			const struct lock_package *p = &f->lock->packages[found[i].steps[k]];

			steps[k] = (struct report_step){p->name, p->version};
		}
		ways[i] = (struct report_way){steps, steps ? found[i].count : 0};
	}
	*ret_count = ways ? n : 0;
	return ways;
}

static struct str time_text(struct arena *a, usec time)
{
	char text[TIME_TEXT];

	if (time <= 0 || time == USEC_NEVER)
		return STR_NULL;
	time_format_utc(time, text);
	return arena_str(a, str_of(text));
}

/* A finding that stands for several packages is none of theirs alone. */
static void convert(struct scan *s, const struct finding *f, struct report_finding *into)
{
	*into = (struct report_finding){
		.kind = finding_kind_name(f->kind),
		.severity = f->severity,
		.id = f->id,
		.summary = f->summary,
		.fixed = f->fixed,
		.url = f->url,
		.vector = f->vector,
		.score = f->score,
		.aliases = f->aliases,
		.alias_count = f->alias_count,
		.ecosystem = finding_ecosystem(f),
		.name = finding_name(f),
		.version = finding_version(f),
		.file = finding_file(f),
		.line = finding_line(f),
		.dev = f->dev,
		.direct = f->package == LOCK_NONE || lock_is_direct(f->lock, f->package),
		.fails = f->fails,
		.report_only = f->report_only,
		.until = time_text(s->arena, f->until),
	};
	report_fingerprint(into, into->fingerprint);
}

static int add_findings(struct scan *s, struct report *r, size_t *ret_failing, struct err *err)
{
	struct report_finding *array = ARENA_ARRAY(s->arena, struct report_finding, s->findings.count ? s->findings.count : 1);
	CLEANUP_MAP struct map baseline = MAP_EMPTY;
	int code = s->options.baseline ? baseline_read(s, s->options.baseline, &baseline, err) : 0;

	for (size_t i = 0; array && code == 0 && i < s->findings.count; i++) {
		struct report_finding *one = &array[r->finding_count];

		convert(s, &s->findings.array[i], one);
		if (!scan_select(s, one)) {
			s->left_out++;
			continue;
		}
		if (map_get(&baseline, str_of(one->fingerprint))) {
			s->baselined++;
			continue;
		}
		one->ways = ways_of(s, &s->findings.array[i], &one->way_count);
		*ret_failing += one->fails;
		r->finding_count++;
	}
	r->findings = array;
	return code;
}

static void add_files(struct scan *s, struct report *r)
{
	struct report_file *array = ARENA_ARRAY(s->arena, struct report_file, s->read_count ? s->read_count : 1);

	for (size_t i = 0; array && i < s->read_count; i++) {
		struct scanned *one = s->read[i];
		size_t shown = one->lock.warning_count < LOCK_WARNINGS ? one->lock.warning_count : LOCK_WARNINGS;

		array[i] = (struct report_file){
			.path = one->path,
			.format = one->format,
			.packages = s->keep && one->code == 0 ? packages_of(s, one) : NULL,
			.count = one->count,
			.error = one->code < 0 ? str_of(one->err.text) : STR_NULL,
			.warnings = one->lock.warnings,
			.warning_count = shown,
		};
	}
	r->files = array;
	r->file_count = array ? s->read_count : 0;
}

/* What a person should know of the files goes to standard error, so that the report itself stays a report. */
static void tell_problems(const struct scan *s)
{
	for (size_t i = 0; i < s->read_count; i++) {
		const struct scanned *one = s->read[i];

		if (one->code < 0)
			fprintf(stderr, "bondgate: %s\n", one->err.text);
		for (size_t k = 0; !s->options.quiet && k < one->lock.warning_count && k < LOCK_WARNINGS; k++)
			fprintf(stderr, "bondgate: %.*s: %.*s\n", STR_ARG(one->path), STR_ARG(one->lock.warnings[k]));
	}
}

static int write_one(const struct report *r, const struct report_format *format, const char *path, struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(4 * GIB);
	CLEANUP_BUF struct buf out = BUF(4 * GIB);
	int code = a ? format->write(r, a, &out) : -ENOMEM;

	if (code < 0)
		return err_set(err, code, "the report (%s) cannot be made: %s", format->name, err_name(code));
	if (path)
		return file_replace(path, buf_str(&out), 0644, err);
	if (out.n && fwrite(out.p, 1, out.n, stdout) != out.n)
		return err_set(err, -EIO, "cannot write the answer: %s", err_name(-EIO));
	return 0;
}

/* "sarif=scan.sarif": the command has checked the form already. */
static int write_outputs(struct scan *s, struct report *r, struct err *err)
{
	int code = write_one(r, s->format, NULL, err);

	r->colour = false;
	r->width = 0;
	for (size_t i = 0; code == 0 && i < s->options.outputs.count; i++) {
		const char *value = s->options.outputs.values[i], *equals = strchr(value, '=');

		code = write_one(r, report_format(str_range(value, equals)), equals + 1, err);
	}
	if (code == 0 && s->options.write_baseline)
		code = baseline_write(r, s->options.write_baseline, err);
	return code;
}

int scan_report(struct scan *s, size_t *ret_failing, struct err *err)
{
	struct report r = {
		.tool_version = STR(BONDGATE_VERSION),
		.now = s->now,
		.packages = s->packages,
		.unreadable = s->unreadable + s->files.unreadable_count,
		.versionless = s->findings.versionless,
		.unjudged = s->findings.unjudged,
		.ignored = s->findings.ignored,
		.list = s->options.list,
		.quiet = s->options.quiet,
		.colour = is_terminal_with_colours(),
		.width = terminal_width(),
	};
	int code = add_findings(s, &r, ret_failing, err);

	if (code < 0)
		return code;
	r.left_out = s->left_out;
	r.baselined = s->baselined;
	add_files(s, &r);
	if (strcmp(s->format->name, "table") == 0)
		tell_problems(s);
	if (arena_failed(s->arena))
		return err_set(err, -ENOMEM, "out of memory");
	return s->options.fix_plan ? scan_fix_plan(s, err) : write_outputs(s, &r, err);
}
