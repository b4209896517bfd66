/* JSON with comments and commas before a closing bracket, as in bun.lock and tsconfig.json. */
#ifndef BONDGATE_CODEC_JSONC_H
#define BONDGATE_CODEC_JSONC_H

#include "base/arena.h"
#include "base/str.h"

/* A copy in which comments and such commas are blanks, so that every byte keeps its place and line. What is wrong otherwise is
 * left for the JSON reader to find. p == NULL when the arena is full. */
struct str jsonc_blank(struct arena *a, struct str text);

#endif
