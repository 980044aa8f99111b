/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What 5.14's vfio.c and 6.12's container.c agree on: backends, and containers
 * up to SET_IOMMU.
 *
 * Each core includes this once, below its struct vfio_group and an object named
 * vfio with the members iommu_drivers_list and iommu_drivers_lock.
 *
 * Lock order: vfio_container.group_lock > vfio.iommu_drivers_lock > the
 * backend's own.
 */
#ifndef VFIOSIM_VFIO_SHARED_CONTAINER_H
#define VFIOSIM_VFIO_SHARED_CONTAINER_H

#include <vfiosim/kapi/slab.h>

#include "vfio_container.h"

/* ---- the noiommu backend ---- */

/* Whether @group was faked for a device without an IOMMU: the cookie says so. */
static bool iommu_group_is_noiommu(struct iommu_group *group)
{
	return iommu_group_get_iommudata(group) == &vfio_noiommu;
}

static void *vfio_noiommu_open(unsigned long arg)
{
	if (arg != VFIO_NOIOMMU_IOMMU)
		return ERR_PTR(-EINVAL);
	if (!capable(CAP_SYS_RAWIO))
		return ERR_PTR(-EPERM);
	return NULL;
}

static void vfio_noiommu_release(void *iommu_data)
{
	/* open() made nothing: NULL is its data. */
}

static long vfio_noiommu_ioctl(void *iommu_data, unsigned int cmd, unsigned long arg)
{
	if (cmd != VFIO_CHECK_EXTENSION)
		return -ENOTTY;
	return shared_READ_ONCE(vfio_noiommu) && arg == VFIO_NOIOMMU_IOMMU;
}

static int vfio_noiommu_attach_group(void *iommu_data, struct iommu_group *group)
{
	return iommu_group_is_noiommu(group) ? 0 : -EINVAL;
}

static void vfio_noiommu_detach_group(void *iommu_data, struct iommu_group *group)
{
	/* attach_group() only looked. */
}

static const struct vfio_iommu_driver_ops vfio_noiommu_ops = {
	.name = "vfio-noiommu",
	.owner = THIS_MODULE,
	.open = vfio_noiommu_open,
	.release = vfio_noiommu_release,
	.ioctl = vfio_noiommu_ioctl,
	.attach_group = vfio_noiommu_attach_group,
	.detach_group = vfio_noiommu_detach_group,
};

static bool vfio_is_noiommu(const struct vfio_iommu_driver *driver)
{
	return driver->ops == &vfio_noiommu_ops;
}

/* ---- backends ---- */

/* Locks: takes and drops vfio.iommu_drivers_lock. */
int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops)
{
	struct vfio_iommu_driver *driver, *other;

	driver = kzalloc(sizeof(*driver), GFP_KERNEL);
	if (!driver)
		return -ENOMEM;
	driver->ops = ops;

	mutex_lock(&vfio.iommu_drivers_lock);
	list_for_each_entry(other, &vfio.iommu_drivers_list, vfio_next) {
		if (other->ops == ops) {
			mutex_unlock(&vfio.iommu_drivers_lock);
			kfree(driver);
			return -EINVAL;
		}
	}
	list_add(&driver->vfio_next, &vfio.iommu_drivers_list);
	mutex_unlock(&vfio.iommu_drivers_lock);
	return 0;
}

/* Locks: takes and drops vfio.iommu_drivers_lock. */
void vfio_unregister_iommu_driver(const struct vfio_iommu_driver_ops *ops)
{
	struct vfio_iommu_driver *driver;

	mutex_lock(&vfio.iommu_drivers_lock);
	list_for_each_entry(driver, &vfio.iommu_drivers_list, vfio_next) {
		if (driver->ops == ops) {
			list_del(&driver->vfio_next);
			mutex_unlock(&vfio.iommu_drivers_lock);
			kfree(driver);
			return;
		}
	}
	mutex_unlock(&vfio.iommu_drivers_lock);
}

/* ---- containers ---- */

static void vfio_container_get(struct vfio_container *container)
{
	kref_get(&container->kref);
}

static void vfio_container_release(struct kref *kref)
{
	kfree(container_of(kref, struct vfio_container, kref));
}

static void vfio_container_put(struct vfio_container *container)
{
	kref_put(&container->kref, vfio_container_release);
}

/* A backend of the other kind is not asked once the container has a kind. */
static bool vfio_iommu_driver_allowed(struct vfio_container *container,
				      const struct vfio_iommu_driver *driver)
{
	return container->noiommu == vfio_is_noiommu(driver);
}

/*
 * Ask the backends in turn; the first positive answer wins, else the last one.
 *
 * Locks: container->group_lock held; takes and drops vfio.iommu_drivers_lock.
 */
