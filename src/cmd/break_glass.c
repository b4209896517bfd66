/* bondgate break-glass PURL: one person alone, for a day at most, loudly (rule 10). */
#include "base/limits.h"
#include "cmd/call.h"
#include "cmd/commands.h"
#include "cmd/request_words.h"

int cmd_break_glass(int argc, char **argv)
{
	struct call_options o = {0};
	const char *reason = NULL, *lasts = NULL, *rules = NULL;
	const struct option_row rows[] = {
		{.name = "reason", .argument = "TEXT", .help = "why it cannot wait", .value = &reason},
		{.name = "for", .argument = "4h", .help = "how long (default and most: what the policy allows, at most 24h)", .value = &lasts},
		{.name = "rules", .argument = "RULES", .help = "what to lift (default: all that refuse it)", .value = &rules},
		CALL_OPTION_ROWS(o),
	};
	const struct command_usage usage = {
		"break-glass PURL --reason TEXT [OPTIONS]",
		"Lifts what refuses a version at once and without a second person, for a day at most. The owners are told, and\n"
		"it stands out in the evidence. It needs the role approver or admin, and never lifts malware or a changed hash.",
		rows, sizeof(rows) / sizeof(rows[0])};
	CLEANUP_BUF struct buf body = BUF(64 * KIB);
	char room[1024];
	bool done;
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	if (words != 1)
		return usage_error(&usage, "break-glass takes one version, for example npm:left-pad@1.3.0");
	if (!reason && ask_reason("Why can it not wait?", room, sizeof(room)) == 0)
		reason = room;
	if (!reason || !*reason)
		return usage_error(&usage, "why can it not wait? Say so with --reason \"…\": the owners read it");
	call_body(&body, (const struct call_field[]){{"purl", argv[0]}, {"reason", reason}, {"for", lasts}, {"rules", rules}}, 4);
	return call_and_print(&o, "POST", "break-glass", buf_str(&body), NULL);
}
