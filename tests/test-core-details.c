// SPDX-License-Identifier: GPL-2.0-only
/*
 * Facts of both cores that no recorded trace shows: fields of the inode, what a
 * container's file refuses, backends that come and go, lookups by device, and
 * what 6.12 answers for a group whose devices are gone.
 */
#include <linux/fcntl.h>

#include <vfiosim/kapi/fs_context.h>
#include <vfiosim/kapi/mdev.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/string.h>

#include "core-driver.h"
#include "invariants_vfio.h"
#include "process.h"
#include "simtest.h"
#include "syscall.h"

#define PROT_READ_WRITE 3
#define MAP_SHARED 1

static long bind(const char *name)
{
	struct task_struct *task = process_enter(core.admin);

	return exit_to_user_mode(task, core_bind(core_find(name), "simple"));
}

static void unbind(const char *name)
{
	struct task_struct *task = process_enter(core.admin);

	core_unbind(core_find(name));
	exit_to_user_mode(task, 0);
}

static void setup(void *unused)
{
	core_setup();
	core_plug("A", 0);
	core_plug("B", -1);
	vfiosim_expect(bind("A") == 0);
	core_flush();
	vfiosim_expect(core_open("C", "/dev/vfio/vfio") >= 0);
	vfiosim_expect(core_open_group("G", "0") >= 0);
}

static void attach(void)
{
	vfiosim_expect(core_set_container(core_file("G"), core_file("C")) == 0);
	vfiosim_expect(core_ioctl(core_file("C"), VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) == 0);
}

static void teardown(void *unused)
{
	core_teardown();
}

/* VF-76 */
static void inode_fields(void *unused)
{
	struct inode *inode = core_find("A")->object->vdev.inode;

	vfiosim_expect(inode->i_mode == 0600 && inode->i_count.counter == 1);
	vfiosim_expect(inode->i_mapping == &inode->i_data && inode->i_mapping->a_ops);
	vfiosim_expect(!mapping_mapped(inode->i_mapping));
	vfiosim_expect(inode->i_mapping->i_mmap_writable == 0);
	vfiosim_expect(inode->i_sb->s_unlisted_inodes == 1);
	vfiosim_expect(inode->i_flags & S_PRIVATE && inode->i_state == I_DIRTY);
}

/* VF-99: a container's file does what its backend does, which is nothing here. */
static void container_file(void *unused)
{
	int fd = core_file("C")->fd, i;
	char byte = 0;

	for (i = 0; i < 2; i++) {
		vfiosim_expect(sys_read(core.user, fd, &byte, 1) == -EINVAL);
		vfiosim_expect(sys_write(core.user, fd, &byte, 1) == -EINVAL);
		vfiosim_expect(sys_mmap(core.user, 0, PAGE_SIZE, PROT_READ_WRITE, MAP_SHARED, fd,
					0) == -EINVAL);
		if (!i)
			attach();
	}
}

static KSTATE int strange_asks;

static long strange_ioctl(void *iommu_data, unsigned int cmd, unsigned long arg)
{
	strange_asks++;
	return 0;
}

static const struct vfio_iommu_driver_ops strange_ops = {
	.name = "strange", .ioctl = strange_ioctl,
};

/* VF-17: once only, and who came last is asked first. */
static void backend_twice(void *unused)
{
	struct core_file *container = core_file("C");

	vfiosim_expect(vfio_register_iommu_driver(&strange_ops) == 0);
	vfiosim_expect(vfio_register_iommu_driver(&strange_ops) == -EINVAL);
	vfiosim_expect(core_ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU) == 1);
	vfiosim_expect(strange_asks == 1);
	vfio_unregister_iommu_driver(&strange_ops);
	vfiosim_expect(core_ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU) == 1);
	vfiosim_expect(strange_asks == 1);
}

/* VF-18, VF-19; VF-137 of one without the operation */
static void backends(void *unused)
{
	struct core_file *container = core_file("C");
	struct vfio_group *group;

	vfio_unregister_iommu_driver(&strange_ops);
	vfiosim_expect(core_ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU) == 1);
	/* One whose module is going is passed over, as if it were not there. */
	core_be_module.state = MODULE_STATE_GOING;
	vfiosim_expect(core_ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU) == 0);
	vfiosim_expect(core_set_container(core_file("G"), container) == 0);
	vfiosim_expect(core_ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) == -ENODEV);
	core_be_module.state = MODULE_STATE_LIVE;
	vfiosim_expect(core_ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) == 0);
	group = vfio_group_get_external_user(core_file("G")->file);
	vfiosim_expect(vfio_group_iommu_domain(group) == ERR_PTR(-ENOTTY));
	vfio_group_put_external_user(group);
}

