// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where read(2), write(2) and lseek(2) leave a plain file's position. The rows of each
 * table follow each other on one file; a 6.18 kernel gave the same results.
 */
#define VFIOSIM_HOST
#include <check.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/memfd.h>

#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/fs.h>
#include <vfiosim/kapi/mm.h>

#include "process.h"
#include "simtest.h"

#define LAST LLONG_MAX

static struct vfiosim_process *alice KSTATE = NULL;
static int file KSTATE = -1;

static void setup(void *data)
{
	alice = vfiosim_process("alice");
	file = vfiosim_memfd(alice, "file", MFD_ALLOW_SEALING);
}

enum op { WRITE, READ, PREAD, PWRITE, SEEK, CUT };

struct row {
	const char *what;
	enum op op;
	int64_t a, b;		/* bytes and offset; or offset and whence */
	int64_t result;
};

static char buffer[3 * PAGE_SIZE];

static int64_t call(const struct row *row)
{
	switch (row->op) {
	case WRITE:
		return vfiosim_write(alice, file, buffer, row->a);
	case READ:
		return vfiosim_read(alice, file, buffer, row->a);
	case PREAD:
		return vfiosim_pread(alice, file, buffer, row->a, row->b);
	case PWRITE:
		return vfiosim_pwrite(alice, file, buffer, row->a, row->b);
	case SEEK:
		return vfiosim_lseek(alice, file, row->a, row->b);
	case CUT:
		return vfiosim_ftruncate(alice, file, row->a);
	}
	return -1;
}

static const struct row positions[] = {
	{ "a write moves it", WRITE, 10, 0, 10 },
	{ "and it stays when asked for", SEEK, 0, SEEK_CUR, 10 },
	{ "nothing is before the beginning", SEEK, -1, SEEK_SET, -EINVAL },
	{ "an unknown whence", SEEK, 0, SEEK_MAX + 1, -EINVAL },
	{ "a negative whence", SEEK, 0, -1, -EINVAL },
	{ "beyond the end", SEEK, 3 * PAGE_SIZE, SEEK_SET, 3 * PAGE_SIZE },
	{ "a write there leaves a hole", WRITE, PAGE_SIZE + 4, 0, PAGE_SIZE + 4 },
	{ "the end", SEEK, 0, SEEK_END, 4 * PAGE_SIZE + 4 },
	{ "too far behind it", SEEK, LAST, SEEK_END, -EINVAL },
	{ "too far before it", SEEK, -100000, SEEK_END, -EINVAL },
	{ "a failure leaves it alone", SEEK, 0, SEEK_CUR, 4 * PAGE_SIZE + 4 },
	{ "back, into the hole", SEEK, -(PAGE_SIZE + 9L), SEEK_CUR, 3 * PAGE_SIZE - 5 },
	{ "a read moves it, across the hole's end", READ, 20, 0, 20 },
	{ "a pread does not", PREAD, 3, 0, 3 },
	{ "nor a pwrite", PWRITE, 3, 0, 3 },
	{ "so there it is", SEEK, 0, SEEK_CUR, 3 * PAGE_SIZE + 15 },
	{ "a read ends with the file", READ, 2 * PAGE_SIZE, 0, PAGE_SIZE - 11 },
	{ "and then there is nothing", READ, 20, 0, 0 },
	{ "the last position", SEEK, LAST, SEEK_SET, LAST },
	{ "no byte is behind it", WRITE, 1, 0, -EINVAL },
	{ "nor to be read", READ, 1, 0, -EINVAL },
	{ "but no bytes are", WRITE, 0, 0, 0 },
	{ "and it is the last", SEEK, 1, SEEK_CUR, -EINVAL },
};

/* Behind the 10 bytes of page 0 and a hole: pages 3 and 4, the last with 4 bytes. */
static const struct row holes[] = {
	{ "page 0", PWRITE, 10, 0, 10 },
	{ "pages 3 and 4", PWRITE, PAGE_SIZE + 4, 3 * PAGE_SIZE, PAGE_SIZE + 4 },
	{ "data from the start", SEEK, 0, SEEK_DATA, 0 },
	{ "a page is data as a whole", SEEK, 0, SEEK_HOLE, PAGE_SIZE },
	{ "data behind the hole", SEEK, PAGE_SIZE, SEEK_DATA, 3 * PAGE_SIZE },
	{ "a hole from within", SEEK, 5000, SEEK_HOLE, 5000 },
	{ "data from within", SEEK, 3 * PAGE_SIZE + 7, SEEK_DATA, 3 * PAGE_SIZE + 7 },
	{ "the end is a hole", SEEK, 3 * PAGE_SIZE + 7, SEEK_HOLE, 4 * PAGE_SIZE + 4 },
	{ "no data at the end", SEEK, 4 * PAGE_SIZE + 4, SEEK_DATA, -ENXIO },
	{ "nor a hole behind it", SEEK, 9 * PAGE_SIZE, SEEK_HOLE, -ENXIO },
	{ "nor before the beginning", SEEK, -1, SEEK_DATA, -ENXIO },
	{ "what was found is the position", SEEK, 0, SEEK_CUR, 4 * PAGE_SIZE + 4 },
	{ "a huge hole is passed at once", CUT, LAST, 0, 0 },
	{ "it has no data", SEEK, 5 * PAGE_SIZE, SEEK_DATA, -ENXIO },
	{ "a hole it is", SEEK, 5 * PAGE_SIZE, SEEK_HOLE, 5 * PAGE_SIZE },
};

