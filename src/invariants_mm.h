/* SPDX-License-Identifier: GPL-2.0-only */
/* The invariants of address spaces, as a table; see src/invariants.h. */
#ifndef VFIOSIM_INVARIANTS_MM_H
#define VFIOSIM_INVARIANTS_MM_H

#include "invariants.h"

/* Numbers are those of I-n in section K of docs/spec/mm.md. */
extern const struct invariant mm_invariants[] SIM(mm_invariants);
extern const size_t mm_invariants_count SIM(mm_invariants_count);

/* The first that does not hold now, or NULL; *object: what breaks it, or NULL. */
const struct invariant *mm_invariants_broken(const void **object) SIM(mm_invariants_broken);

/*
 * For struct vfiosim_scenario.check: asks all of them and reports the first that
 * is broken as "invariant". True if all hold.
 */
bool mm_invariants_hold(const void *fixture) SIM(mm_invariants_hold);

#endif
