// SPDX-License-Identifier: GPL-2.0-only
/* Descriptor tables: numbers, dup, sharing, fork, exec, exit. */
#include "steptest.h"

#include "fdtest.h"

static long results[8] KSTATE;

static bool is_open(unsigned int fd)
{
	return files_peek(get_current()->files, fd);
}

static bool is_reserved(unsigned int fd)
{
	return fd_is_open(fd, get_current()->files->fdt) && !is_open(fd);
}

static long tag_of(unsigned int fd)
{
	return (long)files_peek(get_current()->files, fd)->private_data;
}

static void run_process(const char *name, void (*body)(void *unused))
{
	const struct vfiosim_scenario scenario = {
		.name = name, .check = fs_invariants_hold, .tasks = { { "T1", body } },
	};

	step_all(&scenario, VFIOSIM_OK);
}

/* ---- numbers ---- */

static void lowest(void *unused)
{
	process_begin();
	for (int fd = 0; fd < 4; fd++)
		vfiosim_expect(note_fd(fd) == fd);
	vfiosim_expect(close_fd(1) == 0);
	vfiosim_expect(close_fd(2) == 0);
	vfiosim_expect(get_current()->files->next_fd == 1);
	vfiosim_expect(note_fd(5) == 1 && note_fd(6) == 2 && note_fd(7) == 4);
	process_end();
}

/* FS-133..FS-135 */
START_TEST(lowest_free_number_is_taken)
{
	run_process("lowest", lowest);
}
END_TEST

static void reserve(void *unused)
{
	int fd;

	process_begin();
	fd = get_unused_fd_flags(O_CLOEXEC);
	vfiosim_expect(fd == 0 && is_reserved(0) && close_on_exec(0, get_current()->files->fdt));
	vfiosim_expect(!fget(0) && close_fd(0) == -EBADF && is_reserved(0));
	vfiosim_expect(get_unused_fd_flags(0) == 1);
	put_unused_fd(0);
	vfiosim_expect(!is_reserved(0) && get_current()->files->next_fd == 0);
	put_unused_fd(1);
	process_end();
}

/* FS-133, FS-134, FS-138, FS-139 */
START_TEST(reserved_descriptor_is_neither_open_nor_free)
{
	run_process("reserve", reserve);
}
END_TEST

static void limits(void *unused)
{
	process_begin();
	get_current()->rlimit_nofile = 2;
	vfiosim_expect(note_fd(0) == 0 && note_fd(1) == 1);
	vfiosim_expect(note_fd(2) == -EMFILE && ksys_dup(0) == -EMFILE);
	vfiosim_expect(ksys_dup2(0, 2) == -EBADF);
	vfiosim_expect(ksys_fcntl_dupfd(0, 2, 0) == -EINVAL);
	get_current()->rlimit_nofile = 1;
	vfiosim_expect(is_open(1));
	get_current()->rlimit_nofile = 1 << 20;
	files_stat.nr_open = 64;
	vfiosim_expect(ksys_fcntl_dupfd(0, 64, 0) == -EMFILE);
	vfiosim_expect(ksys_dup2(0, 64) == -EBADF);
	vfiosim_expect(ksys_dup2(9, 64) == -EBADF);
	process_end();
}

/* FS-134, FS-141, FS-143, FS-147 */
START_TEST(limits_are_emfile_and_sometimes_ebadf)
{
	run_process("limits", limits);
}
END_TEST

static int source;
static int dup_result KSTATE;

static void grow_without_memory(void *unused)
{
	process_begin();
	vfiosim_expect(note_fd(0) == 0);
	dup_result = ksys_dup2(source, 64);
	process_end();
}

static int dup_with_failing_growth(int from)
{
	static const struct vfiosim_scenario scenario = {
		.name = "no memory", .tasks = { { "T1", grow_without_memory } },
	};
	const char *site;
	int result;

	source = from;
	for (unsigned int nth = 0; (site = step_fault(&scenario, nth)); nth++) {
		result = dup_result;
		run_end();
		if (!strcmp(site, "fdtable_arrays"))
			return result;
	}
	ck_abort_msg("the table did not grow");
}

/* FS-143 */
START_TEST(a_closed_source_goes_before_a_failed_growth)
{
	ck_assert_int_eq(dup_with_failing_growth(0), -ENOMEM);
	ck_assert_int_eq(dup_with_failing_growth(9), -EBADF);
}
END_TEST

