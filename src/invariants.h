/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must hold between any two steps of any run. A predicate looks at the
 * state and at nothing else: it has no memory and no choice points.
 */
#ifndef VFIOSIM_INVARIANTS_H
#define VFIOSIM_INVARIANTS_H

#include <stdbool.h>
#include <stddef.h>

#include <vfiosim/kapi/types.h>

struct invariant {
	int number;			/* INV-number of docs/spec/fs.md */
	const char *name;
	const char *says;
	bool (*holds)(const void **object);	/* *object: what breaks it */
};

extern const struct invariant fs_invariants[] SIM(fs_invariants);
extern const size_t fs_invariants_count SIM(fs_invariants_count);

/* The first that does not hold now, or NULL; *object: what breaks it, or NULL. */
const struct invariant *fs_invariants_broken(const void **object) SIM(fs_invariants_broken);

/*
 * For struct vfiosim_scenario.check: asks all of them and reports the first that
 * is broken, by its number ("inv-5"). True if all hold.
 */
bool fs_invariants_hold(const void *fixture) SIM(fs_invariants_hold);

#endif