static void follow(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t result = call(&rows[i]);

		if (result != rows[i].result)
			eng_fail("expect", NULL, "row %zu, %s: %lld, not %lld", i, rows[i].what,
				 (long long)result, (long long)rows[i].result);
	}
}

static void moves(void *data)
{
	follow(positions, ARRAY_SIZE(positions));
}

START_TEST(a_plain_file_has_a_position)
{
	assert_scenario_ok(((&(const struct vfiosim_scenario){
		.name = "position", .setup = setup, .tasks = { { "alice", moves } } })));
}
END_TEST

static void finds(void *data)
{
	follow(holes, ARRAY_SIZE(holes));
}

START_TEST(lseek_finds_data_and_holes)
{
	assert_scenario_ok(((&(const struct vfiosim_scenario){
		.name = "holes", .setup = setup, .tasks = { { "alice", finds } } })));
}
END_TEST

static void shares(void *data)
{
	int copy = vfiosim_dup(alice, file);
	char word[8] = "written", read[8] = "";

	vfiosim_expect(vfiosim_write(alice, file, word, 8) == 8);
	vfiosim_expect(vfiosim_lseek(alice, copy, 0, SEEK_CUR) == 8);
	vfiosim_expect(vfiosim_lseek(alice, copy, 1, SEEK_SET) == 1);
	vfiosim_expect(vfiosim_read(alice, file, read, 8) == 7);
	vfiosim_expect(!memcmp(read, "ritten", 7));
}

START_TEST(a_copied_descriptor_shares_the_position)
{
	assert_scenario_ok(((&(const struct vfiosim_scenario){
		.name = "shares", .setup = setup, .tasks = { { "alice", shares } } })));
}
END_TEST

static void bad_pointers(void *data)
{
	vfiosim_expect(vfiosim_write(alice, file, buffer, 10) == 10);
	vfiosim_expect(vfiosim_write(alice, file, VFIOSIM_BAD_POINTER, 10) == -EFAULT);
	vfiosim_expect(vfiosim_lseek(alice, file, 0, SEEK_SET) == 0);
	vfiosim_expect(vfiosim_read(alice, file, VFIOSIM_BAD_POINTER, 10) == -EFAULT);
	vfiosim_expect(vfiosim_lseek(alice, file, 0, SEEK_CUR) == 0);
}

START_TEST(a_bad_pointer_moves_nothing)
{
	assert_scenario_ok(((&(const struct vfiosim_scenario){
		.name = "bad", .setup = setup, .tasks = { { "alice", bad_pointers } } })));
}
END_TEST

static void no_positions(void *data)
{
	int fd = vfiosim_eventfd(alice, 1, 0);

	/* 5.14's anonymous files are not for seeking; 6.12 asks the operations (FS-116). */
	vfiosim_expect(vfiosim_lseek(alice, fd, 5, SEEK_SET) ==
		       (kernel_version >= KERNEL_6_12 ? 0 : -ESPIPE));
	vfiosim_expect(vfiosim_lseek(alice, fd, 5, 77) == -EINVAL);
	vfiosim_expect(vfiosim_lseek(alice, 77, 5, 77) == -EBADF);
}

START_TEST(an_eventfd_has_no_position)
{
	static const enum vfiosim_kernel kernels[] = {
		VFIOSIM_KERNEL_5_14, VFIOSIM_KERNEL_6_12,
	};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++)
		assert_scenario_ok(((&(const struct vfiosim_scenario){
			.name = "eventfd", .kernel = kernels[i], .setup = setup,
			.tasks = { { "alice", no_positions } } })));
}
END_TEST

/* ---- two writers ---- */

static void two_threads(void *data)
{
	setup(data);
	vfiosim_threads(alice, 2);
}

/* As open("/proc/self/fd/N") would make it, which has no call of its own here. */
static void opened_by_name(void *data)
{
	two_threads(data);
	files_peek(((struct process *)alice)->thread[0]->files, file)->f_mode |=
		FMODE_ATOMIC_POS;
}

static void writes(void *data)
{
	vfiosim_expect(vfiosim_write(alice, file, "12345678", 8) == 8);
}

static void both_are_there(void *data)
{
	vfiosim_expect(vfiosim_lseek(alice, file, 0, SEEK_END) == 16);
}

static const struct vfiosim_scenario racing = {
	.name = "racing", .setup = two_threads, .teardown = both_are_there,
	.tasks = { { "one", writes }, { "two", writes } },
};
static const struct vfiosim_scenario locked = {
	.name = "locked", .setup = opened_by_name, .teardown = both_are_there,
	.tasks = { { "one", writes }, { "two", writes } },
};

/* memfd_file() makes no file whose position is locked: one write may hide the other. */
START_TEST(two_writers_of_a_memfd_may_meet)
{
	ck_assert_int_eq(vfiosim_explore(&racing, NULL, NULL), VFIOSIM_VIOLATION);
}
END_TEST

START_TEST(two_writers_of_an_opened_file_never_meet)
{
	struct vfiosim_report *report;

	ck_assert_msg(vfiosim_explore(&locked, NULL, &report) == VFIOSIM_OK, "%s",
		      vfiosim_report_text(report));
	vfiosim_report_free(report);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_plain_file_has_a_position,
		lseek_finds_data_and_holes,
		a_copied_descriptor_shares_the_position,
		a_bad_pointer_moves_nothing,
		an_eventfd_has_no_position,
		two_writers_of_a_memfd_may_meet,
		two_writers_of_an_opened_file_never_meet,
	};
	Suite *suite = suite_create("position");
	TCase *tc = tcase_create("position");

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
