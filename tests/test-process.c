// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes: what fork copies, and in which order exec, exit and signals give
 * it back. Each scenario runs once, with events recorded; the order of events is
 * compared afterwards.
 */
#define VFIOSIM_HOST
#include <check.h>
#include <signal.h>
#include <string.h>

#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/wait.h>

#include "engine.h"
#include "process.h"
#include "simtest.h"
#include "syscall.h"
#include "vfiosim.h"

#define MAP_SHARED 1
#define PROT_READ 1
#define PROT_WRITE 2
#define PAGES(n) ((n) * 0x1000)

#define SCENARIO(...)							\
	static const struct vfiosim_scenario scenario = {		\
		.name = "process", .fixture_size = sizeof(struct world), __VA_ARGS__ }

/* ---- a file that writes down what happens to it ---- */

struct witness {
	char log[256];
	bool released_bare;	/* without mm, files and nsproxy (FS-150) */
	int releases;
	unsigned long refs;	/* f_count of the file under test, sampled */
};

struct world {
	struct vfiosim_process *alice, *bob;
	struct witness witness;
	struct vfiosim_gate gate;
	long result;
	int fds[2];
};

static struct witness *witness KSTATE = NULL;

static void note(const char *what, const struct file *file)
{
	size_t n = strlen(witness->log);

	scnprintf(witness->log + n, sizeof(witness->log) - n, "%s%ld ", what,
		  (long)file->private_data);
}

static int witness_flush(struct file *file, fl_owner_t id)
{
	note("flush", file);
	return 0;
}

static int witness_release(struct inode *inode, struct file *file)
{
	struct task_struct *task = get_current();

	note("release", file);
	witness->releases++;
	witness->released_bare = !task->mm && !task->files && !task->nsproxy;
	return 0;
}

static int witness_mmap(struct file *file, struct vm_area_struct *vma)
{
	return 0;
}

static long witness_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct completion never = COMPLETION_INITIALIZER(never);

	if (command == 1)
		return wait_for_completion_interruptible(&never);
	msleep(argument);
	return 7;
}

static const struct file_operations witness_fops = {
	.flush = witness_flush,
	.release = witness_release,
	.mmap = witness_mmap,
	.unlocked_ioctl = witness_ioctl,
};

/* A witness called @name in @process, at the lowest free number. */
static int open_witness(struct vfiosim_process *process, long name, int flags)
{
	struct task_struct *task = process_enter((struct process *)process);
	struct file *file = anon_inode_getfile("[witness]", &witness_fops, (void *)name, O_RDWR);
	int fd = get_unused_fd_flags(flags);

	fd_install(fd, file);
	exit_to_user_mode(task, 0);
	return fd;
}

static void setup(void *data)
{
	struct world *w = data;

	witness = &w->witness;
	w->alice = vfiosim_process("alice");
	for (long name = 0; name < 3; name++)
		open_witness(w->alice, name, name == 1 ? O_CLOEXEC : 0);
	witness->log[0] = 0;
}

static void expect_log(const char *expected)
{
	vfiosim_expect(!strcmp(witness->log, expected));
}

/* ---- exit ---- */

static void exits(void *data)
{
	struct world *w = data;

	vfiosim_exit(w->alice);
	expect_log("flush0 flush1 flush2 release2 release1 release0 ");
	vfiosim_expect(w->witness.released_bare);
}

/* FS-149, FS-150, FS-122 */
START_TEST(exit_flushes_upwards_and_releases_downwards)
{
	SCENARIO(.setup = setup, .tasks = { { "alice", exits } });

	assert_scenario_ok(&scenario);
}
END_TEST

static void maps_and_exits(void *data)
{
	struct world *w = data;
	int fd = open_witness(w->alice, 3, 0);

	vfiosim_expect(vfiosim_mmap(w->alice, 0, PAGES(1), PROT_READ, MAP_SHARED, fd, 0) > 0);
	vfiosim_close(w->alice, fd);
	witness->log[0] = 0;
	vfiosim_exit(w->alice);
	expect_log("flush0 flush1 flush2 release2 release1 release0 release3 ");
}

/* FS-150, FS-186, MM-109: the file that only a mapping held was put first, so it goes last. */
START_TEST(a_mapped_file_is_released_after_the_descriptors)
{
	SCENARIO(.setup = setup, .tasks = { { "alice", maps_and_exits } });

	assert_scenario_ok(&scenario);
}
END_TEST

static void memory_is_shared(void *data)
{
	struct world *w = data;
	struct mm_struct *mm = ((struct process *)w->alice)->thread[0]->mm;
	int fd = open_witness(w->alice, 3, 0);

	vfiosim_expect(vfiosim_mmap(w->alice, 0, PAGES(1), PROT_READ, MAP_SHARED, fd, 0) > 0);
	mmget(mm);
	vfiosim_exit(w->alice);
	vfiosim_expect(w->witness.releases == 3);
	mmput(mm);
	task_work_run();
	vfiosim_expect(w->witness.releases == 4);
}

