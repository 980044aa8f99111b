/* SPDX-License-Identifier: GPL-2.0-only */
/* The invariants of the merged core; asked by vfio_invariants_hold(). */
#ifndef VFIOSIM_INVARIANTS_MERGED_H
#define VFIOSIM_INVARIANTS_MERGED_H

#include "invariants.h"

/* The first that is broken now, among those that may be asked now; or NULL. */
const struct invariant *merged_invariants_broken(const void **object)
	SIM(merged_invariants_broken);

#endif
