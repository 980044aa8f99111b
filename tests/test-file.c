// SPDX-License-Identifier: GPL-2.0-only
/* Files: allocation, references, the deferred last put, the order of the end. */
#include "steptest.h"

#include "fdtest.h"

static struct file *made KSTATE;

static void make(void *unused)
{
	made = note_file(1);
	vfiosim_expect(!IS_ERR(made));
}

static void put_in_user_task(void *unused)
{
	make(NULL);
	get_file(made);
	fput(made);
	vfiosim_expect(!released.count && file_count(made) == 1);
	fput(made);
	vfiosim_expect(!released.count && file_count(made) == 0);
	task_work_run();
	vfiosim_expect(NOTED(released, 1));
	vfiosim_expect(!files_stat.nr_files && note_module.refcnt.counter == 1);
}

/* FS-117, FS-120, FS-124, FS-127, FS-130, INV-17, INV-20 */
START_TEST(last_put_releases_on_the_way_to_user_mode)
{
	static const struct vfiosim_scenario scenario = {
		.name = "fput", .check = fs_invariants_hold,
		.tasks = { { "T1", put_in_user_task } },
	};

	step_all(&scenario, VFIOSIM_OK);
	expect_order((const char *const[]){
		"file_new", "file_get count 2", "file_put count 1", "file_put count 0",
		"fput_queued route task_work", "fput_begin", "release", "module_put",
		"dentry_put count 0", "mnt_put", "fput_end", "file_rcu_free", NULL });
}
END_TEST

static void put_two(void *unused)
{
	struct file *first = note_file(1), *second = note_file(2), *third = note_file(3);

	fput(first);
	fput(second);
	fput(third);
	task_work_run();
	vfiosim_expect(NOTED(released, 3, 2, 1));
}