/* FS-151 */
START_TEST(whoever_drops_the_mm_last_drops_its_files)
{
	SCENARIO(.setup = setup, .tasks = { { "alice", memory_is_shared } });

	assert_scenario_ok(&scenario);
}
END_TEST

static void is_gone(void *data)
{
	struct world *w = data;

	vfiosim_exit(w->alice);
	vfiosim_expect(!vfiosim_is_alive(w->alice));
	vfiosim_expect(vfiosim_close(w->alice, 0) == -ESRCH);
	vfiosim_expect(vfiosim_fork(w->alice, "bob") == NULL);
	vfiosim_expect(vfiosim_fork_error(w->alice) == -ESRCH);
	vfiosim_expect(vfiosim_kill(w->alice, SIGTERM) == -ESRCH);
}

START_TEST(a_process_that_exited_makes_no_calls)
{
	SCENARIO(.setup = setup, .tasks = { { "alice", is_gone } });

	assert_scenario_ok(&scenario);
}
END_TEST

/* ---- fork and exec ---- */

static void forks(void *data)
{
	struct world *w = data;

	w->bob = vfiosim_fork(w->alice, "bob");
	vfiosim_exit(w->alice);
	expect_log("flush0 flush1 flush2 ");
	vfiosim_exit(w->bob);
	expect_log("flush0 flush1 flush2 flush0 flush1 flush2 release2 release1 release0 ");
}

/* FS-145 */
START_TEST(a_child_keeps_the_files_open)
{
	SCENARIO(.setup = setup, .tasks = { { "alice", forks } });

	assert_scenario_ok(&scenario);
}
END_TEST

static void with_a_mapping(void *data)
{
	struct world *w = data;

	setup(data);
	vfiosim_expect(vfiosim_mmap(w->alice, 0, PAGES(1), PROT_READ, MAP_SHARED, 0, 0) > 0);
}

static void forks_without_memory(void *data)
{
	struct world *w = data;

	w->bob = vfiosim_fork(w->alice, "bob");
	vfiosim_expect((w->bob == NULL) == (vfiosim_fork_error(w->alice) == -ENOMEM));
	if (w->bob)
		return;
	/* What was copied was closed again, by the parent, and released nothing. */
	vfiosim_expect(w->witness.releases == 0);
	vfiosim_expect(vfiosim_ioctl(w->alice, 2, 0, 0) == 7);
}

/* FS-146, MM-101 */
START_TEST(a_fork_that_fails_leaves_the_parent_as_it_was)
{
	SCENARIO(.setup = with_a_mapping, .tasks = { { "alice", forks_without_memory } });

	assert_scenario_survives_faults(&scenario, 5);
}
END_TEST

static void execs(void *data)
{
	struct world *w = data;
	int fd = open_witness(w->alice, 3, O_CLOEXEC);

	vfiosim_expect(vfiosim_mmap(w->alice, 0, PAGES(1), PROT_READ, MAP_SHARED, 0, 0) > 0);
	witness->log[0] = 0;
	vfiosim_expect(vfiosim_exec(w->alice) == 0);
	expect_log("flush1 flush3 release3 release1 ");
	vfiosim_expect(vfiosim_close(w->alice, fd) == -EBADF);
	vfiosim_expect(vfiosim_close(w->alice, 0) == 0);
	/* The mapping of file 0 went with the old memory. */
	vfiosim_expect(w->witness.releases == 3);
}

/* FS-147, MM-110 */
START_TEST(exec_closes_upwards_and_releases_downwards)
{
	SCENARIO(.setup = setup, .tasks = { { "alice", execs } });

	assert_scenario_ok(&scenario);
}
END_TEST

/* ---- signals ---- */

static void waits(void *data)
{
	struct world *w = data;

	w->result = vfiosim_ioctl(w->alice, 0, 1, 0);
}

static void sleeps(void *data)
{
	struct world *w = data;

	w->result = vfiosim_ioctl(w->alice, 0, 2, 1000);
}

static void terminates(void *data)
{
	struct world *w = data;

	vfiosim_sleep_ms(10);
	vfiosim_expect(vfiosim_kill(w->alice, SIGTERM) == 0);
}

static void died(void *data)
{
	struct world *w = data;

	vfiosim_expect(w->result == -ESRCH);
	vfiosim_expect(!vfiosim_is_alive(w->alice));
	vfiosim_wait_exit(w->alice);
	vfiosim_expect(w->witness.releases == 3);
}

START_TEST(a_fatal_signal_ends_an_interruptible_wait_and_the_process)
{
	SCENARIO(.setup = setup, .teardown = died,
		 .tasks = { { "alice", waits }, { "bob", terminates } });

	assert_scenario_ok(&scenario);
}
END_TEST

