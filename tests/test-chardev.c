// SPDX-License-Identifier: GPL-2.0-only
/* Character devices: numbers, the map, opens against deletion. */
#include "steptest.h"

#include "fdtest.h"

#include <vfiosim/kapi/device.h>

#define NODE "chr/0"
#define PATH "/dev/chr/0"

static dev_t devt KSTATE;
static struct cdev chr KSTATE;
static struct file *files[2] KSTATE;
static int open_result KSTATE;

static int chr_open(struct inode *inode, struct file *file)
{
	file->private_data = (void *)9;
	return open_result;
}

static const struct file_operations chr_fops = {
	.owner = &note_module,
	.open = chr_open,
	.release = note_release,
	.read = note_read,
	.write = note_write,
};

static void add(void *unused)
{
	vfiosim_expect(alloc_chrdev_region(&devt, 0, MINORMASK + 1, "chr") == 0);
	cdev_init(&chr, &chr_fops);
	vfiosim_expect(cdev_add(&chr, devt, MINORMASK + 1) == 0);
	vfiosim_expect(devtmpfs_create_node(NODE, 0600, devt) == 0);
}

static void del(void *unused)
{
	cdev_del(&chr);
}

static void clean_up(void *unused)
{
	devtmpfs_delete_node(NODE);
	unregister_chrdev_region(devt, MINORMASK + 1);
	task_work_run();
	vfiosim_expect(note_module.refcnt.counter == 1 && !files_stat.nr_files);
}

static void del_and_clean_up(void *unused)
{
	del(NULL);
	vfiosim_expect(chr.kobj.count.counter == 0 && list_empty(&chr.list));
	clean_up(NULL);
}

static void open_nth(unsigned int n)
{
	files[n] = filp_open(PATH, O_RDWR, 0);
	task_work_run();
}

static void open_first(void *unused)
{
	open_nth(0);
}

static void open_second(void *unused)
{
	open_nth(1);
}

static void close_all(void *unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (!IS_ERR_OR_NULL(files[i]))
			fput(files[i]);
	}
	task_work_run();
}

static void close_and_clean_up(void *unused)
{
	close_all(NULL);
	del_and_clean_up(NULL);
}

/* ---- numbers ---- */

static void number_ranges(void *unused)
{
	dev_t a, b;

	vfiosim_expect(alloc_chrdev_region(&a, 0, 1, "a") == 0 && MAJOR(a) == 254);
	vfiosim_expect(alloc_chrdev_region(&b, 3, 1, "b") == 0 && b == MKDEV(253, 3));
	vfiosim_expect(register_chrdev_region(MKDEV(512, 0), 1, "c") == -EINVAL);
	vfiosim_expect(register_chrdev_region(MKDEV(9, 1), MINORMASK + 1, "c") == -EINVAL);
	vfiosim_expect(register_chrdev_region(MKDEV(9, 10), 10, "c") == 0);
	vfiosim_expect(register_chrdev_region(MKDEV(9, 19), 1, "d") == -EBUSY);
	vfiosim_expect(register_chrdev_region(MKDEV(9, 5), 6, "d") == -EBUSY);
	vfiosim_expect(register_chrdev_region(MKDEV(9, 5), 5, "d") == 0);
	vfiosim_expect(register_chrdev_region(MKDEV(9, 20), 1, "e") == 0);
	unregister_chrdev_region(MKDEV(9, 10), 9);
	vfiosim_expect(register_chrdev_region(MKDEV(9, 10), 10, "c") == -EBUSY);
	unregister_chrdev_region(MKDEV(9, 10), 10);
	unregister_chrdev_region(MKDEV(9, 5), 5);
	unregister_chrdev_region(MKDEV(9, 20), 1);
	unregister_chrdev_region(a, 1);
	unregister_chrdev_region(b, 1);
}

