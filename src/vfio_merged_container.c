// SPDX-License-Identifier: GPL-2.0-only
/*
 * The merged core: containers. Follows drivers/vfio/container.c of 6.12; what it
 * has in common with 5.14 is in vfio_shared_container.h.
 *
 * Lock order (outer first):
 *
 *   vfio_group.group_lock		(vfio_merged_group.c)
 *     vfio_container.group_lock
 *       vfio.iommu_drivers_lock
 *
 * Unlike the port's, a group's container is only touched under its group_lock.
 */
#define KBUILD_MODNAME vfio

#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/sched.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/uaccess.h>

#include "vfio_merged.h"

static KSTATE struct vfio {
	struct list_head iommu_drivers_list;
	struct mutex iommu_drivers_lock;
} vfio;

#include "vfio_shared_container.h"

/* Refs: drops the file's; attached groups keep the container and its backend. */
static int vfio_fops_release(struct inode *inode, struct file *filep)
{
	struct vfio_container *container = filep->private_data;

	filep->private_data = NULL;
	vfio_container_put(container);
	return 0;
}

static const struct file_operations vfio_fops = {
	.owner = THIS_MODULE,
	.open = vfio_fops_open,
	.release = vfio_fops_release,
	.unlocked_ioctl = vfio_fops_unl_ioctl,
};

/* NULL when @file is not a container. The caller holds a reference on @file. */
struct vfio_container *vfio_container_from_file(struct file *file)
{
	struct vfio_container *container;

	if (file->f_op != &vfio_fops)
		return NULL;
	container = file->private_data;
	WARN_ON(!container);
	return container;
}

/*
 * The group's DMA becomes this container's, driver or no driver.
 *
 * Refs: on success, the group's claim on the iommu group; on failure none.
 */
static int vfio_container_claim(struct vfio_container *container, struct vfio_group *group)
{
	struct vfio_iommu_driver *driver = shared_READ_ONCE(container->iommu_driver);
	int ret = 0;

	if (group->type == VFIO_IOMMU)
		ret = iommu_group_claim_dma_owner(group->iommu_group, group);
	if (ret || !driver)
		return ret;

	ret = driver->ops->attach_group(container->iommu_data, group->iommu_group);
	if (ret && group->type == VFIO_IOMMU)
		iommu_group_release_dma_owner(group->iommu_group);
	return ret;
}

/*
 * Locks: group->group_lock held; takes and drops container->group_lock.
 * Refs:  +1 on @container, the group's, until vfio_group_detach_container().
 */
int vfio_container_attach_group(struct vfio_container *container, struct vfio_group *group)
{
	int ret = -EPERM;

	lockdep_assert_held(&group->group_lock);
	if (group->type == VFIO_NO_IOMMU && !capable(CAP_SYS_RAWIO))
		return ret;

	down_write(&container->group_lock);
	if (!list_empty(&container->group_list) &&
	    container->noiommu != (group->type == VFIO_NO_IOMMU))
		goto out_unlock;

	ret = vfio_container_claim(container, group);
	if (ret)
		goto out_unlock;

	group->container = container;
	group->container_users = 1;
	container->noiommu = group->type == VFIO_NO_IOMMU;
	list_add(&group->container_next, &container->group_list);
	vfio_container_get(container);
	eng_event("attach", group, "%O", container);

out_unlock:
	up_write(&container->group_lock);
	return ret;
}

/*
 * Locks: group->group_lock held; takes and drops container->group_lock.
 * Refs:  drops the group's on the container, the claim on the iommu group and,
 *        with the last group, the backend.
 */
void vfio_group_detach_container(struct vfio_group *group)
{
	struct vfio_container *container = group->container;
	struct vfio_iommu_driver *driver;

	lockdep_assert_held(&group->group_lock);
	WARN_ON(group->container_users != 1);

	down_write(&container->group_lock);
	driver = shared_READ_ONCE(container->iommu_driver);
	if (driver)
		driver->ops->detach_group(container->iommu_data, group->iommu_group);
	if (group->type == VFIO_IOMMU)
		iommu_group_release_dma_owner(group->iommu_group);

	group->container = NULL;
	group->container_users = 0;
	eng_event("detach", group, "%O", container);
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

/*
 * A device of @group is opened for the first time: from now on the group's file
 * stays, and with it the attachment, until vfio_group_unuse_container().
 *
 * Locks: group->group_lock held.
 */
int vfio_group_use_container(struct vfio_group *group)
{
	lockdep_assert_held(&group->group_lock);
	if (!shared_READ_ONCE(group->container->iommu_driver))
		return -EINVAL;
	if (group->type == VFIO_NO_IOMMU && !capable(CAP_SYS_RAWIO))
		return -EPERM;

	get_file(group->opened_file);
	group->container_users++;
	return 0;
}

void vfio_group_unuse_container(struct vfio_group *group)
{
	lockdep_assert_held(&group->group_lock);
	WARN_ON(group->container_users <= 1);
	group->container_users--;
	fput(group->opened_file);
}

static KSTATE struct miscdevice vfio_dev = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.fops = &vfio_fops,
	.nodename = "vfio/vfio",
	.mode = 0666,
};

int vfio_container_init(void)
{
	int ret;

	mutex_init(&vfio.iommu_drivers_lock);
	INIT_LIST_HEAD(&vfio.iommu_drivers_list);

	ret = misc_register(&vfio_dev);
	if (ret) {
		pr_err("vfio: misc device register failed\n");
		return ret;
	}
	ret = vfio_register_iommu_driver(&vfio_noiommu_ops);
	if (ret)
		misc_deregister(&vfio_dev);
	return ret;
}

void vfio_container_cleanup(void)
{
	vfio_unregister_iommu_driver(&vfio_noiommu_ops);
	misc_deregister(&vfio_dev);
	mutex_destroy(&vfio.iommu_drivers_lock);
}
