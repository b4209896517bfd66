/* Texts that are part of the program: the shipped policies and the sets of publishers, from src/policy/shipped/. */
#ifndef BONDGATE_POLICY_EMBEDDED_H
#define BONDGATE_POLICY_EMBEDDED_H

#include "base/str.h"

enum embedded { EMBEDDED_DEFAULT, EMBEDDED_STRICT, EMBEDDED_PUBLISHER_SETS, EMBEDDED_COUNT };

struct str embedded_text(enum embedded which);

#endif
