/* What a project locks, as its CI tells it after a scan: POST scans {"project", "files": [{"path", "packages": ["pkg:npm/…"]}]}. It replaces what was
 * told of the project before; an incident then names the projects that lock the version. */
#include "base/limits.h"
#include "codec/nuget_version.h"
#include "gate/people_call.h"
#include "store/recall.h"

enum { PROJECT_MOST = 128, FILE_MOST = 512, PACKAGES_MOST = 200000 };

struct reading {
	struct people_call *call;
	struct json_reader json;
	struct str project;
	struct locked *array;
	size_t count, room, files;
	struct err err;
	int code;
};

static int grow(struct reading *r)
{
	size_t room = r->room ? 2 * r->room : 256;
	struct locked *longer = reallocarray(r->array, room, sizeof(*longer));

	if (!longer)
		return -ENOMEM;
	r->array = longer;
	r->room = room;
	return 0;
}

/* NuGet's names and versions are one whatever their case; the gate's evidence has them in lower case. */
static void fold_nuget(struct arena *a, struct purl *p)
{
	struct nuget_version v;
	char *name;

	if (p->ecosystem != ECOSYSTEM_NUGET)
		return;
	name = arena_alloc(a, p->name.n + 1);
	for (size_t i = 0; name && i < p->name.n; i++)
		name[i] = (char)(p->name.p[i] >= 'A' && p->name.p[i] <= 'Z' ? p->name.p[i] + 32 : p->name.p[i]);
	if (name)
		p->name = (struct str){name, p->name.n};
	if (nuget_version_parse(p->version, &v) == 0)
		p->version = nuget_version_format_lower(a, &v);
}

static int keep(struct reading *r, struct str file, struct str text)
{
	struct purl p;
	int code = purl_parse(r->call->arena, text, &p, &r->err);

	if (code < 0)
		return code;
	if (!p.version.n)
		return err_set(&r->err, -EINVAL, "%.*s has no version: what is locked has one", STR_ARG(str_take(text, 200)));
	if (r->count == PACKAGES_MOST)
		return err_set(&r->err, -EINVAL, "more than %d packages: record the parts of this repository as projects of their own",
		               PACKAGES_MOST);
	fold_nuget(r->call->arena, &p);
	if (r->count == r->room && (code = grow(r)) < 0)
		return code;
	r->array[r->count++] =
		(struct locked){.ecosystem = p.ecosystem, .name = p.name, .version = p.version, .file = file, .recorded = r->call->now};
	return 0;
}

/* The packages may stand before the path: then they are read once it is known. */
static void read_packages(struct reading *r, struct str file, struct str slice)
{
	struct json_reader json;
	struct str text;

	json_init(&json, slice);
	json_enter_array(&json);
	while (r->code == 0 && json_next_item(&json)) {
		json_string_decoded(&json, r->call->arena, &text);
		if (!json_failed(&json))
			r->code = keep(r, file, text);
	}
	if (r->code == 0 && json_failed(&json))
		r->code = err_set(&r->err, -EINVAL, "\"packages\" is a list of purls");
}

static void read_file(struct reading *r)
{
	struct str key, path = STR_NULL, packages = STR_NULL;

	json_enter_object(&r->json);
	while (json_next_member(&r->json, &key)) {
		if (json_raw_equals(key, STR("path")))
			json_string_decoded(&r->json, r->call->arena, &path);
		else if (json_raw_equals(key, STR("packages")))
			json_skip(&r->json, &packages);
		else
			json_skip(&r->json, NULL);
	}
	if (json_failed(&r->json))
		return;
	path = plain_text(r->call->arena, path, FILE_MOST);
	r->files++;
	if (!path.n || !packages.n)
		r->code = err_set(&r->err, -EINVAL, "every one of \"files\" has a \"path\" and \"packages\"");
	else
		read_packages(r, path, packages);
}

static int read_body(struct reading *r)
{
	struct str key;
	bool told = false;

	json_init(&r->json, r->call->body);
	json_enter_object(&r->json);
	while (r->code == 0 && json_next_member(&r->json, &key)) {
		if (json_raw_equals(key, STR("project"))) {
			json_string_decoded(&r->json, r->call->arena, &r->project);
		} else if (json_raw_equals(key, STR("files"))) {
			told = true;
			json_enter_array(&r->json);
			while (r->code == 0 && json_next_item(&r->json))
				read_file(r);
		} else {
			json_skip(&r->json, NULL);
		}
	}
	if (r->code == 0 && json_finish(&r->json, &r->err) < 0)
		r->code = -EINVAL;
	r->project = plain_text(r->call->arena, r->project, PROJECT_MOST);
	if (r->code == 0 && (!r->project.n || !told))
		r->code = err_set(&r->err, -EINVAL, "a scan has a \"project\" and \"files\"");
	return r->code;
}

static void answer(struct people_call *c, const struct reading *r, struct str what)
{
	c->status = 201;
	jw_object(&c->json);
	jw_member_str(&c->json, "project", r->project);
	jw_member_int(&c->json, "files", (int64_t)r->files);
	jw_member_int(&c->json, "packages", (int64_t)r->count);
	jw_member_str(&c->json, "message", what);
	jw_object_end(&c->json);
}

void act_scan(struct people_call *c)
{
	struct reading r = {.call = c};
	struct str what;
	struct evidence act;
	int code = read_body(&r);

	if (code == 0) {
		what = arena_printf(c->arena, "project %.*s locks %zu package%s in %zu file%s", STR_ARG(r.project), r.count,
		                    r.count == 1 ? "" : "s", r.files, r.files == 1 ? "" : "s");
		act = call_record(c, EVIDENCE_ADMIN, STR("scan recorded"), what);
		code = store_locked_replace(c->store, r.project, r.array, r.count, &act, &r.err);
	}
	if (code < 0)
		call_failed(c, code, &r.err);
	else
		answer(c, &r, what);
	free(r.array);
}

/* Whose scans are recorded. */

struct project {
	struct people_call *call;
	struct str name;
	usec recorded;
	int64_t packages;
};

static void write_project(const struct project *p)
{
	struct json_writer *w = &p->call->json;
	char time[TIME_TEXT];

	if (!p->name.n)
		return;
	time_format_utc(p->recorded, time);
	jw_object(w);
	jw_member_str(w, "project", p->name);
	jw_member_int(w, "packages", p->packages);
	jw_member_str(w, "recorded", str_of(time));
	jw_object_end(w);
}

/* They come ordered by project. */
static int count_locked(void *arg, const struct locked *l)
{
	struct project *p = arg;

	if (!str_eq(p->name, l->project)) {
		write_project(p);
		*p = (struct project){.call = p->call, .name = arena_str(p->call->arena, l->project)};
	}
	p->packages++;
	p->recorded = l->recorded;
	return p->call->out->error;
}

void act_scans(struct people_call *c)
{
	struct project last = {.call = c};
	struct err err = {0};
	int r;

	jw_object(&c->json);
	jw_key(&c->json, STR("projects"));
	jw_array(&c->json);
	r = store_locked(c->store, ECOSYSTEM_NPM, STR_NULL, STR_NULL, count_locked, &last, &err);
	write_project(&last);
	jw_array_end(&c->json);
	jw_object_end(&c->json);
	if (r < 0)
		call_failed(c, r, &err);
}
