/* SPDX-License-Identifier: GPL-2.0-only */
/* Scenarios whose code is compiled with -fsanitize=thread; see test-tsan.c. */
#ifndef PLAIN_ACCESS_H
#define PLAIN_ACCESS_H

#include <vfiosim.h>

extern const struct vfiosim_scenario plain_unlocked;	/* a counter without its lock */
extern const struct vfiosim_scenario plain_locked;
extern const struct vfiosim_scenario plain_completed;	/* written, completed, read */
extern const struct vfiosim_scenario plain_marked;	/* WRITE_ONCE and READ_ONCE */
extern const struct vfiosim_scenario plain_half_marked;	/* a plain write, READ_ONCE */
extern const struct vfiosim_scenario plain_readers;	/* two readers of an rwsem, one writes */
extern const struct vfiosim_scenario plain_neighbours;	/* two bytes of one word */
extern const struct vfiosim_scenario plain_lost_update;	/* ends with one increment lost */

#endif