/* VF-92, VF-187 */
static void lookups(void *unused)
{
	struct vfio_device *vdev = &core_find("A")->object->vdev;
	struct device *a = core_find("A")->dev, *b = core_find("B")->dev;
	struct iommu_group *group = a->iommu_group;
	unsigned int refs = iommu_group_refs(group);

	vfiosim_expect(iommu_group_get(a) == group && iommu_group_refs(group) == refs + 1);
	iommu_group_put(group);
	vfiosim_expect(!iommu_group_get(b));

	vfiosim_expect(vfio_device_get_from_dev(a) == vdev && vdev->refcount.refs.counter == 2);
	vfio_device_put(vdev);
	vfiosim_expect(iommu_group_refs(group) == refs);
	vfiosim_expect(!vfio_device_get_from_dev(b));
	/* Unbound, though its group is open still. */
	unbind("A");
	vfiosim_expect(!vfio_device_get_from_dev(a));
}

/* VF-117, VF-123, VF-126, VF-128: no position; the mapping serves a view's whole life. */
static void odd_uses(void *unused)
{
	char byte = 0;
	int fd;
	long at;

	attach();
	fd = core_get_device(core_file("G"), core_dev_name(core_find("A")), "D");
	vfiosim_expect(fd >= 0);
	vfiosim_expect(sys_lseek(core.user, fd, 0, 0) == -ESPIPE);	/* VF-117 */
	/* VF-123: operations that the driver has not */
	vfiosim_expect(sys_read(core.user, fd, &byte, 1) == -EINVAL);
	vfiosim_expect(sys_write(core.user, fd, &byte, 1) == -EINVAL);
	vfiosim_expect(sys_ioctl(core.user, fd, VFIO_DEVICE_RESET, 0) == -EINVAL);
	at = sys_mmap(core.user, 0, PAGE_SIZE, PROT_READ_WRITE, MAP_SHARED, fd, 0);
	vfiosim_expect(!IS_ERR((void *)at));
	vfiosim_expect(sys_madvise(core.user, at, PAGE_SIZE, 10 /* MADV_DONTFORK */) == 0);
	vfiosim_expect(core_close(core_file("D")) == 0);
	at = sys_mremap(core.user, at, PAGE_SIZE, PAGE_SIZE, 3, at + 16 * PAGE_SIZE);
	vfiosim_expect(!IS_ERR((void *)at) && core_find("A")->releases == 0);
	vfiosim_expect(sys_munmap(core.user, at, PAGE_SIZE) == 0);
	vfiosim_expect(core_find("A")->releases == 1);
}

static const struct {
	const char *what;
	void (*body)(void *fixture);
} of_port[] = {
	{ "VF-76: the inode", inode_fields },
	{ "VF-99: the container's file", container_file },
	{ "VF-18, VF-19, VF-137: backends", backends },
	{ "VF-17: a backend twice", backend_twice },
	{ "VF-92, VF-187: lookups", lookups },
	{ "VF-117, VF-123, VF-128: odd uses of a device's file", odd_uses },
};