static long vfio_check_extension_of_any(struct vfio_container *container, unsigned long arg)
{
	struct vfio_iommu_driver *driver;
	long ret = 0;

	lockdep_assert_held(&container->group_lock);
	mutex_lock(&vfio.iommu_drivers_lock);
	list_for_each_entry(driver, &vfio.iommu_drivers_list, vfio_next) {
		if (!list_empty(&container->group_list) &&
		    !vfio_iommu_driver_allowed(container, driver))
			continue;
		if (!try_module_get(driver->ops->owner))
			continue;
		ret = driver->ops->ioctl(NULL, VFIO_CHECK_EXTENSION, arg);
		module_put(driver->ops->owner);
		if (ret > 0)
			break;
	}
	mutex_unlock(&vfio.iommu_drivers_lock);
	return ret;
}

/* Locks: takes and drops container->group_lock for reading. */
static long vfio_ioctl_check_extension(struct vfio_container *container, unsigned long arg)
{
	struct vfio_iommu_driver *driver;
	long ret;

	down_read(&container->group_lock);
	driver = shared_READ_ONCE(container->iommu_driver);
	if (driver)
		ret = driver->ops->ioctl(container->iommu_data, VFIO_CHECK_EXTENSION, arg);
	else
		ret = vfio_check_extension_of_any(container, arg);
	up_read(&container->group_lock);
	return ret;
}

/* All groups or none. Locks: container->group_lock held for writing. */
static int __vfio_container_attach_groups(struct vfio_container *container,
					  struct vfio_iommu_driver *driver, void *data)
{
	struct vfio_group *group;
	int ret = -ENODEV;

	lockdep_assert_held(&container->group_lock);
	list_for_each_entry(group, &container->group_list, container_next) {
		ret = driver->ops->attach_group(data, group->iommu_group);
		if (ret)
			goto unwind;
	}
	return ret;

unwind:
	list_for_each_entry_continue_reverse(group, &container->group_list, container_next)
		driver->ops->detach_group(data, group->iommu_group);
	return ret;
}

/*
 * Configure @container with @driver.
 *
 * Locks: container->group_lock and vfio.iommu_drivers_lock held.
 * Refs:  on success the container keeps one on the backend's module. On
 *        failure none; positive: the backend does not do @arg.
 */
static int vfio_container_try_driver(struct vfio_container *container,
				     struct vfio_iommu_driver *driver, unsigned long arg)
{
	void *data;
	int ret = 1;

	if (!try_module_get(driver->ops->owner))
		return ret;
	if (driver->ops->ioctl(NULL, VFIO_CHECK_EXTENSION, arg) <= 0)
		goto put_module;

	data = driver->ops->open(arg);
	if (IS_ERR(data)) {
		ret = PTR_ERR(data);
		goto put_module;
	}
	ret = __vfio_container_attach_groups(container, driver, data);
	if (ret)
		goto release_data;

	shared_WRITE_ONCE(container->iommu_driver, driver);
	container->iommu_data = data;
	eng_event("set_iommu", container, "%s", driver->ops->name);
	return 0;

release_data:
	driver->ops->release(data);
put_module:
	module_put(driver->ops->owner);
	return ret;
}

/*
 * Locks: takes and drops container->group_lock for writing, under it
 *        vfio.iommu_drivers_lock, held across every call of a backend.
 */
static long vfio_ioctl_set_iommu(struct vfio_container *container, unsigned long arg)
{
	struct vfio_iommu_driver *driver;
	long ret = -ENODEV;
	int error;

	down_write(&container->group_lock);
	if (list_empty(&container->group_list) || shared_READ_ONCE(container->iommu_driver)) {
		up_write(&container->group_lock);
		return -EINVAL;
	}

	mutex_lock(&vfio.iommu_drivers_lock);
	list_for_each_entry(driver, &vfio.iommu_drivers_list, vfio_next) {
		if (!vfio_iommu_driver_allowed(container, driver))
			continue;
		error = vfio_container_try_driver(container, driver, arg);
		if (error <= 0)
			ret = error;
		if (!error)
			break;
	}
	mutex_unlock(&vfio.iommu_drivers_lock);
	up_write(&container->group_lock);
	return ret;
}

static long vfio_fops_unl_ioctl(struct file *filep, unsigned int cmd, unsigned long arg)
{
	struct vfio_container *container = filep->private_data;
	struct vfio_iommu_driver *driver;

	if (!container)
		return -EINVAL;

	switch (cmd) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return vfio_ioctl_check_extension(container, arg);
	case VFIO_SET_IOMMU:
		return vfio_ioctl_set_iommu(container, arg);
	default:
		driver = shared_READ_ONCE(container->iommu_driver);
		if (!driver)
			return -EINVAL;
		return driver->ops->ioctl(container->iommu_data, cmd, arg);
	}
}

/* Refs: the container's first, the file's until vfio_fops_release(). */
static int vfio_fops_open(struct inode *inode, struct file *filep)
{
	struct vfio_container *container = kzalloc(sizeof(*container), GFP_KERNEL);

	if (!container)
		return -ENOMEM;
	INIT_LIST_HEAD(&container->group_list);
	init_rwsem(&container->group_lock);
	kref_init(&container->kref);
	filep->private_data = container;
	return 0;
}

#endif
