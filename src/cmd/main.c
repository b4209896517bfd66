/* bondgate: one binary, subcommands as in git. */
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/options.h"

static const struct command {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
#define X(function, name, help) {name, help, function},
	COMMANDS(X)
#undef X
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_commands(FILE *to)
{
	fprintf(to, "usage: bondgate COMMAND [ARGUMENTS]\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(to, "  %-13s%s\n", commands[i].name, commands[i].help);
	fprintf(to, "\n`bondgate COMMAND --help` says more.\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_commands(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_commands(stdout);
		return EXIT_NOTHING;
	}
	if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0) {
		printf("bondgate %s\n", BONDGATE_VERSION);
		return EXIT_NOTHING;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "bondgate: there is no command %s\n", argv[1]);
	print_commands(stderr);
	return EXIT_USAGE;
}
