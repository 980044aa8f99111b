// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls by explicit process: what they return, and that whatever was put
 * off has happened when they do.
 */
#define VFIOSIM_HOST
#include <check.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/vfio.h>
#include <signal.h>
#include <string.h>

#include <vfiosim/kapi/fs.h>

#include "simtest.h"
#include "vfiosim.h"

#define PAGE 0x1000
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 1
#define EFD_NONBLOCK O_NONBLOCK

static struct vfiosim_process *alice KSTATE = NULL, *bob KSTATE = NULL;

static void setup(void *data)
{
	alice = vfiosim_process("alice");
	bob = vfiosim_process("bob");
}

#define SCENARIO(body)							\
	static const struct vfiosim_scenario scenario = {		\
		.name = #body, .fixture_size = 64, .setup = setup,	\
		.tasks = { { "alice", body } } };			\
	assert_scenario_ok(&scenario)

/* ---- results of calls that fail ---- */

static long open_nothing(void)
{
	return vfiosim_open(alice, "/dev/nothing", O_RDWR);
}

static long close_a_free_number(void)
{
	return vfiosim_close(alice, 7);
}

static long close_it_twice(void)
{
	vfiosim_close(alice, vfiosim_eventfd(alice, 0, 0));
	return vfiosim_close(alice, 0);
}

static long dup_a_free_number(void)
{
	return vfiosim_dup(alice, 3);
}

static long dup2_onto_itself(void)
{
	int fd = vfiosim_eventfd(alice, 0, 0);

	return vfiosim_dup2(alice, fd, fd) - fd;
}

static long dup3_onto_itself(void)
{
	int fd = vfiosim_eventfd(alice, 0, 0);

	return vfiosim_dup3(alice, fd, fd, 0);
}

static long dup_beyond_the_limit(void)
{
	int fd = vfiosim_eventfd(alice, 0, 0);

	vfiosim_rlimit_nofile(alice, fd + 1);
	return vfiosim_dup(alice, fd);
}

static long dupfd_from_beyond_the_limit(void)
{
	int fd = vfiosim_eventfd(alice, 0, 0);

	vfiosim_rlimit_nofile(alice, 10);
	return vfiosim_fcntl(alice, fd, F_DUPFD, 10);
}

static long read_without_a_file(void)
{
	char byte;

	return vfiosim_read(alice, 0, &byte, 1);
}

static long pread_of_an_eventfd(void)
{
	uint64_t count;

	return vfiosim_pread(alice, vfiosim_eventfd(alice, 1, 0), &count, 8, 0);
}

static long pread_at_a_negative_offset(void)
{
	char byte;

	return vfiosim_pread(alice, 0, &byte, 1, -1);
}

static long read_into_a_bad_pointer(void)
{
	return vfiosim_read(alice, vfiosim_eventfd(alice, 1, 0), VFIOSIM_BAD_POINTER, 8);
}

static long read_of_an_empty_eventfd(void)
{
	uint64_t count;

	return vfiosim_read(alice, vfiosim_eventfd(alice, 0, EFD_NONBLOCK), &count, 8);
}

static long ioctl_that_nobody_knows(void)
{
	return vfiosim_ioctl(alice, vfiosim_eventfd(alice, 0, 0), VFIO_GET_API_VERSION, 0);
}

static long receive_from_an_empty_socket(void)
{
	int fds[2];

	vfiosim_expect(vfiosim_socketpair(alice, bob, fds) == 0);
	return vfiosim_recv_fd(bob, fds[1]);
}

static long map_an_eventfd(void)
{
	return vfiosim_mmap(alice, 0, PAGE, PROT_READ, MAP_SHARED,
			    vfiosim_eventfd(alice, 0, 0), 0);
}

static long truncate_an_eventfd(void)
{
	return vfiosim_ftruncate(alice, vfiosim_eventfd(alice, 0, 0), PAGE);
}

