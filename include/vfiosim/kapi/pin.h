/* SPDX-License-Identifier: GPL-2.0-only */
/* What checkers and tests may know of the pins of simple_pin_fs(). */
#ifndef VFIOSIM_KAPI_PIN_H
#define VFIOSIM_KAPI_PIN_H

#include <vfiosim/kapi/mount.h>

#define PIN_PAIRS_MAX 8

/* One caller-owned pair, met by its addresses; kept for the checkers only. */
struct pin_pair {
	struct file_system_type *type;
	struct vfsmount **mount;
	int *count;
	int balance;		/* successful pins minus releases (INV-3) */
	int in_flight;		/* tasks between their first and last step */
};

/* The n-th pair that was ever used in this run, or NULL. No choice point. */
const struct pin_pair *pin_pair_peek(unsigned int n) SIM(pin_pair_peek);
bool pin_fs_locked(void) SIM(pin_fs_locked);

#endif