/* FS-132, FS-136 */
static const struct {
	unsigned int fd, nr_open;
	enum kernel_version version;
	unsigned int size;
} sizes[] = {
	{ 63, 1 << 20, KERNEL_5_14, 64 },
	{ 64, 1 << 20, KERNEL_5_14, 128 },
	{ 128, 1 << 20, KERNEL_5_14, 256 },
	{ 600, 1 << 20, KERNEL_5_14, 1024 },
	{ 600, 700, KERNEL_5_14, 704 },
	{ 600, 700, KERNEL_6_12, 640 },
};
static unsigned int row KSTATE;

static void grow(void *unused)
{
	process_begin();
	kernel_version = sizes[row].version;
	files_stat.nr_open = sizes[row].nr_open;
	vfiosim_expect(note_fd(7) == 0);
	vfiosim_expect(ksys_dup2(0, sizes[row].fd) == (int)sizes[row].fd);
	vfiosim_expect(get_current()->files->fdt->max_fds == sizes[row].size);
	vfiosim_expect(is_open(0) && is_open(sizes[row].fd) && !is_open(1));
	process_end();
}

START_TEST(tables_grow_in_the_kernels_sizes)
{
	unsigned int next;
	const struct vfiosim_scenario scenario = {
		.name = "grow", .check = fs_invariants_hold, .tasks = { { "T1", grow } },
	};

	for (next = 0; next < ARRAY_SIZE(sizes); next++) {
		step_begin(&scenario);
		row = next;
		step_finish(VFIOSIM_OK);
	}
}
END_TEST

/* ---- dup ---- */

static void dups(void *unused)
{
	process_begin();
	vfiosim_expect(note_fd(10) == 0 && note_fd(11) == 1);
	vfiosim_expect(ksys_dup(0) == 2 && tag_of(2) == 10);
	vfiosim_expect(ksys_dup(9) == -EBADF);
	vfiosim_expect(ksys_fcntl_dupfd(0, 5, O_CLOEXEC) == 5);
	vfiosim_expect(close_on_exec(5, get_current()->files->fdt));
	vfiosim_expect(ksys_dup2(5, 5) == 5 && close_on_exec(5, get_current()->files->fdt));
	vfiosim_expect(ksys_dup2(9, 9) == -EBADF);
	vfiosim_expect(ksys_dup3(0, 0, 0) == -EINVAL);
	vfiosim_expect(ksys_dup3(0, 1, O_NONBLOCK) == -EINVAL);
	vfiosim_expect(ksys_dup3(8, 1, 0) == -EBADF && is_open(1) && !flushed.count);
	vfiosim_expect(ksys_dup3(0, 1, O_CLOEXEC) == 1 && tag_of(1) == 10);
	vfiosim_expect(NOTED(flushed, 11) && !released.count);
	task_work_run();
	vfiosim_expect(NOTED(released, 11));
	vfiosim_expect(file_count(files_peek(get_current()->files, 0)) == 4);
	process_end();
	vfiosim_expect(NOTED(released, 11, 10));
}

/* FS-141..FS-143 */
START_TEST(dup_shares_the_file_and_dup2_displaces)
{
	run_process("dup", dups);
}
END_TEST

static void flush_each(void *unused)
{
	process_begin();
	note_fd(1);
	ksys_dup(0);
	flush_result = -EIO;
	vfiosim_expect(ksys_close(0) == -EIO && NOTED(flushed, 1) && !is_open(0));
	flush_result = -ERESTARTSYS;
	vfiosim_expect(ksys_close(1) == -EINTR && NOTED(flushed, 1, 1));
	vfiosim_expect(!released.count && ksys_close(1) == -EBADF);
	process_end();
}

/* FS-139, FS-140 */
START_TEST(each_close_flushes_and_only_the_last_releases)
{
	run_process("flush", flush_each);
}
END_TEST

static void close_inline(void *unused)
{
	kernel_version = KERNEL_6_12;
	process_begin();
	note_fd(1);
	vfiosim_expect(ksys_close(0) == 0 && NOTED(released, 1));
	note_fd(2);
	note_fd(3);
	vfiosim_expect(ksys_close_range(0, 1, 0) == 0 && NOTED(released, 1));
	process_end();
	vfiosim_expect(NOTED(released, 1, 3, 2));
}

/* FS-126 */
START_TEST(kernel_6_12_closes_inline_and_defers_the_rest)
{
	run_process("close-6.12", close_inline);
}
END_TEST