static const struct {
	const char *what;
	long (*call)(void);
	long result;
} failures[] = {
	{ "open of a path that is not there", open_nothing, -ENOENT },
	{ "close of a free number", close_a_free_number, -EBADF },
	{ "close twice", close_it_twice, -EBADF },
	{ "dup of a free number", dup_a_free_number, -EBADF },
	{ "dup2 onto itself succeeds (FS-142)", dup2_onto_itself, 0 },
	{ "dup3 onto itself (FS-143)", dup3_onto_itself, -EINVAL },
	{ "dup beyond the limit (FS-134)", dup_beyond_the_limit, -EMFILE },
	{ "F_DUPFD from beyond it (FS-141)", dupfd_from_beyond_the_limit, -EINVAL },
	{ "read without a file", read_without_a_file, -EBADF },
	{ "pread of an eventfd", pread_of_an_eventfd, -ESPIPE },
	{ "pread at a negative offset", pread_at_a_negative_offset, -EINVAL },
	{ "read into a bad pointer", read_into_a_bad_pointer, -EFAULT },
	{ "read of an empty eventfd", read_of_an_empty_eventfd, -EAGAIN },
	{ "an ioctl that nobody knows", ioctl_that_nobody_knows, -ENOTTY },
	{ "receive from an empty socket", receive_from_an_empty_socket, -EAGAIN },
	{ "mmap of a file that cannot", map_an_eventfd, -ENODEV },
	{ "truncate what is no plain file", truncate_an_eventfd, -EINVAL },
};

static unsigned int row;

static void call_the_row(void *data)
{
	vfiosim_expect(failures[row].call() == failures[row].result);
}

START_TEST(a_call_that_cannot_work_says_why)
{
	row = _i;
	SCENARIO(call_the_row);
}
END_TEST

/* ---- calls that work ---- */

static void counts(void *data)
{
	int fd = vfiosim_eventfd(alice, 3, 0);
	uint64_t count = 4;

	vfiosim_expect(vfiosim_write(alice, fd, &count, 8) == 8);
	vfiosim_expect(vfiosim_read(alice, fd, &count, 8) == 8);
	vfiosim_expect(count == 7);
}

START_TEST(an_eventfd_adds_up)
{
	SCENARIO(counts);
}
END_TEST