START_TEST(a_fatal_signal_waits_for_an_uninterruptible_sleep)
{
	SCENARIO(.setup = setup, .teardown = died,
		 .tasks = { { "alice", sleeps }, { "bob", terminates } });

	assert_scenario_ok(&scenario);
}
END_TEST

static void kills_an_idle_one(void *data)
{
	struct world *w = data;

	vfiosim_expect(vfiosim_kill(w->alice, SIGKILL) == 0);
	vfiosim_expect(vfiosim_close(w->alice, 0) == -ESRCH);
	vfiosim_wait_exit(w->alice);
	expect_log("flush0 flush1 flush2 release2 release1 release0 ");
}

START_TEST(a_process_in_user_mode_exits_by_itself_when_killed)
{
	SCENARIO(.setup = setup, .tasks = { { "bob", kills_an_idle_one } });

	assert_scenario_ok(&scenario);
}
END_TEST

static void catches(void *data)
{
	struct world *w = data;

	vfiosim_sigaction(w->alice, SIGTERM, VFIOSIM_SIGNAL_CATCH);
	waits(data);
}

static void survived(void *data)
{
	struct world *w = data;

	vfiosim_expect(w->result == -EINTR);
	vfiosim_expect(vfiosim_close(w->alice, 0) == 0);
}

START_TEST(a_caught_signal_interrupts_and_the_process_lives)
{
	SCENARIO(.setup = setup, .teardown = survived,
		 .tasks = { { "alice", catches }, { "bob", terminates } });

	assert_scenario_ok(&scenario);
}
END_TEST

static void ignores(void *data)
{
	struct world *w = data;

	vfiosim_sigaction(w->alice, SIGTERM, VFIOSIM_SIGNAL_IGNORE);
	sleeps(data);
}

static void noticed_nothing(void *data)
{
	struct world *w = data;

	vfiosim_expect(w->result == 7);
}

START_TEST(an_ignored_signal_does_nothing)
{
	SCENARIO(.setup = setup, .teardown = noticed_nothing,
		 .tasks = { { "alice", ignores }, { "bob", terminates } });

	assert_scenario_ok(&scenario);
}
END_TEST

/* ---- threads ---- */

static void closes_meanwhile(void *data)
{
	struct world *w = data;

	vfiosim_sleep_ms(10);
	vfiosim_expect(vfiosim_close(w->alice, 0) == 0);
	vfiosim_expect(w->witness.releases == 0);
}

static void with_two_threads(void *data)
{
	struct world *w = data;

	setup(data);
	vfiosim_threads(w->alice, 2);
}

static void released_by_the_sleeper(void *data)
{
	struct world *w = data;

	vfiosim_expect(w->result == 7);
	vfiosim_expect(w->witness.releases == 1);
}

/* FS-119, FS-121, I-19: the sleeper's lookup took a reference, as the table is shared. */
START_TEST(a_file_closed_under_a_call_is_released_by_that_call)
{
	SCENARIO(.setup = with_two_threads, .teardown = released_by_the_sleeper,
		 .tasks = { { "alice", sleeps }, { "bob", closes_meanwhile } });

	assert_scenario_ok(&scenario);
}
END_TEST

START_TEST(two_tasks_in_a_process_of_one_thread_are_misuse)
{
	SCENARIO(.setup = setup, .tasks = { { "alice", sleeps }, { "bob", closes_meanwhile } });

	assert_scenario_detects("misuse", &scenario);
}
END_TEST

static void exit_of_two(void *data)
{
	struct world *w = data;

	vfiosim_sleep_ms(10);
	vfiosim_exit(w->alice);
	vfiosim_wait_exit(w->alice);
	vfiosim_expect(w->witness.releases == 3);
}

START_TEST(exit_takes_all_threads_along)
{
	SCENARIO(.setup = with_two_threads,
		 .tasks = { { "alice", waits }, { "bob", exit_of_two } });

	assert_scenario_ok(&scenario);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		exit_flushes_upwards_and_releases_downwards,
		a_mapped_file_is_released_after_the_descriptors,
		whoever_drops_the_mm_last_drops_its_files,
		a_process_that_exited_makes_no_calls,
		a_child_keeps_the_files_open,
		a_fork_that_fails_leaves_the_parent_as_it_was,
		exec_closes_upwards_and_releases_downwards,
		a_fatal_signal_ends_an_interruptible_wait_and_the_process,
		a_fatal_signal_waits_for_an_uninterruptible_sleep,
		a_process_in_user_mode_exits_by_itself_when_killed,
		a_caught_signal_interrupts_and_the_process_lives,
		an_ignored_signal_does_nothing,
		a_file_closed_under_a_call_is_released_by_that_call,
		two_tasks_in_a_process_of_one_thread_are_misuse,
		exit_takes_all_threads_along,
	};
	Suite *suite = suite_create("process");
	TCase *tc = tcase_create("process");

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
