// SPDX-License-Identifier: GPL-2.0-only
/* Device nodes: names that come and go, inodes that files keep. */
#include "steptest.h"

#include "fdtest.h"

static void null_device(void *unused)
{
	struct file *file = filp_open("/dev/null", O_RDWR, 0);
	loff_t pos = 0;

	vfiosim_expect(!IS_ERR(file) && S_ISCHR(file->f_inode->i_mode));
	vfiosim_expect(file->f_op->write(file, "x", 5, &pos) == 5);
	vfiosim_expect(file->f_op->read(file, NULL, 5, &pos) == 0);
	fput(file);
	task_work_run();
}

START_TEST(null_device_is_always_there)
{
	static const struct vfiosim_scenario scenario = {
		.name = "null", .check = fs_invariants_hold, .tasks = { { "T1", null_device } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void names(void *unused)
{
	vfiosim_expect(devtmpfs_create_node("a", 0600, MKDEV(9, 1)) == 0);
	vfiosim_expect(devtmpfs_create_node("a", 0600, MKDEV(9, 2)) == -EEXIST);
	devtmpfs_delete_node("b");
	devtmpfs_delete_node("a");
	vfiosim_expect(PTR_ERR(filp_open("/dev/a", O_RDWR, 0)) == -ENOENT);
	vfiosim_expect(PTR_ERR(filp_open("a", O_RDWR, 0)) == -ENOENT);
	task_work_run();
}

START_TEST(names_are_unique_and_go_at_once)
{
	static const struct vfiosim_scenario scenario = {
		.name = "names", .check = fs_invariants_hold, .tasks = { { "T1", names } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(event_count("inode_evict"), 2);
}
END_TEST

static void keep_open(void *unused)
{
	struct inode *inode;
	struct file *file;

	vfiosim_expect(devtmpfs_create_node("p", 0600, MKDEV(9, 1)) == 0);
	file = filp_open("/dev/p", O_PATH, 0);
	vfiosim_expect(!IS_ERR(file));
	inode = file->f_inode;
	devtmpfs_delete_node("p");
	vfiosim_expect(inode->i_nlink == 0 && inode->i_count.counter == 1 && !inode->i_state);
	fput(file);
	task_work_run();
}

/* FS-99, FS-166 */
START_TEST(open_file_keeps_the_inode_of_a_deleted_node)
{
	static const struct vfiosim_scenario scenario = {
		.name = "keep", .check = fs_invariants_hold, .tasks = { { "T1", keep_open } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(event_count("inode_rcu_free"), 1);
}
END_TEST

STEPTEST_MAIN("devtmpfs",
	null_device_is_always_there,
	names_are_unique_and_go_at_once,
	open_file_keeps_the_inode_of_a_deleted_node)
