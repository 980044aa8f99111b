// SPDX-License-Identifier: GPL-2.0-only
/* mprotect(2): errors, what stays changed before them, entries in place. */
#include "mmtest.h"

/* MM-76 */
static const struct {
	const char *what;
	unsigned long addr;
	unsigned long len;
	unsigned long prot;
	int error;
} refusals[] = {
	{ "both growth flags", AT(0), 4096, PROT_GROWSUP | PROT_GROWSDOWN, EINVAL },
	{ "unaligned, even with length 0", AT(0) + 1, 0, R, EINVAL },
	{ "length 0 where nothing is mapped", AT(9), 0, R, 0 },
	{ "length that wraps", AT(0), -PAGE_SIZE, R, ENOMEM },
	{ "unknown right", AT(0), 4096, 0x100, EINVAL },
	{ "nothing mapped", AT(9), 4096, R, ENOMEM },
};
static int row;

static void refusal_body(void)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(ksys_mprotect(refusals[row].addr, refusals[row].len, refusals[row].prot),
		    -refusals[row].error);
	expect_layout("0-2rwp");
}

START_TEST(bad_requests_are_refused_in_order)
{
	row = _i;
	assert_mm(KERNEL_5_14, refusal_body);
	assert_mm(KERNEL_6_18, refusal_body);
}
END_TEST

/* MM-77, MM-239 */
mm_test(everything_before_a_hole_stays_changed)
{
	int fd = plain_file(8);

	mapped(fd, 0, 2, RW, SHARED, 0);
	mapped(fd, 4, 2, RW, SHARED, 4);
	expect_long(protect(1, 6, R), -ENOMEM);
	expect_layout("0-1rws0 1-2r-s1 4-6rws4");
}

/* MM-77 */
mm_test(a_read_only_descriptor_ends_the_walk)
{
	int fd = plain_file(8), read_only = reopen(fd, O_RDONLY);

	mapped(fd, 0, 2, R, SHARED, 0);
	mapped(read_only, 2, 2, R, SHARED, 2);
	mapped(read_only, 4, 2, R, PRIVATE, 2);
	expect_long(protect(0, 6, RW), -EACCES);
	expect_layout("0-2rws0 2-4r-s2 4-6r-p2");
	expect_long(protect(4, 2, RW), 0);
}

/* MM-78, MM-72: the middle piece is the original object */
mm_test(the_middle_keeps_its_object)
{
	int fd = device_file();
	struct vm_area_struct *original;

	mapped(fd, 0, 6, RW, SHARED, 0);
	original = vma_at(0);
	noted();
	expect_long(protect(2, 2, R), 0);
	expect_text(noted(), "may_split(2)open(0-2)may_split(4)open(4-6)");
	expect_layout("0-2rws0 2-4r-s2 4-6rws4");
	vfiosim_expect(vma_at(2) == original);
}

/* MM-74, MM-78: a failing second split leaves the first */
mm_test(at_the_map_limit_the_first_split_stays)
{
	mapped(ANON, 0, 6, RW, PRIVATE, 0);
	sysctl_max_map_count = 2;
	expect_long(protect(2, 2, R), -ENOMEM);
	expect_layout("0-2rwp 2-6rwp");
}

/* MM-79, MM-257, MM-5 */
mm_test(entries_change_in_place)
{
	int fd = device_file();

	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(store(0, 1), 0);
	expect_long(protect(0, 2, PROT_NONE), 0);
	expect_text(pages(2), "P-");
	expect_long(load(0), ACCERR);
	expect_long(protect(0, 2, R), 0);
	noted();
	expect_long(load(0), 0);
	expect_long(store(0, 1), ACCERR);
	expect_long(protect(0, 2, RW), 0);
	expect_long(store(0, 1), 0);
	expect_text(noted(), "");
}

/* MM-65 */
mm_test(memory_made_writable_once_stays_charged)
{
	int fd = plain_file(8);

	mapped(fd, 0, 4, R, PRIVATE, 0);
	expect_long(protect(1, 1, RW), 0);
	expect_long(protect(1, 1, R), 0);
	expect_layout("0-1r-p0 1-2r-p1 2-4r-p2");
	expect_long(vm_committed_as, 1);
	mapped(ANON, 8, 4, R, PRIVATE, 0);
	expect_long(protect(9, 1, RW), 0);
	expect_long(protect(9, 1, R), 0);
	if (kernel_version < KERNEL_6_12)
		expect_layout("0-1r-p0 1-2r-p1 2-4r-p2 8-9r-p 9-10r-p 10-12r-p");
	else
		expect_layout("0-1r-p0 1-2r-p1 2-4r-p2 8-12r-p");
}

/* MM-208 */
mm_test(a_commit_failure_changes_nothing)
{
	mapped(ANON, 0, 4, R, PRIVATE, 0);
	vm_commit_limit = 0;
	expect_long(protect(1, 2, RW), -ENOMEM);
	expect_layout("0-4r-p");
}

/* A page that a child shares is copied when it becomes writable again. */
mm_test(a_shared_private_page_is_still_copied_after_mprotect)
{
	struct mm_struct *child = mm_alloc();

	mapped(ANON, 0, 1, RW, PRIVATE, 0);
	expect_long(store(0, 7), 0);
	expect_long(dup_mmap(child, mm), 0);
	expect_long(protect(0, 1, R), 0);
	expect_long(protect(0, 1, RW), 0);
	expect_long(store(0, 8), 0);
	act_in(child);
	expect_long(value_at(0), 7);
	act_in(mm);
	expect_long(value_at(0), 8);
	mmput(child);
}

int main(void)
{
	TCase *tc = tcase_create("mprotect");

	tcase_add_loop_test(tc, bad_requests_are_refused_in_order, 0, ARRAY_SIZE(refusals));
	add(everything_before_a_hole_stays_changed);
	add(a_read_only_descriptor_ends_the_walk);
	add(the_middle_keeps_its_object);
	add(at_the_map_limit_the_first_split_stays);
	add(entries_change_in_place);
	add(memory_made_writable_once_stays_charged);
	add(a_commit_failure_changes_nothing);
	add(a_shared_private_page_is_still_copied_after_mprotect);
	return mm_main("mprotect", tc);
}
