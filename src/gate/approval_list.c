#include "gate/approval_list.h"

#include <stdio.h>

#include "base/limits.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "gate/people.h"
#include "gate/people_call.h"
#include "policy/match.h"

enum { TEXT_MOST = 500, NAME_MOST = 64, LITERAL_LEAST = 3 };
/* An approval that nobody looks at again is no approval. */
#define ENDS_MOST (400 * USEC_DAY)

/* ---- reading ---- */

struct parsing {
	struct arena *arena;
	usec now;
	struct approval_list *list;
	struct err *err;
};

static const struct str file_name = {"the list", 8};

/* A pattern that fits nearly every name would approve the registry. */
static bool too_wide(struct str name)
{
	size_t literal = 0;

	for (size_t i = 0; i < name.n; i++)
		literal += name.p[i] != '*' && name.p[i] != '@' && name.p[i] != '/';
	return str_chr(name, '*') >= 0 && literal < LITERAL_LEAST;
}

static int read_text(struct parsing *p, const struct yaml_node *item, const char *key, struct str *ret)
{
	struct yaml_node *n = yaml_get(item, str_of(key));

	if (!n || n->kind != YAML_SCALAR || !str_trim(n->text).n)
		return yaml_error(p->err, file_name, n ? n : item, "%s is missing: each approval has package, reason, owner and ends", key);
	*ret = plain_text(p->arena, n->text, TEXT_MOST);
	return 0;
}

static int read_package(struct parsing *p, const struct yaml_node *item, struct imported_approval *to)
{
	const char *problem = NULL;
	struct str text;
	int r = read_text(p, item, "package", &text);

	if (r < 0)
		return r;
	if (match_parse(text, &to->ecosystem, &to->name, &to->version, &problem) < 0 || !to->name.n)
		return yaml_error(p->err, file_name, yaml_get(item, STR("package")), "package: %s", problem ? problem : "a name is missing");
	if (!match_version_readable(to->ecosystem, to->version))
		return yaml_error(p->err, file_name, yaml_get(item, STR("package")), "package: \"%.*s\" is no version or range",
		                  STR_ARG(to->version));
	if (too_wide(to->name))
		return yaml_error(p->err, file_name, yaml_get(item, STR("package")), "package: the pattern \"%.*s\" fits nearly every name",
		                  STR_ARG(to->name));
	return 0;
}

static int check_keys(struct parsing *p, const struct yaml_node *map, const char *known)
{
	for (const struct yaml_node *n = map->first; n; n = n->next) {
		struct str rest = str_of(known), word;
		bool found = false;

		while (str_split(&rest, ' ', &word))
			found |= str_eq(word, n->key);
		if (!found)
			return yaml_error(p->err, file_name, n, "\"%.*s\" is not known here; there are: %s", STR_ARG(str_take(n->key, 60)), known);
	}
	return 0;
}

static int read_item(struct parsing *p, const struct yaml_node *item)
{
	struct imported_approval *to = &p->list->array[p->list->count];
	struct str ends;
	int r = item->kind == YAML_MAP ? check_keys(p, item, "package reason owner ends")
	                               : yaml_error(p->err, file_name, item, "an approval is a map with package, reason, owner and ends");

	*to = (struct imported_approval){.list = p->list->name};
	if (r == 0)
		r = read_package(p, item, to);
	if (r == 0)
		r = read_text(p, item, "reason", &to->reason);
	if (r == 0)
		r = read_text(p, item, "owner", &to->owner);
	if (r == 0)
		r = read_text(p, item, "ends", &ends);
	if (r == 0 && time_parse(ends, &to->ends) < 0)
		r = yaml_error(p->err, file_name, yaml_get(item, STR("ends")), "ends: a date such as 2027-01-31");
	if (r == 0 && to->ends > p->now + ENDS_MOST)
		r = yaml_error(p->err, file_name, yaml_get(item, STR("ends")),
		               "ends: an approval of somebody else's lasts at most 400d from today");
	if (r < 0)
		return r;
	if (to->ends > p->now)
		p->list->count++;
	else
		p->list->ended++;
	return 0;
}

