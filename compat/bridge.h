/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the two halves of the glue. glue_tree.c sees the tree's linux/vfio.h,
 * glue_port.c sees kapi/vfio.h; both call their own struct vfio_device so, so
 * here it is a void pointer: @outer is kapi's, the one that drivers embed.
 */
#ifndef VFIOSIM_COMPAT_BRIDGE_H
#define VFIOSIM_COMPAT_BRIDGE_H

#include <vfiosim/kapi/list.h>

struct device;
struct file;
struct iommu_domain;
struct iommu_group;
struct module;
struct notifier_block;
struct vm_area_struct;
struct vfio_group;

/* What a driver's table holds: bit per entry, since the core tests for NULL. */
enum bridge_has {
	BRIDGE_READ = 1,
	BRIDGE_WRITE = 2,
	BRIDGE_IOCTL = 4,
	BRIDGE_MMAP = 8,
	BRIDGE_REQUEST = 16,
	BRIDGE_MATCH = 32,
	BRIDGE_INIT = 64,
	BRIDGE_RELEASE = 128,
	BRIDGE_DMA_UNMAP = 256,
	BRIDGE_OPEN = 512,
	BRIDGE_NOTIFY = 1024,
	BRIDGE_ATTACH = 2048,
};

/* ---- glue_port.c: calls into a driver, through its kapi table @ops ---- */
unsigned int bridge_device_has(const void *ops);
const char *bridge_device_ops_name(const void *ops);
int bridge_init(const void *ops, void *outer);
void bridge_release(const void *ops, void *outer);
int bridge_open(const void *ops, void *outer);
void bridge_close(const void *ops, void *outer);
ssize_t bridge_read(const void *ops, void *outer, char *buf, size_t count, loff_t *ppos);
ssize_t bridge_write(const void *ops, void *outer, const char *buf, size_t count, loff_t *ppos);
long bridge_ioctl(const void *ops, void *outer, unsigned int cmd, unsigned long arg);
int bridge_mmap(const void *ops, void *outer, struct vm_area_struct *vma);
void bridge_request(const void *ops, void *outer, unsigned int count);
int bridge_match(const void *ops, void *outer, char *name);
void bridge_dma_unmap(const void *ops, void *outer, u64 iova, u64 length);

/* The object of a tree that allocates devices; @inode may be NULL. */
void bridge_fill_outer(void *outer, struct device *dev, const void *ops, struct inode *inode);
size_t bridge_outer_size(void);

unsigned int bridge_iommu_has(const void *ops);
const char *bridge_iommu_name(const void *ops);
struct module *bridge_iommu_owner(const void *ops);
void *bridge_iommu_open(const void *ops, unsigned long arg);
void bridge_iommu_release(const void *ops, void *data);
long bridge_iommu_ioctl(const void *ops, void *data, unsigned int cmd, unsigned long arg);
int bridge_iommu_attach(const void *ops, void *data, struct iommu_group *group);
void bridge_iommu_detach(const void *ops, void *data, struct iommu_group *group);
void bridge_iommu_notify(const void *ops, void *data, int event);

/* Tells @outer which set of devices it is in. */
void bridge_set_dev_set(void *outer, void *dev_set);

/* The module parameter as the run has set it. */
bool bridge_noiommu(void);

/* ---- glue_tree.c: calls into the tree's core ---- */
int tree_init(void);
void tree_exit(void);
bool tree_allocates(void);
void *tree_alloc_device(size_t size, const char *type, struct device *dev, const void *ops);
void tree_put_device(void *outer);
void tree_init_group_dev(void *outer, struct device *dev, const void *ops);
int tree_register(void *outer);
void tree_unregister(void *outer);
void *tree_device_get_from_dev(struct device *dev);
void tree_device_put(void *outer);
int tree_assign_device_set(void *outer, void *set_id);
bool tree_try_get(void *outer);
void tree_put(void *outer);
void *tree_set_entry(struct list_head *node);
unsigned int tree_open_count(void *outer);
bool tree_file_is_valid(struct file *file);
bool tree_file_has_dev(struct file *file, void *outer);
int tree_register_iommu_driver(const void *ops);
void tree_unregister_iommu_driver(const void *ops);
struct iommu_group *tree_iommu_group_get(struct device *dev);
void tree_iommu_group_put(struct iommu_group *group, struct device *dev);
struct vfio_group *tree_get_external_user(struct file *file);
void tree_put_external_user(struct vfio_group *group);
bool tree_has_external_users(void);

#endif
