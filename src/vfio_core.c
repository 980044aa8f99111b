// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vfio core of 5.14-rc with "vfio: Create vfio_fs_type with inode per
 * device": backends, groups, devices, containers, their three kinds of file,
 * and external users. Follows drivers/vfio/vfio.c, function by function and
 * step by step, its bugs included; see docs/model/port.md.
 *
 * Lock order (outer first):
 *
 *   device lock of the bus	(held around register and unregister)
 *     vfio_container.group_lock
 *       vfio.iommu_drivers_lock
 *         the backend's own lock
 *           iommu group mutex
 *             vfio_group.unbound_lock
 *             vfio_group.device_lock
 *     iommu group chain (read)
 *       vfio.group_lock	(node made and destroyed under it)
 *       vfio_group.unbound_lock
 *       vfio_group.device_lock
 *     pin_fs_lock, s_umount	(simple_pin_fs, simple_release_fs: no vfio lock held)
 *
 * vfio.group_lock covers membership of group_list and group_idr, and each
 * group's last reference. Nothing covers vfio_group.container: its readers
 * trust container_users, and section J.3 of the specification lists how that
 * trust is broken. shared_READ_ONCE() and shared_WRITE_ONCE() mark all accesses of that kind.
 */
#define KBUILD_MODNAME vfio

#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/panic.h>
#include <vfiosim/kapi/pci.h>
#include <vfiosim/kapi/sched.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/uaccess.h>

#include "vfio_core.h"

#define VFIO_MAGIC 0x5646494f	/* "VFIO" */

/* Not initialised by vfio_init(): the pin pair relies on static zero (VF-1). */
KSTATE struct vfio vfio;

/* Backends, noiommu among them, and containers up to SET_IOMMU. */
#include "vfio_shared_container.h"
/* vfio_device_match() and vfio_device_wait_unused() */
#include "vfio_shared_device.h"

/* ---- devices without an IOMMU ---- */

/*
 * Put a device that no IOMMU translates into a group of its own.
 *
 * Context: may sleep.
 * Refs:    on success, the caller owns one on the group, the device another.
 */
static struct iommu_group *vfio_fake_group(struct device *dev)
{
	struct iommu_group *group;

	group = iommu_group_alloc();
	if (IS_ERR(group))
		return NULL;

	iommu_group_set_name(group, "vfio-noiommu");
	iommu_group_set_iommudata(group, &vfio_noiommu, NULL);
	if (iommu_group_add_device(group, dev)) {
		iommu_group_put(group);
		return NULL;
	}

	add_taint(TAINT_USER, LOCKDEP_STILL_OK);
	dev_warn(dev, "no IOMMU: a fake group taints the kernel\n");
	return group;
}

/*
 * Refs: one on the returned group, until vfio_iommu_group_put(). Once per
 * probe: a second call would not know that the group is a fake one (VF-57).
 */
struct iommu_group *vfio_iommu_group_get(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);

	if (group || !shared_READ_ONCE(vfio_noiommu) || iommu_present(dev->bus))
		return group;
	return vfio_fake_group(dev);
}

void vfio_iommu_group_put(struct iommu_group *group, struct device *dev)
{
	if (iommu_group_is_noiommu(group))
		iommu_group_remove_device(dev);
	iommu_group_put(group);
}

/* ---- the pseudo filesystem: one inode per registered device ---- */

static int vfio_fs_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, VFIO_MAGIC) ? 0 : -ENOMEM;
}

/* Never given to register_filesystem(): only the pin below mounts it. */
static KSTATE struct file_system_type vfio_fs_type = {
	.name = "vfio",
	.owner = THIS_MODULE,
	.init_fs_context = vfio_fs_init_fs_context,
	.kill_sb = kill_anon_super,
};

/*
 * Context: may sleep; mounts the filesystem if nothing is pinned.
 * Refs:    on success, one pin and one inode reference, the caller's. On
 *          failure neither.
 */
static struct inode *vfio_fs_inode_new(void)
{
	struct inode *inode;
	int ret;

	ret = simple_pin_fs(&vfio_fs_type, &vfio.vfio_fs_mnt, &vfio.vfio_fs_cnt);
	if (ret)
		return ERR_PTR(ret);

	/* Our own pin keeps the pointer stable without pin_fs_lock (VF-247). */
	inode = alloc_anon_inode(shared_READ_ONCE(vfio.vfio_fs_mnt)->mnt_sb);
	if (IS_ERR(inode))
		simple_release_fs(&vfio.vfio_fs_mnt, &vfio.vfio_fs_cnt);
	return inode;
}

/* ---- groups: creation and references ---- */

static int vfio_iommu_group_notifier(struct notifier_block *nb, unsigned long action,
				     void *data);
static void vfio_group_get(struct vfio_group *group);

/*
 * Locks: entered with vfio.group_lock held, drops it. The chain comes second:
 *        a running callback takes group_lock, and unregistering waits for it.
 */
static void vfio_group_unlock_and_free(struct vfio_group *group)
{
	mutex_unlock(&vfio.group_lock);
	iommu_group_unregister_notifier(group->iommu_group, &group->nb);
	kfree(group);
}

/* A group that nobody can find yet. Refs: one, the caller's. */
static struct vfio_group *vfio_group_alloc(struct iommu_group *iommu_group)
{
	struct vfio_group *group = kzalloc(sizeof(*group), GFP_KERNEL);

	if (!group)
		return NULL;

	kref_init(&group->kref);
	INIT_LIST_HEAD(&group->device_list);
	mutex_init(&group->device_lock);
	INIT_LIST_HEAD(&group->unbound_list);
	mutex_init(&group->unbound_lock);
	atomic_set(&group->container_users, 0);
	atomic_set(&group->opened, 0);
	init_waitqueue_head(&group->container_q);
	group->iommu_group = iommu_group;
	group->noiommu = iommu_group_is_noiommu(iommu_group);
	BLOCKING_INIT_NOTIFIER_HEAD(&group->notifier);
	group->nb.notifier_call = vfio_iommu_group_notifier;
	return group;
}

/* A group of somebody else for the same iommu group. Locks: vfio.group_lock held. */
static struct vfio_group *vfio_group_find(struct iommu_group *iommu_group)
{
	struct vfio_group *group;

	lockdep_assert_held(&vfio.group_lock);
	list_for_each_entry(group, &vfio.group_list, vfio_next)
		if (group->iommu_group == iommu_group)
			return group;
	return NULL;
}

