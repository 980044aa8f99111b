/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port's own structures, for vfio_core.c and for those that check it from
 * outside (invariants_vfio.c, tests). Originals: drivers/vfio/vfio.c, 5.14-rc.
 */
#ifndef VFIOSIM_VFIO_CORE_H
#define VFIOSIM_VFIO_CORE_H

#ifndef VFIO_CORE_SYMBOL
#define VFIO_CORE_SYMBOL(name) __asm__("vfiosim_port_" #name)
#endif

#include <vfiosim/kapi/idr.h>
#include <vfiosim/kapi/vfio.h>
#include <vfiosim/kapi/vfio_core_ops.h>
#include <vfiosim/kapi/vfio_core_select.h>
#include <vfiosim/kapi/work.h>
#include <vfiosim/kapi/vfio_facts.h>

#include "vfio_container.h"

struct vfio {
	struct class *class;
	struct list_head iommu_drivers_list;	/* newest first; iommu_drivers_lock */
	struct mutex iommu_drivers_lock;
	struct list_head group_list;		/* newest first; group_lock */
	struct idr group_idr;			/* minors; group_lock */
	struct mutex group_lock;
	struct cdev group_cdev;
	dev_t group_devt;
	struct vfsmount *vfio_fs_mnt;		/* this pair belongs to simple_pin_fs() */
	int vfio_fs_cnt;
};

/* A device on its way out of a driver: still bound, no longer a live vfio device. */
struct vfio_unbound_dev {
	struct device *dev;
	struct list_head unbound_next;
};

struct vfio_group {
	struct kref kref;			/* 1 -> 0 under vfio.group_lock */
	int minor;
	atomic_t container_users;
	struct iommu_group *iommu_group;	/* one reference */
	struct vfio_container *container;	/* no lock covers it */
	struct list_head device_list;		/* newest first; device_lock */
	struct mutex device_lock;
	struct device *dev;			/* the node */
	struct notifier_block nb;		/* on the iommu group's chain */
	struct list_head vfio_next;
	struct list_head container_next;
	struct list_head unbound_list;		/* newest first; unbound_lock */
	struct mutex unbound_lock;
	atomic_t opened;			/* open file descriptions: 0 or 1 */
	wait_queue_head_t container_q;
	bool noiommu;
	unsigned int dev_counter;		/* written under device_lock */
	struct kvm *kvm;
	struct blocking_notifier_head notifier;
};

extern struct vfio vfio VFIO_CORE_SYMBOL(vfio);

extern const struct file_operations vfio_group_fops VFIO_CORE_SYMBOL(vfio_group_fops);
extern const struct file_operations vfio_fops VFIO_CORE_SYMBOL(vfio_fops);
extern const struct file_operations vfio_device_fops VFIO_CORE_SYMBOL(vfio_device_fops);

#endif
