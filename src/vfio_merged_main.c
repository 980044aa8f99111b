// SPDX-License-Identifier: GPL-2.0-only
/*
 * The merged core: device objects, their files, the module. Follows
 * drivers/vfio/vfio_main.c of 6.12.
 *
 * The inode belongs to the object, from vfio_alloc_device() to the last
 * vfio_put_device(), registered or not: whoever walks a device set may zap a
 * member that has been unregistered already.
 *
 * Lock order (outer first):
 *
 *   vfio_group.group_lock		(vfio_merged_group.c)
 *     vfio_device_set.lock
 *   device_set_lock			(innermost)
 */
#define KBUILD_MODNAME vfio

#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/sched.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/uaccess.h>

#include "vfio_merged.h"
#include "vfio_shared_device.h"

#define VFIO_MAGIC 0x5646494f	/* "VFIO" */

static KSTATE struct vfio {
	struct class *device_class;
	struct ida device_ida;
	struct vfsmount *vfs_mount;	/* this pair belongs to simple_pin_fs() */
	int fs_count;
} vfio;

/* ---- sets of devices that are reset together ---- */

/* The kernel keys an xarray by set_id and takes its lock. */
static KSTATE LIST_HEAD(device_sets);
static KSTATE DEFINE_SPINLOCK(device_set_lock);

static struct vfio_device_set *vfio_device_set_find(void *set_id)
{
	struct vfio_device_set *dev_set;

	list_for_each_entry(dev_set, &device_sets, next)
		if (dev_set->set_id == set_id)
			return dev_set;
	return NULL;
}

/* The set of @set_id, made if there is none. Refs: one of its devices. */
static struct vfio_device_set *vfio_device_set_get(void *set_id)
{
	struct vfio_device_set *dev_set, *fresh = NULL;

	spin_lock(&device_set_lock);
	dev_set = vfio_device_set_find(set_id);
	if (!dev_set) {
		/* Allocation sleeps: look again after the lock is retaken. */
		spin_unlock(&device_set_lock);
		fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
		if (!fresh)
			return NULL;
		mutex_init(&fresh->lock);
		INIT_LIST_HEAD(&fresh->device_list);
		fresh->set_id = set_id;
		spin_lock(&device_set_lock);
		dev_set = vfio_device_set_find(set_id);
	}
	if (!dev_set) {
		dev_set = fresh;
		fresh = NULL;
		list_add(&dev_set->next, &device_sets);
	}
	dev_set->device_count++;
	spin_unlock(&device_set_lock);
	kfree(fresh);
	return dev_set;
}

/* Locks: takes and drops the set's lock. */
int vfio_assign_device_set(struct vfio_device *device, void *set_id)
{
	struct vfio_device_set *dev_set;

	if (WARN_ON(!set_id))
		return -EINVAL;
	dev_set = vfio_device_set_get(set_id);
	if (!dev_set)
		return -ENOMEM;

	mutex_lock(&dev_set->lock);
	device->dev_set = dev_set;
	list_add_tail(&device->dev_set_list, &dev_set->device_list);
	mutex_unlock(&dev_set->lock);
	return 0;
}

static void vfio_release_device_set(struct vfio_device *device)
{
	struct vfio_device_set *dev_set = device->dev_set;

	if (!dev_set)
		return;
	mutex_lock(&dev_set->lock);
	list_del(&device->dev_set_list);
	mutex_unlock(&dev_set->lock);

	spin_lock(&device_set_lock);
	if (!--dev_set->device_count) {
		list_del(&dev_set->next);
		mutex_destroy(&dev_set->lock);
		kfree(dev_set);
	}
	spin_unlock(&device_set_lock);
}

/* ---- device objects ---- */

/* Refs: drops one registration; nothing is touched after complete(). */
void vfio_device_put_registration(struct vfio_device *device)
{
	if (refcount_dec_and_test(&device->refcount))
		complete(&device->comp);
}

bool vfio_device_try_get_registration(struct vfio_device *device)
{
	return refcount_inc_not_zero(&device->refcount);
}

static int vfio_fs_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, VFIO_MAGIC) ? 0 : -ENOMEM;
}

