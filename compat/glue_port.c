// SPDX-License-Identifier: GPL-2.0-only
/*
 * The half of the glue that sees kapi/vfio.h: the table by which the library
 * reaches a core that was built from a kernel tree.
 */
#include <vfiosim/kapi.h>
#include <vfiosim/kapi/vfio.h>
#include <vfiosim/kapi/vfio_core_ops.h>
#include <vfiosim/kapi/vfio_core_select.h>
#include <vfiosim/kapi/vfio_facts.h>

#include "bridge.h"

/* ---- into a driver ---- */

unsigned int bridge_device_has(const void *ops)
{
	const struct vfio_device_ops *o = ops;

	return (o->read ? BRIDGE_READ : 0) | (o->write ? BRIDGE_WRITE : 0) |
	       (o->ioctl ? BRIDGE_IOCTL : 0) | (o->mmap ? BRIDGE_MMAP : 0) |
	       (o->request ? BRIDGE_REQUEST : 0) | (o->match ? BRIDGE_MATCH : 0) |
	       (o->dma_unmap ? BRIDGE_DMA_UNMAP : 0);
}

const char *bridge_device_ops_name(const void *ops)
{
	return ((const struct vfio_device_ops *)ops)->name;
}

int bridge_init(const void *ops, void *outer)
{
	const struct vfio_device_ops *o = ops;

	return o->init ? o->init(outer) : 0;
}

void bridge_release(const void *ops, void *outer)
{
	const struct vfio_device_ops *o = ops;

	if (o->release)
		o->release(outer);
}

int bridge_open(const void *ops, void *outer)
{
	const struct vfio_device_ops *o = ops;

	if (tree_allocates())
		return o->open_device ? o->open_device(outer) : 0;
	return o->open(outer);
}

void bridge_close(const void *ops, void *outer)
{
	const struct vfio_device_ops *o = ops;

	if (!tree_allocates())
		o->release(outer);
	else if (o->close_device)
		o->close_device(outer);
}

ssize_t bridge_read(const void *ops, void *outer, char *buf, size_t count, loff_t *ppos)
{
	return ((const struct vfio_device_ops *)ops)->read(outer, buf, count, ppos);
}

ssize_t bridge_write(const void *ops, void *outer, const char *buf, size_t count, loff_t *ppos)
{
	return ((const struct vfio_device_ops *)ops)->write(outer, buf, count, ppos);
}

long bridge_ioctl(const void *ops, void *outer, unsigned int cmd, unsigned long arg)
{
	return ((const struct vfio_device_ops *)ops)->ioctl(outer, cmd, arg);
}

int bridge_mmap(const void *ops, void *outer, struct vm_area_struct *vma)
{
	return ((const struct vfio_device_ops *)ops)->mmap(outer, vma);
}

void bridge_request(const void *ops, void *outer, unsigned int count)
{
	((const struct vfio_device_ops *)ops)->request(outer, count);
}

int bridge_match(const void *ops, void *outer, char *name)
{
	return ((const struct vfio_device_ops *)ops)->match(outer, name);
}

void bridge_dma_unmap(const void *ops, void *outer, u64 iova, u64 length)
{
	((const struct vfio_device_ops *)ops)->dma_unmap(outer, iova, length);
}

void bridge_fill_outer(void *outer, struct device *dev, const void *ops)
{
	struct vfio_device *device = outer;

	device->dev = dev;
	device->ops = ops;
}

void bridge_set_dev_set(void *outer, void *dev_set)
{
	/* The members that drivers use, lock and device_list, lie in both alike. */
	((struct vfio_device *)outer)->dev_set = dev_set;
}

size_t bridge_outer_size(void)
{
	return offsetof(struct vfio_device, tree);
}

/* ---- into a backend ---- */

void bridge_iommu_fill(const void *ops, struct bridge_iommu *to)
{
	const struct vfio_iommu_driver_ops *o = ops;

	*to = (struct bridge_iommu){
		.name = o->name,
		.owner = o->owner,
		.open = o->open,
		.release = o->release,
		.read = o->read,
		.write = o->write,
		.ioctl = o->ioctl,
		.mmap = o->mmap,
		.attach_group = o->attach_group,
		.detach_group = o->detach_group,
		.pin_pages = o->pin_pages,
		.unpin_pages = o->unpin_pages,
		.register_notifier = o->register_notifier,
		.unregister_notifier = o->unregister_notifier,
		.dma_rw = o->dma_rw,
		.group_iommu_domain = o->group_iommu_domain,
		.notify = o->notify,
	};
}

