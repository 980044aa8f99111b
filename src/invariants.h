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

#define VIEW_MAX 512

/* Live objects of one type. */
struct view {
	const char *type;
	unsigned int count;
	void *object[VIEW_MAX];
};

/*
 * Fills @view[0] to @view[@kinds - 1], each with the objects of its type, those that a scenario
 * cannot free included if @immortal. Good until the next step. False: there are more objects
 * of a type than it holds, so nothing may be concluded.
 */
bool view_fill(struct view *view, unsigned int kinds, bool immortal) SIM(view_fill);

/* Walks the objects of one kind in the array "view" of the source. */
#define for_each(kind_, pointer)						\
	for (unsigned int i_##pointer = 0;					\
	     i_##pointer < view[kind_].count &&					\
	     ((pointer) = view[kind_].object[i_##pointer], true); i_##pointer++)

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
