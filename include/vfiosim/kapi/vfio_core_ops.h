/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of kapi/vfio.h that differ between cores, as a table that each core
 * fills. A NULL entry is a call that the core's kernel does not have.
 */
#ifndef VFIOSIM_KAPI_VFIO_CORE_OPS_H
#define VFIOSIM_KAPI_VFIO_CORE_OPS_H

#include <vfiosim/kapi/sched.h>
#include <vfiosim/kapi/vfio.h>
#include <vfiosim/kapi/vfio_core_select.h>

/* X(result, name, parameters, arguments); L for the one that waits until nobody is left */
#define VFIO_CORE_CALLS_EACH(X, L)							\
	X(struct iommu_group *, vfio_iommu_group_get, (struct device *dev), (dev))	\
	X(void, vfio_iommu_group_put, (struct iommu_group *group, struct device *dev),	\
	  (group, dev))									\
	X(void, vfio_init_group_dev, (struct vfio_device *device, struct device *dev,	\
	  const struct vfio_device_ops *ops), (device, dev, ops))			\
	X(int, vfio_register_group_dev, (struct vfio_device *device), (device))		\
	X(int, vfio_register_emulated_iommu_dev, (struct vfio_device *device), (device)) \
	L(void, vfio_unregister_group_dev, (struct vfio_device *device), (device))	\
	X(struct vfio_device *, vfio_device_get_from_dev, (struct device *dev), (dev))	\
	X(void, vfio_device_put, (struct vfio_device *device), (device))		\
	X(struct vfio_device *, _vfio_alloc_device, (size_t size, const char *type,	\
	  struct device *dev, const struct vfio_device_ops *ops), (size, type, dev, ops)) \
	X(void, vfio_put_device, (struct vfio_device *device), (device))		\
	X(bool, vfio_device_try_get_registration, (struct vfio_device *device), (device)) \
	X(void, vfio_device_put_registration, (struct vfio_device *device), (device))	\
	X(int, vfio_assign_device_set, (struct vfio_device *device, void *set_id),	\
	  (device, set_id))								\
	X(struct vfio_device *, vfio_device_set_entry, (struct list_head *node), (node)) \
	X(unsigned int, vfio_device_open_count, (struct vfio_device *device), (device))	\
	X(unsigned int, vfio_device_registrations, (struct vfio_device *device), (device)) \
	X(struct inode *, vfio_device_inode, (struct vfio_device *device), (device))	\
	X(int, vfio_register_iommu_driver, (const struct vfio_iommu_driver_ops *ops), (ops)) \
	X(void, vfio_unregister_iommu_driver, (const struct vfio_iommu_driver_ops *ops), \
	  (ops))									\
	X(struct vfio_group *, vfio_group_get_external_user, (struct file *filep), (filep)) \
	X(void, vfio_group_put_external_user, (struct vfio_group *group), (group))	\
	X(struct vfio_group *, vfio_group_get_external_user_from_dev,			\
	  (struct device *dev), (dev))							\
	X(bool, vfio_external_group_match_file, (struct vfio_group *group,		\
	  struct file *filep), (group, filep))						\
	X(int, vfio_external_user_iommu_id, (struct vfio_group *group), (group))	\
	X(long, vfio_external_check_extension, (struct vfio_group *group,		\
	  unsigned long arg), (group, arg))						\
	X(int, vfio_pin_pages, (struct device *dev, unsigned long *user_pfn, int npage,	\
	  int prot, unsigned long *phys_pfn), (dev, user_pfn, npage, prot, phys_pfn))	\
	X(int, vfio_unpin_pages, (struct device *dev, unsigned long *user_pfn, int npage), \
	  (dev, user_pfn, npage))							\
	X(int, vfio_group_pin_pages, (struct vfio_group *group, unsigned long *user_iova_pfn, \
	  int npage, int prot, unsigned long *phys_pfn),				\
	  (group, user_iova_pfn, npage, prot, phys_pfn))				\
	X(int, vfio_group_unpin_pages, (struct vfio_group *group,			\
	  unsigned long *user_iova_pfn, int npage), (group, user_iova_pfn, npage))	\
	X(int, vfio_dma_rw, (struct vfio_group *group, dma_addr_t user_iova, void *data, \
	  size_t len, bool write), (group, user_iova, data, len, write))		\
	X(struct iommu_domain *, vfio_group_iommu_domain, (struct vfio_group *group), (group)) \
	X(int, vfio_register_notifier, (struct device *dev, enum vfio_notify_type type,	\
	  unsigned long *events, struct notifier_block *nb), (dev, type, events, nb))	\
	X(int, vfio_unregister_notifier, (struct device *dev, enum vfio_notify_type type, \
	  struct notifier_block *nb), (dev, type, nb))					\
	X(void, vfio_group_set_kvm, (struct vfio_group *group, struct kvm *kvm), (group, kvm)) \
	X(bool, vfio_file_is_valid, (struct file *file), (file))			\
	X(bool, vfio_file_has_dev, (struct file *file, struct vfio_device *device),	\
	  (file, device))								\
	X(void, vfio_file_set_kvm, (struct file *file, struct kvm *kvm), (file, kvm))

#define VFIO_CORE_CALLS(X) VFIO_CORE_CALLS_EACH(X, X)

struct vfio_core_ops {
#define X(result, name, parameters, arguments) result (*name) parameters;
	VFIO_CORE_CALLS(X)
#undef X
};

/* Differs where a core file was made for another version of this library. */
#define VFIOSIM_CORE_ABI						\
	(sizeof(struct vfiosim_core) + (sizeof(struct vfio_core_ops) << 8) +	\
	 (sizeof(struct vfio_device) << 20) + (sizeof(struct task_struct) << 32))

extern const struct vfiosim_core vfio_core_port SIM(vfio_core_port);
extern const struct vfiosim_core vfio_core_merged SIM(vfio_core_merged);

#endif
