// SPDX-License-Identifier: GPL-2.0-only
/*
 * The merged core: groups and their files. Follows drivers/vfio/group.c of 6.12,
 * without iommufd.
 *
 * Lock order (outer first):
 *
 *   vfio.group_lock
 *     vfio_group.group_lock
 *       vfio_device_set.lock
 *       vfio_container.group_lock
 *     vfio_group.device_lock
 *
 * vfio.group_lock covers group_list and the fall of vfio_group.drivers to zero.
 * vfio_group.group_lock covers what a group's file is about: the container, its
 * users, who opened the group, and whether the group is still alive. The group's
 * memory belongs to its struct device: open files keep it through the cdev.
 */
#define KBUILD_MODNAME vfio

#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/panic.h>
#include <vfiosim/kapi/sched.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/uaccess.h>

#include "vfio_merged.h"
#include "vfio_shared_device.h"

static KSTATE struct vfio {
	struct class *class;
	struct list_head group_list;		/* newest first */
	struct mutex group_lock;
	struct ida group_ida;
	dev_t group_devt;
} vfio;

static const struct file_operations vfio_group_fops;

/*
 * Locks: takes and drops group->device_lock, held across the match callbacks.
 * Refs:  +1 registration on the device that is returned.
 */
static struct vfio_device *vfio_device_get_from_name(struct vfio_group *group, char *buf)
{
	struct vfio_device *it, *device = ERR_PTR(-ENODEV);
	int ret;

	mutex_lock(&group->device_lock);
	list_for_each_entry(it, &group->device_list, group_next) {
		ret = vfio_device_match(it, buf);
		if (ret < 0) {
			device = ERR_PTR(ret);
			break;
		}
		if (ret && vfio_device_try_get_registration(it)) {
			device = it;
			break;
		}
	}
	mutex_unlock(&group->device_lock);
	return device;
}

/* ---- the group file ---- */

/* Locks: group->group_lock held. */
static bool vfio_group_has_iommu(struct vfio_group *group)
{
	lockdep_assert_held(&group->group_lock);
	WARN_ON(!group->container != !group->container_users);
	return group->container;
}

/* Locks: takes and drops group->group_lock. */
static int vfio_group_ioctl_unset_container(struct vfio_group *group)
{
	int ret = 0;

	mutex_lock(&group->group_lock);
	if (!vfio_group_has_iommu(group))
		ret = -EINVAL;
	else if (group->container_users != 1)
		ret = -EBUSY;
	else
		vfio_group_detach_container(group);
	mutex_unlock(&group->group_lock);
	return ret;
}

/* Locks: group->group_lock held. */
static int vfio_group_set_container(struct vfio_group *group, struct file *file)
{
	struct vfio_container *container;

	if (vfio_group_has_iommu(group))
		return -EINVAL;
	if (!group->iommu_group)
		return -ENODEV;
	container = vfio_container_from_file(file);
	if (!container)
		return -EBADFD;
	return vfio_container_attach_group(container, group);
}

/* Locks: takes and drops group->group_lock. */
static int vfio_group_ioctl_set_container(struct vfio_group *group, int __user *arg)
{
	struct fd f;
	int fd, ret;

	if (get_user(fd, arg))
		return -EFAULT;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;

	mutex_lock(&group->group_lock);
	ret = vfio_group_set_container(group, f.file);
	mutex_unlock(&group->group_lock);
	fdput(f);
	return ret;
}

/*
 * Locks: takes and drops device->group->group_lock, then the device set's lock.
 * Refs:  on success, @df counts as one opening of the device.
 */
static int vfio_df_group_open(struct vfio_device_file *df)
{
	struct vfio_device *device = df->device;
	int ret = -EINVAL;

	mutex_lock(&device->group->group_lock);
	if (!vfio_group_has_iommu(device->group))
		goto out_unlock;

	mutex_lock(&device->dev_set->lock);
	if (!device->open_count)
		device->kvm = device->group->kvm;
	ret = vfio_df_open(df);
	if (ret && !device->open_count)
		device->kvm = NULL;
	/* Pairs with the acquire in each file operation. */
	if (!ret)
		shared_WRITE_ONCE(df->access_granted, true);
	mutex_unlock(&device->dev_set->lock);
out_unlock:
	mutex_unlock(&device->group->group_lock);
	return ret;
}

