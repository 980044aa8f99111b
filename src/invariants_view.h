/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the invariants of both vfio cores look at: live objects by type, and
 * whether anybody is in the middle of anything. Host side.
 */
#ifndef VFIOSIM_INVARIANTS_VIEW_H
#define VFIOSIM_INVARIANTS_VIEW_H

#include "invariants.h"

enum view_kind {
	FILES,
	CONTAINERS,
	PUTS,
	TABLES,
	KINDS,
};

extern struct view view[KINDS] SIM(view);

/* Looks anew: valid until the next step. False: too many, so nothing may be concluded. */
bool view_take(void) SIM(view_take);
bool is_live(const void *pointer) SIM(is_live);

/*
 * Every task is outside of the kernel, or sleeps in one of unregister's waits.
 * @waiting_out: whether one does; may be NULL.
 */
bool view_is_quiet(bool *waiting_out) SIM(view_is_quiet);

#endif