static void light(void *unused)
{
	struct fd fd;

	process_begin();
	note_fd(1);
	fd = fdget(0);
	vfiosim_expect(fd.file && !fd.flags && file_count(fd.file) == 1);
	fdput(fd);
	get_current()->files->count.counter++;
	fd = fdget(0);
	vfiosim_expect(fd.file && (fd.flags & FDPUT_FPUT) && file_count(fd.file) == 2);
	fd.file->f_mode |= FMODE_ATOMIC_POS;
	fdput(fd);
	fd = fdget_pos(0);
	vfiosim_expect((fd.flags & FDPUT_POS_UNLOCK) && mutex_is_locked(&fd.file->f_pos_lock));
	fdput_pos(fd);
	get_current()->files->count.counter--;
	files_peek(get_current()->files, 0)->f_mode |= FMODE_PATH;
	vfiosim_expect(!fdget(0).file && !fget(0));
	fput(fget_raw(0));
	files_peek(get_current()->files, 0)->f_mode &= ~FMODE_PATH;
	process_end();
}

/* FS-118, FS-119 */
START_TEST(table_of_ones_own_lends_files_without_a_reference)
{
	run_process("light", light);
}
END_TEST

/* ---- many at once ---- */

static void close_a_range(void *unused)
{
	process_begin();
	for (int fd = 0; fd < 6; fd++)
		note_fd(fd);
	vfiosim_expect(ksys_close_range(4, 3, 0) == -EINVAL);
	vfiosim_expect(ksys_close_range(3, 4, 1) == -EINVAL);
	flush_result = -EIO;
	vfiosim_expect(ksys_close_range(1, 3, 0) == 0);
	vfiosim_expect(NOTED(flushed, 1, 2, 3));
	task_work_run();
	vfiosim_expect(NOTED(released, 3, 2, 1));
	vfiosim_expect(ksys_close_range(4, 4, CLOSE_RANGE_CLOEXEC) == 0 && is_open(4));
	do_close_on_exec(get_current()->files);
	vfiosim_expect(!is_open(4) && is_open(5) && is_open(0));
	process_end();
	vfiosim_expect(NOTED(released, 3, 2, 1, 5, 0, 4));
}

/* FS-122, FS-144, FS-147, FS-148 */
START_TEST(ranges_close_upwards_and_release_downwards)
{
	run_process("close-range", close_a_range);
}
END_TEST

static void unshare_and_close(void *unused)
{
	struct files_struct *old;

	process_begin();
	old = get_current()->files;
	for (int fd = 0; fd < 3; fd++)
		note_fd(fd);
	old->count.counter++;
	vfiosim_expect(ksys_close_range(1, ~0U, CLOSE_RANGE_UNSHARE) == 0);
	vfiosim_expect(get_current()->files != old && old->count.counter == 1);
	vfiosim_expect(is_open(0) && !is_open(1) && !is_open(2));
	/* The range reaches the table's end, yet below 64 all is copied, and closed. */
	vfiosim_expect(NOTED(flushed, 1, 2));
	put_files_struct(old);
	process_end();
	vfiosim_expect(released.count == 3);
}

/* FS-147 */
START_TEST(close_range_can_take_a_copy_first)
{
	run_process("close-range-unshare", unshare_and_close);
}
END_TEST

static void exec(void *unused)
{
	struct files_struct *old;

	process_begin();
	old = get_current()->files;
	note_fd(0);
	for (int tag = 1; tag < 4; tag++)
		anon_inode_getfd("[note]", &note_fops, (void *)(long)tag, O_RDWR | O_CLOEXEC);
	old->count.counter++;
	vfiosim_expect(unshare_files() == 0 && get_current()->files != old);
	do_close_on_exec(get_current()->files);
	vfiosim_expect(is_open(0) && !is_open(1) && NOTED(flushed, 1, 2, 3) && !released.count);
	put_files_struct(old);
	vfiosim_expect(NOTED(flushed, 1, 2, 3, 0, 1, 2, 3));
	task_work_run();
	vfiosim_expect(NOTED(released, 3, 2, 1));
	process_end();
}

/* FS-147: a shared table is copied first, so the other sharer keeps its files */
START_TEST(exec_closes_in_its_own_copy)
{
	run_process("exec", exec);
}
END_TEST

/* ---- fork and exit ---- */