/* Locks: as vfio_df_group_open(). */
void vfio_df_group_close(struct vfio_device_file *df)
{
	struct vfio_device *device = df->device;

	mutex_lock(&device->group->group_lock);
	mutex_lock(&device->dev_set->lock);
	vfio_df_close(df);
	if (!device->open_count)
		device->kvm = NULL;
	mutex_unlock(&device->dev_set->lock);
	mutex_unlock(&device->group->group_lock);
}

/* Refs: on success, the caller's registration reference moves to the file. */
static struct file *vfio_device_open_file(struct vfio_device *device)
{
	struct vfio_device_file *df;
	struct file *filep;
	int ret;

	df = vfio_allocate_device_file(device);
	if (IS_ERR(df))
		return ERR_CAST(df);
	df->group = device->group;

	ret = vfio_df_group_open(df);
	if (ret)
		goto err_free;

	filep = anon_inode_getfile("[vfio-device]", &vfio_device_fops, df, O_RDWR);
	if (IS_ERR(filep)) {
		ret = PTR_ERR(filep);
		goto err_close;
	}
	filep->f_mode |= FMODE_PREAD | FMODE_PWRITE;
	eng_check(device->inode);
	filep->f_mapping = device->inode->i_mapping;
	eng_event("f_mapping_set", filep, "%O", device->inode);

	if (device->group->type == VFIO_NO_IOMMU)
		dev_warn(device->dev, "no IOMMU: opened by task \"%s\" (%d)\n",
			 get_current()->comm, task_pid_nr(get_current()));
	return filep;

err_close:
	vfio_df_group_close(df);
err_free:
	kfree(df);
	return ERR_PTR(ret);
}

/* The name is looked up first: a wrong one is -ENODEV, container or not. */
static int vfio_group_ioctl_get_device_fd(struct vfio_group *group, char __user *arg)
{
	struct vfio_device *device;
	struct file *filep;
	char *buf;
	int fd, ret;

	buf = strndup_user(arg, PAGE_SIZE);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	device = vfio_device_get_from_name(group, buf);
	kfree(buf);
	if (IS_ERR(device))
		return PTR_ERR(device);

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto err_put_device;
	}
	filep = vfio_device_open_file(device);
	if (IS_ERR(filep)) {
		ret = PTR_ERR(filep);
		goto err_put_fd;
	}
	fd_install(fd, filep);
	return fd;

err_put_fd:
	put_unused_fd(fd);
err_put_device:
	vfio_device_put_registration(device);
	return ret;
}

/* Locks: takes and drops group->group_lock. */
static int vfio_group_ioctl_get_status(struct vfio_group *group, void __user *arg)
{
	struct vfio_group_status status;
	const unsigned long minsz = sizeof(status);

	if (copy_from_user(&status, arg, minsz))
		return -EFAULT;
	if (status.argsz < minsz)
		return -EINVAL;

	status.flags = 0;
	mutex_lock(&group->group_lock);
	if (!group->iommu_group) {
		mutex_unlock(&group->group_lock);
		return -ENODEV;
	}
	/* In a container the group is claimed, so nobody else can break it. */
	if (vfio_group_has_iommu(group))
		status.flags |= VFIO_GROUP_FLAGS_CONTAINER_SET | VFIO_GROUP_FLAGS_VIABLE;
	else if (!iommu_group_dma_owner_claimed(group->iommu_group))
		status.flags |= VFIO_GROUP_FLAGS_VIABLE;
	mutex_unlock(&group->group_lock);

	return copy_to_user(arg, &status, minsz) ? -EFAULT : 0;
}

static long vfio_group_fops_unl_ioctl(struct file *filep, unsigned int cmd, unsigned long arg)
{
	struct vfio_group *group = filep->private_data;

	switch (cmd) {
	case VFIO_GROUP_GET_DEVICE_FD:
		return vfio_group_ioctl_get_device_fd(group, (char __user *)arg);
	case VFIO_GROUP_GET_STATUS:
		return vfio_group_ioctl_get_status(group, (void __user *)arg);
	case VFIO_GROUP_SET_CONTAINER:
		return vfio_group_ioctl_set_container(group, (int __user *)arg);
	case VFIO_GROUP_UNSET_CONTAINER:
		return vfio_group_ioctl_unset_container(group);
	default:
		return -ENOTTY;
	}
}