/* Minor and node of a new group. Locks: vfio.group_lock held throughout. */
static int vfio_group_make_node(struct vfio_group *group)
{
	struct device *dev;
	int minor;

	lockdep_assert_held(&vfio.group_lock);
	minor = idr_alloc(&vfio.group_idr, group, 0, MINORMASK + 1, GFP_KERNEL);
	if (minor < 0)
		return minor;

	dev = device_create(vfio.class, NULL, MKDEV(MAJOR(vfio.group_devt), minor), group,
			    "%s%d", group->noiommu ? "noiommu-" : "",
			    iommu_group_id(group->iommu_group));
	if (IS_ERR(dev)) {
		idr_remove(&vfio.group_idr, minor);
		return PTR_ERR(dev);
	}

	group->minor = minor;
	group->dev = dev;
	return 0;
}

/*
 * Context: may sleep.
 * Locks:   takes and drops vfio.group_lock, after the chain's: callbacks may
 *          run before the group is listed, and then find nothing.
 * Refs:    one on the returned group. The caller's reference on @iommu_group
 *          is adopted by a group that is new, and stays the caller's if the
 *          group existed. Its fate on error is the caller's, too.
 */
static struct vfio_group *vfio_create_group(struct iommu_group *iommu_group)
{
	struct vfio_group *group, *existing;
	int ret;

	group = vfio_group_alloc(iommu_group);
	if (!group)
		return ERR_PTR(-ENOMEM);

	ret = iommu_group_register_notifier(iommu_group, &group->nb);
	if (ret) {
		kfree(group);
		return ERR_PTR(ret);
	}

	mutex_lock(&vfio.group_lock);
	existing = vfio_group_find(iommu_group);
	if (existing) {
		vfio_group_get(existing);
		vfio_group_unlock_and_free(group);
		return existing;
	}

	ret = vfio_group_make_node(group);
	if (ret) {
		vfio_group_unlock_and_free(group);
		return ERR_PTR(ret);
	}

	list_add(&group->vfio_next, &vfio.group_list);
	eng_event("group_new", group, "iommu group %d, minor %d",
		  iommu_group_id(iommu_group), group->minor);
	mutex_unlock(&vfio.group_lock);
	return group;
}

/*
 * The last reference is gone. The node goes before the lock does, so that a new
 * group for the same iommu group cannot collide on the name.
 *
 * Locks: entered with vfio.group_lock held, drops it.
 * Refs:  drops the one on the iommu group.
 */
static void vfio_group_release(struct kref *kref)
{
	struct vfio_group *group = container_of(kref, struct vfio_group, kref);
	struct iommu_group *iommu_group = group->iommu_group;
	struct vfio_unbound_dev *unbound, *next;

	lockdep_assert_held(&vfio.group_lock);
	WARN_ON(!list_empty(&group->device_list));
	WARN_ON(shared_READ_ONCE(group->notifier.head));

	list_for_each_entry_safe(unbound, next, &group->unbound_list, unbound_next) {
		list_del(&unbound->unbound_next);
		kfree(unbound);
	}

	device_destroy(vfio.class, MKDEV(MAJOR(vfio.group_devt), group->minor));
	list_del(&group->vfio_next);
	idr_remove(&vfio.group_idr, group->minor);
	eng_event("group_free", group, "iommu group %d", iommu_group_id(iommu_group));
	vfio_group_unlock_and_free(group);
	iommu_group_put(iommu_group);
}

/* Context: may sleep. Locks: may take and drop vfio.group_lock. */
static void vfio_group_put(struct vfio_group *group)
{
	kref_put_mutex(&group->kref, vfio_group_release, &vfio.group_lock);
}

struct vfio_group_put_work {
	struct work_struct work;
	struct vfio_group *group;
};

static void vfio_group_put_bg(struct work_struct *work)
{
	struct vfio_group_put_work *put = container_of(work, struct vfio_group_put_work, work);

	vfio_group_put(put->group);
	kfree(put);
}

/*
 * Put @group later. A callback of the iommu group's chain cannot put: if it was
 * the last reference, release would unregister from the chain that is running.
 *
 * Refs: the caller's, dropped by the worker; without memory for it, leaked.
 */
static void vfio_group_schedule_put(struct vfio_group *group)
{
	struct vfio_group_put_work *do_work = kmalloc(sizeof(*do_work), GFP_KERNEL);

	if (WARN_ON(!do_work))
		return;
	INIT_WORK(&do_work->work, vfio_group_put_bg);
	do_work->group = group;
	schedule_work(&do_work->work);
}

/* Refs: +1. The caller holds vfio.group_lock or owns a reference. */
static void vfio_group_get(struct vfio_group *group)
{
	kref_get(&group->kref);
}

/*
 * @wanted is compared, not dereferenced: it may have been freed.
 *
 * Locks: takes and drops vfio.group_lock.
 * Refs:  +1 on the group that is returned.
 */
static struct vfio_group *vfio_group_try_get(struct vfio_group *wanted)
{
	struct vfio_group *group;

	mutex_lock(&vfio.group_lock);
	list_for_each_entry(group, &vfio.group_list, vfio_next) {
		if (group == wanted) {
			vfio_group_get(group);
			mutex_unlock(&vfio.group_lock);
			return group;
		}
	}
	mutex_unlock(&vfio.group_lock);
	return NULL;
}

/* Locks: takes and drops vfio.group_lock. Refs: +1 on the group that is returned. */
static struct vfio_group *vfio_group_get_from_iommu(struct iommu_group *iommu_group)
{
	struct vfio_group *group;

	mutex_lock(&vfio.group_lock);
	group = vfio_group_find(iommu_group);
	if (group)
		vfio_group_get(group);
	mutex_unlock(&vfio.group_lock);
	return group;
}

/* Locks: takes and drops vfio.group_lock. Refs: +1 on the group that is returned. */
static struct vfio_group *vfio_group_get_from_minor(int minor)
{
	struct vfio_group *group;

	mutex_lock(&vfio.group_lock);
	group = idr_find(&vfio.group_idr, minor);
	if (group)
		vfio_group_get(group);
	mutex_unlock(&vfio.group_lock);
	return group;
}

/* Refs: +1 on the group that is returned. */
static struct vfio_group *vfio_group_get_from_dev(struct device *dev)
{
	struct iommu_group *iommu_group;
	struct vfio_group *group;

	iommu_group = iommu_group_get(dev);
	if (!iommu_group)
		return NULL;
	group = vfio_group_get_from_iommu(iommu_group);
	iommu_group_put(iommu_group);
	return group;
}

/* ---- devices: references and lookups ---- */

/*
 * Refs: drops one. At zero the one who unregisters may go on, and free @device:
 *       nothing is touched after complete().
 */
void vfio_device_put(struct vfio_device *device)
{
	if (refcount_dec_and_test(&device->refcount))
		complete(&device->comp);
}

/* Refs: +1 if the count is not zero; once zero it stays so (VF-91). */
static bool vfio_device_try_get(struct vfio_device *device)
{
	return refcount_inc_not_zero(&device->refcount);
}