static void fork_copies(void *unused)
{
	struct files_struct *parent, *child;
	int error;

	process_begin();
	parent = get_current()->files;
	note_fd(0);
	anon_inode_getfd("[note]", &note_fops, (void *)1, O_RDWR | O_CLOEXEC);
	vfiosim_expect(get_unused_fd_flags(0) == 2);
	child = dup_fd(parent, &error);
	vfiosim_expect(child && !error && child->count.counter == 1 && !child->next_fd);
	vfiosim_expect(files_peek(child, 0) == files_peek(parent, 0));
	vfiosim_expect(file_count(files_peek(parent, 0)) == 2);
	vfiosim_expect(close_on_exec(1, child->fdt) && !close_on_exec(0, child->fdt));
	vfiosim_expect(!fd_is_open(2, child->fdt) && fd_is_open(2, parent->fdt));
	put_unused_fd(2);
	/* As a fork that fails later: the copy is dropped by the parent (FS-146). */
	put_files_struct(child);
	vfiosim_expect(NOTED(flushed, 0, 1) && file_count(files_peek(parent, 0)) == 1);
	process_end();
}

/* FS-145, FS-146 */
START_TEST(fork_copies_installed_slots_and_frees_reserved_ones)
{
	run_process("fork", fork_copies);
}
END_TEST

static void exit_order(void *unused)
{
	process_begin();
	note_fd(0);
	note_fd(1);
	note_fd(2);
	process_end();
	vfiosim_expect(!get_current()->files);
	vfiosim_expect(NOTED(flushed, 0, 1, 2) && NOTED(released, 2, 1, 0));
}

/* FS-122, FS-148..FS-150 */
START_TEST(exit_flushes_upwards_and_releases_downwards)
{
	run_process("exit", exit_order);
}
END_TEST

/* ---- threads ---- */

static void threads_setup(void *unused)
{
	struct task_struct *task = get_current();

	shared_table = alloc_files();
	task->files = shared_table;
	task->rlimit_nofile = 1024;
	note_fd(100);
	task->files = NULL;
	/* What setup holds stands for the process itself. */
}

static void threads_end(void *unused)
{
	put_files_struct(shared_table);
	task_work_run();
	vfiosim_expect(released.count && !files_stat.nr_files);
}

static void thread_end(void)
{
	put_files_struct(get_current()->files);
	get_current()->files = NULL;
	task_work_run();
}

static void closer(void *unused)
{
	thread_begin();
	results[0] = ksys_close(0);
	thread_end();
}

static void getter(void *unused)
{
	struct file *file;

	thread_begin();
	file = fget(0);
	results[1] = file != NULL;
	results[2] = file ? (long)file->private_data : 0;
	if (file)
		fput(file);
	thread_end();
}

static const struct vfiosim_scenario close_vs_fget = {
	.name = "close-vs-fget", .check = fs_invariants_hold,
	.setup = threads_setup, .teardown = threads_end,
	.tasks = { { "closer", closer }, { "getter", getter } },
};

/* I-19, FS-118, FS-121 */
START_TEST(getter_that_came_in_time_runs_the_release)
{
	step_begin(&close_vs_fget);
	step_past("getter", ENG_OP_ATOMIC_RMW, "file#", 1);
	step_out("closer");
	ck_assert_int_eq(released.count, 0);
	step_out("getter");
	ck_assert_int_eq(results[1], 1);
	ck_assert_int_eq(released.count, 1);
	step_finish(VFIOSIM_OK);
}
END_TEST

START_TEST(getter_that_came_late_finds_nothing)
{
	step_begin(&close_vs_fget);
	step_until("getter", ENG_OP_ATOMIC_RMW, "file#");
	step_out("closer");
	step_out("getter");
	ck_assert_int_eq(results[0], 0);
	ck_assert_int_eq(results[1], 0);
	step_finish(VFIOSIM_OK);
}
END_TEST

static void installer(void *unused)
{
	struct file *file;
	int fd;

	thread_begin();
	fd = get_unused_fd_flags(0);
	results[2] = fd;
	file = note_file(7);
	fd_install(fd, file);
	thread_end();
}

static void intruder(void *unused)
{
	thread_begin();
	results[3] = ksys_close(1);
	results[4] = fget(1) != NULL;
	results[5] = ksys_dup2(0, 1);
	thread_end();
}

static const struct vfiosim_scenario install_vs_others = {
	.name = "install-vs-others", .check = fs_invariants_hold,
	.setup = threads_setup, .teardown = threads_end,
	.tasks = { { "installer", installer }, { "intruder", intruder } },
};

