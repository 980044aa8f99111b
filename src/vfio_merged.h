/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The merged core's structures and what its files call of each other.
 * Original: drivers/vfio/vfio.h, 6.12, without iommufd and device nodes.
 */
#ifndef VFIOSIM_VFIO_MERGED_H
#define VFIOSIM_VFIO_MERGED_H

#ifndef VFIO_CORE_SYMBOL
#define VFIO_CORE_SYMBOL(name) __asm__("vfiosim_merged_" #name)
#endif

#include <vfiosim/kapi/idr.h>
#include <vfiosim/kapi/vfio.h>
#include <vfiosim/kapi/vfio_core_ops.h>
#include <vfiosim/kapi/vfio_facts.h>

#include "vfio_container.h"

enum vfio_group_type {
	VFIO_IOMMU,		/* a group of real hardware */
	VFIO_EMULATED_IOMMU,	/* of one mediated device, without DMA of its own */
	VFIO_NO_IOMMU,		/* faked for a device without an IOMMU */
};

struct vfio_group {
	struct device dev;			/* the node; its release frees the group */
	struct cdev cdev;
	refcount_t drivers;			/* registered devices; the last one locked */
	unsigned int container_users;		/* group_lock */
	struct iommu_group *iommu_group;	/* NULL once the last device left; group_lock */
	struct vfio_container *container;	/* group_lock */
	struct list_head device_list;		/* newest first; device_lock */
	struct mutex device_lock;
	struct list_head vfio_next;		/* the global lock */
	struct list_head container_next;	/* container->group_lock */
	enum vfio_group_type type;
	struct mutex group_lock;
	struct kvm *kvm;			/* kvm_ref_lock */
	spinlock_t kvm_ref_lock;
	struct file *opened_file;		/* group_lock */
	struct blocking_notifier_head notifier;
};

/* One open file of a device. */
struct vfio_device_file {
	struct vfio_device *device;
	struct vfio_group *group;
	u8 access_granted;			/* stored with release, read with acquire */
	struct kvm *kvm;
	spinlock_t kvm_ref_lock;
};

/* vfio_merged_main.c */
extern const struct file_operations vfio_device_fops VFIO_CORE_SYMBOL(vfio_device_fops);
struct vfio_device_file *vfio_allocate_device_file(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_allocate_device_file);
int vfio_df_open(struct vfio_device_file *df) VFIO_CORE_SYMBOL(vfio_df_open);
void vfio_df_close(struct vfio_device_file *df) VFIO_CORE_SYMBOL(vfio_df_close);

/* vfio_merged_group.c */
int vfio_device_set_group(struct vfio_device *device, enum vfio_group_type type)
	VFIO_CORE_SYMBOL(vfio_device_set_group);
void vfio_device_remove_group(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_remove_group);
void vfio_device_group_register(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_group_register);
void vfio_device_group_unregister(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_group_unregister);
int vfio_device_group_use_iommu(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_group_use_iommu);
void vfio_device_group_unuse_iommu(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_group_unuse_iommu);
void vfio_df_group_close(struct vfio_device_file *df) VFIO_CORE_SYMBOL(vfio_df_group_close);
bool vfio_device_is_noiommu(struct vfio_device *device)
	VFIO_CORE_SYMBOL(vfio_device_is_noiommu);
struct vfio_group *vfio_group_from_file(struct file *file)
	VFIO_CORE_SYMBOL(vfio_group_from_file);
void vfio_group_observe(struct vfio_facts *facts) VFIO_CORE_SYMBOL(vfio_group_observe);
int vfio_group_init(void) VFIO_CORE_SYMBOL(vfio_group_init);
void vfio_group_cleanup(void) VFIO_CORE_SYMBOL(vfio_group_cleanup);

/* vfio_merged_container.c */
struct vfio_container *vfio_container_from_file(struct file *file)
	VFIO_CORE_SYMBOL(vfio_container_from_file);
int vfio_container_attach_group(struct vfio_container *container, struct vfio_group *group)
	VFIO_CORE_SYMBOL(vfio_container_attach_group);
void vfio_group_detach_container(struct vfio_group *group)
	VFIO_CORE_SYMBOL(vfio_group_detach_container);
int vfio_group_use_container(struct vfio_group *group)
	VFIO_CORE_SYMBOL(vfio_group_use_container);
void vfio_group_unuse_container(struct vfio_group *group)
	VFIO_CORE_SYMBOL(vfio_group_unuse_container);
int vfio_container_init(void) VFIO_CORE_SYMBOL(vfio_container_init);
void vfio_container_cleanup(void) VFIO_CORE_SYMBOL(vfio_container_cleanup);

#endif
