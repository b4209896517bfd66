#include "cmd/teams.h"

#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"

/* The last text of a team's file that could be put over a base policy. */
struct good_text {
	struct good_text *next;
	char *label, *path;
	char *text;
	size_t length;
};

struct team_files {
	struct good_text *good;
};

struct team_files *team_files_new(void)
{
	struct team_files *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	return t;
}

void team_files_free(struct team_files *t)
{
	if (!t)
		return;
	while (t->good) {
		struct good_text *next = t->good->next;

		free(t->good->label);
		free(t->good->path);
		free(t->good->text);
		free(t->good);
		t->good = next;
	}
	free(t);
}

static struct good_text *find_good(struct team_files *t, struct str label, const char *path)
{
	for (struct good_text *g = t->good; g; g = g->next)
		if (str_eq(str_of(g->label), label) && str_eq(str_of(g->path), str_of(path)))
			return g;
	return NULL;
}

static void remember(struct team_files *t, struct str label, const char *path, struct str text)
{
	struct good_text *g = find_good(t, label, path);

	if (!g) {
		g = calloc(1, sizeof(*g));
		if (!g || !(g->label = str_dup(label)) || !(g->path = str_dup(str_of(path))))
			abort();
		g->next = t->good;
		t->good = g;
	}
	free(g->text);
	g->text = str_dup(text);
	if (!g->text)
		abort();
	g->length = text.n;
}

static int find_path(const struct policy_team *team, char *path, size_t size, struct err *err)
{
	ptrdiff_t slash = str_rchr(team->source.file, '/');
	struct str folder = str_starts(team->file, STR("/")) || slash < 0 ? STR_NULL : str_take(team->source.file, (size_t)slash + 1);
	int n = snprintf(path, size, "%.*s%.*s", STR_ARG(folder), STR_ARG(team->file));

	return n > 0 && (size_t)n < size ? 0
	                                 : err_set(err, -ENAMETOOLONG, "the path of the policy of team %.*s is too long", STR_ARG(team->name));
}

/* Both policies of a team from one text. */
static int make_both(const struct policy *base, struct str text, const char *path, const struct policy_environment *environment,
                     struct policy **ret_proven, struct policy **ret_tightened, struct err *err)
{
	usec now = time_now();
	int r = policy_for_team(base, text, str_of(path), now, environment, true, ret_proven, err);

	if (r < 0)
		return r;
	r = policy_for_team(base, text, str_of(path), now, environment, false, ret_tightened, err);
	if (r < 0)
		policy_unref(*ret_proven);
	return r;
}

static int load_team(struct team_files *t, struct policy_set *set, const struct policy_team *team, const char *path,
                     const struct policy_environment *environment, struct buf *problems, struct err *err)
{
	const struct policy *base = policy_set_base(set);
	CLEANUP_BUF struct buf text = BUF(LIMIT_POLICY_BYTES);
	struct policy *proven = NULL, *tightened = NULL;
	struct good_text *good;
	int r = file_read(path, &text, err);

	if (r == 0)
		r = make_both(base, buf_str(&text), path, environment, &proven, &tightened, err);
	if (r == 0) {
		remember(t, team->name, path, buf_str(&text));
		policy_set_team(set, team->name, proven, tightened);
		return 0;
	}
	good = find_good(t, team->name, path);
	if (good) {
		struct err again = {0};

		r = make_both(base, (struct str){good->text, good->length}, path, environment, &proven, &tightened, &again);
		if (r == 0) {
			buf_printf(problems, "the policy of team %.*s was not reloaded, its last good one stays in force: %s\n", STR_ARG(team->name),
			           err->text);
			policy_set_team(set, team->name, proven, tightened);
			return 0;
		}
	}
	err_prefix(err, "the policy of a team");
	return r;
}

int team_files_load(struct team_files *t, struct policy *base, const struct policy_environment *environment,
                    void (*note)(void *arg, struct str path), void *arg, struct policy_set **ret, struct buf *problems, struct err *err)
{
	struct policy_set *set = policy_set_new(base);
	const struct policy_team *teams;
	size_t n = policy_teams(base, &teams);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		char path[PATH_MAX];

		r = find_path(&teams[i], path, sizeof(path), err);
		if (r < 0)
			break;
		if (note)
			note(arg, str_of(path));
		r = load_team(t, set, &teams[i], path, environment, problems, err);
	}
	if (r < 0)
		policy_set_unref(set);
	else
		*ret = set;
	return r;
}