/* Locks: takes and drops group->device_lock. Refs: +1 on the device returned. */
static struct vfio_device *vfio_group_get_device(struct vfio_group *group, struct device *dev)
{
	struct vfio_device *device;

	mutex_lock(&group->device_lock);
	list_for_each_entry(device, &group->device_list, group_next) {
		if (device->dev == dev && vfio_device_try_get(device)) {
			mutex_unlock(&group->device_lock);
			return device;
		}
	}
	mutex_unlock(&group->device_lock);
	return NULL;
}

/* Drivers that leave a device alone, and so may sit in a group of users. */
static const char *const vfio_driver_allowed[] = { "pci-stub" };

static bool vfio_dev_driver_allowed(struct device *dev, const struct device_driver *drv)
{
	if (dev_is_pci(dev) && to_pci_dev(dev)->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return true;
	return match_string(vfio_driver_allowed, ARRAY_SIZE(vfio_driver_allowed),
			    drv->name) >= 0;
}

/* Locks: takes and drops group->unbound_lock. */
static bool vfio_dev_is_unbound(struct vfio_group *group, struct device *dev)
{
	struct vfio_unbound_dev *unbound;
	bool found = false;

	mutex_lock(&group->unbound_lock);
	list_for_each_entry(unbound, &group->unbound_list, unbound_next) {
		if (unbound->dev == dev) {
			found = true;
			break;
		}
	}
	mutex_unlock(&group->unbound_lock);
	return found;
}

/*
 * Whether a member of the iommu group is safe to have beside a user: on its way
 * out of a vfio driver, without driver, on a driver that does no DMA, or a live
 * vfio device. Three looks that are not atomic together (VF-53).
 *
 * Locks: the iommu group's mutex held by the walk; takes and drops
 *        unbound_lock, then device_lock.
 */
static int vfio_dev_viable(struct device *dev, void *data)
{
	struct device_driver *drv = shared_READ_ONCE(dev->driver);
	struct vfio_group *group = data;
	struct vfio_device *device;

	if (vfio_dev_is_unbound(group, dev))
		return 0;
	if (!drv || vfio_dev_driver_allowed(dev, drv))
		return 0;

	device = vfio_group_get_device(group, dev);
	if (!device)
		return -EINVAL;
	vfio_device_put(device);
	return 0;
}

/* ---- what the iommu group's chain tells ---- */

static void vfio_group_nb_add_dev(struct vfio_group *group, struct device *dev)
{
	struct vfio_device *device = vfio_group_get_device(group, dev);

	if (WARN_ON_ONCE(device)) {
		vfio_device_put(device);
		return;
	}
	if (!atomic_read(&group->container_users))
		return;
	dev_WARN(dev, "device added to live group %d\n", iommu_group_id(group->iommu_group));
}

/* Non-zero if a driver that was just bound breaks a group in use. */
static int vfio_group_nb_verify(struct vfio_group *group, struct device *dev)
{
	if (!atomic_read(&group->container_users))
		return 0;
	return vfio_dev_viable(dev, group);
}

/* Locks: takes and drops group->unbound_lock. */
static void vfio_group_nb_unbound(struct vfio_group *group, struct device *dev)
{
	struct vfio_unbound_dev *unbound;

	mutex_lock(&group->unbound_lock);
	list_for_each_entry(unbound, &group->unbound_list, unbound_next) {
		if (unbound->dev == dev) {
			list_del(&unbound->unbound_next);
			kfree(unbound);
			break;
		}
	}
	mutex_unlock(&group->unbound_lock);
}

/*
 * Context: the chain's read lock is held. The group may be past its end: it is
 *          looked up by value before it is touched.
 * Refs:    the lookup's, put later by the system workqueue.
 */
static int vfio_iommu_group_notifier(struct notifier_block *nb, unsigned long action,
				     void *data)
{
	struct vfio_group *group = container_of(nb, struct vfio_group, nb);
	struct device *dev = data;

	group = vfio_group_try_get(group);
	if (!group)
		return NOTIFY_OK;

	switch (action) {
	case IOMMU_GROUP_NOTIFY_ADD_DEVICE:
		vfio_group_nb_add_dev(group, dev);
		break;
	case IOMMU_GROUP_NOTIFY_DEL_DEVICE:
		/* Whoever removes a device from its group has unbound it first. */
		break;
	case IOMMU_GROUP_NOTIFY_BIND_DRIVER:
		dev_dbg(dev, "group %d: about to bind\n", iommu_group_id(group->iommu_group));
		break;
	case IOMMU_GROUP_NOTIFY_BOUND_DRIVER:
		dev_dbg(dev, "group %d: bound to %s\n", iommu_group_id(group->iommu_group),
			dev->driver->name);
		BUG_ON(vfio_group_nb_verify(group, dev));
		break;
	case IOMMU_GROUP_NOTIFY_UNBIND_DRIVER:
		dev_dbg(dev, "group %d: leaves %s\n", iommu_group_id(group->iommu_group),
			dev->driver->name);
		break;
	case IOMMU_GROUP_NOTIFY_UNBOUND_DRIVER:
		dev_dbg(dev, "group %d: has left its driver\n",
			iommu_group_id(group->iommu_group));
		vfio_group_nb_unbound(group, dev);
		break;
	}

	vfio_group_schedule_put(group);
	return NOTIFY_OK;
}

/* ---- registration ---- */

/*
 * @device comes zeroed. The reference count is left alone: no reference can be
 * had before registration.
 */
void vfio_init_group_dev(struct vfio_device *device, struct device *dev,
			 const struct vfio_device_ops *ops)
{
	init_completion(&device->comp);
	device->dev = dev;
	device->ops = ops;
}

/* The group for a device that registers. Refs: one, the caller's. */
static struct vfio_group *vfio_group_for_dev(struct device *dev)
{
	struct iommu_group *iommu_group;
	struct vfio_group *group;

	iommu_group = iommu_group_get(dev);
	if (!iommu_group)
		return ERR_PTR(-EINVAL);

	group = vfio_group_get_from_iommu(iommu_group);
	if (group) {
		/* The group has had its own since it was made. */
		iommu_group_put(iommu_group);
		return group;
	}

	group = vfio_create_group(iommu_group);
	if (IS_ERR(group))
		iommu_group_put(iommu_group);
	return group;
}

/*
 * Make @device reachable from its group's node.
 *
 * Context: may sleep. The device lock of the bus serialises calls for one
 *          device; nothing else does (VF-67).
 * Locks:   takes and drops vfio.group_lock and group->device_lock.
 * Refs:    on success, @device owns one on its group, one pin, one on its
 *          inode; its own count is 1. On failure none, and device->inode may
 *          hold an error pointer (VF-62).
 */
int vfio_register_group_dev(struct vfio_device *device)
{
	struct vfio_device *existing;
	struct vfio_group *group;

	group = vfio_group_for_dev(device->dev);
	if (IS_ERR(group))
		return PTR_ERR(group);

	existing = vfio_group_get_device(group, device->dev);
	if (existing) {
		dev_WARN(device->dev, "device is in group %d already\n",
			 iommu_group_id(group->iommu_group));
		vfio_device_put(existing);
		vfio_group_put(group);
		return -EBUSY;
	}

	device->inode = vfio_fs_inode_new();
	if (IS_ERR(device->inode)) {
		vfio_group_put(group);
		return PTR_ERR(device->inode);
	}

	/* From here on the device holds the reference on the group. */
	device->group = group;
	refcount_set(&device->refcount, 1);

	mutex_lock(&group->device_lock);
	shared_write(&group->device_list);
	list_add(&device->group_next, &group->device_list);
	shared_WRITE_ONCE(group->dev_counter, group->dev_counter + 1);
	mutex_unlock(&group->device_lock);
	eng_event("register", device, "%s", dev_name(device->dev));
	return 0;
}

/* Refs: +1 on the device that is returned. */
struct vfio_device *vfio_device_get_from_dev(struct device *dev)
{
	struct vfio_device *device;
	struct vfio_group *group;

	group = vfio_group_get_from_dev(dev);
	if (!group)
		return NULL;
	device = vfio_group_get_device(group, dev);
	vfio_group_put(group);
	return device;
}

/*
 * Locks: takes and drops group->device_lock, held across the match callbacks.
 * Refs:  +1 on the device that is returned.
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
		/* A dying device matches, too; then the search goes on. */
		if (ret && vfio_device_try_get(it)) {
			device = it;
			break;
		}
	}
	mutex_unlock(&group->device_lock);
	return device;
}

