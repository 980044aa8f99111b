// SPDX-License-Identifier: GPL-2.0-only
/* Eventfds: counting, blocking, references of drivers, and who is woken with what. */
#include <linux/fcntl.h>

#include <vfiosim/kapi.h>
#include <vfiosim/kapi/eventfd.h>
#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/poll.h>

#include <sys/eventfd.h>	/* behind kapi, as a scenario may have it */

#include "process.h"
#include "simtest.h"
#include "syscall.h"

static struct {
	struct process *user;
	int fd;
	struct file *file;
	struct eventfd_ctx *ctx;	/* +1 reference, a driver's */
	__poll_t woken_by;
	int wakeups;
} world KSTATE;

static void make(unsigned int count, int flags)
{
	struct task_struct *task;

	world.user = process_create("user");
	vfiosim_expect(process_add_threads(world.user, 2) == 0);
	world.fd = sys_eventfd(world.user, count, flags);
	vfiosim_expect(world.fd >= 0);
	world.file = files_peek(world.user->thread[0]->files, world.fd);
	task = process_enter(world.user);
	world.ctx = eventfd_ctx_fdget(world.fd);
	exit_to_user_mode(task, 0);
	vfiosim_expect(!IS_ERR(world.ctx));
}

static void end(void *unused)
{
	if (!IS_ERR_OR_NULL(world.ctx))
		eventfd_ctx_put(world.ctx);
	exit_users();
	exit_init();
}

static long read_count(void)
{
	u64 count = 0;
	long ret = sys_read(world.user, world.fd, &count, sizeof(count));

	return ret == sizeof(count) ? (long)count : ret;
}

static long write_count(u64 count)
{
	return sys_write(world.user, world.fd, &count, sizeof(count));
}

#define FULL (~0ULL - 1)

static void counting(void *unused)
{
	u64 word = 1;

	make(3, O_NONBLOCK);
	vfiosim_expect(eventfd_ctx_peek(world.ctx) == 3);
	vfiosim_expect(eventfd_signal(world.ctx, 2) == 2);
	vfiosim_expect(write_count(4) == 8);
	vfiosim_expect(read_count() == 9);
	vfiosim_expect(read_count() == -EAGAIN);
	vfiosim_expect(sys_read(world.user, world.fd, &word, 4) == -EINVAL);
	vfiosim_expect(sys_write(world.user, world.fd, &word, 4) == -EINVAL);
	vfiosim_expect(sys_write(world.user, world.fd, (void *)8, 8) == -EFAULT);
	vfiosim_expect(write_count(~0ULL) == -EINVAL);
	/* A write that would not fit waits; a signal adds what fits. */
	vfiosim_expect(write_count(FULL) == 8 && write_count(1) == -EAGAIN);
	vfiosim_expect(eventfd_signal(world.ctx, 5) == 1);
	vfiosim_expect(eventfd_signal(world.ctx, 5) == 0);
	vfiosim_expect(vfs_poll(world.file, NULL) == (EPOLLIN | EPOLLERR));
}

