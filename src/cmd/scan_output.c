#include "cmd/scan_output.h"

#include "cmd/output.h"

enum { PATH_STEPS = 64 };

void scan_output_begin(struct scan_output *o)
{
	if (!o->json)
		return;
	jw_init(&o->writer, &o->buffer);
	jw_object(&o->writer);
	jw_key(&o->writer, STR("files"));
	jw_array(&o->writer);
}

static void package_json(struct json_writer *w, const struct lock_package *p, bool dev)
{
	jw_object(w);
	jw_member_str(w, "ecosystem", str_of(ecosystem_name(p->ecosystem)));
	jw_member_str(w, "name", p->name);
	jw_member_str(w, "version", p->version);
	jw_member_bool(w, "dev", dev);
	jw_member_str(w, "source", str_of(lock_source_name(p->source)));
	jw_member_int(w, "line", p->line);
	if (p->flags & LOCK_OPTIONAL)
		jw_member_bool(w, "optional", true);
	if (p->flags & LOCK_BUNDLED)
		jw_member_bool(w, "bundled", true);
	if (p->alias.n)
		jw_member_str(w, "alias", p->alias);
	if (p->requested.n && p->source == LOCK_DECLARED)
		jw_member_str(w, "requested", p->requested);
	jw_object_end(w);
}

static void file_json(struct scan_output *o, const struct scanned *s)
{
	struct json_writer *w = &o->writer;

	jw_object(w);
	jw_member_str(w, "path", s->path);
	jw_member_str(w, "format", str_of(s->format));
	if (o->list || s->code < 0) {
		jw_key(w, STR("packages"));
		jw_array(w);
		for (size_t i = 0; i < s->count; i++)
			package_json(w, &s->lock.packages[s->listed[i].package], s->listed[i].dev);
		jw_array_end(w);
	} else {
		jw_member_int(w, "packages", (int64_t)s->count);
	}
	if (s->code < 0)
		jw_member_str(w, "error", str_of(s->err.text));
	if (s->lock.warning_count) {
		jw_key(w, STR("warnings"));
		jw_array(w);
		for (size_t i = 0; i < s->lock.warning_count && i < LOCK_WARNINGS; i++)
			jw_str(w, s->lock.warnings[i]);
		if (s->lock.warning_count > LOCK_WARNINGS)
			jw_str(w, STR("and more"));
		jw_array_end(w);
	}
	jw_object_end(w);
}

static void file_text(struct scan_output *o, const struct scanned *s)
{
	if (s->code < 0)
		fprintf(stderr, "bondgate: %s\n", s->err.text);
	for (size_t i = 0; !o->quiet && i < s->lock.warning_count && i < LOCK_WARNINGS; i++)
		fprintf(stderr, "bondgate: %.*s: %.*s\n", STR_ARG(s->path), STR_ARG(s->lock.warnings[i]));
	if (!o->list || s->code < 0)
		return;
	for (size_t i = 0; i < s->count; i++) {
		const struct lock_package *p = &s->lock.packages[s->listed[i].package];

		printf("%.*s:%u  %s  ", STR_ARG(s->path), p->line, ecosystem_name(p->ecosystem));
		output_cell(stdout, p->name, 0);
		printf("  ");
		output_cell(stdout, p->version, 0);
		printf("  %s%s\n", lock_source_name(p->source), s->listed[i].dev ? "  dev" : "");
	}
}

int scan_output_file(struct scan_output *o, const struct scanned *s)
{
	o->files++;
	o->packages += s->count;
	o->unreadable += s->code < 0;
	if (!o->json) {
		file_text(o, s);
		return ferror(stdout) ? -EIO : 0;
	}
	file_json(o, s);
	return output_flush(&o->writer, stdout);
}

/* The way from the project to the package, the package last; the count. The project itself is not part of it. */
static size_t way(const struct finding *f, uint32_t ret[PATH_STEPS])
{
	uint32_t at = f->package, reversed[PATH_STEPS];
	size_t n = 0;

	while (at != LOCK_NONE && n < PATH_STEPS) {
		const struct lock_package *p = &f->lock->packages[at];

		if (p->source != LOCK_PROJECT && !(p->flags & LOCK_HIDDEN))
			reversed[n++] = at;
		if (p->via == at)
			break;
		at = p->via;
	}
	for (size_t i = 0; i < n; i++)
		ret[i] = reversed[n - 1 - i];
	return n;
}

