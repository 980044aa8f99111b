// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices. Kernel original: drivers/vfio/mdev/{mdev_core,mdev_driver}.c.
 *
 * Lock order (outer first):
 *
 *   parent_list_lock		(which parents there are)
 *   parent->unreg_sem		(create and remove read, unregister writes)
 *     mdev_list_lock		(which devices there are, and their active flags)
 *     device_lock(mdev)	(probe and remove, unbounded waits included)
 *
 * The mdev bus has no IOMMU: each device gets a fresh group around its driver's
 * probe and remove, and no bind event ever reaches a group (VF-195).
 */
#include <vfiosim/kapi/iommu.h>
#include <vfiosim/kapi/mdev.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/vfio.h>

#include "engine.h"

struct mdev_parent {
	struct kref kref;
	struct device *dev;
	const struct mdev_parent_ops *ops;
	struct list_head next;
	struct rw_semaphore unreg_sem;
};

static struct list_head parent_list KSTATE = LIST_HEAD_INIT(parent_list);
static struct mutex parent_list_lock KSTATE = MUTEX_INIT(parent_list_lock);
static struct list_head mdev_list KSTATE = LIST_HEAD_INIT(mdev_list);
static struct mutex mdev_list_lock KSTATE = MUTEX_INIT(mdev_list_lock);

/* ---- the bus ---- */

static struct mdev_driver *to_mdev_driver(struct device_driver *drv)
{
	return container_of(drv, struct mdev_driver, driver);
}

/* Drivers are attached by create alone, never by name or by arrival. */
static int mdev_match(struct device *dev, struct device_driver *drv)
{
	return 0;
}

/*
 * 6.12 leaves this to vfio_register_emulated_iommu_dev() (VF-371).
 *
 * Refs: the group is kept by its one member.
 */
static int mdev_attach_iommu(struct mdev_device *mdev)
{
	struct iommu_group *group;
	int ret;

	if (vfio_core_allocates())
		return 0;
	group = iommu_group_alloc();
	if (IS_ERR(group))
		return PTR_ERR(group);
	ret = iommu_group_add_device(group, &mdev->dev);
	iommu_group_put(group);
	return ret;
}

static void mdev_detach_iommu(struct mdev_device *mdev)
{
	if (!vfio_core_allocates())
		iommu_group_remove_device(&mdev->dev);
}

static int mdev_probe(struct device *dev)
{
	struct mdev_driver *drv = to_mdev_driver(dev->driver);
	struct mdev_device *mdev = to_mdev_device(dev);
	int ret;

	ret = mdev_attach_iommu(mdev);
	if (ret)
		return ret;
	ret = drv->probe(mdev);
	if (ret)
		mdev_detach_iommu(mdev);
	return ret;
}

static void mdev_remove(struct device *dev)
{
	struct mdev_driver *drv = to_mdev_driver(dev->driver);

	if (drv->remove)
		drv->remove(to_mdev_device(dev));
	mdev_detach_iommu(to_mdev_device(dev));
}

struct bus_type mdev_bus_type KSTATE = {
	.name = "mdev",
	.match = mdev_match,
	.probe = mdev_probe,
	.remove = mdev_remove,
};

int mdev_init(void)
{
	return mdev_bus_type.p ? 0 : bus_register(&mdev_bus_type);
}

void mdev_exit(void)
{
	if (mdev_bus_type.p)
		bus_unregister(&mdev_bus_type);
}

int mdev_register_driver(struct mdev_driver *drv)
{
	drv->driver.bus = &mdev_bus_type;
	return driver_register(&drv->driver);
}

void mdev_unregister_driver(struct mdev_driver *drv)
{
	driver_unregister(&drv->driver);
}

/* ---- parents ---- */

/* Locks: holds parent_list_lock. */
static struct mdev_parent *find_parent(const struct device *dev)
{
	struct mdev_parent *parent;