/* Locks: takes and drops group->group_lock. The cdev's reference keeps @group. */
static int vfio_group_fops_open(struct inode *inode, struct file *filep)
{
	struct vfio_group *group = container_of(inode->i_cdev, struct vfio_group, cdev);
	int ret = 0;

	mutex_lock(&group->group_lock);
	if (!refcount_read(&group->drivers))
		ret = -ENODEV;	/* the last device is leaving */
	else if (group->type == VFIO_NO_IOMMU && !capable(CAP_SYS_RAWIO))
		ret = -EPERM;
	else if (group->opened_file)
		ret = -EBUSY;
	if (!ret) {
		group->opened_file = filep;
		filep->private_data = group;
	}
	mutex_unlock(&group->group_lock);
	return ret;
}

/* Only with no device open: each holds this file. Locks: as open. */
static int vfio_group_fops_release(struct inode *inode, struct file *filep)
{
	struct vfio_group *group = filep->private_data;

	filep->private_data = NULL;
	mutex_lock(&group->group_lock);
	WARN_ON(shared_READ_ONCE(group->notifier.head));
	if (group->container)
		vfio_group_detach_container(group);
	group->opened_file = NULL;
	mutex_unlock(&group->group_lock);
	return 0;
}

static const struct file_operations vfio_group_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vfio_group_fops_unl_ioctl,
	.open = vfio_group_fops_open,
	.release = vfio_group_fops_release,
};

/* ---- groups: creation and end ---- */

/* Locks: vfio.group_lock held, so that no listed group has lost its iommu group. */
static struct vfio_group *vfio_group_find_from_iommu(struct iommu_group *iommu_group)
{
	struct vfio_group *group;

	lockdep_assert_held(&vfio.group_lock);
	list_for_each_entry(group, &vfio.group_list, vfio_next)
		if (group->iommu_group == iommu_group)
			return group;
	return NULL;
}

/* The last reference on the group's struct device. */
static void vfio_group_release(struct device *dev)
{
	struct vfio_group *group = container_of(dev, struct vfio_group, dev);

	mutex_destroy(&group->device_lock);
	mutex_destroy(&group->group_lock);
	WARN_ON(group->iommu_group);
	eng_event("group_free", group, "minor %d", MINOR(group->dev.devt));
	ida_free(&vfio.group_ida, MINOR(group->dev.devt));
	kfree(group);
}

/* Refs: the caller's on the device; the group takes its own on @iommu_group. */
static struct vfio_group *vfio_group_alloc(struct iommu_group *iommu_group,
					   enum vfio_group_type type)
{
	struct vfio_group *group;
	int minor;

	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return ERR_PTR(-ENOMEM);
	minor = ida_alloc_max(&vfio.group_ida, MINORMASK, GFP_KERNEL);
	if (minor < 0) {
		kfree(group);
		return ERR_PTR(minor);
	}

	device_initialize(&group->dev);
	group->dev.devt = MKDEV(MAJOR(vfio.group_devt), minor);
	group->dev.class = vfio.class;
	group->dev.release = vfio_group_release;
	cdev_init(&group->cdev, &vfio_group_fops);
	group->cdev.owner = THIS_MODULE;

	refcount_set(&group->drivers, 1);
	mutex_init(&group->group_lock);
	spin_lock_init(&group->kvm_ref_lock);
	INIT_LIST_HEAD(&group->device_list);
	mutex_init(&group->device_lock);
	group->iommu_group = iommu_group_ref_get(iommu_group);
	group->type = type;
	BLOCKING_INIT_NOTIFIER_HEAD(&group->notifier);
	return group;
}

/*
 * Locks: vfio.group_lock held.
 * Refs:  drivers is 1, the caller's device. A failure leaks the group's
 *        reference on @iommu_group, with a warning, as 6.12 does.
 */
static struct vfio_group *vfio_create_group(struct iommu_group *iommu_group,
					    enum vfio_group_type type)
{
	struct vfio_group *group;
	int ret;

	lockdep_assert_held(&vfio.group_lock);
	group = vfio_group_alloc(iommu_group, type);
	if (IS_ERR(group))
		return group;

	ret = dev_set_name(&group->dev, "%s%d", type == VFIO_NO_IOMMU ? "noiommu-" : "",
			   iommu_group_id(iommu_group));
	if (!ret)
		ret = cdev_device_add(&group->cdev, &group->dev);
	if (ret) {
		put_device(&group->dev);
		return ERR_PTR(ret);
	}

	list_add(&group->vfio_next, &vfio.group_list);
	eng_event("group_new", group, "iommu group %d, minor %d", iommu_group_id(iommu_group),
		  MINOR(group->dev.devt));
	return group;
}

