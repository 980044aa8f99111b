// SPDX-License-Identifier: GPL-2.0-only
/* madvise(2) on plain and on device memory. */
#include "mmtest.h"

/* MM-94, MM-253: on two pages of a mapping of four, both present */
static const struct {
	const char *what;
	int advice;
	int plain;
	int device;
} advices[] = {
	{ "DONTNEED", MADV_DONTNEED, 0, -EINVAL },
	{ "FREE", MADV_FREE, -EINVAL, -EINVAL },
	{ "COLD", MADV_COLD, 0, -EINVAL },
	{ "PAGEOUT", MADV_PAGEOUT, 0, -EINVAL },
	{ "POPULATE_READ", MADV_POPULATE_READ, 0, -EINVAL },
	{ "POPULATE_WRITE", MADV_POPULATE_WRITE, 0, -EINVAL },
	{ "DONTFORK", MADV_DONTFORK, 0, 0 },
	{ "DOFORK", MADV_DOFORK, 0, -EINVAL },
	{ "DODUMP", MADV_DODUMP, 0, -EINVAL },
	{ "DONTDUMP", MADV_DONTDUMP, 0, 0 },
	{ "REMOVE", MADV_REMOVE, 0, -ENODEV },
	{ "WILLNEED", MADV_WILLNEED, 0, 0 },
	{ "NORMAL", MADV_NORMAL, 0, 0 },
	{ "RANDOM", MADV_RANDOM, 0, 0 },
	{ "HUGEPAGE", MADV_HUGEPAGE, 0, 0 },
	{ "NOHUGEPAGE", MADV_NOHUGEPAGE, 0, 0 },
	{ "MERGEABLE", MADV_MERGEABLE, 0, 0 },
	{ "UNMERGEABLE", MADV_UNMERGEABLE, 0, 0 },
	{ "unknown", 1000, -EINVAL, -EINVAL },
};
static int row;

static void advice_body(void)
{
	int plain = plain_file(4), device = device_file();

	mapped(plain, 0, 4, RW, SHARED, 0);
	mapped(device, 8, 4, RW, SHARED, 0);
	expect_long(store(1, 5) | store(9, 5), 0);
	expect_long(ksys_madvise(AT(1), PAGES(2), advices[row].advice), advices[row].plain);
	expect_long(ksys_madvise(AT(9), PAGES(2), advices[row].advice), advices[row].device);
	vfiosim_expect(present(9));
}

START_TEST(advice_ends_as_in_the_kernel)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, advice_body);
}
END_TEST

/* MM-94 */
mm_test(a_hole_is_reported_after_everything_is_done)
{
	mapped(ANON, 0, 1, RW, PRIVATE, 0);
	mapped(ANON, 2, 1, RW, PRIVATE, 0);
	expect_long(store(0, 1) | store(2, 1), 0);
	expect_long(ksys_madvise(AT(0), PAGES(3), MADV_DONTNEED), -ENOMEM);
	expect_text(pages(3), "-.-");
	expect_long(ksys_madvise(AT(0), 0, MADV_DONTNEED), 0);
	expect_long(ksys_madvise(AT(0) + 1, PAGE_SIZE, MADV_DONTNEED), -EINVAL);
	expect_long(ksys_madvise(AT(0), -1UL, MADV_DONTNEED), -EINVAL);
}

/* MM-94: data behind dropped entries of a shared file stays */
mm_test(dontneed_keeps_the_data_of_a_file)
{
	int fd = plain_file(4);

	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(store(1, 5), 0);
	expect_long(ksys_madvise(AT(0), PAGES(4), MADV_DONTNEED), 0);
	expect_text(pages(4), "----");
	expect_long(value_at(1), 5);
}

/* MM-94: DONTFORK splits, DOFORK joins again; a device stays in pieces */
mm_test(dontfork_splits_and_dofork_joins)
{
	int fd = plain_file(4), device = device_file();

	mapped(fd, 0, 4, RW, SHARED, 0);
	mapped(device, 8, 4, RW, SHARED, 0);
	expect_long(ksys_madvise(AT(1), PAGES(2), MADV_DONTFORK), 0);
	expect_long(ksys_madvise(AT(9), PAGES(2), MADV_DONTFORK), 0);
	expect_layout("0-1rws0 1-3rws1 3-4rws3 8-9rws0 9-11rws1 11-12rws3");
	expect_long(ksys_madvise(AT(1), PAGES(2), MADV_DOFORK), 0);
	expect_layout("0-4rws0 8-9rws0 9-11rws1 11-12rws3");
}