/* FS-122 */
START_TEST(task_work_releases_newest_first)
{
	static const struct vfiosim_scenario scenario = {
		.name = "lifo", .tasks = { { "T1", put_two } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void put_as_kthread(void *unused)
{
	struct file *first = note_file(1), *second = note_file(2);

	get_current()->flags |= PF_KTHREAD;
	fput(first);
	fput(second);
	vfiosim_expect(!released.count);
}

static void expect_lifo(void *unused)
{
	vfiosim_expect(NOTED(released, 2, 1));
}

/* I-24, FS-120, FS-122 */
START_TEST(kernel_threads_leave_the_release_to_a_work_item)
{
	static const struct vfiosim_scenario scenario = {
		.name = "delayed", .check = fs_invariants_hold, .teardown = expect_lifo,
		.tasks = { { "kthread", put_as_kthread } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(event_count("fput_queued route delayed"), 2);
}
END_TEST

static void put_in_softirq(void *unused)
{
	make(NULL);
	get_current()->in_interrupt++;
	fput(made);
	get_current()->in_interrupt--;
	task_work_run();
	vfiosim_expect(!released.count);
}

static void expect_one(void *unused)
{
	vfiosim_expect(NOTED(released, 1));
}

/* I-24, FS-120 */
START_TEST(interrupt_context_leaves_the_release_to_a_work_item)
{
	static const struct vfiosim_scenario scenario = {
		.name = "softirq", .teardown = expect_one, .tasks = { { "T1", put_in_softirq } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void put_after_exit(void *unused)
{
	make(NULL);
	get_current()->flags |= PF_EXITING;
	task_work_run();
	fput(made);
	vfiosim_expect(!released.count);
}

/* ERR-22, FS-120, FS-123 */
START_TEST(task_that_is_past_its_task_work_falls_back_to_the_work_item)
{
	static const struct vfiosim_scenario scenario = {
		.name = "exited", .teardown = expect_one, .tasks = { { "T1", put_after_exit } },
	};

	step_all(&scenario, VFIOSIM_OK);
	ck_assert_int_eq(event_count("fput_queued route delayed"), 1);
}
END_TEST

static void put_sync(void *unused)
{
	make(NULL);
	get_current()->flags |= PF_KTHREAD;
	__fput_sync(made);
	vfiosim_expect(NOTED(released, 1));
}

static void put_sync_in_user_task(void *unused)
{
	make(NULL);
	__fput_sync(made);
}

static void flush_delayed(void *unused)
{
	put_as_kthread(NULL);
	flush_delayed_fput();
	vfiosim_expect(NOTED(released, 2, 1));
}

/* FS-125 */
START_TEST(synchronous_put_is_for_kernel_threads)
{
	static const struct vfiosim_scenario kthread = {
		.name = "sync", .tasks = { { "T1", put_sync } },
	};
	static const struct vfiosim_scenario user = {
		.name = "sync-user", .tasks = { { "T1", put_sync_in_user_task } },
	};
	static const struct vfiosim_scenario flush = {
		.name = "flush", .tasks = { { "T1", flush_delayed } },
	};

	step_all(&kthread, VFIOSIM_OK);
	step_all_finds(&user, "bug");
	step_all(&flush, VFIOSIM_OK);
}
END_TEST

/* ---- misuse ---- */

static void put_twice(void *unused)
{
	make(NULL);
	fput(made);
	fput(made);
}

static void get_dead(void *unused)
{
	make(NULL);
	fput(made);
	get_file(made);
}

static void put_error(void *unused)
{
	fput(ERR_PTR(-EBADF));
}

static const struct {
	const char *what;
	void (*body)(void *unused);
	const char *detector;
} misuses[] = {
	{ "one fput() too many", put_twice, FILE_COUNT },
	{ "get_file() after the last fput()", get_dead, FILE_COUNT },
	{ "fput() of an error pointer", put_error, ERROR_POINTER },
};

/* FS-193 */
START_TEST(misuse_of_file_references_is_found)
{
	for (size_t i = 0; i < ARRAY_SIZE(misuses); i++) {
		const struct vfiosim_scenario scenario = {
			.name = misuses[i].what, .tasks = { { "T1", misuses[i].body } },
		};

		step_all_finds(&scenario, misuses[i].detector);
	}
}
END_TEST

static int plain_release(struct inode *inode, struct file *file)
{
	return 0;
}

static const struct file_operations plain_fops = { .release = plain_release };

static void touch_after_release(void *unused)
{
	struct file *file = anon_inode_getfile("[plain]", &plain_fops, NULL, O_RDWR);

	get_current()->flags |= PF_KTHREAD;
	rcu_read_lock();
	fput(file);
	rcu_read_unlock();
	flush_delayed_fput();
	vfiosim_expect((void *)file->f_mapping == FILE_TRAP);
	vfiosim_expect(file->private_data == FILE_TRAP && file->f_released);
}

/* FS-10, FS-194, INV-19: a trap stands where the pointers were */
START_TEST(mapping_is_out_of_reach_after_release)
{
	static const struct vfiosim_scenario scenario = {
		.name = "released", .check = fs_invariants_hold,
		.tasks = { { "T1", touch_after_release } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

/* ---- allocation ---- */

static struct cred nobody KSTATE = { .usage = ATOMIC_INIT(1), .user_ns = &init_user_ns };

static void fill_the_table(void *unused)
{
	struct file *a, *b;

	files_stat.max_files = 1;
	get_current()->cred = &nobody;
	a = note_file(1);
	vfiosim_expect(!IS_ERR(a));
	b = note_file(2);
	vfiosim_expect(PTR_ERR(b) == -ENFILE && files_stat.nr_files == 1);
	get_current()->cred = &init_cred;
	b = note_file(2);
	vfiosim_expect(!IS_ERR(b));
	fput(b);
	fput(a);
	task_work_run();
	vfiosim_expect(files_stat.nr_files == 0);
}

/* FS-110, FS-130, ERR-16 */
START_TEST(file_limit_is_enfile_unless_capable)
{
	static const struct vfiosim_scenario scenario = {
		.name = "file-max", .tasks = { { "T1", fill_the_table } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void noaccount(void *unused)
{
	struct file *file = alloc_empty_file_noaccount(O_RDONLY, current_cred());

	vfiosim_expect(file->f_mode == (FMODE_READ | FMODE_NOACCOUNT));
	vfiosim_expect(files_stat.nr_files == 0);
	file_free(file);
	vfiosim_expect(files_stat.nr_files == 0);
}

/* FS-111 */
START_TEST(noaccount_files_are_not_counted)
{
	static const struct vfiosim_scenario scenario = {
		.name = "noaccount", .tasks = { { "T1", noaccount } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void not_opened(void *unused)
{
	struct file *file = alloc_empty_file(O_RDWR, current_cred());

	vfiosim_expect(file->f_mode == (FMODE_READ | FMODE_WRITE));
	fput(file);
	vfiosim_expect(files_stat.nr_files == (kernel_version < KERNEL_6_12));
	task_work_run();
	vfiosim_expect(files_stat.nr_files == 0 && !released.count);
}

static void not_opened_6_12(void *unused)
{
	kernel_version = KERNEL_6_12;
	not_opened(NULL);
}

/* FS-126, FS-127 */
START_TEST(file_that_was_never_opened_is_not_released)
{
	static const struct vfiosim_scenario old = {
		.name = "unopened", .tasks = { { "T1", not_opened } },
	};
	static const struct vfiosim_scenario new = {
		.name = "unopened-6.12", .tasks = { { "T1", not_opened_6_12 } },
	};

	step_all(&old, VFIOSIM_OK);
	step_all(&new, VFIOSIM_OK);
}
END_TEST

static void fasync_and_readonly(void *unused)
{
	struct inode *shared;
	struct file *file;

	file = anon_inode_getfile("[ro]", &note_fops, (void *)1, O_RDONLY | FASYNC);
	shared = anon_inode_shared();
	vfiosim_expect(!(file->f_flags & FASYNC) && shared->i_readcount == 1);
	vfiosim_expect(file->f_mode == (FMODE_READ | FMODE_CAN_READ | FMODE_OPENED));
	fput(file);
	task_work_run();
	vfiosim_expect(shared->i_readcount == 0);
}

/* FS-112, FS-114, FS-127 */
START_TEST(read_only_files_are_counted_in_their_inode)
{
	static const struct vfiosim_scenario scenario = {
		.name = "read-only", .tasks = { { "T1", fasync_and_readonly } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void get_dead_6_12(void *unused)
{
	kernel_version = KERNEL_6_12;
	get_dead(NULL);
}

/* FS-117 */
START_TEST(kernel_6_12_warns_of_a_dead_file)
{
	static const struct vfiosim_scenario scenario = {
		.name = "get-dead-6.12", .tasks = { { "T1", get_dead_6_12 } },
	};

	step_all_finds(&scenario, "warn");
}
END_TEST

STEPTEST_MAIN("file",
	last_put_releases_on_the_way_to_user_mode,
	task_work_releases_newest_first,
	kernel_threads_leave_the_release_to_a_work_item,
	interrupt_context_leaves_the_release_to_a_work_item,
	task_that_is_past_its_task_work_falls_back_to_the_work_item,
	synchronous_put_is_for_kernel_threads,
	misuse_of_file_references_is_found,
	mapping_is_out_of_reach_after_release,
	file_limit_is_enfile_unless_capable,
	noaccount_files_are_not_counted,
	file_that_was_never_opened_is_not_released,
	read_only_files_are_counted_in_their_inode,
	kernel_6_12_warns_of_a_dead_file)
