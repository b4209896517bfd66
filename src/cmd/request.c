/* bondgate request PURL: asks for an exception; withdraws the question. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/call.h"
#include "cmd/commands.h"
#include "cmd/request_words.h"

int ask_reason(const char *what, char *room, size_t size)
{
	size_t n;

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return -1;
	fprintf(stderr, "%s ", what);
	fflush(stderr);
	if (!fgets(room, (int)size, stdin))
		return -1;
	n = strlen(room);
	while (n && (room[n - 1] == '\n' || room[n - 1] == ' '))
		room[--n] = '\0';
	return n ? 0 : -1;
}

int request_path(const struct command_usage *usage, const char *word, const char *verb, char *path, size_t size)
{
	uint64_t id;

	if (str_to_u64(str_of(word), &id) < 0 || id == 0)
		return usage_error(usage, "\"%s\" is no number of a request: bondgate requests lists them", word);
	snprintf(path, size, "requests/%llu/%s", (unsigned long long)id, verb);
	return 0;
}

int cmd_request(int argc, char **argv)
{
	struct call_options o = {0};
	const char *reason = NULL, *lasts = NULL, *rules = NULL, *range = NULL, *withdraw = NULL;
	const struct option_row rows[] = {
		{.name = "reason", .argument = "TEXT", .help = "why: the one who approves it reads it", .value = &reason},
		{.name = "for", .argument = "7d", .help = "how long it is needed (default 30d, or what the policy allows)", .value = &lasts},
		{.name = "rules",
	     .argument = "RULES",
	     .help = "what to lift: \"cooldown install-script\" (default: all that refuse it)",
	     .value = &rules},
		{.name = "range", .argument = "RANGE", .help = "not this version alone but these: \"^1.14.1\"", .value = &range},
		{.name = "withdraw", .argument = "ID", .help = "take your own request back", .value = &withdraw},
		CALL_OPTION_ROWS(o),
	};
	const struct command_usage usage = {
		"request PURL --reason TEXT [OPTIONS]",
		"Asks for an exception for a version that was refused (npm:axios@1.14.1). Somebody else approves it:\n"
		"bondgate approve ID. Malware and changed hashes are not to be asked away.",
		rows, sizeof(rows) / sizeof(rows[0])};
	CLEANUP_BUF struct buf body = BUF(64 * KIB);
	char room[1024], path[64];
	bool done;
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	if (withdraw) {
		if (words)
			return usage_error(&usage, "--withdraw takes the number of a request and nothing else");
		r = request_path(&usage, withdraw, "withdraw", path, sizeof(path));
		return r ? r : call_and_print(&o, "POST", path, STR(""), NULL);
	}
	if (words != 1)
		return usage_error(&usage, "request takes one version, for example npm:left-pad@1.3.0");
	if (!reason && ask_reason("Why is it needed?", room, sizeof(room)) == 0)
		reason = room;
	if (!reason || !*reason)
		return usage_error(&usage, "why is it needed? Say so with --reason \"…\": the one who approves it reads it");
	call_body(&body, (const struct call_field[]){{"purl", argv[0]}, {"reason", reason}, {"for", lasts}, {"rules", rules}, {"range", range}},
	          5);
	return call_and_print(&o, "POST", "requests", buf_str(&body), NULL);
}
