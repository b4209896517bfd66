/* The plain block style in which package managers write lockfiles, read many times as fast as libyaml does: one key a line,
 * values plain, quoted or a flow collection on the same line. The tree is that of yaml_parse, which is the oracle of its
 * tests, with one difference: the text of a block scalar (`|`, `>`) is left out (p == NULL, quoted). */
#ifndef BONDGATE_CODEC_YAML_BLOCK_H
#define BONDGATE_CODEC_YAML_BLOCK_H

#include "codec/yaml.h"

/* 0; -EOPNOTSUPP when the text holds anything else, also when it is wrong: yaml_parse is then to be asked. -ENOMEM. Texts are
 * slices of the input where they need no unescaping. */
int yaml_parse_block(struct arena *a, struct str text, struct yaml_node **ret);

/* Cuts a stream at its "---" lines: true and the next document in *ret, with the lines before it in *ret_lines. `rest` and
 * `lines` are the caller's place, at first the whole text and 0. Empty documents are passed over. */
bool yaml_next_document(struct str *rest, unsigned *lines, struct str *ret, unsigned *ret_lines);

#endif
