#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/simulate.h"
#include "codec/access_log.h"
#include "scan/readers.h"

/* Access logs of other proxies, and lockfiles: what was or will be fetched without this gate. */

static int judge(struct versions *v, struct tally *t, const struct tally_entry *e)
{
	CLEANUP_ARENA struct arena *a = arena_new(32 * MIB);
	const struct purl p = {.ecosystem = e->ecosystem, .name = e->name, .version = e->version};
	struct replay replay;
	struct err why = {0};
	int r = a ? versions_judge(v, &p, e->at, a, &replay, &why) : -ENOMEM;

	if (r == -ENOMEM)
		return r;
	if (r == 0)
		return tally_add(t, e, &replay);
	if (t->unknown++ == 0)
		t->unknown_example =
			arena_printf(t->arena, "%s:%.*s@%.*s: %s", ecosystem_name(e->ecosystem), STR_ARG(e->name), STR_ARG(e->version), why.text);
	return 0;
}

/* ---- access logs ---- */

struct reading {
	struct versions *versions;
	struct tally *tally;
	enum access_format format;
	usec since, now;
};

static int read_line(struct reading *d, struct str line)
{
	CLEANUP_ARENA struct arena *a = arena_new(4 * MIB);
	struct tally *t = d->tally;
	struct access_line l;
	struct purl p;
	int r;

	if (!a)
		return -ENOMEM;
	t->lines++;
	r = access_log_line(d->format, line, a, &l);
	if (r == -EBADMSG)
		t->lines_broken++;
	else if (r < 0 || !str_eq(l.method, STR("GET")) || access_log_artifact(l.path, a, &p) < 0 || (l.time && l.time < d->since))
		t->lines_other++;
	else if (l.status >= 400)
		t->lines_not_served++;
	else
		return judge(d->versions, t,
		             &(struct tally_entry){.ecosystem = p.ecosystem,
		                                   .name = p.name,
		                                   .version = p.version,
		                                   .was = STR("allow"),
		                                   .identity = l.user,
		                                   .client = l.client,
		                                   .at = l.time ? l.time : d->now});
	return 0;
}

int simulate_access_log(struct versions *v, const char *path, const char *format, usec since, struct tally *t, struct err *err)
{
	struct reading d = {.versions = v, .tally = t, .since = since, .now = time_now()};
	CLEANUP_FREE char *line = NULL;
	size_t room = 0;
	ssize_t n;
	FILE *f;
	int r = 0;

	if (format && access_format_parse(str_of(format), &d.format) < 0)
		return err_set(err, -EINVAL, "there is no format \"%s\"; there are nexus, artifactory, verdaccio and auto", format);
	f = str_eq(str_of(path), STR("-")) ? stdin : fopen(path, "re");
	if (!f)
		return err_set(err, -errno, "cannot read %s: %s", path, err_name(errno));
	while (r == 0 && (n = getline(&line, &room, f)) >= 0)
		r = read_line(&d, (struct str){line, (size_t)n});
	if (r == 0 && ferror(f))
		r = err_set(err, -EIO, "cannot read %s: %s", path, err_name(errno));
	if (f != stdin)
		fclose(f);
	return r == -ENOMEM ? err_set(err, r, "no memory") : r;
}

/* ---- lockfiles ---- */

static int judge_lock(struct versions *v, const struct lock *l, const char *path, struct tally *t)
{
	usec now = time_now();
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < l->count; i++) {
		const struct lock_package *p = &l->packages[i];

		if (!lock_is_listed(p) || p->source != LOCK_REGISTRY || !p->version.n)
			continue;
		r = judge(v, t,
		          &(struct tally_entry){.ecosystem = p->ecosystem,
		                                .name = p->name,
		                                .version = p->version,
		                                .was = STR("allow"),
		                                .project = str_of(path),
		                                .at = now});
	}
	return r;
}

int simulate_lockfile(struct versions *v, const char *path, struct tally *t, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(LIMIT_LOCK_BYTES);
	const char *slash = strrchr(path, '/');
	const struct lock_format *format = lock_format_by_name(str_of(slash ? slash + 1 : path));
	const struct lock_extras none = {0};
	struct lock l = {0};
	int r = file_read(path, &text, err);

	if (r < 0)
		return r;
	if (!format)
		format = lock_format_by_content(buf_str(&text));
	if (!format || format->manifest)
		return err_set(err, -EINVAL, "%s is no lockfile that bondgate reads (docs/lockfiles.md lists them)", path);
	r = lock_read(format, buf_str(&text), str_of(path), &none, &l, err);
	if (r == 0)
		r = judge_lock(v, &l, path, t);
	lock_free(&l);
	return r == -ENOMEM ? err_set(err, r, "no memory") : r;
}