static int read_head(struct parsing *p, const struct yaml_node *root)
{
	struct yaml_node *version;
	int r;

	if (root->kind != YAML_MAP)
		return yaml_error(p->err, file_name, root, "this is no list of approvals");
	version = yaml_get(root, STR("bondgate-approvals"));
	if (!version || !str_eq(version->text, STR("1")))
		return yaml_error(p->err, file_name, root, "`bondgate-approvals: 1` is missing: this is no list of approvals that is known here");
	r = check_keys(p, root, "bondgate-approvals name approvals");
	if (r == 0)
		r = read_text(p, root, "name", &p->list->name);
	for (size_t i = 0; r == 0 && i < p->list->name.n; i++)
		if (p->list->name.p[i] == ' ' || p->list->name.p[i] == ':' || p->list->name.n > NAME_MOST)
			r = yaml_error(p->err, file_name, yaml_get(root, STR("name")), "name: one word without colons, at most %d bytes", NAME_MOST);
	return r;
}

int approval_list_parse(struct str text, usec now, struct arena *a, struct approval_list *ret, struct err *err)
{
	struct approval_list list = {0};
	struct parsing p = {a, now, &list, err};
	struct yaml_node *root, *items;
	int r = yaml_parse(a, text, file_name, &root, err);

	if (r == 0)
		r = read_head(&p, root);
	if (r < 0)
		return r;
	items = yaml_get(root, STR("approvals"));
	if (!items || items->kind != YAML_LIST)
		return yaml_error(err, file_name, root, "`approvals` is missing: a list of approvals");
	if (items->count > APPROVALS_MOST)
		return yaml_error(err, file_name, items, "more than %d approvals", APPROVALS_MOST);
	list.array = ARENA_ARRAY(a, struct imported_approval, items->count + 1);
	if (!list.array)
		return err_set(err, -ENOMEM, "no memory for a list of approvals");
	for (const struct yaml_node *n = items->first; r == 0 && n; n = n->next)
		r = read_item(&p, n);
	if (r == 0 && arena_failed(a))
		r = err_set(err, -ENOMEM, "no memory for a list of approvals");
	if (r == 0)
		*ret = list;
	return r;
}

/* ---- writing ---- */

struct writing {
	struct json_writer json;
	usec now;
	struct arena *arena;
	size_t count;
};

static void write_item(struct writing *w, struct str package, struct str reason, struct str owner, usec ends)
{
	usec most = w->now + ENDS_MOST - USEC_DAY;
	char text[TIME_TEXT];

	if (ends <= w->now)
		return;
	/* Whole days: a list that is made twice on a day is the same. */
	time_format_utc(ends < most ? ends : most, text);
	jw_object(&w->json);
	jw_member_str(&w->json, "package", package);
	jw_member_str(&w->json, "reason", reason);
	jw_member_str(&w->json, "owner", owner);
	jw_member_str(&w->json, "ends", str_take(str_of(text), 10));
	jw_object_end(&w->json);
	w->count++;
}

static int write_request(void *arg, const struct request *r)
{
	struct writing *w = arg;
	uint32_t rules = 0;

	if (r->state == REQUEST_APPROVED && !r->break_glass && rules_parse(r->rules, &rules, NULL) == 0 &&
	    rules & UINT32_C(1) << REASON_NOT_APPROVED)
		write_item(w, package_text(w->arena, r->ecosystem, r->name, r->version), r->reason, r->person, r->expires);
	return 0;
}

int approval_list_write(struct str name, const struct policy *p, struct store *s, usec now, struct buf *out, size_t *ret_count,
                        struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	struct writing w = {.now = now, .arena = a};
	const struct approval *own;
	size_t n = policy_approvals(p, &own);
	int r;

	jw_init(&w.json, out);
	jw_object(&w.json);
	jw_member_int(&w.json, "bondgate-approvals", 1);
	jw_member_str(&w.json, "name", name);
	jw_key(&w.json, STR("approvals"));
	jw_array(&w.json);
	for (size_t i = 0; i < n; i++)
		if (own[i].ends == USEC_NEVER)
			write_item(&w, package_text(a, own[i].package.ecosystem, own[i].package.name, own[i].package.version), own[i].reason,
			           own[i].owner, own[i].review_by);
	r = store_requests(s, false, write_request, &w, err);
	jw_array_end(&w.json);
	jw_object_end(&w.json);
	if (r == 0 && out->error)
		r = err_set(err, out->error, "the list of approvals is too large");
	*ret_count = w.count;
	return r;
}
