/* Shared by the files of the minisign reader and writer. */
#ifndef BONDGATE_CODEC_MINISIGN_KEY_H
#define BONDGATE_CODEC_MINISIGN_KEY_H

#include "base/str.h"

/* The next line without its end ("\n" or "\r\n"). */
struct str minisign_next_line(struct str *rest);

#endif
