// SPDX-License-Identifier: GPL-2.0-only
/* Misc devices: minors, nodes, opens under the lock. */
#include "steptest.h"

#include "fdtest.h"

#include <vfiosim/kapi/device.h>

static int opened KSTATE;

static int misc_note_open(struct inode *inode, struct file *file)
{
	const struct miscdevice *misc = file->private_data;

	opened = misc->minor;
	return 0;
}

static const struct file_operations misc_note_fops = {
	.owner = &note_module, .open = misc_note_open, .release = note_release,
};

static struct miscdevice fixed KSTATE = {
	.minor = VFIO_MINOR, .name = "fixed", .fops = &misc_note_fops, .nodename = "vfio/vfio",
	.mode = 0666,
};
static struct miscdevice dynamic[2] KSTATE = {
	{ .minor = MISC_DYNAMIC_MINOR, .name = "dyn0", .fops = &misc_note_fops },
	{ .minor = MISC_DYNAMIC_MINOR, .name = "dyn1", .fops = &misc_note_fops },
};
static struct miscdevice rival KSTATE = {
	.minor = VFIO_MINOR, .name = "rival", .fops = &misc_note_fops,
};

static void close_file(struct file *file)
{
	fput(file);
	task_work_run();
}

static void life(void *unused)
{
	struct file *file;

	vfiosim_expect(misc_register(&fixed) == 0);
	vfiosim_expect(misc_register(&rival) == -EBUSY);
	file = filp_open("/dev/vfio/vfio", O_RDWR, 0);
	vfiosim_expect(!IS_ERR(file) && opened == VFIO_MINOR);
	vfiosim_expect(file->f_inode->i_mode == (S_IFCHR | 0666));
	vfiosim_expect(file->f_op == &misc_note_fops && note_module.refcnt.counter == 2);
	vfiosim_expect(file->f_inode->i_rdev == MKDEV(MISC_MAJOR, VFIO_MINOR));
	misc_deregister(&fixed);
	vfiosim_expect(PTR_ERR(filp_open("/dev/vfio/vfio", O_RDWR, 0)) == -ENOENT);
	close_file(file);
	vfiosim_expect(released.count == 1 && note_module.refcnt.counter == 1);
}

/* FS-168..FS-170 */
START_TEST(misc_device_opens_through_its_node)
{
	static const struct vfiosim_scenario scenario = {
		.name = "misc", .check = fs_invariants_hold, .tasks = { { "T1", life } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void minors(void *unused)
{
	bool new = kernel_version >= KERNEL_6_12;

	vfiosim_expect(misc_register(&dynamic[0]) == 0);
	vfiosim_expect(misc_register(&dynamic[1]) == 0);
	vfiosim_expect(dynamic[0].minor == (new ? 256 : 127));
	vfiosim_expect(dynamic[1].minor == (new ? 257 : 126));
	misc_deregister(&dynamic[0]);
	dynamic[0].minor = MISC_DYNAMIC_MINOR;
	vfiosim_expect(misc_register(&dynamic[0]) == 0);
	vfiosim_expect(dynamic[0].minor == (new ? 256 : 127));
	misc_deregister(&dynamic[0]);
	misc_deregister(&dynamic[1]);
}

static void minors_6_12(void *unused)
{
	kernel_version = KERNEL_6_12;
	minors(NULL);
}

/* FS-168 */
START_TEST(dynamic_minors_depend_on_the_version)
{
	static const struct vfiosim_scenario old = {
		.name = "minors", .tasks = { { "T1", minors } },
	};
	static const struct vfiosim_scenario new = {
		.name = "minors-6.12", .tasks = { { "T1", minors_6_12 } },
	};

	step_all(&old, VFIOSIM_OK);
	step_all(&new, VFIOSIM_OK);
}
END_TEST

static void no_such_minor(void *unused)
{
	vfiosim_expect(devtmpfs_create_node("x", 0600, MKDEV(MISC_MAJOR, 200)) == 0);
	vfiosim_expect(PTR_ERR(filp_open("/dev/x", O_RDWR, 0)) == -ENODEV);
	vfiosim_expect(misc_register(&fixed) == 0);
	note_module.state = MODULE_STATE_GOING;
	vfiosim_expect(PTR_ERR(filp_open("/dev/vfio/vfio", O_RDWR, 0)) == -ENODEV);
	note_module.state = MODULE_STATE_LIVE;
	misc_deregister(&fixed);
	devtmpfs_delete_node("x");
	task_work_run();
}

/* ERR-20, FS-169, I-32 */
START_TEST(unknown_minor_and_going_module_are_enodev)
{
	static const struct vfiosim_scenario scenario = {
		.name = "enodev", .tasks = { { "T1", no_such_minor } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void twice(void *unused)
{
	vfiosim_expect(misc_register(&fixed) == 0);
	misc_deregister(&fixed);
	misc_deregister(&fixed);
}

/* FS-170 */
START_TEST(second_deregistration_warns)
{
	static const struct vfiosim_scenario scenario = {
		.name = "twice", .tasks = { { "T1", twice } },
	};

	step_all_finds(&scenario, "warn");
}
END_TEST

static void register_dynamic(void *unused)
{
	int ret = misc_register(&dynamic[0]);

	opened = ret;
	if (!ret)
		misc_deregister(&dynamic[0]);
	else
		vfiosim_expect(dynamic[0].minor == MISC_DYNAMIC_MINOR);
}

/* ERR-19 */
START_TEST(failed_registration_gives_the_minor_back)
{
	static const struct vfiosim_scenario scenario = {
		.name = "fails", .tasks = { { "T1", register_dynamic } },
	};
	bool busy = false, nomem = false;

	for (unsigned int nth = 0; step_fault(&scenario, nth); nth++) {
		busy |= opened == -EBUSY;
		nomem |= opened == -ENOMEM;
		step_finish(VFIOSIM_OK);
	}
	run_end();
	ck_assert(busy && nomem);
}
END_TEST

static void setup_fixed(void *unused)
{
	vfiosim_expect(misc_register(&fixed) == 0);
}

static void teardown_fixed(void *unused)
{
	misc_deregister(&fixed);
}

static void open_it(void *unused)
{
	struct file *file = filp_open("/dev/vfio/vfio", O_RDWR, 0);

	vfiosim_expect(!IS_ERR(file));
	close_file(file);
}

/* FS-169: the lock spans ->open */
START_TEST(two_misc_opens_never_run_in_parallel)
{
	static const struct vfiosim_scenario scenario = {
		.name = "open-vs-open", .check = fs_invariants_hold,
		.setup = setup_fixed, .teardown = teardown_fixed,
		.tasks = { { "T1", open_it }, { "T2", open_it } },
	};

	step_begin(&scenario);
	step_until("T1", ENG_OP_MUTEX_UNLOCK, "misc_mtx");
	while (!step_blocked("T2"))
		step_once("T2");
	ck_assert(step_is_at("T2", ENG_OP_MUTEX_LOCK, "misc_mtx"));
	step_finish(VFIOSIM_OK);
}
END_TEST

STEPTEST_MAIN("misc",
	misc_device_opens_through_its_node,
	dynamic_minors_depend_on_the_version,
	unknown_minor_and_going_module_are_enodev,
	second_deregistration_warns,
	failed_registration_gives_the_minor_back,
	two_misc_opens_never_run_in_parallel)