/*
 * Keep the group viable between the last reference of @dev's vfio device and
 * the driver core's "unbound". Without memory the group is not, for a while.
 *
 * Locks: takes and drops group->unbound_lock.
 */
static void vfio_group_note_unbound(struct vfio_group *group, struct device *dev)
{
	struct vfio_unbound_dev *unbound = kzalloc(sizeof(*unbound), GFP_KERNEL);

	if (WARN_ON(!unbound))
		return;
	unbound->dev = dev;
	mutex_lock(&group->unbound_lock);
	list_add(&unbound->unbound_next, &group->unbound_list);
	mutex_unlock(&group->unbound_lock);
}

/*
 * The inverse of vfio_register_group_dev(). Blocks until the last file of the
 * device is gone and, for the last device, until the group has no container.
 *
 * Context: may sleep, without bound. The device lock of the bus is held.
 * Locks:   takes and drops group->unbound_lock and group->device_lock; none of
 *          ours is held in the waits and while the inode goes.
 * Refs:    drops what registration took, the inode before the pin under it.
 *          device->inode is left dangling.
 */
void vfio_unregister_group_dev(struct vfio_device *device)
{
	struct vfio_group *group = device->group;

	vfio_group_note_unbound(group, device->dev);
	vfio_device_put(device);
	vfio_device_wait_unused(device);

	mutex_lock(&group->device_lock);
	shared_write(&group->device_list);
	list_del(&device->group_next);
	shared_WRITE_ONCE(group->dev_counter, group->dev_counter - 1);
	mutex_unlock(&group->device_lock);
	eng_event("unregister", device, "%s", dev_name(device->dev));

	iput(device->inode);
	simple_release_fs(&vfio.vfio_fs_mnt, &vfio.vfio_fs_cnt);

	/* The driver's DMA may only end with its group detached; nobody is asked. */
	shared_read(&group->device_list);
	if (list_empty(&group->device_list))
		wait_event(group->container_q, !shared_READ_ONCE(group->container));

	vfio_group_put(group);
}

/* ---- the container file ---- */

/* Refs: drops the file's; attached groups keep the container and its backend. */
static int vfio_fops_release(struct inode *inode, struct file *filep)
{
	struct vfio_container *container = filep->private_data;
	struct vfio_iommu_driver *driver = shared_READ_ONCE(container->iommu_driver);

	if (driver && driver->ops->notify)
		driver->ops->notify(container->iommu_data, VFIO_IOMMU_CONTAINER_CLOSE);
	filep->private_data = NULL;
	vfio_container_put(container);
	return 0;
}

static ssize_t vfio_fops_read(struct file *filep, char __user *buf, size_t count, loff_t *ppos)
{
	struct vfio_container *container = filep->private_data;
	struct vfio_iommu_driver *driver = shared_READ_ONCE(container->iommu_driver);

	if (!driver || !driver->ops->read)
		return -EINVAL;
	return driver->ops->read(container->iommu_data, buf, count, ppos);
}

static ssize_t vfio_fops_write(struct file *filep, const char __user *buf, size_t count,
			       loff_t *ppos)
{
	struct vfio_container *container = filep->private_data;
	struct vfio_iommu_driver *driver = shared_READ_ONCE(container->iommu_driver);

	if (!driver || !driver->ops->write)
		return -EINVAL;
	return driver->ops->write(container->iommu_data, buf, count, ppos);
}

static int vfio_fops_mmap(struct file *filep, struct vm_area_struct *vma)
{
	struct vfio_container *container = filep->private_data;
	struct vfio_iommu_driver *driver = shared_READ_ONCE(container->iommu_driver);

	if (!driver || !driver->ops->mmap)
		return -EINVAL;
	return driver->ops->mmap(container->iommu_data, vma);
}

const struct file_operations vfio_fops = {
	.owner = THIS_MODULE,
	.open = vfio_fops_open,
	.release = vfio_fops_release,
	.read = vfio_fops_read,
	.write = vfio_fops_write,
	.unlocked_ioctl = vfio_fops_unl_ioctl,
	.mmap = vfio_fops_mmap,
};

/* ---- a group in a container ---- */

/*
 * Take @group out of its container. The caller has brought container_users to
 * zero, so that it alone gets here (VF-272 shows that it is not so alone).
 *
 * Locks: takes and drops container->group_lock for writing.
 * Refs:  drops the group's on the container; with the last group, the
 *        container's on the backend's module.
 */
static void __vfio_group_unset_container(struct vfio_group *group)
{
	struct vfio_container *container = shared_READ_ONCE(group->container);
	struct vfio_iommu_driver *driver;

	down_write(&container->group_lock);
	driver = shared_READ_ONCE(container->iommu_driver);
	if (driver)
		driver->ops->detach_group(container->iommu_data, group->iommu_group);

	shared_WRITE_ONCE(group->container, NULL);
	eng_event("detach", group, "%O", container);
	/* A waiting unregister may return before the rest is done (VF-105). */
	wake_up(&group->container_q);
	list_del(&group->container_next);

	if (driver && list_empty(&container->group_list)) {
		driver->ops->release(container->iommu_data);
		module_put(driver->ops->owner);
		shared_WRITE_ONCE(container->iommu_driver, NULL);
		container->iommu_data = NULL;
	}
	up_write(&container->group_lock);
	vfio_container_put(container);
}