static KSTATE struct file_system_type vfio_fs_type = {
	.name = "vfio",
	.owner = THIS_MODULE,
	.init_fs_context = vfio_fs_init_fs_context,
	.kill_sb = kill_anon_super,
};

/* Refs: on success, one pin and one inode reference, the caller's. */
static struct inode *vfio_fs_inode_new(void)
{
	struct inode *inode;
	int ret;

	ret = simple_pin_fs(&vfio_fs_type, &vfio.vfs_mount, &vfio.fs_count);
	if (ret)
		return ERR_PTR(ret);
	inode = alloc_anon_inode(shared_READ_ONCE(vfio.vfs_mount)->mnt_sb);
	if (IS_ERR(inode))
		simple_release_fs(&vfio.vfs_mount, &vfio.fs_count);
	return inode;
}

/* The last put_device(): the inode goes after the driver's part, before the memory. */
static void vfio_device_release(struct device *dev)
{
	struct vfio_device *device = container_of(dev, struct vfio_device, device);

	vfio_release_device_set(device);
	ida_free(&vfio.device_ida, device->index);
	if (device->ops->release)
		device->ops->release(device);

	iput(device->inode);
	simple_release_fs(&vfio.vfs_mount, &vfio.fs_count);
	kvfree(device);
}

/* Refs: on failure none, and a device set that ops->init joined is left again. */
static int vfio_init_device(struct vfio_device *device, struct device *dev,
			    const struct vfio_device_ops *ops)
{
	int ret;

	ret = ida_alloc_max(&vfio.device_ida, MINORMASK, GFP_KERNEL);
	if (ret < 0)
		return ret;

	device->index = ret;
	init_completion(&device->comp);
	device->dev = dev;
	device->ops = ops;
	device->inode = vfio_fs_inode_new();
	if (IS_ERR(device->inode)) {
		ret = PTR_ERR(device->inode);
		goto err_inode;
	}

	if (ops->init) {
		ret = ops->init(device);
		if (ret)
			goto err_init;
	}

	device_initialize(&device->device);
	device->device.release = vfio_device_release;
	device->device.class = vfio.device_class;
	device->device.parent = device->dev;
	return 0;

err_init:
	iput(device->inode);
	simple_release_fs(&vfio.vfs_mount, &vfio.fs_count);
err_inode:
	vfio_release_device_set(device);
	ida_free(&vfio.device_ida, device->index);
	return ret;
}

struct vfio_device *_vfio_alloc_device(size_t size, const char *type, struct device *dev,
				       const struct vfio_device_ops *ops)
{
	struct vfio_device *device;
	int ret;

	if (WARN_ON(size < sizeof(struct vfio_device)))
		return ERR_PTR(-EINVAL);

	device = __kmalloc_named(size, GFP_KERNEL | __GFP_ZERO, type);
	if (!device)
		return ERR_PTR(-ENOMEM);
	ret = vfio_init_device(device, dev, ops);
	if (ret) {
		kvfree(device);
		return ERR_PTR(ret);
	}
	return device;
}

void vfio_put_device(struct vfio_device *device)
{
	put_device(&device->device);
}

/*
 * Context: may sleep.
 * Refs:    on success, one registration, the core's, until unregister. On
 *          failure none; the object stays the driver's to put.
 */
static int __vfio_register_dev(struct vfio_device *device, enum vfio_group_type type)
{
	int ret;

	/* 6.12 does not look whether this worked (VF-311). */
	if (!device->dev_set)
		vfio_assign_device_set(device, device);

	ret = dev_set_name(&device->device, "vfio%d", device->index);
	if (ret)
		return ret;
	ret = vfio_device_set_group(device, type);
	if (ret)
		return ret;

	if (type == VFIO_IOMMU && !vfio_device_is_noiommu(device) &&
	    !device_iommu_capable(device->dev, IOMMU_CAP_CACHE_COHERENCY)) {
		ret = -EINVAL;
		goto err_group;
	}
	ret = device_add(&device->device);
	if (ret)
		goto err_group;

	refcount_set(&device->refcount, 1);
	vfio_device_group_register(device);
	eng_event("register", device, "%s", dev_name(device->dev));
	return 0;

err_group:
	vfio_device_remove_group(device);
	return ret;
}

