/* The end of what gate.h says about rules; for gate.c alone. */
#ifndef BONDGATE_GATE_RULES_H
#define BONDGATE_GATE_RULES_H

#include "gate/gate.h"

void gate_drop_rules(struct gate *g);

#endif
