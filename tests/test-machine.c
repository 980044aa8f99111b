// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine of a scenario: what is plugged where, who may bind it, what the
 * modules count, and that it shuts down whatever state it was left in.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>

#include "simtest.h"

static struct vfiosim_device *plug(const char *name, unsigned int group)
{
	struct vfiosim_device *device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = name, .group = group, .bars = { { .size = 0x4000 } } });

	vfiosim_expect(device != NULL);
	return device;
}

static bool same_group(struct vfiosim_device *a, struct vfiosim_device *b)
{
	char path_a[VFIOSIM_PATH_MAX], path_b[VFIOSIM_PATH_MAX];

	return !strcmp(vfiosim_group_path(a, path_a), vfiosim_group_path(b, path_b));
}

/* ---- topology ---- */

static void groups(void *data)
{
	struct vfiosim_device *a = plug("0000:00:01.0", 0), *b = plug("0000:00:01.1", 0);
	struct vfiosim_device *c = plug("0000:05:00.0", 3), *d = plug("0000:06:00.0", 3);

	vfiosim_expect(!same_group(a, b));
	vfiosim_expect(!same_group(a, c));
	vfiosim_expect(same_group(c, d));
	vfiosim_expect(!strcmp(vfiosim_device_name(c), "0000:05:00.0"));
}

START_TEST(devices_share_a_group_when_told_to)
{
	assert_runs(groups);
}
END_TEST

static void bad_name(void *data)
{
	plug("1:2", 0);
}

START_TEST(a_name_that_is_no_address_is_misuse)
{
	assert_detects("misuse", bad_name);
}
END_TEST

static void taken_twice(void *data)
{
	plug("0000:01:00.0", 0);
	vfiosim_expect(vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0" }) == NULL);
}

START_TEST(a_slot_takes_one_device)
{
	assert_runs(taken_twice);
}
END_TEST

static void without_iommu(void *data)
{
	struct vfiosim_device *device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = "0000:01:00.0", .no_iommu = true });
	struct vfiosim_process *alice = vfiosim_process("alice");
	char path[VFIOSIM_PATH_MAX];

	vfiosim_expect(!strcmp(vfiosim_group_path(device, path), "/dev/vfio/none"));
	vfiosim_expect(vfiosim_bind(NULL, device, "vfio-pci") == 0);
	vfiosim_group_path(device, path);
	vfiosim_expect(!strcmp(path, "/dev/vfio/noiommu-0"));
	vfiosim_capability(alice, 17, false);
	vfiosim_expect(vfiosim_open(alice, path, O_RDWR) == -EPERM);
	vfiosim_capability(alice, 17, true);
	vfiosim_expect(vfiosim_open(alice, path, O_RDWR) >= 0);
}

