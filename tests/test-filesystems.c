// SPDX-License-Identifier: GPL-2.0-only
/* The list of filesystem types, and the module behind a type. */
#include "steptest.h"

#include "pfs.h"

static struct file_system_type other KSTATE = { .name = "other" };
static struct file_system_type namesake KSTATE = { .name = "pfs" };
static int result KSTATE;

static void list(void *unused)
{
	vfiosim_expect(!get_fs_type("pfs"));
	vfiosim_expect(register_filesystem(&pfs_type) == 0);
	vfiosim_expect(register_filesystem(&pfs_type) == -EBUSY);
	vfiosim_expect(register_filesystem(&namesake) == -EBUSY);
	vfiosim_expect(register_filesystem(&other) == 0);
	vfiosim_expect(get_fs_type("pfs") == &pfs_type && pfs_module.refcnt.counter == 2);
	put_filesystem(&pfs_type);
	vfiosim_expect(unregister_filesystem(&namesake) == -EINVAL);
	vfiosim_expect(unregister_filesystem(&pfs_type) == 0 && !pfs_type.next);
	vfiosim_expect(!get_fs_type("pfs") && get_fs_type("other") == &other);
	vfiosim_expect(unregister_filesystem(&other) == 0);
}

/* FS-33, FS-35 */
START_TEST(types_are_listed_by_name_once)
{
	static const struct vfiosim_scenario scenario = {
		.name = "list", .tasks = { { "T1", list } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void mount_unlisted(void *unused)
{
	vfiosim_expect(pfs_pin() == 0);
	vfiosim_expect(!get_fs_type("pfs"));
	pfs_unpin();
}

/* FS-1, FS-2, FS-32 */
START_TEST(type_need_not_be_listed_to_be_mounted)
{
	static const struct vfiosim_scenario scenario = {
		.name = "unlisted", .tasks = { { "T1", mount_unlisted } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void name_with_a_dot(void *unused)
{
	static struct file_system_type dotted = { .name = "p.fs" };

	register_filesystem(&dotted);
}

START_TEST(name_with_a_dot_is_a_bug)
{
	static const struct vfiosim_scenario scenario = {
		.name = "dot", .tasks = { { "T1", name_with_a_dot } },
	};

	step_all_finds(&scenario, "bug");
}
END_TEST

static void pin(void *unused)
{
	vfiosim_expect(pfs_pin() == 0);
}

static void unpin(void *unused)
{
	pfs_unpin();
	vfiosim_expect(module_refcount(&pfs_module) == 0);
}

static void rmmod(void *unused)
{
	vfiosim_expect(module_refcount(&pfs_module) == 1);
	result = try_module_get(&pfs_module);
	module_put(&pfs_module);
}

/* I-12, FS-36..FS-39, INV-8 */
START_TEST(superblock_holds_the_types_module)
{
	static const struct vfiosim_scenario scenario = {
		.name = "module", .check = fs_invariants_hold, .setup = pin, .teardown = unpin,
		.tasks = { { "T1", rmmod } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(result, 1);
}
END_TEST

static void pin_of_a_going_module(void *unused)
{
	pfs_module.state = MODULE_STATE_GOING;
	vfiosim_expect(!try_module_get(&pfs_module));
	pfs_pin();
}

/* FS-34, FS-38, FS-197 */
START_TEST(type_of_a_going_module_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "going", .tasks = { { "T1", pin_of_a_going_module } },
	};

	step_all_finds(&scenario, MODULE_GONE);
}
END_TEST

STEPTEST_MAIN("filesystems",
	types_are_listed_by_name_once,
	type_need_not_be_listed_to_be_mounted,
	name_with_a_dot_is_a_bug,
	superblock_holds_the_types_module,
	type_of_a_going_module_is_found)
