/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of decisions: what was chosen, and what the script says comes next. */
#ifndef VFIOSIM_CHOICE_H
#define VFIOSIM_CHOICE_H

#include "sched.h"

/* Starts a list with a copy of @script. */
void choice_begin(const struct decision *script, size_t length) SIM(choice_begin);
/* Appends a decision that the script did not make, to be filled in by the caller. */
struct decision *choice_add(void) SIM(choice_add);
/* The rest of the script no longer fits: forget it. */
void choice_diverge(void) SIM(choice_diverge);

#endif