START_TEST(reads_take_the_count_and_writes_add_to_it)
{
	static const struct vfiosim_scenario scenario = {
		.name = "counting", .teardown = end, .tasks = { { "T1", counting } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

static void semaphore(void *unused)
{
	make(2, O_NONBLOCK | EFD_SEMAPHORE);
	vfiosim_expect(read_count() == 1 && read_count() == 1 && read_count() == -EAGAIN);
	vfiosim_expect(sys_eventfd(world.user, 0, 1 << 20) == -EINVAL);
}

START_TEST(a_semaphore_is_read_one_by_one)
{
	static const struct vfiosim_scenario scenario = {
		.name = "semaphore", .teardown = end, .tasks = { { "T1", semaphore } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

static void setup_blocking(void *unused)
{
	make(0, 0);
}

static void read_two(void *unused)
{
	long got = read_count();

	vfiosim_expect(got == 1 || got == 2);
	if (got == 1)
		vfiosim_expect(read_count() == 1);
}

static void signal_two(void *unused)
{
	eventfd_signal(world.ctx, 1);
	eventfd_signal(world.ctx, 1);
}

START_TEST(a_reader_sleeps_until_there_is_something)
{
	static const struct vfiosim_scenario scenario = {
		.name = "blocking", .setup = setup_blocking, .teardown = end,
		.tasks = { { "reader", read_two }, { "driver", signal_two } },
	};

	assert_scenario_ok_random(&scenario, 60);
}
END_TEST

static void setup_full(void *unused)
{
	make(0, 0);
	vfiosim_expect(write_count(FULL) == 8);
}

static void write_more(void *unused)
{
	vfiosim_expect(write_count(7) == 8);
	vfiosim_expect(eventfd_ctx_peek(world.ctx) == 7);
}

static void read_all(void *unused)
{
	u64 count;

	vfiosim_expect(sys_read(world.user, world.fd, &count, 8) == 8 && count == FULL);
}

START_TEST(a_writer_sleeps_until_there_is_room)
{
	static const struct vfiosim_scenario scenario = {
		.name = "full", .setup = setup_full, .teardown = end,
		.tasks = { { "writer", write_more }, { "reader", read_all } },
	};

	assert_scenario_ok_random(&scenario, 60);
}
END_TEST

/* The driver's reference outlives the file, whose close wakes with HUP. */
static int note_wakeup(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	world.woken_by = (__poll_t)(unsigned long)key;
	world.wakeups++;
	return 0;
}

static wait_queue_entry_t listener KSTATE;

static void listen(struct file *file, wait_queue_head_t *queue, struct poll_table_struct *table)
{
	init_waitqueue_func_entry(&listener, note_wakeup);
	add_wait_queue(queue, &listener);
}

static void closing(void *unused)
{
	struct poll_table_struct table;
	struct task_struct *task;

	make(0, 0);
	init_poll_funcptr(&table, listen);
	vfiosim_expect(vfs_poll(world.file, &table) == EPOLLOUT);
	eventfd_signal(world.ctx, 1);
	vfiosim_expect(world.woken_by == EPOLLIN && world.wakeups == 1);
	vfiosim_expect(sys_close(world.user, world.fd) == 0);
	vfiosim_expect(world.woken_by == EPOLLHUP && world.wakeups == 2);
	vfiosim_expect(eventfd_signal(world.ctx, 1) == 1);

	task = process_enter(world.user);
	vfiosim_expect(eventfd_ctx_fdget(world.fd) == ERR_PTR(-EBADF));
	exit_to_user_mode(task, 0);
}

START_TEST(a_drivers_reference_outlives_the_file)
{
	static const struct vfiosim_scenario scenario = {
		.name = "closing", .teardown = end, .tasks = { { "T1", closing } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

/* As virqfd does when it is shut down: what was signalled until then is not lost. */
static void unlistening(void *unused)
{
	struct poll_table_struct table;
	u64 count = 7;

	make(0, 0);
	init_poll_funcptr(&table, listen);
	vfs_poll(world.file, &table);
	eventfd_signal(world.ctx, 3);
	vfiosim_expect(eventfd_ctx_remove_wait_queue(world.ctx, &listener, &count) == 0);
	vfiosim_expect(count == 3 && eventfd_ctx_peek(world.ctx) == 0);
	eventfd_signal(world.ctx, 1);
	vfiosim_expect(world.wakeups == 1);
	vfiosim_expect(read_count() == 1);

	vfs_poll(world.file, &table);
	vfiosim_expect(eventfd_ctx_remove_wait_queue(world.ctx, &listener, &count) == -EAGAIN);
	vfiosim_expect(count == 0);
}

START_TEST(a_listener_leaves_with_the_count)
{
	static const struct vfiosim_scenario scenario = {
		.name = "unlistening", .teardown = end, .tasks = { { "T1", unlistening } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

static void other_file(void *unused)
{
	struct task_struct *task;
	int fd;

	make(0, 0);
	fd = sys_open(world.user, "/dev/null", O_RDWR);
	task = process_enter(world.user);
	vfiosim_expect(fd >= 0 && eventfd_ctx_fdget(fd) == ERR_PTR(-EINVAL));
	exit_to_user_mode(task, 0);
}

/* VF-174: DATA_EVENTFD with any other descriptor is refused. */
START_TEST(only_an_eventfd_has_a_context)
{
	static const struct vfiosim_scenario scenario = {
		.name = "other-file", .teardown = end, .tasks = { { "T1", other_file } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

static void make_and_close(void *unused)
{
	int fd;

	world.user = process_create("user");
	fd = sys_eventfd(world.user, 0, O_CLOEXEC);
	if (fd >= 0)
		vfiosim_expect(sys_close(world.user, fd) == 0);
}

START_TEST(a_failed_eventfd_leaves_nothing)
{
	static const struct vfiosim_scenario scenario = {
		.name = "make", .teardown = end, .tasks = { { "T1", make_and_close } },
	};

	assert_scenario_survives_faults(&scenario, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("eventfd");
	TCase *tcase = tcase_create("eventfd");

	tcase_add_test(tcase, reads_take_the_count_and_writes_add_to_it);
	tcase_add_test(tcase, a_semaphore_is_read_one_by_one);
	tcase_add_test(tcase, a_reader_sleeps_until_there_is_something);
	tcase_add_test(tcase, a_writer_sleeps_until_there_is_room);
	tcase_add_test(tcase, a_drivers_reference_outlives_the_file);
	tcase_add_test(tcase, a_listener_leaves_with_the_count);
	tcase_add_test(tcase, only_an_eventfd_has_a_context);
	tcase_add_test(tcase, a_failed_eventfd_leaves_nothing);
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
