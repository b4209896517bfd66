/* bondgate scan --fix-plan: what to upgrade, grouped by the direct dependency to change. */
#include <stdio.h>

#include "base/limits.h"
#include "cmd/output.h"
#include "cmd/scan.h"
#include "scan/fix_plan.h"

/* How the project's own package manager is told. */
static const char *command_of(const struct scan *s, const struct lock *l)
{
	for (size_t i = 0; i < s->read_count; i++) {
		const char *format = s->read[i]->format;

		if (&s->read[i]->lock != l)
			continue;
		return strcmp(format, "yarn.lock") == 0        ? "yarn up"
		       : strcmp(format, "pnpm-lock.yaml") == 0 ? "pnpm update"
		       : strcmp(format, "bun.lock") == 0       ? "bun update"
		                                               : "npm update";
	}
	return "npm update";
}

static bool is_nuget(const struct fix *f)
{
	return f->lock->packages[f->package].ecosystem == ECOSYSTEM_NUGET;
}

static struct str advice(struct scan *s, const struct fix *f)
{
	const struct lock_package *p = &f->lock->packages[f->package], *root = &f->lock->packages[f->root];
	const char *command = command_of(s, f->lock);

	if (!f->to.n)
		return f->malware ? STR("remove it: no version is safe") : STR("no safe version is known: replace it, or accept it in the policy");
	if (is_nuget(f))
		return arena_printf(s->arena, "reference %.*s %.*s", STR_ARG(p->name), STR_ARG(f->to));
	if (f->within_range)
		return arena_printf(s->arena, "within the declared range: %s %.*s", command, STR_ARG(p->name));
	if (f->root == f->package || f->blocker == LOCK_NONE)
		return arena_printf(s->arena, "leaves the declared range \"%.*s\": change it in the manifest", STR_ARG(f->blocker_wants));
	return arena_printf(s->arena, "%.*s %.*s wants \"%.*s\": upgrade %.*s to a version that does not, or override %.*s",
	                    STR_ARG(f->lock->packages[f->blocker].name), STR_ARG(f->lock->packages[f->blocker].version),
	                    STR_ARG(f->blocker_wants), STR_ARG(root->name), STR_ARG(p->name));
}

static void print_text(struct scan *s, const struct fix_plan *plan)
{
	const struct lock *file = NULL;
	uint32_t root = LOCK_NONE;

	if (!s->options.quiet)
		printf("%zu upgrade%s; %zu finding%s closed by them, %zu left\n", plan->count, plan->count == 1 ? "" : "s", plan->closed,
		       plan->closed == 1 ? "" : "s", plan->open);
	for (size_t i = 0; i < plan->count; i++) {
		const struct fix *f = &plan->array[i];
		const struct lock_package *p = &f->lock->packages[f->package], *r = &f->lock->packages[f->root];

		if (f->lock != file || f->root != root) {
			output_cell(stdout, f->lock->file, 0);
			printf(":%u  ", r->line);
			output_cell(stdout, r->name, 0);
			printf(" ");
			output_cell(stdout, r->version, 0);
			printf("\n");
		}
		file = f->lock;
		root = f->root;
		printf("  ");
		output_cell(stdout, p->name, 0);
		printf(" ");
		output_cell(stdout, p->version, 0);
		printf(" -> ");
		output_cell(stdout, f->to, 0);
		printf("  ");
		output_cell(stdout, advice(s, f), 0);
		printf("\n    closes");
		for (size_t k = 0; k < f->id_count; k++) {
			printf(" ");
			output_cell(stdout, f->ids[k], 0);
		}
		printf("\n");
	}
}

static int print_json(struct scan *s, const struct fix_plan *plan)
{
	CLEANUP_BUF struct buf out = BUF(GIB);
	struct json_writer w;

	jw_init(&w, &out);
	jw_object(&w);
	jw_member_int(&w, "closed", (int64_t)plan->closed);
	jw_member_int(&w, "open", (int64_t)plan->open);
	jw_key(&w, STR("upgrades"));
	jw_array(&w);
	for (size_t i = 0; i < plan->count; i++) {
		const struct fix *f = &plan->array[i];
		const struct lock_package *p = &f->lock->packages[f->package], *root = &f->lock->packages[f->root];

		jw_object(&w);
		jw_member_str(&w, "purl", purl_format(s->arena, p->ecosystem, p->name, p->version));
		output_member(&w, "to", f->to);
		jw_member_bool(&w, "within_range", f->to.n && f->within_range);
		jw_member_str(&w, "direct", purl_format(s->arena, root->ecosystem, root->name, root->version));
		jw_member_str(&w, "file", f->lock->file);
		jw_member_int(&w, "line", p->line);
		jw_member_str(&w, "advice", advice(s, f));
		jw_key(&w, STR("closes"));
		jw_array(&w);
		for (size_t k = 0; k < f->id_count; k++)
			jw_str(&w, f->ids[k]);
		jw_array_end(&w);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
	buf_add_char(&out, '\n');
	return output_flush(&w, stdout);
}

int scan_fix_plan(struct scan *s, struct err *err)
{
	struct fix_plan plan;
	int code = fix_plan_make(&s->findings, s->advisories, s->arena, &plan);

	if (code < 0)
		return err_set(err, code, "the plan cannot be made: %s", err_name(code));
	if (strcmp(s->format->name, "json") == 0)
		return print_json(s, &plan);
	print_text(s, &plan);
	return 0;
}