/* I-20, I-21, FS-137, FS-139, FS-143 */
START_TEST(reservation_is_left_alone_by_other_threads)
{
	step_begin(&install_vs_others);
	step_past("installer", ENG_OP_SPIN_UNLOCK, "file_lock", 1);
	ck_assert_int_eq(results[2], 1);
	step_out("intruder");
	ck_assert_int_eq(results[3], -EBADF);
	ck_assert_int_eq(results[4], 0);
	ck_assert_int_eq(results[5], -EBUSY);
	step_out("installer");
	ck_assert_ptr_nonnull(files_peek(shared_table, 1));
	step_finish(VFIOSIM_OK);
}
END_TEST

static void forker(void *unused)
{
	struct files_struct *child;
	int error;

	thread_begin();
	child = dup_fd(get_current()->files, &error);
	results[6] = !!files_peek(child, 1);
	results[7] = fd_is_open(1, child->fdt);
	put_files_struct(child);
	thread_end();
}

static const struct vfiosim_scenario install_vs_fork = {
	.name = "install-vs-fork", .check = fs_invariants_hold,
	.setup = threads_setup, .teardown = threads_end,
	.tasks = { { "installer", installer }, { "forker", forker } },
};

/* I-22, FS-145 */
START_TEST(forked_child_has_the_file_or_a_free_slot)
{
	step_begin(&install_vs_fork);
	step_past("installer", ENG_OP_SPIN_UNLOCK, "file_lock", 1);
	step_out("forker");
	ck_assert(!results[6] && !results[7]);
	step_finish(VFIOSIM_OK);

	step_begin(&install_vs_fork);
	step_out("installer");
	step_out("forker");
	ck_assert(results[6] && results[7]);
	step_finish(VFIOSIM_OK);
}
END_TEST

static void grower(void *unused)
{
	thread_begin();
	results[3] = ksys_fcntl_dupfd(0, 100, 0);
	thread_end();
}

static const struct vfiosim_scenario install_vs_growth = {
	.name = "install-vs-growth", .check = fs_invariants_hold,
	.setup = threads_setup, .teardown = threads_end,
	.tasks = { { "installer", installer }, { "grower", grower } },
};

/* I-23, FS-134, FS-137: under RCU before the growth, or under the lock during it */
START_TEST(install_during_growth_is_in_the_new_table)
{
	step_begin(&install_vs_growth);
	step_until("installer", ENG_OP_WRITE_ONCE, "files_struct");
	while (!step_blocked("grower"))
		step_once("grower");
	step_out("installer");
	step_out("grower");
	ck_assert_int_eq(results[3], 100);
	ck_assert_int_eq(shared_table->fdt->max_fds, 128);
	ck_assert_ptr_nonnull(files_peek(shared_table, 1));
	step_finish(VFIOSIM_OK);
}
END_TEST

START_TEST(install_waits_for_the_lock_once_growth_began)
{
	step_begin(&install_vs_growth);
	step_past("installer", ENG_OP_SPIN_UNLOCK, "file_lock", 1);
	step_past("grower", ENG_OP_WRITE_ONCE, "files_struct", 1);
	step_until("installer", ENG_OP_SPIN_LOCK, "file_lock");
	ck_assert(step_blocked("installer"));
	step_past("grower", ENG_OP_SPIN_UNLOCK, "file_lock", 1);
	step_out("installer");
	step_finish(VFIOSIM_OK);
	ck_assert_ptr_null(run_failure());
}
END_TEST

static void grower_too(void *unused)
{
	thread_begin();
	results[4] = ksys_fcntl_dupfd(0, 100, 0);
	thread_end();
}

/* FS-136 */
START_TEST(second_resizer_waits_and_looks_again)
{
	static const struct vfiosim_scenario scenario = {
		.name = "growth-vs-growth", .check = fs_invariants_hold,
		.setup = threads_setup, .teardown = threads_end,
		.tasks = { { "T1", grower }, { "T2", grower_too } },
	};

	step_begin(&scenario);
	step_past("T1", ENG_OP_SPIN_UNLOCK, "file_lock", 1);
	while (!step_blocked("T2"))
		step_once("T2");
	step_finish(VFIOSIM_OK);
	ck_assert_int_eq(results[3] + results[4], 201);
	ck_assert_int_eq(event_count("table_grow"), 1);
}
END_TEST

static void swapper(void *unused)
{
	thread_begin();
	note_fd(200);
	ksys_dup2(1, 0);
	thread_end();
}

