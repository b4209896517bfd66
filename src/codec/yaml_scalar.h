/* Values that stand on one line of YAML: plain, quoted, flow collections. For yaml_block.c only. */
#ifndef BONDGATE_CODEC_YAML_SCALAR_H
#define BONDGATE_CODEC_YAML_SCALAR_H

#include "codec/yaml.h"

/* Every function returns false when the text is not of the simple kind; nothing is said of whether it is YAML at all. */

/* A quoted text at the start of `line`; the rest after it in *ret_rest. */
bool yaml_quoted(struct arena *a, struct str line, struct str *ret_text, struct str *ret_rest);
/* May a plain scalar begin like this? */
bool yaml_plain_start(struct str text, bool flow);
/* The whole text as one value, a comment after it allowed. The node's key stays. */
bool yaml_inline_value(struct arena *a, struct yaml_node *n, struct str text);

#endif
