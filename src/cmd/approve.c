/* bondgate approve ID. */
#include "base/limits.h"
#include "cmd/call.h"
#include "cmd/commands.h"
#include "cmd/request_words.h"

int cmd_approve(int argc, char **argv)
{
	struct call_options o = {0};
	const char *reason = NULL;
	const struct option_row rows[] = {
		{.name = "reason", .argument = "TEXT", .help = "a note for the record", .value = &reason},
		CALL_OPTION_ROWS(o),
	};
	const struct command_usage usage = {
		"approve ID [OPTIONS]",
		"Approves somebody else's request: the version is exempt from the named rules until the exception ends. What\n"
		"weighs much needs two people; nobody approves their own request.",
		rows, sizeof(rows) / sizeof(rows[0])};
	CLEANUP_BUF struct buf body = BUF(16 * KIB);
	char path[64];
	bool done;
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	if (words != 1)
		return usage_error(&usage, "approve takes the number of one request: bondgate requests lists them");
	r = request_path(&usage, argv[0], "approve", path, sizeof(path));
	if (r)
		return r;
	call_body(&body, &(const struct call_field){"reason", reason}, 1);
	return call_and_print(&o, "POST", path, buf_str(&body), NULL);
}
