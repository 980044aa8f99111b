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
struct inode;
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
	BRIDGE_DMA_UNMAP = 64,
};

/*
 * A backend's table, in the types of 5.14. None of its functions gets a device, so
 * the tree's core can call them itself wherever its kernel has the same type.
 */
struct bridge_iommu {
	const char *name;
	struct module *owner;
	void *(*open)(unsigned long arg);
	void (*release)(void *data);
	ssize_t (*read)(void *data, char *buf, size_t count, loff_t *ppos);
	ssize_t (*write)(void *data, const char *buf, size_t count, loff_t *ppos);
	long (*ioctl)(void *data, unsigned int cmd, unsigned long arg);
	int (*mmap)(void *data, struct vm_area_struct *vma);
	int (*attach_group)(void *data, struct iommu_group *group);
	void (*detach_group)(void *data, struct iommu_group *group);
	int (*pin_pages)(void *data, struct iommu_group *group, unsigned long *user_pfn,
			 int npage, int prot, unsigned long *phys_pfn);
	int (*unpin_pages)(void *data, unsigned long *user_pfn, int npage);
	int (*register_notifier)(void *data, unsigned long *events, struct notifier_block *nb);
	int (*unregister_notifier)(void *data, struct notifier_block *nb);
	int (*dma_rw)(void *data, dma_addr_t iova, void *buffer, size_t count, bool write);
	struct iommu_domain *(*group_iommu_domain)(void *data, struct iommu_group *group);
	void *notify;		/* its second argument is an enum that both sides have */
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

/* The object of a tree that allocates devices. */
void bridge_fill_outer(void *outer, struct device *dev, const void *ops);
size_t bridge_outer_size(void);

/* Fills @to in from kapi's table @ops. */
void bridge_iommu_fill(const void *ops, struct bridge_iommu *to);
/* For a core that calls with more arguments than the driver has. */
int bridge_iommu_attach(const void *ops, void *data, struct iommu_group *group);

/* Tells @outer which set of devices it is in. */
void bridge_set_dev_set(void *outer, void *dev_set);

/* The module parameter as the run has set it. */
bool bridge_noiommu(void);

/* ---- glue_tree.c: calls into the tree's core ---- */
int tree_init(void);
/* Sets the core's own parameter to what bridge_noiommu() says. */
void tree_take_parameter(void);
void tree_exit(void);
bool tree_allocates(void);
void *tree_alloc_device(size_t size, const char *type, struct device *dev, const void *ops);
void tree_put_device(void *outer);
void tree_init_group_dev(void *outer, struct device *dev, const void *ops);
int tree_register(void *outer);
/* NULL: this kernel has no such call. */
int (*tree_register_emulated(void))(void *outer);
void tree_unregister(void *outer);
void *tree_device_get_from_dev(struct device *dev);
void tree_device_put(void *outer);
int tree_assign_device_set(void *outer, void *set_id);
bool tree_try_get(void *outer);
void tree_put(void *outer);
unsigned int tree_registrations(void *outer);
bool tree_has_inodes(void);
struct inode *tree_inode(void *outer);
/* Fills in @facts, a struct vfio_facts, with what can be seen of this core. */
void tree_observe(void *facts);
void *tree_set_entry(struct list_head *node);
unsigned int tree_open_count(void *outer);
bool tree_file_is_valid(struct file *file);
bool tree_file_has_dev(struct file *file, void *outer);
int tree_register_iommu_driver(const void *ops);
void tree_unregister_iommu_driver(const void *ops);
struct iommu_group *tree_iommu_group_get(struct device *dev);
void tree_iommu_group_put(struct iommu_group *group, struct device *dev);
/* Fills in @ops, a struct vfio_core_ops, with those calls that take no device. */
void tree_fill_calls(void *ops);

#endif
