/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole modelled kernel, under its own names. */
#ifndef VFIOSIM_KAPI_H
#define VFIOSIM_KAPI_H

#include <vfiosim/kapi/types.h>
#include <vfiosim/kapi/list.h>
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/atomic.h>
#include <vfiosim/kapi/kref.h>
#include <vfiosim/kapi/lock.h>
#include <vfiosim/kapi/sched.h>
#include <vfiosim/kapi/wait.h>
#include <vfiosim/kapi/work.h>
#include <vfiosim/kapi/rcu.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/idr.h>
#include <vfiosim/kapi/module.h>
#include <vfiosim/kapi/notifier.h>
#include <vfiosim/kapi/rbtree.h>
#include <vfiosim/kapi/fs.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/uaccess.h>
#include <vfiosim/kapi/poll.h>
#include <vfiosim/kapi/eventfd.h>
#include <vfiosim/kapi/io.h>
#include <vfiosim/kapi/device.h>
#include <vfiosim/kapi/iommu.h>
#include <vfiosim/kapi/pci.h>
#include <vfiosim/kapi/vfio.h>
#include <vfiosim/kapi/mdev.h>

#endif