/* The group file's own use of the container ends, if nobody else uses it. */
static int vfio_group_unset_container(struct vfio_group *group)
{
	int users = atomic_cmpxchg(&group->container_users, 1, 0);

	if (!users)
		return -EINVAL;
	if (users != 1)
		return -EBUSY;
	__vfio_group_unset_container(group);
	return 0;
}

/*
 * One user less. The last one, whoever it is, takes the group out of its
 * container; a group without users is left as it is.
 */
static void vfio_group_try_dissolve_container(struct vfio_group *group)
{
	if (atomic_dec_if_positive(&group->container_users) == 0)
		__vfio_group_unset_container(group);
}

/* Locks: container->group_lock held for writing. Refs: +1 on @container, the group's. */
static int vfio_container_add_group(struct vfio_container *container, struct vfio_group *group)
{
	struct vfio_iommu_driver *driver;
	int ret;

	lockdep_assert_held(&container->group_lock);
	if (!list_empty(&container->group_list) && container->noiommu != group->noiommu)
		return -EPERM;

	driver = shared_READ_ONCE(container->iommu_driver);
	if (driver) {
		ret = driver->ops->attach_group(container->iommu_data, group->iommu_group);
		if (ret)
			return ret;
	}

	shared_WRITE_ONCE(group->container, container);
	container->noiommu = group->noiommu;
	list_add(&group->container_next, &container->group_list);
	vfio_container_get(container);
	atomic_inc(&group->container_users);
	eng_event("attach", group, "%O", container);
	return 0;
}

/*
 * No lock spans the test of container_users and its increment (VF-271), and
 * nobody asks whether the group is viable (VF-279).
 *
 * Locks: takes and drops container->group_lock for writing.
 */
static int vfio_group_set_container(struct vfio_group *group, int container_fd)
{
	struct vfio_container *container;
	struct fd f;
	int ret;

	if (atomic_read(&group->container_users))
		return -EINVAL;
	if (group->noiommu && !capable(CAP_SYS_RAWIO))
		return -EPERM;

	f = fdget(container_fd);
	if (!f.file)
		return -EBADF;
	if (f.file->f_op != &vfio_fops) {
		fdput(f);
		return -EINVAL;
	}

	container = f.file->private_data;
	WARN_ON(!container);
	down_write(&container->group_lock);
	ret = vfio_container_add_group(container, group);
	up_write(&container->group_lock);
	fdput(f);
	return ret;
}

/* Locks: takes and drops the iommu group's mutex, see vfio_dev_viable(). */
static bool vfio_group_viable(struct vfio_group *group)
{
	return iommu_group_for_each_dev(group->iommu_group, group, vfio_dev_viable) == 0;
}

/* Whether devices of the group may be used now. Nothing keeps the answer true. */
static bool vfio_group_usable(struct vfio_group *group)
{
	struct vfio_container *container;

	if (!atomic_read(&group->container_users))
		return false;
	container = shared_READ_ONCE(group->container);
	return shared_READ_ONCE(container->iommu_driver) && vfio_group_viable(group);
}

static int vfio_group_add_container_user(struct vfio_group *group)
{
	struct vfio_container *container;

	if (!atomic_inc_not_zero(&group->container_users))
		return -EINVAL;
	if (group->noiommu) {
		atomic_dec(&group->container_users);
		return -EPERM;
	}
	container = shared_READ_ONCE(group->container);
	if (!shared_READ_ONCE(container->iommu_driver) || !vfio_group_viable(group)) {
		atomic_dec(&group->container_users);
		return -EINVAL;
	}
	return 0;
}

/* ---- a device's file ---- */

/* The last access to @device of one of its files: see vfio_device_put(). */
static void vfio_device_close(struct vfio_device *device)
{
	device->ops->release(device);
	module_put(device->dev->driver->owner);
}

/*
 * A file whose mappings all link into the device's own inode.
 *
 * Refs: none on the inode: the file's reference on @device keeps it (VF-118).
 */
static struct file *vfio_device_getfile(struct vfio_device *device)
{
	struct file *filep;

	filep = anon_inode_getfile("[vfio-device]", &vfio_device_fops, device, O_RDWR);
	if (IS_ERR(filep))
		return filep;

	filep->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	eng_check(device->inode);
	filep->f_mapping = device->inode->i_mapping;
	eng_event("f_mapping_set", filep, "%O", device->inode);
	return filep;
}

/*
 * Context: may sleep. No lock is held over any of it.
 * Refs:    the new file owns one on the device, one on the driver's module and
 *          one container user. On failure none.
 */
static int vfio_group_get_device_fd(struct vfio_group *group, char *buf)
{
	struct vfio_device *device;
	struct file *filep;
	int fd, ret;

	if (!vfio_group_usable(group))
		return -EINVAL;
	if (group->noiommu && !capable(CAP_SYS_RAWIO))
		return -EPERM;

	device = vfio_device_get_from_name(group, buf);
	if (IS_ERR(device))
		return PTR_ERR(device);
	if (!try_module_get(device->dev->driver->owner)) {
		ret = -ENODEV;
		goto err_device_put;
	}
	ret = device->ops->open(device);
	if (ret)
		goto err_module_put;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto err_release;
	}
	filep = vfio_device_getfile(device);
	if (IS_ERR(filep)) {
		ret = PTR_ERR(filep);
		goto err_put_fd;
	}

	atomic_inc(&group->container_users);
	fd_install(fd, filep);

	/* Whoever guesses the number may have closed it by now (VF-265). */
	if (group->noiommu)
		dev_warn(shared_READ_ONCE(device->dev), "no IOMMU: opened by task \"%s\" (%d)\n",
			 get_current()->comm, task_pid_nr(get_current()));
	return fd;

err_put_fd:
	put_unused_fd(fd);
err_release:
	device->ops->release(device);
err_module_put:
	module_put(device->dev->driver->owner);
err_device_put:
	vfio_device_put(device);
	return ret;
}

/* ---- the group file ---- */

static long vfio_group_ioctl_get_status(struct vfio_group *group, void __user *arg)
{
	struct vfio_group_status status;
	const unsigned long minsz = sizeof(status);

	if (copy_from_user(&status, arg, minsz))
		return -EFAULT;
	if (status.argsz < minsz)
		return -EINVAL;

	status.flags = 0;
	if (vfio_group_viable(group))
		status.flags |= VFIO_GROUP_FLAGS_VIABLE;
	if (shared_READ_ONCE(group->container))
		status.flags |= VFIO_GROUP_FLAGS_CONTAINER_SET;
	return copy_to_user(arg, &status, minsz) ? -EFAULT : 0;
}

