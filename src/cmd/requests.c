/* bondgate requests: what was asked for, and what became of it. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cmd/call.h"
#include "cmd/call_table.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/request_words.h"

static void print_list(const struct call_answer *answer)
{
	static const struct call_column columns[] = {
		{"ID", "id", false},         {"KIND", "kind", false},
		{"STATE", "state", false},   {"PACKAGE", "package", false},
		{"RULES", "rules", false},   {"WEIGHS", "severity", false},
		{"BY", "person", false},     {"ASKED", "created", true},
		{"ENDS", "expires", true},   {"DECIDED BY", "decided_by", false},
		{"REASON", "reason", false},
	};

	call_table(buf_str(&answer->body), "requests", columns, sizeof(columns) / sizeof(columns[0]), "no requests");
}

static void print_open(const struct call_answer *answer)
{
	static const struct call_column columns[] = {
		{"ID", "id", false},        {"STATE", "state", false},     {"PACKAGE", "package", false},
		{"RULES", "rules", false},  {"WEIGHS", "severity", false}, {"BY", "person", false},
		{"ASKED", "created", true}, {"FOR", "lasts", false},       {"REASON", "reason", false},
	};

	call_table(buf_str(&answer->body), "requests", columns, sizeof(columns) / sizeof(columns[0]), "nothing waits for a decision");
}

static void print_one(const struct call_answer *answer)
{
	static const char *const members[] = {"id",      "state",   "package", "rules",          "severity",   "person",  "team", "reason",
	                                      "refusal", "created", "lasts",   "first_approver", "decided_by", "decided", "note", "expires"};
	CLEANUP_ARENA struct arena *a = arena_new(MIB);

	for (size_t i = 0; a && i < sizeof(members) / sizeof(members[0]); i++) {
		struct str value = call_member(buf_str(&answer->body), members[i], a);

		if (!value.n)
			continue;
		printf("%-15s ", members[i]);
		output_cell(stdout, value, 0);
		putchar('\n');
	}
}

int cmd_requests(int argc, char **argv)
{
	struct call_options o = {0};
	bool open_only = false, done;
	char path[64];
	const struct option_row rows[] = {
		{.name = "open", .help = "only those that wait for a decision", .flag = &open_only},
		CALL_OPTION_ROWS(o),
	};
	const struct command_usage usage = {"requests [ID] [OPTIONS]",
	                                    "Lists the requests for exceptions, the newest first, or shows one. Break-glass is among them.",
	                                    rows, sizeof(rows) / sizeof(rows[0])};
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	if (words > 1)
		return usage_error(&usage, "requests takes at most one number");
	if (words == 1) {
		r = request_path(&usage, argv[0], "", path, sizeof(path));
		path[r ? 0 : strlen(path) - 1] = '\0';
		return r ? r : call_and_print(&o, "GET", path, STR(""), print_one);
	}
	return call_and_print(&o, "GET", open_only ? "requests?open" : "requests", STR(""), open_only ? print_open : print_list);
}