int bridge_iommu_attach(const void *ops, void *data, struct iommu_group *group)
{
	return ((const struct vfio_iommu_driver_ops *)ops)->attach_group(data, group);
}

bool bridge_noiommu(void)
{
	return vfio_noiommu;
}

/* ---- the core's table ---- */

static struct vfio_device *core_get_from_dev(struct device *dev)
{
	return tree_device_get_from_dev(dev);
}

static void core_put(struct vfio_device *device)
{
	tree_device_put(device);
}

static struct vfio_device *core_alloc(size_t size, const char *type, struct device *dev,
				      const struct vfio_device_ops *ops)
{
	return tree_alloc_device(size, type, dev, ops);
}

static void core_put_device(struct vfio_device *device)
{
	tree_put_device(device);
}

static void core_init_group_dev(struct vfio_device *device, struct device *dev,
				const struct vfio_device_ops *ops)
{
	tree_init_group_dev(device, dev, ops);
}

static int core_register(struct vfio_device *device)
{
	return tree_register(device);
}

static void core_unregister(struct vfio_device *device)
{
	tree_unregister(device);
}

static int core_assign_set(struct vfio_device *device, void *set_id)
{
	return tree_assign_device_set(device, set_id);
}

static bool core_try_get(struct vfio_device *device)
{
	return tree_try_get(device);
}

static void core_put_registration(struct vfio_device *device)
{
	tree_put(device);
}

static struct vfio_device *core_set_entry(struct list_head *node)
{
	return tree_set_entry(node);
}

static unsigned int core_open_count(struct vfio_device *device)
{
	return tree_open_count(device);
}

static unsigned int core_registrations(struct vfio_device *device)
{
	return tree_registrations(device);
}

static struct inode *core_inode(struct vfio_device *device)
{
	return tree_inode(device);
}

static void core_observe(struct vfio_facts *facts)
{
	/* A file of the core may be the next to ask for it, and those pass by this glue. */
	tree_take_parameter();
	tree_observe(facts);
}

static bool core_file_has_dev(struct file *file, struct vfio_device *device)
{
	return tree_file_has_dev(file, device);
}

static int core_register_iommu(const struct vfio_iommu_driver_ops *ops)
{
	return tree_register_iommu_driver(ops);
}

static void core_unregister_iommu(const struct vfio_iommu_driver_ops *ops)
{
	tree_unregister_iommu_driver(ops);
}

static struct vfio_core_ops core_ops = {
	.vfio_iommu_group_get = tree_iommu_group_get,
	.vfio_iommu_group_put = tree_iommu_group_put,
	.vfio_init_group_dev = core_init_group_dev,
	.vfio_register_group_dev = core_register,
	.vfio_unregister_group_dev = core_unregister,
	.vfio_device_get_from_dev = core_get_from_dev,
	.vfio_device_put = core_put,
	.vfio_assign_device_set = core_assign_set,
	.vfio_device_try_get_registration = core_try_get,
	.vfio_device_put_registration = core_put_registration,
	.vfio_device_set_entry = core_set_entry,
	.vfio_device_open_count = core_open_count,
	.vfio_device_registrations = core_registrations,
	.vfio_device_inode = core_inode,
	.vfio_file_is_valid = tree_file_is_valid,
	.vfio_file_has_dev = core_file_has_dev,
	.vfio_register_iommu_driver = core_register_iommu,
	.vfio_unregister_iommu_driver = core_unregister_iommu,
};

static struct vfiosim_core tree_core = {
	.name = "tree",
	.summary = "built from a kernel tree by vfiosim-kbuild",
	.init = tree_init,
	.exit = tree_exit,
	.observe = core_observe,
	.ops = &core_ops,
};

/* What the library looks for in a core file. */
__attribute__((visibility("default"))) const struct vfiosim_core *vfiosim_tree_core(void);
__attribute__((visibility("default"))) const unsigned long vfiosim_tree_abi = VFIOSIM_CORE_ABI;

const struct vfiosim_core *vfiosim_tree_core(void)
{
	if (tree_allocates()) {
		core_ops._vfio_alloc_device = core_alloc;
		core_ops.vfio_put_device = core_put_device;
		core_ops.vfio_init_group_dev = NULL;
	}
	tree_core.device_inodes = tree_has_inodes();
	core_ops.vfio_register_emulated_iommu_dev = (void *)tree_register_emulated();
	tree_fill_calls(&core_ops);
	return &tree_core;
}