int vfio_register_group_dev(struct vfio_device *device)
{
	return __vfio_register_dev(device, VFIO_IOMMU);
}

/* A device that does no DMA by itself: a fresh group, without an IOMMU behind it. */
int vfio_register_emulated_iommu_dev(struct vfio_device *device)
{
	return __vfio_register_dev(device, VFIO_EMULATED_IOMMU);
}

/*
 * No new opener can find the device before the wait begins, and nobody waits for
 * the container: the last device detaches the group itself.
 *
 * Context: may sleep, without bound. The device lock of the bus is held.
 */
void vfio_unregister_group_dev(struct vfio_device *device)
{
	vfio_device_group_unregister(device);
	device_del(&device->device);

	vfio_device_put_registration(device);
	vfio_device_wait_unused(device);
	eng_event("unregister", device, "%s", dev_name(device->dev));

	vfio_device_remove_group(device);
}

/* ---- opening and closing: once for all files of a device ---- */

struct vfio_device_file *vfio_allocate_device_file(struct vfio_device *device)
{
	struct vfio_device_file *df = kzalloc(sizeof(*df), GFP_KERNEL_ACCOUNT);

	if (!df)
		return ERR_PTR(-ENOMEM);
	df->device = device;
	spin_lock_init(&df->kvm_ref_lock);
	return df;
}

/* Refs: on success, the driver's module and the use of the container. */
static int vfio_df_device_first_open(struct vfio_device_file *df)
{
	struct vfio_device *device = df->device;
	int ret;

	lockdep_assert_held(&device->dev_set->lock);
	if (!try_module_get(device->dev->driver->owner))
		return -ENODEV;
	ret = vfio_device_group_use_iommu(device);
	if (ret)
		goto err_module_put;
	if (device->ops->open_device) {
		ret = device->ops->open_device(device);
		if (ret)
			goto err_unuse_iommu;
	}
	return 0;

err_unuse_iommu:
	vfio_device_group_unuse_iommu(device);
err_module_put:
	module_put(device->dev->driver->owner);
	return ret;
}

static void vfio_df_device_last_close(struct vfio_device_file *df)
{
	struct vfio_device *device = df->device;

	lockdep_assert_held(&device->dev_set->lock);
	if (device->ops->close_device)
		device->ops->close_device(device);
	vfio_device_group_unuse_iommu(device);
	module_put(device->dev->driver->owner);
}

/* Locks: the group's lock and the device set's held. */
int vfio_df_open(struct vfio_device_file *df)
{
	struct vfio_device *device = df->device;
	int ret = 0;

	lockdep_assert_held(&device->dev_set->lock);
	if (device->open_count && !df->group)
		return -EINVAL;

	device->open_count++;
	if (device->open_count == 1) {
		ret = vfio_df_device_first_open(df);
		if (ret)
			device->open_count--;
	}
	return ret;
}

/* Locks: the group's lock and the device set's held. */
void vfio_df_close(struct vfio_device_file *df)
{
	struct vfio_device *device = df->device;

	lockdep_assert_held(&device->dev_set->lock);
	if (WARN_ON_ONCE(!device->open_count))
		return;
	if (device->open_count == 1)
		vfio_df_device_last_close(df);
	device->open_count--;
}

/* ---- a device's file ---- */

/* The device behind @filep, or NULL as long as its opening has not ended. */
static struct vfio_device *vfio_device_granted(struct file *filep)
{
	struct vfio_device_file *df = filep->private_data;

	return shared_READ_ONCE(df->access_granted) ? df->device : NULL;
}

/* Refs: drops the file's registration: no access to the device after that. */
static int vfio_device_fops_release(struct inode *inode, struct file *filep)
{
	struct vfio_device_file *df = filep->private_data;
	struct vfio_device *device = df->device;

	vfio_df_group_close(df);
	vfio_device_put_registration(device);
	kfree(df);
	return 0;
}

static long vfio_device_fops_unl_ioctl(struct file *filep, unsigned int cmd, unsigned long arg)
{
	struct vfio_device *device = vfio_device_granted(filep);

	if (!device || !device->ops->ioctl)
		return -EINVAL;
	return device->ops->ioctl(device, cmd, arg);
}