/* A group for a device that has no iommu group, and that iommu group, too. */
static struct vfio_group *vfio_noiommu_group_alloc(struct device *dev, enum vfio_group_type type)
{
	struct iommu_group *iommu_group;
	struct vfio_group *group;
	int ret;

	iommu_group = iommu_group_alloc();
	if (IS_ERR(iommu_group))
		return ERR_CAST(iommu_group);
	ret = iommu_group_set_name(iommu_group, "vfio-noiommu");
	if (ret)
		goto err_put_group;
	/* The backend knows its groups by this; 6.12 goes by the group's type. */
	if (type == VFIO_NO_IOMMU)
		iommu_group_set_iommudata(iommu_group, &vfio_noiommu, NULL);
	ret = iommu_group_add_device(iommu_group, dev);
	if (ret)
		goto err_put_group;

	mutex_lock(&vfio.group_lock);
	group = vfio_create_group(iommu_group, type);
	mutex_unlock(&vfio.group_lock);
	if (IS_ERR(group)) {
		ret = PTR_ERR(group);
		goto err_remove_device;
	}
	iommu_group_put(iommu_group);
	return group;

err_remove_device:
	iommu_group_remove_device(dev);
err_put_group:
	iommu_group_put(iommu_group);
	return ERR_PTR(ret);
}

/* Locks: takes and drops group->device_lock. */
static bool vfio_group_has_device(struct vfio_group *group, struct device *dev)
{
	struct vfio_device *device;
	bool found = false;

	mutex_lock(&group->device_lock);
	list_for_each_entry(device, &group->device_list, group_next) {
		if (device->dev == dev) {
			found = true;
			break;
		}
	}
	mutex_unlock(&group->device_lock);
	return found;
}

/* Locks: vfio.group_lock held. Refs: one of the group's drivers, the caller's. */
static struct vfio_group *vfio_group_join(struct iommu_group *iommu_group, struct device *dev)
{
	struct vfio_group *group = vfio_group_find_from_iommu(iommu_group);

	if (!group)
		return vfio_create_group(iommu_group, VFIO_IOMMU);
	if (WARN_ON(vfio_group_has_device(group, dev)))
		return ERR_PTR(-EINVAL);
	refcount_inc(&group->drivers);
	return group;
}

/* Locks: takes and drops vfio.group_lock. */
static struct vfio_group *vfio_group_find_or_alloc(struct device *dev)
{
	struct iommu_group *iommu_group = iommu_group_get(dev);
	struct vfio_group *group;

	if (!iommu_group && shared_READ_ONCE(vfio_noiommu)) {
		group = vfio_noiommu_group_alloc(dev, VFIO_NO_IOMMU);
		if (!IS_ERR(group)) {
			add_taint(TAINT_USER, LOCKDEP_STILL_OK);
			dev_warn(dev, "no IOMMU: a fake group taints the kernel\n");
		}
		return group;
	}
	if (!iommu_group)
		return ERR_PTR(-EINVAL);

	mutex_lock(&vfio.group_lock);
	group = vfio_group_join(iommu_group, dev);
	mutex_unlock(&vfio.group_lock);
	/* The group has its own reference. */
	iommu_group_put(iommu_group);
	return group;
}

/* Refs: on success, one of the group's drivers is @device. */
int vfio_device_set_group(struct vfio_device *device, enum vfio_group_type type)
{
	struct vfio_group *group;

	if (type == VFIO_IOMMU)
		group = vfio_group_find_or_alloc(device->dev);
	else
		group = vfio_noiommu_group_alloc(device->dev, type);
	if (IS_ERR(group))
		return PTR_ERR(group);
	device->group = group;
	return 0;
}

/*
 * The last device takes the group's node, its container and its iommu group
 * away, whoever has it open: an open file keeps only the memory.
 *
 * Locks: entered with vfio.group_lock held, drops it; takes and drops
 *        group->group_lock.
 */
static void vfio_group_revoke(struct vfio_group *group)
{
	struct iommu_group *iommu_group;

	list_del(&group->vfio_next);
	/* Under the lock: a new group of the same name may follow at once. */
	cdev_device_del(&group->cdev, &group->dev);

	mutex_lock(&group->group_lock);
	WARN_ON(!list_empty(&group->device_list));
	WARN_ON(shared_READ_ONCE(group->notifier.head));
	if (group->container)
		vfio_group_detach_container(group);
	iommu_group = group->iommu_group;
	group->iommu_group = NULL;
	mutex_unlock(&group->group_lock);
	mutex_unlock(&vfio.group_lock);

	iommu_group_put(iommu_group);
	put_device(&group->dev);
}

