// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vfio driver that is no part of the library, as docs/scenarios.md says how to write one: a
 * mediated device with four pages of registers, mapped by faults and zapped through the
 * device's inode. Its lock: mine->lock, inside mmap_lock, outside i_mmap_rwsem.
 */
#include <vfiosim/kapi.h>

#include <fcntl.h>
#include <sys/mman.h>

#include <vfiosim.h>

#include "simtest.h"

#define REG_PAGES 4
#define FIRST_PFN 0xfe000

struct mine {
	struct vfio_device vdev;
	struct rw_semaphore lock;
	bool on;			/* lock */
};

static struct device parent KSTATE;
static struct vfiosim_process *alice KSTATE;
static bool forget_to_zap;

static struct mine *to_mine(struct vfio_device *vdev)
{
	return container_of(vdev, struct mine, vdev);
}

static int mine_open(struct vfio_device *vdev)
{
	return 0;
}

static void mine_release(struct vfio_device *vdev)
{
}

/* Locks: holds the mmap_lock; takes and drops mine->lock. */
static vm_fault_t mine_fault(struct vm_fault *vmf)
{
	struct mine *mine = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&mine->lock);
	if (mine->on)
		ret = vmf_insert_pfn(vmf->vma, vmf->address, FIRST_PFN + vmf->pgoff);
	up_read(&mine->lock);
	return ret;
}

static const struct vm_operations_struct mine_vm_ops = { .fault = mine_fault };

static int mine_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff + ((vma->vm_end - vma->vm_start) >> PAGE_SHIFT) > REG_PAGES)
		return -EINVAL;
	vma->vm_private_data = to_mine(vdev);
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &mine_vm_ops;
	return 0;
}

/* A reset, as far as mappings go: off, or on again. */
static long mine_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct mine *mine = to_mine(vdev);

	if (cmd != VFIO_DEVICE_RESET)
		return -ENOTTY;
	down_write(&mine->lock);
	if (!forget_to_zap)
		unmap_mapping_range(vdev->inode->i_mapping, 0, 0, true);
	mine->on = !mine->on;
	up_write(&mine->lock);
	return 0;
}

static const struct vfio_device_ops mine_ops = {
	.name = "mine", .open = mine_open, .release = mine_release,
	.mmap = mine_mmap, .ioctl = mine_ioctl,
};

static int mine_probe(struct mdev_device *mdev)
{
	struct mine *mine = kzalloc(sizeof(*mine), GFP_KERNEL);
	int ret;

	if (!mine)
		return -ENOMEM;
	init_rwsem(&mine->lock);
	mine->on = true;
	vfio_init_group_dev(&mine->vdev, &mdev->dev, &mine_ops);
	ret = vfio_register_group_dev(&mine->vdev);
	if (ret) {
		kfree(mine);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, mine);
	return 0;
}

static void mine_remove(struct mdev_device *mdev)
{
	struct mine *mine = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&mine->vdev);
	kfree(mine);
}

static struct mdev_driver mine_driver KSTATE = {
	.driver = { .name = "mine" },
	.probe = mine_probe,
	.remove = mine_remove,
};

static const struct mdev_parent_ops mine_parent_ops = { .device_driver = &mine_driver };

static void no_release(struct device *dev)
{
}

static void setup(void *fixture)
{
	vfiosim_expect(vfiosim_boot() == 0);
	vfiosim_expect(mdev_init() == 0 && mdev_register_driver(&mine_driver) == 0);
	device_initialize(&parent);
	parent.release = no_release;
	vfiosim_expect(dev_set_name(&parent, "parent") == 0 && device_add(&parent) == 0);
	vfiosim_expect(mdev_register_device(&parent, &mine_parent_ops) == 0);
	vfiosim_expect(mdev_device_create(&parent, "uuid") == 0);
	alice = vfiosim_process("alice");
}

static void user(void *fixture)
{
	int c = vfiosim_open(alice, "/dev/vfio/vfio", O_RDWR);
	int g = vfiosim_open(alice, "/dev/vfio/0", O_RDWR);
	int64_t at;
	int d;

	vfiosim_expect(c >= 0 && g >= 0);
	vfiosim_expect(vfiosim_ioctl(alice, g, VFIO_GROUP_SET_CONTAINER, &c) == 0);
	vfiosim_expect(vfiosim_ioctl(alice, c, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) == 0);
	d = vfiosim_ioctl(alice, g, VFIO_GROUP_GET_DEVICE_FD, "uuid");
	vfiosim_expect(d >= 0);
	at = vfiosim_mmap(alice, 0, 0x4000, PROT_READ | PROT_WRITE, MAP_SHARED, d, 0);
	vfiosim_expect(at > 0);
	vfiosim_expect(vfiosim_load(alice, at, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_ioctl(alice, d, VFIO_DEVICE_RESET, 0) == 0);
	vfiosim_expect(vfiosim_load(alice, at, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_exit(alice);
}

static void admin(void *fixture)
{
	struct mdev_device *mdev = mdev_find("uuid");

	vfiosim_expect(mdev_device_remove(mdev) == 0);
	put_device(&mdev->dev);
}

static void teardown(void *fixture)
{
	mdev_unregister_device(&parent);
	mdev_unregister_driver(&mine_driver);
	device_unregister(&parent);
	mdev_exit();
}

static const struct vfiosim_scenario scenario = {
	.name = "own driver", .setup = setup, .teardown = teardown,
	.tasks = { { "alice", user }, { "admin", admin } },
};

START_TEST(a_driver_of_ones_own_is_used_and_unbound)
{
	forget_to_zap = false;
	assert_scenario_ok(&scenario);
	assert_scenario_repeats(&scenario);
}
END_TEST

START_TEST(a_zap_that_ones_own_driver_forgets_is_seen)
{
	forget_to_zap = true;
	assert_scenario_detects("expectation", &scenario);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("own_driver");
	TCase *tcase = tcase_create("driver");

	tcase_add_test(tcase, a_driver_of_ones_own_is_used_and_unbound);
	tcase_add_test(tcase, a_zap_that_ones_own_driver_forgets_is_seen);
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