static long vfio_group_ioctl_get_device_fd(struct vfio_group *group, char __user *arg)
{
	char *buf;
	int ret;

	buf = strndup_user(arg, PAGE_SIZE);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	ret = vfio_group_get_device_fd(group, buf);
	kfree(buf);
	return ret;
}

static long vfio_group_ioctl_set_container(struct vfio_group *group, int __user *arg)
{
	int fd;

	if (get_user(fd, arg))
		return -EFAULT;
	if (fd < 0)
		return -EINVAL;
	return vfio_group_set_container(group, fd);
}

/* Several threads of one open file may be in here at once; no lock is held. */
static long vfio_group_fops_unl_ioctl(struct file *filep, unsigned int cmd, unsigned long arg)
{
	struct vfio_group *group = filep->private_data;

	switch (cmd) {
	case VFIO_GROUP_GET_STATUS:
		return vfio_group_ioctl_get_status(group, (void __user *)arg);
	case VFIO_GROUP_SET_CONTAINER:
		return vfio_group_ioctl_set_container(group, (int __user *)arg);
	case VFIO_GROUP_UNSET_CONTAINER:
		return vfio_group_unset_container(group);
	case VFIO_GROUP_GET_DEVICE_FD:
		return vfio_group_ioctl_get_device_fd(group, (char __user *)arg);
	default:
		return -ENOTTY;
	}
}

/* Refs: the lookup's on the group stays with the file. */
static int vfio_group_fops_open(struct inode *inode, struct file *filep)
{
	struct vfio_group *group = vfio_group_get_from_minor(iminor(inode));
	int ret = -EBUSY;

	if (!group)
		return -ENODEV;
	if (group->noiommu && !capable(CAP_SYS_RAWIO)) {
		ret = -EPERM;
		goto err_put;
	}
	/* Exclusive: one open file description at a time. */
	if (atomic_cmpxchg(&group->opened, 0, 1))
		goto err_put;
	/* A device of the last opener is still open, or another user there. */
	if (shared_READ_ONCE(group->container))
		goto err_opened;

	/* An emulated device forgot its notifier with the last opener (VF-38). */
	if (WARN_ON(shared_READ_ONCE(group->notifier.head)))
		BLOCKING_INIT_NOTIFIER_HEAD(&group->notifier);

	filep->private_data = group;
	return 0;

err_opened:
	atomic_dec(&group->opened);
err_put:
	vfio_group_put(group);
	return ret;
}

static int vfio_group_fops_release(struct inode *inode, struct file *filep)
{
	struct vfio_group *group = filep->private_data;

	filep->private_data = NULL;
	vfio_group_try_dissolve_container(group);
	atomic_dec(&group->opened);
	vfio_group_put(group);
	return 0;
}

const struct file_operations vfio_group_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vfio_group_fops_unl_ioctl,
	.open = vfio_group_fops_open,
	.release = vfio_group_fops_release,
};

/* ---- operations of a device's file ---- */

/* Refs: drops the container user, then the device: no access to it after that. */
static int vfio_device_fops_release(struct inode *inode, struct file *filep)
{
	struct vfio_device *device = filep->private_data;

	vfio_device_close(device);
	vfio_group_try_dissolve_container(device->group);
	vfio_device_put(device);
	return 0;
}

static long vfio_device_fops_unl_ioctl(struct file *filep, unsigned int cmd, unsigned long arg)
{
	struct vfio_device *device = filep->private_data;

	if (!device->ops->ioctl)
		return -EINVAL;
	return device->ops->ioctl(device, cmd, arg);
}

static ssize_t vfio_device_fops_read(struct file *filep, char __user *buf, size_t count,
				     loff_t *ppos)
{
	struct vfio_device *device = filep->private_data;

	if (!device->ops->read)
		return -EINVAL;
	return device->ops->read(device, buf, count, ppos);
}

static ssize_t vfio_device_fops_write(struct file *filep, const char __user *buf, size_t count,
				      loff_t *ppos)
{
	struct vfio_device *device = filep->private_data;

	if (!device->ops->write)
		return -EINVAL;
	return device->ops->write(device, buf, count, ppos);
}

