/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the invariants of both vfio cores look at: live objects by type, and
 * whether anybody is in the middle of anything. Host side.
 */
#ifndef VFIOSIM_INVARIANTS_VIEW_H
#define VFIOSIM_INVARIANTS_VIEW_H

#include <stdbool.h>

#define VIEW_MAX 512

enum view_kind {
	FILES,
	CONTAINERS,
	PUTS,
	TABLES,
	KINDS,
};

/* Live objects of one type. */
struct view {
	const char *type;
	unsigned int count;
	void *object[VIEW_MAX];
};

extern struct view view[KINDS] __asm__("vfiosim_view");

#define for_each(kind_, pointer)						\
	for (unsigned int i_##pointer = 0;					\
	     i_##pointer < view[kind_].count &&					\
	     ((pointer) = view[kind_].object[i_##pointer], true); i_##pointer++)

/* Looks anew: valid until the next step. False: too many, so nothing may be concluded. */
bool view_take(void) __asm__("vfiosim_view_take");
bool is_live(const void *pointer) __asm__("vfiosim_view_is_live");

/*
 * Every task is outside of the kernel, or sleeps in one of unregister's waits.
 * @waiting_out: whether one does; may be NULL.
 */
bool view_is_quiet(bool *waiting_out) __asm__("vfiosim_view_is_quiet");

#endif
