// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which kernel is modelled where versions differ. No kernel original; no lock, since it is
 * set before a run's first step.
 */
#include <vfiosim/kapi/types.h>

enum kernel_version kernel_version KSTATE = KERNEL_5_14;
