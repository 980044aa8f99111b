/* SPDX-License-Identifier: GPL-2.0-only */
/* struct kref lives beside refcount_t. */
#ifndef VFIOSIM_KAPI_KREF_H
#define VFIOSIM_KAPI_KREF_H

#include <vfiosim/kapi/atomic.h>

#endif
