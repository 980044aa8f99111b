// SPDX-License-Identifier: GPL-2.0-only
/* Files in flight: held by a socket's queue and by no table. */
#include "steptest.h"

#include "fdtest.h"

static struct file *sockets[2] KSTATE;
static struct files_struct *tables[2] KSTATE;

static void pair(void *unused)
{
	vfiosim_expect(scm_socket_files(sockets) == 0);
}

static void take_end(int n)
{
	process_begin();
	tables[n] = get_current()->files;
	vfiosim_expect(get_unused_fd_flags(0) == 0);
	fd_install(0, sockets[n]);
}

static void sender(void *unused)
{
	int fds[2];

	take_end(0);
	fds[0] = note_fd(1);
	fds[1] = note_fd(2);
	vfiosim_expect(ksys_send_fds(0, fds, 2) == 0);
	process_end();
}

static void receiver(void *unused)
{
	int fds[2] = { -1, -1 }, n;

	take_end(1);
	do {
		n = ksys_recv_fds(0, fds, 2, O_CLOEXEC);
		cond_resched();
	} while (n == -EAGAIN);
	vfiosim_expect(n == 2 && fds[0] == 1 && fds[1] == 2);
	vfiosim_expect(close_on_exec(1, get_current()->files->fdt));
	process_end();
}

static void expect_released(void *unused)
{
	vfiosim_expect(released.count == 2 && !files_stat.nr_files);
}

static const struct vfiosim_scenario pass = {
	.name = "pass", .check = fs_invariants_hold, .setup = pair, .teardown = expect_released,
	.tasks = { { "sender", sender }, { "receiver", receiver } },
};

/* I-28, FS-121 */
START_TEST(receiver_releases_what_the_sender_no_longer_has)
{
	step_begin(&pass);
	step_out("sender");
	ck_assert_int_eq(released.count, 0);
	ck_assert_int_eq(files_stat.nr_files, 3);
	step_out("receiver");
	ck_assert_int_eq(released.count, 2);
	step_finish(VFIOSIM_OK);
}
END_TEST

static void receiver_that_leaves(void *unused)
{
	take_end(1);
	process_end();
}

/* I-28: nobody reads the message, the closing socket drops it */
START_TEST(closing_socket_releases_what_is_in_flight)
{
	static const struct vfiosim_scenario scenario = {
		.name = "unread", .check = fs_invariants_hold, .setup = pair,
		.teardown = expect_released,
		.tasks = { { "sender", sender }, { "receiver", receiver_that_leaves } },
	};

	step_begin(&scenario);
	step_out("sender");
	ck_assert_int_eq(released.count, 0);
	step_out("receiver");
	step_finish(VFIOSIM_OK);
}
END_TEST

static void errors(void *unused)
{
	int socks[2], fds[1], out[1], note_;

	process_begin();
	vfiosim_expect(ksys_socketpair(socks) == 0);
	note_ = note_fd(1);
	fds[0] = note_;
	vfiosim_expect(ksys_send_fds(note_, fds, 1) == -ENOTSOCK);
	vfiosim_expect(ksys_send_fds(50, fds, 1) == -EBADF);
	vfiosim_expect(ksys_send_fds(socks[0], fds, 0) == -EINVAL);
	fds[0] = 51;
	vfiosim_expect(ksys_send_fds(socks[0], fds, 1) == -EBADF);
	vfiosim_expect(ksys_recv_fds(socks[1], out, 1, 0) == -EAGAIN);
	fds[0] = note_;
	vfiosim_expect(ksys_send_fds(socks[0], fds, 1) == 0);
	get_current()->rlimit_nofile = 3;
	vfiosim_expect(ksys_recv_fds(socks[1], out, 1, 0) == 0);
	vfiosim_expect(file_count(files_peek(get_current()->files, note_)) == 1);
	close_fd(socks[1]);
	task_work_run();
	vfiosim_expect(ksys_send_fds(socks[0], fds, 1) == -EPIPE);
	vfiosim_expect(ksys_recv_fds(socks[0], out, 1, 0) == 0);
	process_end();
}

START_TEST(sockets_refuse_what_they_cannot_pass)
{
	static const struct vfiosim_scenario scenario = {
		.name = "errors", .check = fs_invariants_hold, .tasks = { { "T1", errors } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void try_pair(void *unused)
{
	int socks[2];

	process_begin();
	ksys_socketpair(socks);
	process_end();
	task_work_run();
	vfiosim_expect(!files_stat.nr_files);
}

START_TEST(failed_socketpair_leaves_nothing)
{
	static const struct vfiosim_scenario scenario = {
		.name = "pair-fails", .check = fs_invariants_hold,
		.tasks = { { "T1", try_pair } },
	};

	for (unsigned int nth = 1; step_fault(&scenario, nth); nth++)
		step_finish(VFIOSIM_OK);
	run_end();
}
END_TEST

STEPTEST_MAIN("scm",
	receiver_releases_what_the_sender_no_longer_has,
	closing_socket_releases_what_is_in_flight,
	sockets_refuse_what_they_cannot_pass,
	failed_socketpair_leaves_nothing)
