/* SPDX-License-Identifier: GPL-2.0-only */
/* The invariants of the vfio cores; see invariants.h. */
#ifndef VFIOSIM_INVARIANTS_VFIO_H
#define VFIOSIM_INVARIANTS_VFIO_H

#include "invariants.h"

/* The first that is broken now, among those that may be asked now; or NULL. */
const struct invariant *vfio_invariants_broken(const void **object)
	SIM(vfio_invariants_broken);

/* For struct vfiosim_scenario.check. True under a core from a kernel tree. */
bool vfio_invariants_hold(const void *fixture) SIM(vfio_invariants_hold);

#endif
