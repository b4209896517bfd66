/* What commands print: text from strangers made harmless for terminals, and JSON in pieces. */
#ifndef BONDGATE_CMD_OUTPUT_H
#define BONDGATE_CMD_OUTPUT_H

#include <stdio.h>

#include "codec/json.h"

/* Characters that a terminal shows for this text. */
size_t output_width(struct str text);
/* The text with control characters as '?' ("-" for the empty one), filled up with blanks to `width`. */
void output_cell(FILE *to, struct str text, size_t width);

/* A member with null for the empty text. */
void output_member(struct json_writer *w, const char *key, struct str value);
/* Writes out what the writer made so far and forgets it. 0 or -EIO, or the buffer's error. */
int output_flush(struct json_writer *w, FILE *to);

#endif
