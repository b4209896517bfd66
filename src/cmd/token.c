/* bondgate token create|list|revoke: who may ask, decide, administer and read. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cmd/call.h"
#include "cmd/call_table.h"
#include "cmd/commands.h"

static void print_list(const struct call_answer *answer)
{
	static const struct call_column columns[] = {
		{"ID", "id", false},          {"PERSON", "person", false},  {"TEAM", "team", false},          {"ROLES", "roles", false},
		{"EXPIRES", "expires", true}, {"REVOKED", "revoked", true}, {"LAST USED", "last_used", true}, {"MADE BY", "created_by", false},
	};

	call_table(buf_str(&answer->body), "tokens", columns, sizeof(columns) / sizeof(columns[0]), "no tokens");
}

/* The secret alone on standard output, so that it can go straight into a file. */
static void print_secret(const struct call_answer *answer)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct str body = buf_str(&answer->body);

	if (!a)
		return;
	fprintf(stderr, "%.*s for %.*s (%.*s) until %.*s. It is shown once:\n", STR_ARG(call_member(body, "id", a)),
	        STR_ARG(call_member(body, "person", a)), STR_ARG(call_member(body, "roles", a)),
	        STR_ARG(str_take(call_member(body, "expires", a), 10)));
	printf("%.*s\n", STR_ARG(call_member(body, "token", a)));
}

struct token_wish {
	struct call_options call;
	const char *person, *roles, *team, *lasts;
};

static int create(struct token_wish *w, const struct command_usage *usage)
{
	CLEANUP_BUF struct buf body = BUF(16 * KIB);

	if (!w->person || !w->roles)
		return usage_error(usage, "create needs --person NAME and --role ROLE");
	/* Before the gate's first start, so that it has somebody to obey. */
	w->call.may_begin = true;
	call_body(&body, (const struct call_field[]){{"person", w->person}, {"roles", w->roles}, {"team", w->team}, {"for", w->lasts}}, 4);
	return call_and_print(&w->call, "POST", "tokens", buf_str(&body), print_secret);
}

static int revoke_token(const struct token_wish *w, const struct command_usage *usage, const char *id)
{
	char path[128];

	for (const char *p = id; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_'))
			return usage_error(usage, "revoke takes the id of a token (tk_…), not the token itself: bondgate token list shows them");
	snprintf(path, sizeof(path), "tokens/%.60s/revoke", id);
	return call_and_print(&w->call, "POST", path, STR(""), NULL);
}

int cmd_token(int argc, char **argv)
{
	struct token_wish w = {0};
	const struct option_row rows[] = {
		{.name = "person", .argument = "NAME", .help = "create: whose it is; one name a person, on every token", .value = &w.person},
		{.name = "role",
	     .argument = "ROLES",
	     .help = "create: requester, approver, admin, auditor; several with commas",
	     .value = &w.roles},
		{.name = "team", .argument = "NAME", .help = "create: proves the rules of /t/NAME/", .value = &w.team},
		{.name = "for", .argument = "90d", .help = "create: how long it lasts (default 90d, at most 366d)", .value = &w.lasts},
		CALL_OPTION_ROWS(w.call),
	};
	const struct command_usage usage = {
		"token create --person NAME --role ROLES [OPTIONS] | token list | token revoke ID",
		"Makes, lists and revokes the tokens that people and teams show to the gate. A token is shown once, kept as a\n"
		"hash only, and ends by itself.",
		rows, sizeof(rows) / sizeof(rows[0])};
	bool done;
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	if (words == 1 && strcmp(argv[0], "create") == 0)
		return create(&w, &usage);
	if (words == 1 && strcmp(argv[0], "list") == 0)
		return call_and_print(&w.call, "GET", "tokens", STR(""), print_list);
	if (words == 2 && strcmp(argv[0], "revoke") == 0)
		return revoke_token(&w, &usage, argv[1]);
	return usage_error(&usage, "token knows create, list and revoke ID");
}