START_TEST(the_port_keeps_the_small_print)
{
	const struct vfiosim_scenario scenario = {
		.name = of_port[_i].what, .fixture_size = 16, .setup = setup,
		.teardown = teardown, .check = vfio_invariants_hold,
		.tasks = { { "main", of_port[_i].body } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

/* ---- a mediated device ---- */

static void mediated_life(void *unused)
{
	struct device *parent = mtty_init();
	struct mdev_device *mdev;

	if (IS_ERR(parent))
		return;
	if (!mdev_device_create(parent, "uuid-a")) {
		mdev = mdev_find("uuid-a");
		vfiosim_expect(mdev->dev.iommu_group);
		vfiosim_expect(iommu_group_members(mdev->dev.iommu_group) == 1);
		vfiosim_expect(mdev_device_remove(mdev) == 0);
		vfiosim_expect(!mdev->dev.iommu_group);
		put_device(&mdev->dev);
	}
	mtty_exit();
}

static void setup_bare(void *unused)
{
	core_setup();
}

static struct vfiosim_scenario mediated(bool merged)
{
	return (struct vfiosim_scenario){
		.name = "mediated", .fixture_size = 16, .setup = setup_bare,
		.teardown = teardown, .check = vfio_invariants_hold, .tolerate = "warn",
		.core = merged ? "merged" : "port",
		.kernel = merged ? VFIOSIM_KERNEL_6_12 : VFIOSIM_KERNEL_5_14,
		.tasks = { { "main", mediated_life } },
	};
}

/* VF-195, VF-371: the bus makes the group in 5.14, registration does in 6.12. */
START_TEST(a_mediated_device_has_a_group_while_it_is_bound)
{
	const struct vfiosim_scenario scenario = mediated(_i);

	assert_scenario_ok(&scenario);
}
END_TEST

/* VF-253: the sample forgets its registers when registration fails, in 5.14 only. */
START_TEST(a_failed_registration_leaks_the_samples_registers_in_5_14)
{
	const struct vfiosim_scenario scenario = mediated(_i);
	unsigned int nth = 0, leaks = 0;

	do {
		simtest_run_fault(&scenario, ++nth);
		leaks += run_failure() && strstr(run_failure()->message, "MTTY_REGISTERS");
	} while (simtest_failed_site());
	ck_assert_uint_gt(nth, 20);
	if (_i)
		ck_assert_uint_eq(leaks, 0);
	else
		ck_assert_uint_gt(leaks, 10);
}
END_TEST

/* ---- 6.12 ---- */

/* VF-362, VF-363 */
static void merged_opens(void *unused)
{
	int fd = 40;

	vfiosim_expect(core_open_group("X", "0") == -EBUSY);
	vfiosim_expect(core_ioctl(core_file("G"), VFIO_GROUP_SET_CONTAINER, (unsigned long)&fd) ==
		       -EBADF);
	fd = -5;
	vfiosim_expect(core_ioctl(core_file("G"), VFIO_GROUP_SET_CONTAINER, (unsigned long)&fd) ==
		       -EBADF);
	vfiosim_expect(core_set_container(core_file("G"), core_file("G")) == -EBADFD);
	attach();
	vfiosim_expect(core_set_container(core_file("G"), core_file("C")) == -EINVAL);
	vfiosim_expect(core_status(core_file("G")) == 3);
}

/* VF-360, VF-363, VF-364, VF-365: the group's file outlives its last device. */
static void merged_dead_group(void *unused)
{
	const char *name = core_dev_name(core_find("A"));

	attach();
	/* The name comes before the attachment, and both before the device. */
	vfiosim_expect(core_get_device(core_file("G"), "nobody", "X") == -ENODEV);
	unbind("A");
	vfiosim_expect(core_status(core_file("G")) == -ENODEV);
	vfiosim_expect(core_set_container(core_file("G"), core_file("C")) == -ENODEV);
	vfiosim_expect(core_get_device(core_file("G"), name, "X") == -ENODEV);
	vfiosim_expect(core_ioctl(core_file("G"), VFIO_GROUP_UNSET_CONTAINER, 0) == -EINVAL);
	vfiosim_expect(core_open_group("X", "0") < 0);
	/* A new group of the same name beside the old one's file. */
	vfiosim_expect(bind("A") == 0);
	vfiosim_expect(core_open_group("N", "0") >= 0);
	vfiosim_expect(core_status(core_file("N")) == 1);
	vfiosim_expect(core_status(core_file("G")) == -ENODEV);
}

/* VF-365: a known name without an attachment. VF-366, VF-367, VF-368 */
static void merged_device_files(void *unused)
{
	const char *name = core_dev_name(core_find("A"));
	struct core_device *a = core_find("A");

	vfiosim_expect(core_get_device(core_file("G"), name, "X") == -EINVAL);
	attach();
	vfiosim_expect(core_get_device(core_file("G"), name, "D1") >= 0);
	vfiosim_expect(core_get_device(core_file("G"), name, "D2") >= 0);
	/* The driver is told of the first open and of the last close. */
	vfiosim_expect(a->opens == 1 && vfio_device_open_count(&a->object->vdev) == 2);
	vfiosim_expect(core_file("D1")->file->private_data !=
		       core_file("D2")->file->private_data);
	vfiosim_expect(!(core_file("D1")->file->f_mode & FMODE_LSEEK));
	vfiosim_expect(core_ioctl(core_file("G"), VFIO_GROUP_UNSET_CONTAINER, 0) == -EBUSY);
	vfiosim_expect(core_close(core_file("G")) == 0);
	vfiosim_expect(core_close(core_file("D1")) == 0 && a->releases == 0);
	vfiosim_expect(core_ioctl(core_file("D2"), 99, 0) == -EINVAL);
	vfiosim_expect(core_close(core_file("D2")) == 0 && a->releases == 1);
	vfiosim_expect(core_open_group("G2", "0") >= 0);
}

/* VF-372: what replaces the external users. */
static void merged_queries(void *unused)
{
	struct vfio_device *vdev = &core_find("A")->object->vdev;
	struct file *group = core_file("G")->file, *container = core_file("C")->file;

	vfiosim_expect(vfio_file_is_valid(group) && !vfio_file_is_valid(container));
	vfiosim_expect(vfio_file_has_dev(group, vdev) && !vfio_file_has_dev(container, vdev));
	vfio_file_set_kvm(container, (struct kvm *)&core);
	vfio_file_set_kvm(group, (struct kvm *)&core);
	attach();
	vfiosim_expect(core_get_device(core_file("G"), core_dev_name(core_find("A")), "D") >= 0);
	vfiosim_expect(vdev->kvm == (struct kvm *)&core);
	vfiosim_expect(core_close(core_file("D")) == 0 && !vdev->kvm);
}

static void setup_fake(void *unused)
{
	core_setup();
	vfio_noiommu = true;
	core_plug("B", -1);
	vfiosim_expect(bind("B") == 0);
	core_flush();
}

/* VF-362, VF-363, VF-371: registration itself made the fake group. */
static void merged_fake(void *unused)
{
	vfiosim_expect(core_find("B")->dev->iommu_group);
	process_set_capability(core.user, CAP_SYS_RAWIO, false);
	vfiosim_expect(core_open_group("G", "noiommu-0") == -EPERM);
	process_set_capability(core.user, CAP_SYS_RAWIO, true);
	vfiosim_expect(core_open_group("G", "noiommu-0") >= 0);
	vfiosim_expect(core_open("C", "/dev/vfio/vfio") >= 0);
	process_set_capability(core.user, CAP_SYS_RAWIO, false);
	vfiosim_expect(core_set_container(core_file("G"), core_file("C")) == -EPERM);
	process_set_capability(core.user, CAP_SYS_RAWIO, true);
	vfiosim_expect(core_set_container(core_file("G"), core_file("C")) == 0);
	unbind("B");
	vfiosim_expect(!core_find("B")->dev->iommu_group);
}

static const struct {
	const char *what;
	void (*setup)(void *fixture);
	void (*body)(void *fixture);
} of_merged[] = {
	{ "VF-362, VF-363: opens and containers", setup, merged_opens },
	{ "VF-360, VF-364: a dead group", setup, merged_dead_group },
	{ "VF-365 to VF-368: files of a device", setup, merged_device_files },
	{ "VF-372: queries by file", setup, merged_queries },
	{ "VF-362, VF-371: a fake group", setup_fake, merged_fake },
};

START_TEST(the_merged_core_keeps_the_small_print)
{
	const struct vfiosim_scenario scenario = {
		.name = of_merged[_i].what, .fixture_size = 16, .setup = of_merged[_i].setup,
		.teardown = teardown, .check = vfio_invariants_hold, .tolerate = "warn",
		.core = "merged", .kernel = VFIOSIM_KERNEL_6_12,
		.tasks = { { "main", of_merged[_i].body } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core-details");
	TCase *tcase = tcase_create("details");

	tcase_add_loop_test(tcase, the_port_keeps_the_small_print, 0, ARRAY_SIZE(of_port));
	tcase_add_loop_test(tcase, a_mediated_device_has_a_group_while_it_is_bound, 0, 2);
	tcase_add_loop_test(tcase, a_failed_registration_leaks_the_samples_registers_in_5_14, 0,
			    2);
	tcase_add_loop_test(tcase, the_merged_core_keeps_the_small_print, 0,
			    ARRAY_SIZE(of_merged));
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