/* FS-118, FS-143: between the load and the increment the slot was replaced */
START_TEST(getter_reloads_a_slot_that_dup2_replaced)
{
	static const struct vfiosim_scenario scenario = {
		.name = "dup2-vs-fget", .check = fs_invariants_hold,
		.setup = threads_setup, .teardown = threads_end,
		.tasks = { { "swapper", swapper }, { "getter", getter } },
	};

	step_begin(&scenario);
	step_until("getter", ENG_OP_ATOMIC_RMW, "file#");
	while (!released.count)
		step_once("swapper");
	step_out("getter");
	ck_assert_int_eq(results[2], 200);
	step_finish(VFIOSIM_OK);
}
END_TEST

/* ---- detectors ---- */

static void forget_a_reservation(void *unused)
{
	process_begin();
	get_unused_fd_flags(0);
	files_check_reserved();
}

static void redirect_late(void *unused)
{
	static struct address_space elsewhere KSTATE;

	process_begin();
	note_fd(1);
	files_peek(get_current()->files, 0)->f_mapping = &elsewhere;
	ksys_dup(0);
}

static void install_twice(void *unused)
{
	process_begin();
	note_fd(1);
	fd_install(0, note_file(2));
}

static const struct {
	const char *what;
	void (*body)(void *unused);
	const char *detector;
} misuses[] = {
	{ "a reservation outlives its system call", forget_a_reservation, FD_RESERVED },
	{ "f_mapping is set after fd_install()", redirect_late, F_MAPPING_CHANGED },
	{ "a slot is installed twice", install_twice, "bug" },
};

/* FS-137, FS-195, FS-198 */
START_TEST(misuse_of_descriptors_is_found)
{
	for (size_t i = 0; i < ARRAY_SIZE(misuses); i++) {
		const struct vfiosim_scenario scenario = {
			.name = misuses[i].what, .tasks = { { "T1", misuses[i].body } },
		};

		step_all_finds(&scenario, misuses[i].detector);
	}
}
END_TEST

/* ---- failures ---- */

static void fork_large(void *unused)
{
	struct files_struct *child;
	int error;

	process_begin();
	if (note_fd(1) == 0)
		ksys_dup2(0, 70);
	child = dup_fd(get_current()->files, &error);
	vfiosim_expect(child ? !error : error == -ENOMEM);
	if (child)
		put_files_struct(child);
	process_end();
	vfiosim_expect(!files_stat.nr_files && note_module.refcnt.counter == 1);
}

/* ERR-12..ERR-16, ERR-21: whatever fails, nothing stays behind */
START_TEST(any_failed_step_leaves_no_file_and_no_number)
{
	static const struct vfiosim_scenario scenario = {
		.name = "fork-large", .check = fs_invariants_hold,
		.tasks = { { "T1", fork_large } },
	};
	const char *sites[] = { "fd_limit", "file_max", "file_security", "fdtable_arrays",
				"dentry", "module_going", "anon_inode_inode" };
	bool seen[ARRAY_SIZE(sites)] = { false };
	const char *site;

	for (unsigned int nth = 1; (site = step_fault(&scenario, nth)); nth++) {
		for (size_t i = 0; i < ARRAY_SIZE(sites); i++)
			seen[i] |= !strcmp(site, sites[i]);
		step_finish(VFIOSIM_OK);
	}
	run_end();
	for (size_t i = 0; i < ARRAY_SIZE(sites); i++)
		ck_assert_msg(seen[i], "%s was not reached", sites[i]);
}
END_TEST

STEPTEST_MAIN("fdtable",
	lowest_free_number_is_taken,
	reserved_descriptor_is_neither_open_nor_free,
	limits_are_emfile_and_sometimes_ebadf,
	a_closed_source_goes_before_a_failed_growth,
	tables_grow_in_the_kernels_sizes,
	dup_shares_the_file_and_dup2_displaces,
	each_close_flushes_and_only_the_last_releases,
	kernel_6_12_closes_inline_and_defers_the_rest,
	table_of_ones_own_lends_files_without_a_reference,
	ranges_close_upwards_and_release_downwards,
	close_range_can_take_a_copy_first,
	exec_closes_in_its_own_copy,
	fork_copies_installed_slots_and_frees_reserved_ones,
	exit_flushes_upwards_and_releases_downwards,
	getter_that_came_in_time_runs_the_release,
	getter_that_came_late_finds_nothing,
	reservation_is_left_alone_by_other_threads,
	forked_child_has_the_file_or_a_free_slot,
	install_during_growth_is_in_the_new_table,
	install_waits_for_the_lock_once_growth_began,
	second_resizer_waits_and_looks_again,
	getter_reloads_a_slot_that_dup2_replaced,
	misuse_of_descriptors_is_found,
	any_failed_step_leaves_no_file_and_no_number)