static int vfio_device_fops_mmap(struct file *filep, struct vm_area_struct *vma)
{
	struct vfio_device *device = filep->private_data;

	if (!device->ops->mmap)
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

/* ---- external users ---- */

/*
 * Another subsystem (KVM) uses the group that a user's file stands for.
 *
 * Refs: a container user and one on the group, until
 *       vfio_group_put_external_user(). On failure none.
 */
struct vfio_group *vfio_group_get_external_user(struct file *filep)
{
	struct vfio_group *group = filep->private_data;
	int ret;

	if (filep->f_op != &vfio_group_fops)
		return ERR_PTR(-EINVAL);
	ret = vfio_group_add_container_user(group);
	if (ret)
		return ERR_PTR(ret);
	vfio_group_get(group);
	return group;
}

/* The same, for an emulated device's driver that has no file in its hand. */
struct vfio_group *vfio_group_get_external_user_from_dev(struct device *dev)
{
	struct vfio_group *group;
	int ret;

	group = vfio_group_get_from_dev(dev);
	if (!group)
		return ERR_PTR(-ENODEV);
	ret = vfio_group_add_container_user(group);
	if (ret) {
		vfio_group_put(group);
		return ERR_PTR(ret);
	}
	return group;
}

void vfio_group_put_external_user(struct vfio_group *group)
{
	vfio_group_try_dissolve_container(group);
	vfio_group_put(group);
}

bool vfio_external_group_match_file(struct vfio_group *group, struct file *filep)
{
	return filep->f_op == &vfio_group_fops && filep->private_data == group;
}

int vfio_external_user_iommu_id(struct vfio_group *group)
{
	return iommu_group_id(group->iommu_group);
}

/* Only while the caller counts as a user: the container may be gone otherwise. */
long vfio_external_check_extension(struct vfio_group *group, unsigned long arg)
{
	return vfio_ioctl_check_extension(shared_READ_ONCE(group->container), arg);
}

/* ---- pinning of user memory ---- */

/* Too many pages; a negative number is read as a huge one. */
static bool vfio_pin_too_many(int npage)
{
	return (unsigned long)npage > VFIO_PIN_PAGES_MAX_ENTRIES;
}

static int vfio_container_pin(struct vfio_group *group, unsigned long *user_pfn, int npage,
			      int prot, unsigned long *phys_pfn)
{
	struct vfio_container *container = shared_READ_ONCE(group->container);
	struct vfio_iommu_driver *driver = shared_READ_ONCE(container->iommu_driver);

	if (!driver || !driver->ops->pin_pages)
		return -ENOTTY;
	return driver->ops->pin_pages(container->iommu_data, group->iommu_group, user_pfn,
				      npage, prot, phys_pfn);
}

static int vfio_container_unpin(struct vfio_group *group, unsigned long *user_pfn, int npage)
{
	struct vfio_container *container = shared_READ_ONCE(group->container);
	struct vfio_iommu_driver *driver = shared_READ_ONCE(container->iommu_driver);

	if (!driver || !driver->ops->unpin_pages)
		return -ENOTTY;
	return driver->ops->unpin_pages(container->iommu_data, user_pfn, npage);
}

/* Refs: a group reference and a container user, for the length of the call. */
int vfio_pin_pages(struct device *dev, unsigned long *user_pfn, int npage, int prot,
		   unsigned long *phys_pfn)
{
	struct vfio_group *group;
	int ret;

	if (!dev || !user_pfn || !phys_pfn || !npage)
		return -EINVAL;
	if (vfio_pin_too_many(npage))
		return -E2BIG;

	group = vfio_group_get_from_dev(dev);
	if (!group)
		return -ENODEV;
	if (shared_READ_ONCE(group->dev_counter) > 1) {
		ret = -EINVAL;
		goto err_put;
	}
	ret = vfio_group_add_container_user(group);
	if (ret)
		goto err_put;

	ret = vfio_container_pin(group, user_pfn, npage, prot, phys_pfn);
	vfio_group_try_dissolve_container(group);
err_put:
	vfio_group_put(group);
	return ret;
}

/* Refs: as vfio_pin_pages(). */
int vfio_unpin_pages(struct device *dev, unsigned long *user_pfn, int npage)
{
	struct vfio_group *group;
	int ret;

	if (!dev || !user_pfn || !npage)
		return -EINVAL;
	if (vfio_pin_too_many(npage))
		return -E2BIG;

	group = vfio_group_get_from_dev(dev);
	if (!group)
		return -ENODEV;
	ret = vfio_group_add_container_user(group);
	if (ret)
		goto err_put;

	ret = vfio_container_unpin(group, user_pfn, npage);
	vfio_group_try_dissolve_container(group);
err_put:
	vfio_group_put(group);
	return ret;
}

/* The caller is an external user: it holds what the two above take. */
int vfio_group_pin_pages(struct vfio_group *group, unsigned long *user_iova_pfn, int npage,
			 int prot, unsigned long *phys_pfn)
{
	if (!group || !user_iova_pfn || !phys_pfn || !npage)
		return -EINVAL;
	if (shared_READ_ONCE(group->dev_counter) > 1)
		return -EINVAL;
	if (vfio_pin_too_many(npage))
		return -E2BIG;
	return vfio_container_pin(group, user_iova_pfn, npage, prot, phys_pfn);
}

int vfio_group_unpin_pages(struct vfio_group *group, unsigned long *user_iova_pfn, int npage)
{
	if (!group || !user_iova_pfn || !npage)
		return -EINVAL;
	if (vfio_pin_too_many(npage))
		return -E2BIG;
	return vfio_container_unpin(group, user_iova_pfn, npage);
}

int vfio_dma_rw(struct vfio_group *group, dma_addr_t user_iova, void *data, size_t len,
		bool write)
{
	struct vfio_container *container;
	struct vfio_iommu_driver *driver;

	if (!group || !data || !len)
		return -EINVAL;
	container = shared_READ_ONCE(group->container);
	driver = shared_READ_ONCE(container->iommu_driver);
	if (!driver || !driver->ops->dma_rw)
		return -ENOTTY;
	return driver->ops->dma_rw(container->iommu_data, user_iova, data, len, write);
}

struct iommu_domain *vfio_group_iommu_domain(struct vfio_group *group)
{
	struct vfio_container *container;
	struct vfio_iommu_driver *driver;

	if (!group)
		return ERR_PTR(-EINVAL);
	container = shared_READ_ONCE(group->container);
	driver = shared_READ_ONCE(container->iommu_driver);
	if (!driver || !driver->ops->group_iommu_domain)
		return ERR_PTR(-ENOTTY);
	return driver->ops->group_iommu_domain(container->iommu_data, group->iommu_group);
}

/* ---- notifiers of emulated devices ---- */

static int vfio_register_iommu_notifier(struct vfio_group *group, unsigned long *events,
					struct notifier_block *nb)
{
	struct vfio_container *container;
	struct vfio_iommu_driver *driver;
	int ret = -ENOTTY;

	if (vfio_group_add_container_user(group))
		return -EINVAL;
	container = shared_READ_ONCE(group->container);
	driver = shared_READ_ONCE(container->iommu_driver);
	if (driver && driver->ops->register_notifier)
		ret = driver->ops->register_notifier(container->iommu_data, events, nb);
	vfio_group_try_dissolve_container(group);
	return ret;
}

static int vfio_unregister_iommu_notifier(struct vfio_group *group, struct notifier_block *nb)
{
	struct vfio_container *container;
	struct vfio_iommu_driver *driver;
	int ret = -ENOTTY;

	if (vfio_group_add_container_user(group))
		return -EINVAL;
	container = shared_READ_ONCE(group->container);
	driver = shared_READ_ONCE(container->iommu_driver);
	if (driver && driver->ops->unregister_notifier)
		ret = driver->ops->unregister_notifier(container->iommu_data, nb);
	vfio_group_try_dissolve_container(group);
	return ret;
}

void vfio_group_set_kvm(struct vfio_group *group, struct kvm *kvm)
{
	shared_WRITE_ONCE(group->kvm, kvm);
	blocking_notifier_call_chain(&group->notifier, VFIO_GROUP_NOTIFY_SET_KVM, kvm);
}

/* A late listener is told at once of a kvm that is known already. */
static int vfio_register_group_notifier(struct vfio_group *group, unsigned long *events,
					struct notifier_block *nb)
{
	bool set_kvm = *events & VFIO_GROUP_NOTIFY_SET_KVM;
	struct kvm *kvm;
	int ret;

	*events &= ~VFIO_GROUP_NOTIFY_SET_KVM;
	if (*events)
		return -EINVAL;
	if (vfio_group_add_container_user(group))
		return -EINVAL;

	ret = blocking_notifier_chain_register(&group->notifier, nb);
	if (!ret && set_kvm) {
		kvm = shared_READ_ONCE(group->kvm);
		if (kvm)
			blocking_notifier_call_chain(&group->notifier,
						     VFIO_GROUP_NOTIFY_SET_KVM, kvm);
	}
	vfio_group_try_dissolve_container(group);
	return ret;
}

static int vfio_unregister_group_notifier(struct vfio_group *group, struct notifier_block *nb)
{
	int ret;

	if (vfio_group_add_container_user(group))
		return -EINVAL;
	ret = blocking_notifier_chain_unregister(&group->notifier, nb);
	vfio_group_try_dissolve_container(group);
	return ret;
}

int vfio_register_notifier(struct device *dev, enum vfio_notify_type type,
			   unsigned long *events, struct notifier_block *nb)
{
	struct vfio_group *group;
	int ret = -EINVAL;

	if (!dev || !nb || !events || !*events)
		return -EINVAL;
	group = vfio_group_get_from_dev(dev);
	if (!group)
		return -ENODEV;

	if (type == VFIO_IOMMU_NOTIFY)
		ret = vfio_register_iommu_notifier(group, events, nb);
	else if (type == VFIO_GROUP_NOTIFY)
		ret = vfio_register_group_notifier(group, events, nb);
	vfio_group_put(group);
	return ret;
}

int vfio_unregister_notifier(struct device *dev, enum vfio_notify_type type,
			     struct notifier_block *nb)
{
	struct vfio_group *group;
	int ret = -EINVAL;

	if (!dev || !nb)
		return -EINVAL;
	group = vfio_group_get_from_dev(dev);
	if (!group)
		return -ENODEV;

	if (type == VFIO_IOMMU_NOTIFY)
		ret = vfio_unregister_iommu_notifier(group, nb);
	else if (type == VFIO_GROUP_NOTIFY)
		ret = vfio_unregister_group_notifier(group, nb);
	vfio_group_put(group);
	return ret;
}

/* ---- module ---- */

static char *vfio_devnode(struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vfio/%s", dev_name(dev));
}

static KSTATE struct miscdevice vfio_dev = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.fops = &vfio_fops,
	.nodename = "vfio/vfio",
	.mode = 0666,
};