	list_for_each_entry(parent, &parent_list, next)
		if (parent->dev == dev)
			return parent;
	return NULL;
}

static void mdev_release_parent(struct kref *kref)
{
	struct mdev_parent *parent = container_of(kref, struct mdev_parent, kref);

	put_device(parent->dev);
	kfree(parent);
}

static void mdev_put_parent(struct mdev_parent *parent)
{
	kref_put(&parent->kref, mdev_release_parent);
}

/* Refs: +1 on the parent that is returned, or NULL. */
static struct mdev_parent *mdev_get_parent(const struct device *dev)
{
	struct mdev_parent *parent;

	mutex_lock(&parent_list_lock);
	parent = find_parent(dev);
	if (parent)
		kref_get(&parent->kref);
	mutex_unlock(&parent_list_lock);
	return parent;
}

/* Refs: the list owns the parent, which owns one on @dev. */
int mdev_register_device(struct device *dev, const struct mdev_parent_ops *ops)
{
	struct mdev_parent *parent;
	int ret = 0;

	parent = kzalloc(sizeof(struct mdev_parent), GFP_KERNEL);
	if (!parent)
		return -ENOMEM;
	kref_init(&parent->kref);
	init_rwsem(&parent->unreg_sem);
	parent->dev = get_device(dev);
	parent->ops = ops;

	mutex_lock(&parent_list_lock);
	if (find_parent(dev))
		ret = -EEXIST;
	else
		list_add(&parent->next, &parent_list);
	mutex_unlock(&parent_list_lock);
	if (ret)
		mdev_put_parent(parent);
	return ret;
}

/* ---- devices ---- */

static void mdev_device_release(struct device *dev)
{
	struct mdev_device *mdev = to_mdev_device(dev);

	mutex_lock(&mdev_list_lock);
	list_del(&mdev->next);
	mutex_unlock(&mdev_list_lock);
	mdev_put_parent(mdev->parent);
	kfree(mdev);
}

/* Locks: holds mdev_list_lock. */
static bool mdev_uuid_is_taken(const char *uuid)
{
	struct mdev_device *mdev;

	list_for_each_entry(mdev, &mdev_list, next)
		if (!strcmp(dev_name(&mdev->dev), uuid))
			return true;
	return false;
}

/*
 * Locks: holds mdev_list_lock. Refs: on success the device takes the caller's
 * reference on @parent over.
 */
static struct mdev_device *mdev_alloc(struct mdev_parent *parent, const char *uuid)
{
	struct mdev_device *mdev;

	if (mdev_uuid_is_taken(uuid))
		return ERR_PTR(-EEXIST);
	mdev = kzalloc(sizeof(struct mdev_device), GFP_KERNEL);
	if (!mdev)
		return ERR_PTR(-ENOMEM);
	device_initialize(&mdev->dev);
	mdev->dev.parent = parent->dev;
	mdev->dev.bus = &mdev_bus_type;
	mdev->dev.release = mdev_device_release;
	if (dev_set_name(&mdev->dev, "%s", uuid)) {
		kfree(mdev);
		return ERR_PTR(-ENOMEM);
	}
	mdev->parent = parent;
	list_add(&mdev->next, &mdev_list);
	return mdev;
}

static void parent_remove_op(struct mdev_device *mdev)
{
	if (mdev->parent->ops->remove)
		mdev->parent->ops->remove(mdev);
}

/* Locks: holds unreg_sem for reading. On failure the device is as mdev_alloc() left it. */
static int mdev_bring_up(struct mdev_device *mdev)
{
	const struct mdev_parent_ops *ops = mdev->parent->ops;
	int ret = ops->create ? ops->create(mdev) : 0;

	if (ret)
		return ret;
	ret = device_add(&mdev->dev);
	if (ret)
		goto err_remove;
	ret = device_driver_attach(&ops->device_driver->driver, &mdev->dev);
	if (ret)
		goto err_del;
	mutex_lock(&mdev_list_lock);
	mdev->active = true;
	mutex_unlock(&mdev_list_lock);
	return 0;

err_del:
	device_del(&mdev->dev);
err_remove:
	parent_remove_op(mdev);
	return ret;
}

