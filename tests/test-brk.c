// SPDX-License-Identifier: GPL-2.0-only
/* brk(2) and remap_file_pages(2). */
#include "mmtest.h"

static long heap_pages(void)
{
	struct vm_area_struct *vma = find_vma(mm, mm->start_brk);

	return vma && vma->vm_start == mm->start_brk ? (long)vma_pages(vma) : 0;
}

static long mapped_at(unsigned long addr, unsigned long count)
{
	return ksys_mmap(addr, PAGES(count), RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* MM-268: one mapping that grows and shrinks; a byte count, not pages */
mm_test(the_heap_is_one_mapping)
{
	unsigned long start = mm->start_brk;

	expect_long(ksys_brk(0), start);
	expect_long(ksys_brk(start + 1), start + 1);
	expect_long(heap_pages(), 1);
	expect_long(ksys_brk(start + 7), start + 7);
	expect_long(mm->map_count, 1);
	expect_long(ksys_brk(start + PAGES(3)), start + PAGES(3));
	expect_long(mm->map_count, 1);
	expect_long(heap_pages(), 3);
	expect_long(vm_committed_as, 3);
	expect_long(ksys_brk(start + PAGES(1)), start + PAGES(1));
	expect_long(heap_pages(), 1);
	expect_long(ksys_brk(start - 1), start + PAGES(1));
	expect_long(ksys_brk(start), start);
	expect_long(mm->map_count, 0);
}

/* MM-268: a free page is kept behind the new end */
mm_test(a_mapping_nearer_than_a_page_stops_the_heap)
{
	unsigned long start = mm->start_brk;

	expect_long(mapped_at(start + PAGES(4), 1), start + PAGES(4));
	expect_long(ksys_brk(start + PAGES(4)), start);
	expect_long(ksys_brk(start + PAGES(3)), start + PAGES(3));
	expect_long(ksys_brk(start + PAGES(3) + 1), start + PAGES(3));
	expect_long(heap_pages(), 3);
}

/* MM-268: with private pages it still grows; after a hole was cut it starts anew */
mm_test(a_heap_with_pages_grows_on)
{
	unsigned long start = mm->start_brk;
	u64 value = 3;
	int code;

	expect_long(ksys_brk(start + PAGES(2)), start + PAGES(2));
	expect_long(user_access(start, true, &value, 8, &code), 0);
	expect_long(ksys_brk(start + PAGES(4)), start + PAGES(4));
	expect_long(mm->map_count, 1);
	expect_long(ksys_munmap(start + PAGES(3), PAGES(1)), 0);
	expect_long(ksys_brk(start + PAGES(5)), start + PAGES(5));
	expect_long(mm->map_count, 2);
}

/* MM-268, MM-82: later kernels look whether the old end is mapped */
mm_test(shrinking_over_a_hole_is_refused_since_6_1)
{
	unsigned long start = mm->start_brk;

	expect_long(ksys_brk(start + PAGES(4)), start + PAGES(4));
	expect_long(ksys_munmap(start + PAGES(2), PAGES(2)), 0);
	expect_long(ksys_brk(start + PAGES(3)), kernel_version < KERNEL_6_1 ?
		    start + PAGES(3) : start + PAGES(4));
}

/* MM-206, MM-268: the break is put back when the limit says no, also on the way down */
mm_test(at_the_limits_the_break_stays)
{
	unsigned long start = mm->start_brk;

	expect_long(ksys_brk(start + PAGES(4)), start + PAGES(4));
	vm_commit_limit = 4;
	expect_long(ksys_brk(start + PAGES(5)), start + PAGES(4));
	vm_commit_limit = ~0UL;
	get_current()->rlimit_as = PAGES(4);
	expect_long(ksys_brk(start + PAGES(5)), start + PAGES(4));
	get_current()->rlimit_as = 0;
	expect_long(vm_committed_as, 4);
	sysctl_max_map_count = 0;
	expect_long(ksys_brk(start + PAGES(5)), start + PAGES(4));
	expect_long(ksys_brk(start + PAGES(3)), start + PAGES(3));
	sysctl_max_map_count = 65530;
}

mm_test(a_child_has_the_same_break)
{
	unsigned long start = mm->start_brk;
	struct mm_struct *child = mm_alloc();

	expect_long(ksys_brk(start + PAGES(2)), start + PAGES(2));
	expect_long(dup_mmap(child, mm), 0);
	act_in(child);
	expect_long(ksys_brk(0), start + PAGES(2));
	expect_long(ksys_brk(start + PAGES(3)), start + PAGES(3));
	act_in(mm);
	expect_long(ksys_brk(0), start + PAGES(2));
	mmput(child);
}

/* ---- remap_file_pages ---- */

/* MM-94: the view moves within the file, and its pages are there at once */
mm_test(a_remapped_view_shows_other_pages)
{
	int fd = plain_file(8);

	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(store(3, 33) | store(0, 7), 0);
	expect_long(ksys_remap_file_pages(AT(0), PAGES(1), 0, 3, 0), 0);
	expect_layout("0-1rws3 1-4rws1");
	vfiosim_expect(present(0));
	expect_long(value_at(0), 33);
}

/* MM-94: emulated by MAP_FIXED, so the old page is gone if the driver refuses */
mm_test(a_refused_remap_leaves_a_hole)
{
	int fd = device_file();

	mapped(fd, 0, 4, RW, SHARED, 0);
	device_mmap_error = -EINVAL;
	expect_long(ksys_remap_file_pages(AT(1), PAGES(1), 0, 8, 0), -EINVAL);
	expect_layout("0-1rws0 2-4rws2");
	device_mmap_error = 0;
	expect_long(ksys_remap_file_pages(AT(3), PAGES(1), 0, 8, 0), 0);
	expect_layout("0-1rws0 2-3rws2 3-4rws8");
	vfiosim_expect(!present(3));
}

static const struct {
	const char *what;
	unsigned long start;
	unsigned long size;
	unsigned long prot;
	unsigned long pgoff;
} refused[] = {
	{ "a protection", AT(0), PAGES(1), PROT_READ, 0 },
	{ "no size", AT(0), PAGES(1) - 1, 0, 0 },
	{ "nothing there", AT(20), PAGES(1), 0, 0 },
	{ "a private mapping", AT(8), PAGES(1), 0, 0 },
	{ "a hole", AT(0), PAGES(5), 0, 0 },
	{ "other rights behind", AT(0), PAGES(4), 0, 0 },
	{ "the offset wraps", AT(0), PAGES(1), 0, -1UL },
};
static int row;

static void refused_body(void)
{
	int fd = plain_file(8);

	mapped(fd, 0, 4, RW, SHARED, 0);
	mapped(fd, 8, 1, RW, PRIVATE, 0);
	expect_long(protect(3, 1, R), 0);
	expect_long(ksys_remap_file_pages(refused[row].start, refused[row].size,
					  refused[row].prot, refused[row].pgoff, 0), -EINVAL);
	expect_layout("0-3rws0 3-4r-s3 8-9rwp0");
}

START_TEST(only_shared_views_of_one_file_can_be_remapped)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, refused_body);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("brk");

	add(the_heap_is_one_mapping);
	add(a_mapping_nearer_than_a_page_stops_the_heap);
	add(a_heap_with_pages_grows_on);
	add(shrinking_over_a_hole_is_refused_since_6_1);
	add(at_the_limits_the_break_stays);
	add(a_child_has_the_same_break);
	add(a_remapped_view_shows_other_pages);
	add(a_refused_remap_leaves_a_hole);
	tcase_add_loop_test(tc, only_shared_views_of_one_file_can_be_remapped, 0,
			    ARRAY_SIZE(refused));
	return mm_main("brk", tc);
}
