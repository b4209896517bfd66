/* Tokens: made by an administrator, shown once, never for longer than a year. */
#include "base/limits.h"
#include "gate/form.h"
#include "gate/people_call.h"

enum { PERSON_MOST = 64 };
#define TOKEN_LASTS (90 * USEC_DAY)
#define TOKEN_LONGEST (366 * USEC_DAY)

static void write_token(struct json_writer *w, const struct token *t, struct arena *a)
{
	const struct {
		const char *key;
		usec time;
	} times[] = {{"created", t->created}, {"expires", t->expires}, {"revoked", t->revoked}, {"last_used", t->last_used}};
	char when[TIME_TEXT];

	jw_object(w);
	jw_member_str(w, "id", t->id);
	jw_member_str(w, "person", t->person);
	jw_member_str(w, "team", t->team);
	jw_member_str(w, "roles", roles_format(a, t->roles));
	jw_member_str(w, "created_by", t->created_by);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		jw_key(w, str_of(times[i].key));
		if (times[i].time) {
			time_format_utc(times[i].time, when);
			jw_str(w, str_of(when));
		} else {
			jw_null(w);
		}
	}
	jw_object_end(w);
}

static int write_each(void *arg, const struct token *t)
{
	struct people_call *c = arg;

	write_token(&c->json, t, c->arena);
	return c->out->error;
}

void act_tokens(struct people_call *c)
{
	struct err err = {0};
	int r;

	jw_object(&c->json);
	jw_key(&c->json, STR("tokens"));
	jw_array(&c->json);
	r = store_tokens(c->store, write_each, c, &err);
	jw_array_end(&c->json);
	jw_object_end(&c->json);
	if (r < 0)
		call_failed(c, r, &err);
}

/* Plain letters only: names that look alike must be alike. */
static bool name_ok(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char ch = name.p[i];

		if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '.' || ch == '_' || ch == '-' ||
		      ch == '+' || ch == '@'))
			return false;
	}
	return name.n > 0 && name.n <= PERSON_MOST;
}

static int read_token(struct people_call *c, struct token *t, struct err *err)
{
	usec lasts = TOKEN_LASTS;
	struct str length;
	struct form f;
	int r = form_parse(c->body, "person roles team for", c->arena, &f, err);

	if (r < 0)
		return r;
	t->person = str_trim(form_get(&f, "person"));
	t->team = str_trim(form_get(&f, "team"));
	length = form_get(&f, "for");
	if (!name_ok(t->person))
		return err_set(err, -EINVAL, "whose token? A person's name is letters, digits and . _ - + @, at most %d", PERSON_MOST);
	if (t->team.n && !name_ok(t->team))
		return err_set(err, -EINVAL, "a team's name is letters, digits and . _ -, as in /t/NAME/npm/");
	r = roles_parse(form_get(&f, "roles"), &t->roles, err);
	if (r < 0)
		return r;
	if (length.n && (duration_parse(length, &lasts) < 0 || lasts <= 0 || lasts > TOKEN_LONGEST))
		return err_set(err, -EINVAL, "a token lasts at most 366d, not \"%.*s\"; 90d is usual", STR_ARG(length));
	t->created = c->now;
	t->expires = c->now + lasts;
	t->created_by = c->caller.person;
	return 0;
}

void act_token_create(struct people_call *c)
{
	struct token t = {0};
	struct err err = {0};
	struct evidence record;
	struct str secret, id;
	char until[TIME_TEXT];
	int r = read_token(c, &t, &err);

	if (r < 0) {
		call_failed(c, r, &err);
		return;
	}
	time_format_utc(t.expires, until);
	record = call_record(c, EVIDENCE_TOKEN, STR("token created"),
	                     arena_printf(c->arena, "for %.*s, %.*s%s%.*s, until %.10s", STR_ARG(t.person),
	                                  STR_ARG(roles_format(c->arena, t.roles)), t.team.n ? ", team " : "", STR_ARG(t.team), until));
	r = store_token_create(c->store, &t, &record, c->arena, &secret, &id, &err);
	if (r < 0) {
		call_failed(c, r, &err);
		return;
	}
	t.id = id;
	c->status = 201;
	jw_object(&c->json);
	jw_member_str(&c->json, "id", id);
	jw_member_str(&c->json, "token", secret);
	jw_member_str(&c->json, "person", t.person);
	jw_member_str(&c->json, "team", t.team);
	jw_member_str(&c->json, "roles", roles_format(c->arena, t.roles));
	jw_member_str(&c->json, "expires", str_of(until));
	jw_object_end(&c->json);
}

void act_token_revoke(struct people_call *c)
{
	struct evidence record = call_record(c, EVIDENCE_TOKEN, arena_printf(c->arena, "token revoked %.*s", STR_ARG(c->words[1])), STR(""));
	struct err err = {0};
	int r = store_token_revoke(c->store, c->words[1], c->now, &record, &err);

	if (r < 0) {
		call_failed(c, r, &err);
		return;
	}
	jw_object(&c->json);
	jw_member_str(&c->json, "message", arena_printf(c->arena, "%.*s is revoked", STR_ARG(c->words[1])));
	jw_object_end(&c->json);
}