/* MM-94: one flag takes the other's place; a device stays in pieces */
mm_test(hints_about_huge_pages_keep_mappings_apart)
{
	int device = device_file();

	mapped(ANON, 0, 6, RW, PRIVATE, 0);
	mapped(device, 8, 4, RW, SHARED, 0);
	expect_long(ksys_madvise(AT(1), PAGES(2), MADV_HUGEPAGE), 0);
	expect_long(ksys_madvise(AT(3), PAGES(2), MADV_NOHUGEPAGE), 0);
	expect_layout("0-1rwp 1-3rwp 3-5rwp 5-6rwp 8-12rws0");
	expect_long(ksys_madvise(AT(1), PAGES(2), MADV_NOHUGEPAGE), 0);
	expect_layout("0-1rwp 1-5rwp 5-6rwp 8-12rws0");
	expect_long(ksys_madvise(AT(0), PAGES(6), MADV_HUGEPAGE), 0);
	expect_layout("0-6rwp 8-12rws0");
	expect_long(ksys_madvise(AT(9), PAGES(2), MADV_HUGEPAGE), 0);
	expect_long(ksys_madvise(AT(8), PAGES(4), MADV_HUGEPAGE), 0);
	expect_layout("0-6rwp 8-9rws0 9-11rws1 11-12rws3");
}

/* MM-94: memory that others may see, and a device, are passed over */
mm_test(only_private_memory_becomes_mergeable)
{
	int fd = plain_file(4), device = device_file();

	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	mapped(fd, 8, 4, RW, SHARED, 0);
	mapped(reopen(fd, O_RDONLY), 16, 4, R, SHARED, 0);
	mapped(fd, 24, 4, RW, PRIVATE, 0);
	mapped(device, 32, 4, RW, SHARED, 0);
	for (int at = 0; at <= 32; at += 8)
		expect_long(ksys_madvise(AT(at + 1), PAGES(2), MADV_MERGEABLE), 0);
	expect_layout("0-1rwp 1-3rwp 3-4rwp 8-12rws0 16-20r-s0 24-25rwp0 25-27rwp1 27-28rwp3 "
		      "32-36rws0");
	expect_long(ksys_madvise(AT(0), PAGES(28), MADV_UNMERGEABLE), -ENOMEM);
	expect_layout("0-4rwp 8-12rws0 16-20r-s0 24-28rwp0 32-36rws0");
}

/* MM-94 */
mm_test(a_kernel_built_without_them_knows_no_such_advice)
{
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	config_no_ksm = true;
	expect_long(ksys_madvise(AT(1), PAGES(2), MADV_MERGEABLE), -EINVAL);
	expect_long(ksys_madvise(AT(1), 0, MADV_UNMERGEABLE), -EINVAL);
	expect_long(ksys_madvise(AT(1), PAGES(2), MADV_HUGEPAGE), 0);
	config_no_huge_pages = true;
	expect_long(ksys_madvise(AT(0), PAGES(4), MADV_HUGEPAGE), -EINVAL);
	expect_long(ksys_madvise(AT(0), 0, MADV_NOHUGEPAGE), -EINVAL);
	expect_layout("0-1rwp 1-3rwp 3-4rwp");
}

/* MM-94: REMOVE */
mm_test(remove_punches_a_hole)
{
	int fd = plain_file(4), read_only = reopen(fd, O_RDONLY);

	mapped(fd, 0, 4, RW, SHARED, 0);
	mapped(read_only, 8, 4, R, SHARED, 0);
	mapped(fd, 16, 4, R, SHARED, 0);
	expect_long(store(1, 5), 0);
	expect_long(ksys_madvise(AT(9), PAGES(1), MADV_REMOVE), -EACCES);
	expect_long(ksys_madvise(AT(17), PAGES(1), MADV_REMOVE),
		    kernel_version < KERNEL_6_1 ? -EACCES : 0);
	expect_long(ksys_madvise(AT(1), PAGES(1), MADV_REMOVE), 0);
	expect_text(pages(4), "----");
	expect_long(value_at(1), 0);
}

/* MM-209 */
mm_test(at_the_map_limit_advice_is_enomem_or_eagain)
{
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	sysctl_max_map_count = 1;
	expect_long(ksys_madvise(AT(1), PAGES(1), MADV_DONTFORK),
		    kernel_version < KERNEL_6_1 ? -ENOMEM : -EAGAIN);
	expect_layout("0-4rwp");
}

int main(void)
{
	TCase *tc = tcase_create("madvise");

	tcase_add_loop_test(tc, advice_ends_as_in_the_kernel, 0, ARRAY_SIZE(advices));
	add(a_hole_is_reported_after_everything_is_done);
	add(dontneed_keeps_the_data_of_a_file);
	add(dontfork_splits_and_dofork_joins);
	add(hints_about_huge_pages_keep_mappings_apart);
	add(only_private_memory_becomes_mergeable);
	add(a_kernel_built_without_them_knows_no_such_advice);
	add(remove_punches_a_hole);
	add(at_the_map_limit_advice_is_enomem_or_eagain);
	return mm_main("madvise", tc);
}
