/* The options that subcommands share (DESIGN section 7), read by one table a command. */
#ifndef BONDGATE_CMD_OPTIONS_H
#define BONDGATE_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* What STYLE.md fixes: 0 nothing found, 1 something found, 2 used wrongly, 3 could not do it. */
enum exit_code { EXIT_NOTHING = 0, EXIT_FOUND = 1, EXIT_USAGE = 2, EXIT_CANNOT = 3 };

enum { OPTION_VALUES = 16 };
/* The values of an option that may be given several times. */
struct option_list {
	const char *values[OPTION_VALUES];
	size_t count;
};

/* One option of a command. `value` and `list` take an argument; `flag` does not; exactly one is set. */
struct option_row {
	const char *name;     /* "listen", without the dashes */
	const char *argument; /* "ADDR:PORT" in the help; NULL for a flag */
	const char *help;
	const char **value;
	bool *flag;
	struct option_list *list;
};

struct command_usage {
	const char *synopsis; /* "explain PURL" */
	const char *purpose;  /* one or two sentences */
	const struct option_row *options;
	size_t option_count;
};

/* Reads the options, wherever they stand; `--` ends them. The words that are left are moved to the front of argv (from index 0) and
 * counted in *ret_words. 0; or an exit code to end with: --help was asked for (0 as *ret_done), or something is wrong (EXIT_USAGE, told on
 * standard error). */
int options_read(const struct command_usage *usage, int argc, char **argv, int *ret_words, bool *ret_done);

/* Prints "bondgate: MESSAGE" and the synopsis; EXIT_USAGE. */
int usage_error(const struct command_usage *usage, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