/* VF-389 */
START_TEST(a_device_without_iommu_needs_rawio)
{
	static const struct vfiosim_scenario scenario = {
		.name = "noiommu", .tolerate = "warn", .tasks = { { "admin", without_iommu } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

/* ---- binding ---- */

static void binding(void *data)
{
	struct vfiosim_device *device = plug("0000:01:00.0", 0);

	vfiosim_expect(vfiosim_unbind(NULL, device) == -ENODEV);
	vfiosim_expect(vfiosim_bind(NULL, device, "nobody") == -ENOENT);
	vfiosim_expect(vfiosim_bind(NULL, device, "host") == 0);
	vfiosim_expect(vfiosim_bind(NULL, device, "vfio-pci") == -EBUSY);
	vfiosim_expect(vfiosim_unbind(NULL, device) == 0);
	vfiosim_expect(vfiosim_bind(NULL, device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 1);
	vfiosim_expect(vfiosim_unplug(NULL, device) == 0);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 0);
	vfiosim_expect(vfiosim_bind(NULL, device, "vfio-pci") == -ENODEV);
	vfiosim_expect(vfiosim_unplug(NULL, device) == -ENODEV);
}

START_TEST(a_device_has_one_driver_at_a_time)
{
	assert_runs(binding);
}
END_TEST

static void mediated(void *data)
{
	const char *uuid = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
	struct vfiosim_process *alice = vfiosim_process("alice");
	struct vfiosim_device *device = vfiosim_plug(&(struct vfiosim_device_desc){
		.name = uuid, .bus = VFIOSIM_BUS_MDEV });
	struct vfiosim_user user;

	vfiosim_expect(device && vfiosim_peek("pins", NULL) == 1);
	vfiosim_expect(vfiosim_user_open(&user, alice, device) == 0);
	vfiosim_user_close(&user);
	vfiosim_expect(vfiosim_unplug(NULL, device) == 0);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 0);
}

/* VF-390 */
START_TEST(a_mediated_device_is_bound_from_plugging_to_unplugging)
{
	assert_runs(mediated);
}
END_TEST

/* ---- module references, 5.14: section 10 of the observed document ---- */

static void counts(void *data)
{
	struct vfiosim_process *alice = vfiosim_process("alice");
	struct vfiosim_device *device = plug("0000:01:00.0", 0);
	int idle = vfiosim_module_refs("vfio"), fd;
	struct vfiosim_user user;

	vfiosim_expect(vfiosim_bind(NULL, device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_module_refs("vfio") == idle + 1);
	vfiosim_expect(vfiosim_user_open(&user, alice, device) == 0);
	/* The mount, the container, the group and the device file. */
	vfiosim_expect(vfiosim_module_refs("vfio") == idle + 4);
	vfiosim_expect(vfiosim_module_refs("vfio_iommu_type1") == 1);
	vfiosim_expect(vfiosim_module_refs("vfio_pci") == 1);
	fd = vfiosim_ioctl(alice, user.group, VFIO_GROUP_GET_DEVICE_FD,
			   vfiosim_device_name(device));
	vfiosim_expect(vfiosim_module_refs("vfio_pci") == 2);
	vfiosim_expect(vfiosim_rmmod(NULL, "vfio_pci") == -EAGAIN);
	vfiosim_expect(vfiosim_rmmod(NULL, "vfio") == -EAGAIN);
	vfiosim_close(alice, fd);
	vfiosim_user_close(&user);
	vfiosim_expect(vfiosim_module_refs("vfio_iommu_type1") == 0);
	vfiosim_expect(vfiosim_rmmod(NULL, "vfio_pci") == 0);
	vfiosim_expect(vfiosim_module_refs("vfio_pci") == -ENOENT);
	vfiosim_expect(vfiosim_module_refs("vfio") == idle);
	/* driver_override still names it, so that loading the driver binds the device. */
	vfiosim_expect(vfiosim_insmod(NULL, "vfio_pci") == 0);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 1);
}

START_TEST(modules_count_files_and_the_mount)
{
	assert_runs(counts);
}
END_TEST

/* ---- peeking ---- */

static void peeks(void *data)
{
	struct vfiosim_process *alice = vfiosim_process("alice");
	struct vfiosim_device *device = plug("0000:01:00.0", 0), *other = plug("0000:02:00.0", 0);
	struct vfiosim_user user;
	int64_t bar;

	vfiosim_expect(vfiosim_bind(NULL, device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_bind(NULL, other, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&user, alice, device) == 0);
	bar = vfiosim_bar_map(alice, user.device, 0);
	vfiosim_load(alice, bar, NULL);
	vfiosim_expect(vfiosim_peek("files", device) == 1);
	vfiosim_expect(vfiosim_peek("files", other) == 0);
	vfiosim_expect(vfiosim_peek("mappings", device) == 1);
	/* 5.14's fault handler fills the whole of the mapping. */
	vfiosim_expect(vfiosim_peek("ptes", device) == 4);
	vfiosim_expect(vfiosim_peek("inode-refs", NULL) == 2);
	vfiosim_expect(vfiosim_peek("inodes", NULL) == 2);
	vfiosim_expect(vfiosim_peek("nonsense", NULL) == -EINVAL);
}

START_TEST(peeking_counts_what_is_there)
{
	assert_runs(peeks);
}
END_TEST

/* ---- the end ---- */

static void leaves_everything_open(void *data)
{
	struct vfiosim_process *alice = vfiosim_process("alice");
	struct vfiosim_device *device = plug("0000:01:00.0", 0);
	struct vfiosim_user user;

	vfiosim_expect(vfiosim_bind(NULL, device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&user, alice, device) == 0);
	vfiosim_expect(vfiosim_bar_map(alice, user.device, 0) > 0);
	vfiosim_expect(vfiosim_fork(alice, "bob") != NULL);
}

START_TEST(shutdown_ends_what_the_scenario_left)
{
	assert_runs(leaves_everything_open);
}
END_TEST

static void on_merged(void *data)
{
	leaves_everything_open(data);
	vfiosim_expect(vfiosim_peek("pins", NULL) == 1);
}

START_TEST(a_later_kernel_brings_the_merged_core)
{
	static const struct vfiosim_scenario scenario = {
		.name = "merged", .kernel = VFIOSIM_KERNEL_6_12,
		.tasks = { { "admin", on_merged } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

static void nothing(void *data)
{
	plug("0000:01:00.0", 0);
}

START_TEST(an_unknown_core_is_misuse)
{
	static const struct vfiosim_scenario scenario = {
		.name = "unknown", .core = "nobody's", .tasks = { { "admin", nothing } },
	};

	assert_scenario_detects("misuse", &scenario);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		devices_share_a_group_when_told_to,
		a_name_that_is_no_address_is_misuse,
		a_slot_takes_one_device,
		a_device_without_iommu_needs_rawio,
		a_device_has_one_driver_at_a_time,
		a_mediated_device_is_bound_from_plugging_to_unplugging,
		modules_count_files_and_the_mount,
		peeking_counts_what_is_there,
		shutdown_ends_what_the_scenario_left,
		a_later_kernel_brings_the_merged_core,
		an_unknown_core_is_misuse,
	};
	Suite *suite = suite_create("machine");
	TCase *tc = tcase_create("machine");

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