/*
 * Context: may sleep. The errors are VF-346's. -ENODEV while the parent is leaving.
 */
int mdev_device_create(struct device *dev, const char *uuid)
{
	struct mdev_parent *parent = mdev_get_parent(dev);
	struct mdev_device *mdev;
	int ret = -ENODEV;

	if (!parent)
		return -ENODEV;
	mutex_lock(&mdev_list_lock);
	mdev = mdev_alloc(parent, uuid);
	mutex_unlock(&mdev_list_lock);
	if (IS_ERR(mdev)) {
		mdev_put_parent(parent);
		return PTR_ERR(mdev);
	}
	if (down_read_trylock(&parent->unreg_sem)) {
		ret = mdev_bring_up(mdev);
		up_read(&parent->unreg_sem);
	}
	if (ret)
		put_device(&mdev->dev);
	return ret;
}

/* Context: may sleep without bound. Refs: drops the one that create left. */
static void mdev_device_remove_common(struct mdev_device *mdev)
{
	device_del(&mdev->dev);
	parent_remove_op(mdev);
	put_device(&mdev->dev);
}

/* Whether it is this caller that removes @mdev. Locks: takes mdev_list_lock. */
static int mdev_claim_removal(struct mdev_device *mdev)
{
	struct mdev_device *entry;
	int ret = -ENODEV;

	mutex_lock(&mdev_list_lock);
	list_for_each_entry(entry, &mdev_list, next) {
		if (entry != mdev)
			continue;
		ret = mdev->active ? 0 : -EAGAIN;
		mdev->active = false;
		break;
	}
	mutex_unlock(&mdev_list_lock);
	return ret;
}

/* Context: may sleep without bound, for as long as anybody uses the device. */
int mdev_device_remove(struct mdev_device *mdev)
{
	struct mdev_parent *parent;
	int ret = mdev_claim_removal(mdev);

	if (ret)
		return ret;
	parent = mdev->parent;
	kref_get(&parent->kref);
	if (down_read_trylock(&parent->unreg_sem)) {
		mdev_device_remove_common(mdev);
		up_read(&parent->unreg_sem);
	} else {
		ret = -ENODEV;
	}
	mdev_put_parent(parent);
	return ret;
}

struct mdev_device *mdev_find(const char *uuid)
{
	struct device *dev = bus_find_device_by_name(&mdev_bus_type, NULL, uuid);

	return dev ? to_mdev_device(dev) : NULL;
}

/*
 * The newest registered device below @parent, or NULL: one that is removed stays on the list
 * for as long as somebody refers to it. Locks: takes mdev_list_lock.
 */
static struct mdev_device *mdev_first_child(const struct mdev_parent *parent)
{
	struct mdev_device *mdev, *found = NULL;

	mutex_lock(&mdev_list_lock);
	list_for_each_entry(mdev, &mdev_list, next) {
		if (mdev->parent != parent || !device_is_registered(&mdev->dev))
			continue;
		found = mdev;
		mdev->active = false;
		break;
	}
	mutex_unlock(&mdev_list_lock);
	return found;
}

void mdev_unregister_device(struct device *dev)
{
	struct mdev_parent *parent;
	struct mdev_device *mdev;

	mutex_lock(&parent_list_lock);
	parent = find_parent(dev);
	if (parent)
		list_del(&parent->next);
	mutex_unlock(&parent_list_lock);
	if (!parent)
		return;

	down_write(&parent->unreg_sem);
	while ((mdev = mdev_first_child(parent)))
		mdev_device_remove_common(mdev);
	up_write(&parent->unreg_sem);
	mdev_put_parent(parent);
}
