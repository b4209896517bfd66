/* bondgate reject ID: says no to a request, or ends an exception before its time. */
#include "base/limits.h"
#include "cmd/call.h"
#include "cmd/commands.h"
#include "cmd/request_words.h"

int cmd_reject(int argc, char **argv)
{
	struct call_options o = {0};
	const char *reason = NULL;
	char room[1024], path[64];
	bool revoke = false, done;
	const struct option_row rows[] = {
		{.name = "reason", .argument = "TEXT", .help = "why: the one who asked reads it", .value = &reason},
		{.name = "revoke", .help = "end an exception that was approved, or a break-glass", .flag = &revoke},
		CALL_OPTION_ROWS(o),
	};
	const struct command_usage usage = {"reject ID --reason TEXT [OPTIONS]",
	                                    "Rejects a request; with --revoke, ends the exception that it became.", rows,
	                                    sizeof(rows) / sizeof(rows[0])};
	CLEANUP_BUF struct buf body = BUF(16 * KIB);
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	if (words != 1)
		return usage_error(&usage, "reject takes the number of one request: bondgate requests lists them");
	r = request_path(&usage, argv[0], revoke ? "revoke" : "reject", path, sizeof(path));
	if (r)
		return r;
	if (!reason && ask_reason("Why not?", room, sizeof(room)) == 0)
		reason = room;
	if (!reason || !*reason)
		return usage_error(&usage, "why? Say so with --reason \"…\": the one who asked reads it");
	call_body(&body, &(const struct call_field){"reason", reason}, 1);
	return call_and_print(&o, "POST", path, buf_str(&body), NULL);
}
