/* SPDX-License-Identifier: GPL-2.0-only */
/* Backends and containers, the same in both cores; see vfio_shared_container.h. */
#ifndef VFIOSIM_VFIO_CONTAINER_H
#define VFIOSIM_VFIO_CONTAINER_H

#include <vfiosim/kapi/vfio.h>

#include "engine.h"

/* One registered backend ("iommu driver"). */
struct vfio_iommu_driver {
	const struct vfio_iommu_driver_ops *ops;
	struct list_head vfio_next;
};

struct vfio_container {
	struct kref kref;			/* the file, and each attached group */
	struct list_head group_list;		/* newest first; group_lock */
	struct rw_semaphore group_lock;
	struct vfio_iommu_driver *iommu_driver;	/* written under group_lock, read anywhere */
	void *iommu_data;
	bool noiommu;
};

#endif