static void dynamic_majors(void *unused)
{
	dev_t dev;
	int n;

	for (n = 254; n >= 234; n--)
		vfiosim_expect(alloc_chrdev_region(&dev, 0, 1, "n") == 0 && MAJOR(dev) == n);
	for (n = 511; n >= 384; n--)
		vfiosim_expect(alloc_chrdev_region(&dev, 0, 1, "n") == 0 && MAJOR(dev) == n);
	vfiosim_expect(alloc_chrdev_region(&dev, 0, 1, "n") == -EBUSY);
	for (n = 254; n >= 234; n--)
		unregister_chrdev_region(MKDEV(n, 0), 1);
	for (n = 511; n >= 384; n--)
		unregister_chrdev_region(MKDEV(n, 0), 1);
}

/* FS-153, ERR-17 */
START_TEST(number_ranges_do_not_overlap)
{
	static const struct vfiosim_scenario scenario = {
		.name = "ranges",
		.tasks = { { "T1", number_ranges }, { "T2", dynamic_majors } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void add_zero(void *unused)
{
	cdev_init(&chr, &chr_fops);
	vfiosim_expect(cdev_add(&chr, 0, 1) == -EBUSY);
}

/* FS-155, ERR-18 */
START_TEST(cdev_without_a_number_is_refused)
{
	static const struct vfiosim_scenario scenario = {
		.name = "zero", .tolerate = "warn", .tasks = { { "T1", add_zero } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void narrow(void *unused)
{
	struct cdev *one;

	add(NULL);
	one = cdev_alloc();
	vfiosim_expect(one && !one->owner && one->kobj.count.counter == 1);
	one->ops = &chr_fops;
	vfiosim_expect(cdev_add(one, devt, 1) == 0);
	open_first(NULL);
	vfiosim_expect(!IS_ERR(files[0]));
	vfiosim_expect(one->kobj.count.counter == 2 && chr.kobj.count.counter == 1);
	fput(files[0]);
	files[0] = NULL;
	task_work_run();
	cdev_del(one);
	close_and_clean_up(NULL);
}

/* FS-154, FS-155, FS-162 */
START_TEST(narrowest_range_wins)
{
	static const struct vfiosim_scenario scenario = {
		.name = "narrow", .tasks = { { "T1", narrow } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

/* ---- opening ---- */

static void open_fields(void *unused)
{
	struct file *file;

	open_first(NULL);
	file = files[0];
	vfiosim_expect(!IS_ERR(file) && file->f_op == &chr_fops);
	vfiosim_expect(file->f_mode == 0xe001f && file->private_data == (void *)9);
	vfiosim_expect(chr.kobj.count.counter == 2 && note_module.refcnt.counter == 2);
	vfiosim_expect(file->f_inode->i_cdev == &chr && iminor(file->f_inode) == 0);
	vfiosim_expect(imajor(file->f_inode) == MAJOR(devt) && !released.count);
}

/* FS-158, FS-160, FS-161, FS-163 */
START_TEST(open_file_holds_the_cdev_and_the_operations_module)
{
	static const struct vfiosim_scenario scenario = {
		.name = "open", .check = fs_invariants_hold, .setup = add,
		.teardown = close_and_clean_up, .tasks = { { "T1", open_fields } },
	};

	step_all(&scenario, VFIOSIM_OK);
	expect_order((const char *const[]){ "cdev_cache", "module_get", "cdev_open errno 0",
					    "cdev_del", "cdev_purge", NULL });
}
END_TEST

static void open_refused(void *unused)
{
	open_result = -EPERM;
	open_first(NULL);
	vfiosim_expect(PTR_ERR(files[0]) == -EPERM && !released.count);
	vfiosim_expect(chr.kobj.count.counter == 1 && note_module.refcnt.counter == 1);
	note_module.state = MODULE_STATE_GOING;
	open_first(NULL);
	vfiosim_expect(PTR_ERR(files[0]) == -ENXIO && chr.kobj.count.counter == 1);
	note_module.state = MODULE_STATE_LIVE;
	vfiosim_expect(PTR_ERR(filp_open("/dev/none", O_RDWR, 0)) == -ENOENT);
	vfiosim_expect(devtmpfs_create_node("chr/x", 0600, MKDEV(77, 7)) == 0);
	vfiosim_expect(PTR_ERR(filp_open("/dev/chr/x", O_RDWR, 0)) == -ENXIO);
	devtmpfs_delete_node("chr/x");
	task_work_run();
}

/* ERR-20, FS-159, FS-160, I-32 */
START_TEST(failed_open_releases_nothing_and_holds_nothing)
{
	static const struct vfiosim_scenario scenario = {
		.name = "open-refused", .check = fs_invariants_hold, .setup = add,
		.teardown = del_and_clean_up, .tasks = { { "T1", open_refused } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void open_direct(void *unused)
{
	struct file *file = filp_open(PATH, O_RDWR | O_DIRECT, 0);

	vfiosim_expect(PTR_ERR(file) == -EINVAL);
	task_work_run();
	vfiosim_expect(NOTED(released, 9));
}

/* FS-159: the exception */
START_TEST(refused_direct_open_is_released)
{
	static const struct vfiosim_scenario scenario = {
		.name = "open-direct", .setup = add, .teardown = del_and_clean_up,
		.tasks = { { "T1", open_direct } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void open_o_path(void *unused)
{
	struct file *file = filp_open(PATH, O_PATH, 0);

	vfiosim_expect(!IS_ERR(file) && file->f_mode == (FMODE_PATH | FMODE_OPENED));
	vfiosim_expect(chr.kobj.count.counter == 1);
	fput(file);
	task_work_run();
	vfiosim_expect(!released.count);
}

/* FS-118, FS-158 */
START_TEST(path_file_opens_no_device)
{
	static const struct vfiosim_scenario scenario = {
		.name = "open-path", .setup = add, .teardown = del_and_clean_up,
		.tasks = { { "T1", open_o_path } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

/* ---- interleavings ---- */

/* I-29, FS-160 */
START_TEST(loser_of_two_first_opens_drops_the_surplus_reference)
{
	static const struct vfiosim_scenario scenario = {
		.name = "open-vs-open", .check = fs_invariants_hold, .setup = add,
		.teardown = close_and_clean_up,
		.tasks = { { "T1", open_first }, { "T2", open_second } },
	};

	step_begin(&scenario);
	step_past("T1", ENG_OP_MUTEX_UNLOCK, "chrdevs_lock", 1);
	step_past("T2", ENG_OP_MUTEX_UNLOCK, "chrdevs_lock", 1);
	ck_assert_int_eq(chr.kobj.count.counter, 3);
	step_out("T1");
	step_out("T2");
	ck_assert_int_eq(chr.kobj.count.counter, 3);
	ck_assert_int_eq(event_count("cdev_cache"), 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

static const struct vfiosim_scenario open_vs_del = {
	.name = "open-vs-del", .check = fs_invariants_hold, .setup = add,
	.tasks = { { "T1", open_first }, { "T2", del } },
};

/* I-30, FS-156, FS-162 */
START_TEST(open_that_lost_against_deletion_is_enxio)
{
	step_begin(&open_vs_del);
	step_until("T1", ENG_OP_MUTEX_LOCK, "chrdevs_lock");
	step_out("T2");
	step_out("T1");
	ck_assert_int_eq(PTR_ERR(files[0]), -ENXIO);
}
END_TEST

START_TEST(open_that_won_against_deletion_keeps_the_cdev)
{
	step_begin(&open_vs_del);
	step_past("T1", ENG_OP_MUTEX_LOCK, "chrdevs_lock", 1);
	while (!step_blocked("T2"))
		step_once("T2");
	step_past("T1", ENG_OP_MUTEX_UNLOCK, "chrdevs_lock", 1);
	step_out("T2");
	step_out("T1");
	ck_assert(!IS_ERR(files[0]));
	ck_assert_int_eq(chr.kobj.count.counter, 1);
}
END_TEST

static void reopen_after_deletion(void *unused)
{
	struct inode *inode;
	struct file *second;

	open_first(NULL);
	del(NULL);
	vfiosim_expect(chr.kobj.count.counter == 1 && !released.count);
	vfiosim_expect(devtmpfs_create_node("chr/1", 0600, devt + 1) == 0);
	vfiosim_expect(PTR_ERR(filp_open("/dev/chr/1", O_RDWR, 0)) == -ENXIO);
	second = filp_open(PATH, O_RDWR, 0);
	vfiosim_expect(!IS_ERR(second) && chr.kobj.count.counter == 2);
	inode = file_inode(second);
	vfiosim_expect(inode->i_cdev == &chr);
	fput(second);
	close_all(NULL);
	vfiosim_expect(chr.kobj.count.counter == 0 && !inode->i_cdev);
	vfiosim_expect(PTR_ERR(filp_open(PATH, O_RDWR, 0)) == -ENXIO);
	devtmpfs_delete_node("chr/1");
	task_work_run();
}

/* FS-157, FS-164, FS-165 */
START_TEST(cached_inode_opens_a_deleted_cdev_until_the_last_close)
{
	static const struct vfiosim_scenario scenario = {
		.name = "reopen", .setup = add, .teardown = clean_up,
		.tasks = { { "T1", reopen_after_deletion } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void open_and_close(void *unused)
{
	open_first(NULL);
	fput(files[0]);
	files[0] = NULL;
	task_work_run();
}

static void add_and_cache(void *unused)
{
	add(NULL);
	open_and_close(NULL);
}

static void delete_node(void *unused)
{
	devtmpfs_delete_node(NODE);
}

/* I-31, FS-157, FS-166 */
START_TEST(cached_cdev_is_forgotten_once)
{
	static const struct vfiosim_scenario scenario = {
		.name = "evict-vs-purge", .check = fs_invariants_hold, .setup = add_and_cache,
		.tasks = { { "T1", delete_node }, { "T2", del } },
	};

	step_begin(&scenario);
	step_until("T1", ENG_OP_SPIN_LOCK, "cdev_lock");
	step_until("T2", ENG_OP_SPIN_LOCK, "cdev_lock");
	step_out("T2");
	ck_assert_int_eq(event_count("cdev_purge"), 1);
	step_out("T1");
	ck_assert(list_empty(&chr.list));
}
END_TEST

static void class_release(struct device *dev)
{
}

static void device_with_cdev(void *unused)
{
	static struct device dev KSTATE;

	vfiosim_expect(alloc_chrdev_region(&devt, 0, 1, "chr") == 0);
	device_initialize(&dev);
	dev.release = class_release;
	dev.devt = devt;
	vfiosim_expect(dev_set_name(&dev, "chr0") == 0);
	cdev_init(&chr, &chr_fops);
	vfiosim_expect(cdev_device_add(&chr, &dev) == 0);
	vfiosim_expect(kref_read(&dev.kref) >= 2);
	files[0] = filp_open("/dev/chr0", O_RDWR, 0);
	vfiosim_expect(!IS_ERR(files[0]));
	cdev_device_del(&chr, &dev);
	vfiosim_expect(PTR_ERR(filp_open("/dev/chr0", O_RDWR, 0)) == -ENOENT);
	close_all(NULL);
	put_device(&dev);
	unregister_chrdev_region(devt, 1);
}

/* FS-167 */
START_TEST(device_with_a_cdev_appears_and_goes_with_its_node)
{
	static const struct vfiosim_scenario scenario = {
		.name = "cdev-device", .tasks = { { "T1", device_with_cdev } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

STEPTEST_MAIN("chardev",
	number_ranges_do_not_overlap,
	cdev_without_a_number_is_refused,
	narrowest_range_wins,
	open_file_holds_the_cdev_and_the_operations_module,
	failed_open_releases_nothing_and_holds_nothing,
	refused_direct_open_is_released,
	path_file_opens_no_device,
	loser_of_two_first_opens_drops_the_surplus_reference,
	open_that_lost_against_deletion_is_enxio,
	open_that_won_against_deletion_keeps_the_cdev,
	cached_inode_opens_a_deleted_cdev_until_the_last_close,
	cached_cdev_is_forgotten_once,
	device_with_a_cdev_appears_and_goes_with_its_node)