static void uses_memory(void *data)
{
	int fd = vfiosim_memfd(alice, "memory", 0);
	uint32_t word = 0;
	int64_t at;

	vfiosim_expect(vfiosim_ftruncate(alice, fd, 2 * PAGE) == 0);
	at = vfiosim_mmap(alice, 0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	vfiosim_expect(at > 0);
	vfiosim_expect(!vfiosim_present(alice, at));
	vfiosim_expect(vfiosim_store(alice, at, 42) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_present(alice, at));
	vfiosim_expect(vfiosim_load(alice, at, &word) == VFIOSIM_TOUCH_OK && word == 42);
	vfiosim_expect(vfiosim_load(alice, at + 2 * PAGE, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_mprotect(alice, at, PAGE, PROT_READ) == 0);
	vfiosim_expect(vfiosim_store(alice, at, 1) == VFIOSIM_SIGSEGV_ACCERR);
	vfiosim_expect(vfiosim_punch(alice, fd, 0, PAGE) == 0);
	vfiosim_expect(vfiosim_load(alice, at, &word) == VFIOSIM_TOUCH_OK && word == 0);
	vfiosim_expect(vfiosim_munmap(alice, at, 3 * PAGE) == 0);
	vfiosim_expect(vfiosim_load(alice, at, NULL) == VFIOSIM_SIGSEGV_MAPERR);
}

START_TEST(memory_is_stored_loaded_protected_and_lost)
{
	SCENARIO(uses_memory);
}
END_TEST

static void forks_memory(void *data)
{
	int fd = vfiosim_memfd(alice, "memory", 0);
	struct vfiosim_process *child;
	uint32_t word = 0;
	int64_t at;

	vfiosim_ftruncate(alice, fd, PAGE);
	at = vfiosim_mmap(alice, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	child = vfiosim_fork(alice, "child");
	vfiosim_expect(child != NULL);
	vfiosim_expect(vfiosim_store(child, at, 42) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(alice, at, &word) == VFIOSIM_TOUCH_OK && word == 42);
}

START_TEST(a_child_shares_shared_memory)
{
	SCENARIO(forks_memory);
}
END_TEST

static void travels(void *data)
{
	int fd = vfiosim_eventfd(alice, 5, 0), sockets[2];
	uint64_t count = 0;

	vfiosim_expect(vfiosim_socketpair(alice, bob, sockets) == 0);
	vfiosim_expect(vfiosim_send_fd(alice, sockets[0], fd) == 0);
	vfiosim_exit(alice);
	fd = vfiosim_recv_fd(bob, sockets[1]);
	vfiosim_expect(fd >= 0);
	vfiosim_expect(vfiosim_read(bob, fd, &count, 8) == 8 && count == 5);
}

START_TEST(a_file_in_flight_outlives_its_sender)
{
	SCENARIO(travels);
}
END_TEST

static void close_on_exec(void *data)
{
	int fd = vfiosim_eventfd(alice, 0, 0);
	int copy = vfiosim_fcntl(alice, fd, F_DUPFD_CLOEXEC, 5);

	vfiosim_expect(copy == 5);
	vfiosim_expect(vfiosim_fcntl(alice, fd, F_GETFD, 0) == 0);
	vfiosim_expect(vfiosim_fcntl(alice, copy, F_GETFD, 0) == FD_CLOEXEC);
	vfiosim_expect(vfiosim_fcntl(alice, fd, F_SETFD, FD_CLOEXEC) == 0);
	vfiosim_expect(vfiosim_fcntl(alice, fd, F_GETFD, 0) == FD_CLOEXEC);
	vfiosim_expect(vfiosim_fcntl(alice, copy, F_SETFD, 0) == 0);
	vfiosim_expect(vfiosim_memfd(alice, "memory", MFD_CLOEXEC) == 1);
	vfiosim_expect(vfiosim_fcntl(alice, 1, F_GETFD, 0) == FD_CLOEXEC);
	vfiosim_expect(vfiosim_exec(alice) == 0);
	vfiosim_expect(vfiosim_close(alice, 1) == -EBADF);
	vfiosim_expect(vfiosim_close(alice, fd) == -EBADF);
	vfiosim_expect(vfiosim_close(alice, copy) == 0);
}

START_TEST(close_on_exec_belongs_to_the_number)
{
	SCENARIO(close_on_exec);
}
END_TEST

static void ranges(void *data)
{
	for (int i = 0; i < 4; i++)
		vfiosim_eventfd(alice, 0, 0);
	vfiosim_expect(vfiosim_close_range(alice, 1, 2, 0) == 0);
	vfiosim_expect(vfiosim_close(alice, 1) == -EBADF);
	vfiosim_expect(vfiosim_eventfd(alice, 0, 0) == 1);
	vfiosim_expect(vfiosim_close(alice, 3) == 0);
	vfiosim_expect(vfiosim_close_range(alice, 2, 1, 0) == -EINVAL);
}

START_TEST(close_range_closes_what_is_in_it)
{
	SCENARIO(ranges);
}
END_TEST

static void init_calls(void *data)
{
	int fd = vfiosim_eventfd(NULL, 1, 0);

	vfiosim_expect(fd == 0);
	vfiosim_expect(vfiosim_eventfd(alice, 1, 0) == 0);
	vfiosim_expect(vfiosim_close(NULL, fd) == 0);
	vfiosim_expect(vfiosim_close(alice, 0) == 0);
}

static void calls_when_gone(void *data)
{
	int fd = vfiosim_eventfd(alice, 1, 0);

	vfiosim_exit(alice);
	vfiosim_exit(alice);
	vfiosim_expect(vfiosim_close(alice, fd) == -ESRCH);
	vfiosim_expect(vfiosim_load(alice, 0, NULL) == VFIOSIM_TOUCH_ESRCH);
	vfiosim_expect(vfiosim_store(alice, 0, 1) == VFIOSIM_TOUCH_ESRCH);
	vfiosim_expect(vfiosim_kill(alice, SIGTERM) == -ESRCH);
	vfiosim_expect(!vfiosim_present(alice, 0));
	vfiosim_wait_exit(alice);
}

START_TEST(whoever_is_gone_makes_no_calls)
{
	SCENARIO(calls_when_gone);
}
END_TEST

START_TEST(null_is_init_with_a_table_of_its_own)
{
	SCENARIO(init_calls);
}
END_TEST

START_TEST(errors_have_their_names)
{
	ck_assert_str_eq(vfiosim_error_name(-EBUSY), "EBUSY");
	ck_assert_str_eq(vfiosim_error_name(0), "0");
	ck_assert_str_eq(vfiosim_touch_name(VFIOSIM_SIGBUS_ADRERR), "SIGBUS 2");
	ck_assert_str_eq(vfiosim_touch_name(VFIOSIM_SIGSEGV_MAPERR), "SIGSEGV 1");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_eventfd_adds_up,
		memory_is_stored_loaded_protected_and_lost,
		a_child_shares_shared_memory,
		a_file_in_flight_outlives_its_sender,
		close_on_exec_belongs_to_the_number,
		whoever_is_gone_makes_no_calls,
		close_range_closes_what_is_in_it,
		null_is_init_with_a_table_of_its_own,
		errors_have_their_names,
	};
	Suite *suite = suite_create("syscall");
	TCase *tc = tcase_create("syscall");

	tcase_add_loop_test(tc, a_call_that_cannot_work_says_why, 0, ARRAY_SIZE(failures));
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