/* Inverse of vfio_device_set_group(). Locks: may take and drop vfio.group_lock. */
void vfio_device_remove_group(struct vfio_device *device)
{
	struct vfio_group *group = device->group;

	if (group->type == VFIO_NO_IOMMU || group->type == VFIO_EMULATED_IOMMU)
		iommu_group_remove_device(device->dev);
	if (refcount_dec_and_mutex_lock(&group->drivers, &vfio.group_lock))
		vfio_group_revoke(group);
}

void vfio_device_group_register(struct vfio_device *device)
{
	mutex_lock(&device->group->device_lock);
	list_add(&device->group_next, &device->group->device_list);
	mutex_unlock(&device->group->device_lock);
}

void vfio_device_group_unregister(struct vfio_device *device)
{
	mutex_lock(&device->group->device_lock);
	list_del(&device->group_next);
	mutex_unlock(&device->group->device_lock);
}

/* Locks: group->group_lock held. */
int vfio_device_group_use_iommu(struct vfio_device *device)
{
	struct vfio_group *group = device->group;

	lockdep_assert_held(&group->group_lock);
	if (WARN_ON(!group->container))
		return -EINVAL;
	return vfio_group_use_container(group);
}

void vfio_device_group_unuse_iommu(struct vfio_device *device)
{
	struct vfio_group *group = device->group;

	lockdep_assert_held(&group->group_lock);
	if (WARN_ON(!group->container))
		return;
	vfio_group_unuse_container(group);
}

bool vfio_device_is_noiommu(struct vfio_device *device)
{
	return device->group->type == VFIO_NO_IOMMU;
}

/* ---- what KVM asks of a file ---- */

struct vfio_group *vfio_group_from_file(struct file *file)
{
	return file->f_op == &vfio_group_fops ? file->private_data : NULL;
}

bool vfio_file_is_valid(struct file *file)
{
	return vfio_group_from_file(file);
}

bool vfio_file_has_dev(struct file *file, struct vfio_device *device)
{
	struct vfio_group *group = vfio_group_from_file(file);

	return group && group == device->group;
}

/* Locks: takes and drops group->kvm_ref_lock. */
void vfio_file_set_kvm(struct file *file, struct kvm *kvm)
{
	struct vfio_group *group = vfio_group_from_file(file);

	if (!group)
		return;
	spin_lock(&group->kvm_ref_lock);
	group->kvm = kvm;
	spin_unlock(&group->kvm_ref_lock);
}

void vfio_group_observe(struct vfio_facts *facts)
{
	struct vfio_group *group;
	struct vfio_group_facts *g;

	facts->busy = vfio.group_lock.owner;
	if (!vfio.group_list.prev)
		return;
	list_for_each_entry_reverse(group, &vfio.group_list, vfio_next) {
		g = vfio_facts_add(facts);
		if (!g)
			return;
		g->group = group;
		g->iommu_group = group->iommu_group;
		g->device_list = &group->device_list;
		g->container = group->container;
		g->node = dev_name(&group->dev);
		g->refs = group->drivers.refs.counter;
		g->users = group->container_users;
		g->opened = !!group->opened_file;
		g->devices = g->refs;
	}
}

/* ---- module ---- */

static char *vfio_devnode(struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vfio/%s", dev_name(dev));
}

int vfio_group_init(void)
{
	int ret;

	ida_init(&vfio.group_ida);
	mutex_init(&vfio.group_lock);
	INIT_LIST_HEAD(&vfio.group_list);

	ret = vfio_container_init();
	if (ret)
		return ret;
	vfio.class = class_create(THIS_MODULE, "vfio");
	if (IS_ERR(vfio.class)) {
		ret = PTR_ERR(vfio.class);
		goto err_container;
	}
	vfio.class->devnode = vfio_devnode;

	ret = alloc_chrdev_region(&vfio.group_devt, 0, MINORMASK + 1, "vfio");
	if (ret)
		goto err_class;
	return 0;

err_class:
	class_destroy(vfio.class);
	vfio.class = NULL;
err_container:
	vfio_container_cleanup();
	return ret;
}

void vfio_group_cleanup(void)
{
	WARN_ON(!list_empty(&vfio.group_list));
	ida_destroy(&vfio.group_ida);
	unregister_chrdev_region(vfio.group_devt, MINORMASK + 1);
	class_destroy(vfio.class);
	vfio.class = NULL;
	vfio_container_cleanup();
}