static void finding_json(struct json_writer *w, const struct finding *f, struct arena *a)
{
	const struct lock_package *p = &f->lock->packages[f->package];
	uint32_t steps[PATH_STEPS];
	size_t n = way(f, steps);

	jw_object(w);
	jw_member_str(w, "purl", purl_format(a, p->ecosystem, p->name, p->version));
	jw_member_str(w, "kind", str_of(finding_kind_name(f->kind)));
	jw_member_str(w, "id", f->id);
	jw_member_str(w, "severity", str_of(severity_name(f->severity)));
	jw_member_str(w, "file", f->lock->file);
	jw_member_int(w, "line", p->line);
	jw_key(w, STR("paths"));
	jw_array(w);
	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		const struct lock_package *step = &f->lock->packages[steps[i]];

		jw_str(w, arena_printf(a, "%.*s%s%.*s", STR_ARG(step->name), step->version.n ? "@" : "", STR_ARG(step->version)));
	}
	jw_array_end(w);
	jw_array_end(w);
	jw_member_bool(w, "dev", f->dev);
	output_member(w, "summary", f->summary);
	output_member(w, "fixed", f->fixed);
	output_member(w, "url", f->url);
	jw_object_end(w);
}

enum column { SEVERITY, ID, PACKAGE, FIXED, WHERE, COLUMNS };

static void cells_of(const struct finding *f, struct arena *a, struct str cells[COLUMNS])
{
	const struct lock_package *p = &f->lock->packages[f->package];

	cells[SEVERITY] = f->kind == FINDING_MALWARE ? STR("MALWARE") : str_of(severity_name(f->severity));
	cells[ID] = f->id;
	cells[PACKAGE] = arena_printf(a, "%s:%.*s@%.*s", ecosystem_name(p->ecosystem), STR_ARG(p->name), STR_ARG(p->version));
	cells[FIXED] = f->fixed;
	cells[WHERE] = arena_printf(a, "%.*s:%u%s", STR_ARG(f->lock->file), p->line, f->dev ? " (dev)" : "");
}

static void print_way(const struct finding *f)
{
	uint32_t steps[PATH_STEPS];
	size_t n = way(f, steps);

	if (n < 2)
		return;
	printf("    ");
	for (size_t i = 0; i < n; i++) {
		output_cell(stdout, f->lock->packages[steps[i]].name, 0);
		printf("%s", i + 1 < n ? " > " : "\n");
	}
}

static void findings_text(const struct findings *f)
{
	static const char *const headings[COLUMNS] = {"SEVERITY", "ID", "PACKAGE", "FIXED IN", "WHERE"};
	struct str cells[COLUMNS];
	size_t widths[COLUMNS] = {8, 2, 7, 8, 5};

	for (size_t i = 0; i < f->count; i++) {
		cells_of(&f->array[i], f->arena, cells);
		for (size_t c = 0; c < COLUMNS; c++)
			widths[c] = output_width(cells[c]) > widths[c] ? output_width(cells[c]) : widths[c];
	}
	for (size_t c = 0; c < COLUMNS; c++)
		cells[c] = str_of(headings[c]);
	for (size_t i = 0; i <= f->count; i++) {
		if (i)
			cells_of(&f->array[i - 1], f->arena, cells);
		for (size_t c = 0; c < COLUMNS; c++) {
			output_cell(stdout, cells[c], c + 1 < COLUMNS ? widths[c] : 0);
			printf("%s", c + 1 < COLUMNS ? "  " : "\n");
		}
		if (i)
			print_way(&f->array[i - 1]);
	}
}

int scan_output_end(struct scan_output *o, const struct findings *f)
{
	if (!o->json) {
		if (f->count)
			findings_text(f);
		if (!o->quiet)
			printf("%zu finding%s in %zu package%s of %zu file%s", f->count, f->count == 1 ? "" : "s", o->packages,
			       o->packages == 1 ? "" : "s", o->files, o->files == 1 ? "" : "s");
		if (!o->quiet && f->unjudged)
			printf("; %zu without a version could be judged by name only", f->unjudged);
		if (!o->quiet && o->unreadable)
			printf("; %zu could not be read", o->unreadable);
		printf("%s", o->quiet ? "" : "\n");
		return ferror(stdout) ? -EIO : 0;
	}
	jw_array_end(&o->writer);
	jw_key(&o->writer, STR("findings"));
	jw_array(&o->writer);
	for (size_t i = 0; i < f->count; i++)
		finding_json(&o->writer, &f->array[i], f->arena);
	jw_array_end(&o->writer);
	jw_object_end(&o->writer);
	buf_add_char(&o->buffer, '\n');
	return output_flush(&o->writer, stdout);
}
