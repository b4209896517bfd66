/* What the commands about requests read alike from their words. */
#ifndef BONDGATE_CMD_REQUEST_WORDS_H
#define BONDGATE_CMD_REQUEST_WORDS_H

#include "cmd/options.h"

/* Asks on the terminal for one line. 0; -1 when there is no terminal or no answer. */
int ask_reason(const char *what, char *room, size_t size);
/* "requests/7/VERB" from the word "7". 0 or EXIT_USAGE, told. */
int request_path(const struct command_usage *usage, const char *word, const char *verb, char *path, size_t size);

#endif