static ssize_t vfio_device_fops_read(struct file *filep, char __user *buf, size_t count,
				     loff_t *ppos)
{
	struct vfio_device *device = vfio_device_granted(filep);

	if (!device || !device->ops->read)
		return -EINVAL;
	return device->ops->read(device, buf, count, ppos);
}

static ssize_t vfio_device_fops_write(struct file *filep, const char __user *buf, size_t count,
				      loff_t *ppos)
{
	struct vfio_device *device = vfio_device_granted(filep);

	if (!device || !device->ops->write)
		return -EINVAL;
	return device->ops->write(device, buf, count, ppos);
}

static int vfio_device_fops_mmap(struct file *filep, struct vm_area_struct *vma)
{
	struct vfio_device *device = vfio_device_granted(filep);

	if (!device || !device->ops->mmap)
		return -EINVAL;
	return device->ops->mmap(device, vma);
}

const struct file_operations vfio_device_fops = {
	.owner = THIS_MODULE,
	.release = vfio_device_fops_release,
	.read = vfio_device_fops_read,
	.write = vfio_device_fops_write,
	.unlocked_ioctl = vfio_device_fops_unl_ioctl,
	.mmap = vfio_device_fops_mmap,
};

/* ---- module ---- */

static int vfio_init(void)
{
	int ret;

	ida_init(&vfio.device_ida);
	ret = vfio_group_init();
	if (ret)
		return ret;

	vfio.device_class = class_create(THIS_MODULE, "vfio-dev");
	if (IS_ERR(vfio.device_class)) {
		ret = PTR_ERR(vfio.device_class);
		vfio_group_cleanup();
		return ret;
	}
	pr_info("vfio: core loaded\n");
	return 0;
}

static void vfio_cleanup(void)
{
	ida_destroy(&vfio.device_ida);
	class_destroy(vfio.device_class);
	vfio.device_class = NULL;
	vfio_group_cleanup();
}

static void vfio_merged_observe(struct vfio_facts *facts)
{
	facts->pins = vfio.fs_count;
	facts->mnt = vfio.vfs_mount;
	vfio_group_observe(facts);
}

struct vfio_device *vfio_device_set_entry(struct list_head *node)
{
	return list_entry(node, struct vfio_device, dev_set_list);
}

unsigned int vfio_device_open_count(struct vfio_device *device)
{
	return device->open_count;
}

unsigned int vfio_device_registrations(struct vfio_device *device)
{
	return device->refcount.refs.counter;
}

struct inode *vfio_device_inode(struct vfio_device *device)
{
	return device->inode;
}

static const struct vfio_core_ops vfio_merged_ops = {
	.vfio_register_group_dev = vfio_register_group_dev,
	.vfio_register_emulated_iommu_dev = vfio_register_emulated_iommu_dev,
	.vfio_unregister_group_dev = vfio_unregister_group_dev,
	._vfio_alloc_device = _vfio_alloc_device,
	.vfio_put_device = vfio_put_device,
	.vfio_device_try_get_registration = vfio_device_try_get_registration,
	.vfio_device_put_registration = vfio_device_put_registration,
	.vfio_assign_device_set = vfio_assign_device_set,
	.vfio_device_set_entry = vfio_device_set_entry,
	.vfio_device_open_count = vfio_device_open_count,
	.vfio_device_registrations = vfio_device_registrations,
	.vfio_device_inode = vfio_device_inode,
	.vfio_register_iommu_driver = vfio_register_iommu_driver,
	.vfio_unregister_iommu_driver = vfio_unregister_iommu_driver,
	.vfio_file_is_valid = vfio_file_is_valid,
	.vfio_file_has_dev = vfio_file_has_dev,
	.vfio_file_set_kvm = vfio_file_set_kvm,
};

const struct vfiosim_core vfio_core_merged = {
	.name = "merged",
	.summary = "6.12's lifetime: the inode from the device's init to its release",
	.device_inodes = true,
	.init = vfio_init,
	.exit = vfio_cleanup,
	.observe = vfio_merged_observe,
	.ops = &vfio_merged_ops,
};