/* Nodes of groups. Labels undo in reverse; the idr needs no undo. */
static int vfio_init_groups(void)
{
	int ret;

	vfio.class = class_create(THIS_MODULE, "vfio");
	if (IS_ERR(vfio.class))
		return PTR_ERR(vfio.class);
	vfio.class->devnode = vfio_devnode;

	ret = alloc_chrdev_region(&vfio.group_devt, 0, MINORMASK + 1, "vfio");
	if (ret)
		goto err_class;

	cdev_init(&vfio.group_cdev, &vfio_group_fops);
	ret = cdev_add(&vfio.group_cdev, vfio.group_devt, MINORMASK + 1);
	if (ret)
		goto err_region;
	return 0;

err_region:
	unregister_chrdev_region(vfio.group_devt, MINORMASK + 1);
err_class:
	class_destroy(vfio.class);
	vfio.class = NULL;
	return ret;
}

static int vfio_init(void)
{
	int ret;

	idr_init(&vfio.group_idr);
	mutex_init(&vfio.group_lock);
	mutex_init(&vfio.iommu_drivers_lock);
	INIT_LIST_HEAD(&vfio.group_list);
	INIT_LIST_HEAD(&vfio.iommu_drivers_list);

	ret = misc_register(&vfio_dev);
	if (ret) {
		pr_err("vfio: misc device register failed\n");
		return ret;
	}
	ret = vfio_init_groups();
	if (ret) {
		misc_deregister(&vfio_dev);
		return ret;
	}

	pr_info("vfio: core loaded\n");
	vfio_register_iommu_driver(&vfio_noiommu_ops);
	return 0;
}

static void vfio_cleanup(void)
{
	WARN_ON(!list_empty(&vfio.group_list));
	vfio_unregister_iommu_driver(&vfio_noiommu_ops);
	idr_destroy(&vfio.group_idr);
	cdev_del(&vfio.group_cdev);
	unregister_chrdev_region(vfio.group_devt, MINORMASK + 1);
	class_destroy(vfio.class);
	vfio.class = NULL;
	misc_deregister(&vfio_dev);
}

static void vfio_port_observe(struct vfio_facts *facts)
{
	struct vfio_group *group;
	struct vfio_group_facts *g;

	facts->busy = vfio.group_lock.owner;
	facts->pins = vfio.vfio_fs_cnt;
	facts->mnt = vfio.vfio_fs_mnt;
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
		g->node = dev_name(group->dev);
		g->refs = group->kref.refcount.refs.counter;
		g->users = group->container_users.counter;
		g->opened = group->opened.counter;
		g->devices = group->dev_counter;
		g->unbound = vfio_facts_length(&group->unbound_list);
	}
}

unsigned int vfio_device_registrations(struct vfio_device *device)
{
	return device->refcount.refs.counter;
}

struct inode *vfio_device_inode(struct vfio_device *device)
{
	return device->inode;
}

static const struct vfio_core_ops vfio_port_ops = {
	.vfio_iommu_group_get = vfio_iommu_group_get,
	.vfio_iommu_group_put = vfio_iommu_group_put,
	.vfio_init_group_dev = vfio_init_group_dev,
	.vfio_register_group_dev = vfio_register_group_dev,
	.vfio_unregister_group_dev = vfio_unregister_group_dev,
	.vfio_device_get_from_dev = vfio_device_get_from_dev,
	.vfio_device_put = vfio_device_put,
	.vfio_device_registrations = vfio_device_registrations,
	.vfio_device_inode = vfio_device_inode,
	.vfio_register_iommu_driver = vfio_register_iommu_driver,
	.vfio_unregister_iommu_driver = vfio_unregister_iommu_driver,
	.vfio_group_get_external_user = vfio_group_get_external_user,
	.vfio_group_put_external_user = vfio_group_put_external_user,
	.vfio_group_get_external_user_from_dev = vfio_group_get_external_user_from_dev,
	.vfio_external_group_match_file = vfio_external_group_match_file,
	.vfio_external_user_iommu_id = vfio_external_user_iommu_id,
	.vfio_external_check_extension = vfio_external_check_extension,
	.vfio_pin_pages = vfio_pin_pages,
	.vfio_unpin_pages = vfio_unpin_pages,
	.vfio_group_pin_pages = vfio_group_pin_pages,
	.vfio_group_unpin_pages = vfio_group_unpin_pages,
	.vfio_dma_rw = vfio_dma_rw,
	.vfio_group_iommu_domain = vfio_group_iommu_domain,
	.vfio_register_notifier = vfio_register_notifier,
	.vfio_unregister_notifier = vfio_unregister_notifier,
	.vfio_group_set_kvm = vfio_group_set_kvm,
};

const struct vfiosim_core vfio_core_port = {
	.name = "port",
	.summary = "5.14-rc with the patch \"vfio: Create vfio_fs_type with inode per device\"",
	.device_inodes = true,
	.init = vfio_init,
	.exit = vfio_cleanup,
	.observe = vfio_port_observe,
	.ops = &vfio_port_ops,
};
