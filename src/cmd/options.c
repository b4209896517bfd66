#include "cmd/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void print_help(const struct command_usage *usage)
{
	printf("usage: bondgate %s\n\n%s\n", usage->synopsis, usage->purpose);
	if (usage->option_count)
		printf("\n");
	for (size_t i = 0; i < usage->option_count; i++) {
		const struct option_row *o = &usage->options[i];
		int n = printf("  --%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");

		printf("%*s%s\n", n < 28 ? 28 - n : 1, "", o->help);
	}
}

int usage_error(const struct command_usage *usage, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bondgate: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nusage: bondgate %s\n", usage->synopsis);
	return EXIT_USAGE;
}

static const struct option_row *find(const struct command_usage *usage, const char *name, size_t length)
{
	for (size_t i = 0; i < usage->option_count; i++)
		if (strlen(usage->options[i].name) == length && memcmp(usage->options[i].name, name, length) == 0)
			return &usage->options[i];
	return NULL;
}

static bool take_value(const struct option_row *option, const char *value)
{
	if (!option->list) {
		*option->value = value;
		return true;
	}
	if (option->list->count == OPTION_VALUES)
		return false;
	option->list->values[option->list->count++] = value;
	return true;
}

int options_read(const struct command_usage *usage, int argc, char **argv, int *ret_words, bool *ret_done)
{
	int words = 0;
	bool ended = false;

	*ret_done = false;
	for (int i = 1; i < argc; i++) {
		char *word = argv[i], *equals;
		const struct option_row *option;

		if (!ended && strcmp(word, "--") == 0) {
			ended = true;
			continue;
		}
		if (ended || word[0] != '-' || word[1] == '\0') {
			argv[words++] = word;
			continue;
		}
		if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			print_help(usage);
			*ret_done = true;
			return 0;
		}
		equals = strchr(word, '=');
		option = word[1] == '-' ? find(usage, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2)) : NULL;
		if (!option)
			return usage_error(usage, "unknown option %s", word);
		if (option->flag) {
			if (equals)
				return usage_error(usage, "--%s takes no value", option->name);
			*option->flag = true;
		} else if (!equals && i + 1 == argc) {
			return usage_error(usage, "--%s needs a value: %s", option->name, option->argument);
		} else if (!take_value(option, equals ? equals + 1 : argv[++i])) {
			return usage_error(usage, "--%s may be given %d times at most", option->name, OPTION_VALUES);
		}
	}
	*ret_words = words;
	return 0;
}
