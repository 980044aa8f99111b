// SPDX-License-Identifier: GPL-2.0-only
/* When neighbours join, who survives, and what never joins. */
#include "mmtest.h"

static int fd KSTATE;

static int file8(void)
{
	fd = plain_file(16);
	return fd;
}

/* MM-30, MM-63: no new VMA, no reference */
mm_test(a_continuing_mapping_of_the_same_file_joins)
{
	struct file *file = file_of(file8());
	long refs;

	mapped(fd, 0, 2, RW, SHARED, 0);
	refs = file_count(file);
	mapped(fd, 2, 2, RW, SHARED, 2);
	expect_layout("0-4rws0");
	expect_long(file_count(file), refs);
	expect_long(mapping_of_fd(fd)->i_mmap_writable, 1);
}

/* MM-66, MM-67, MM-233: the predecessor survives, the successor's reference goes */
mm_test(a_bridge_joins_three)
{
	struct file *file = file_of(file8());
	struct vm_area_struct *first;
	long refs;

	mapped(fd, 0, 2, RW, SHARED, 0);
	first = vma_at(0);
	mapped(fd, 4, 2, RW, SHARED, 4);
	refs = file_count(file);
	mapped(fd, 2, 2, RW, SHARED, 2);
	expect_layout("0-6rws0");
	vfiosim_expect(vma_at(0) == first);
	expect_long(file_count(file), refs - 1);
	expect_long(mm->map_count, 1);
}

/* MM-66: else the successor grows downwards */
mm_test(a_successor_grows_down)
{
	struct vm_area_struct *last;

	file8();
	mapped(fd, 4, 2, RW, SHARED, 4);
	last = vma_at(4);
	mapped(fd, 2, 2, RW, SHARED, 2);
	expect_layout("2-6rws2");
	vfiosim_expect(vma_at(2) == last);
}

/* MM-63: what keeps neighbours apart */
static const struct {
	const char *what;
	int prot;
	int flags;
	unsigned long pgoff;
	enum { SAME_FD, DUP, REOPENED } through;
	const char *layout;
} neighbours[] = {
	{ "continues", RW, SHARED, 2, SAME_FD, "0-4rws0" },
	{ "through a duplicate", RW, SHARED, 2, DUP, "0-4rws0" },
	{ "through another open", RW, SHARED, 2, REOPENED, "0-2rws0 2-4rws2" },
	{ "a gap in the file", RW, SHARED, 3, SAME_FD, "0-2rws0 2-4rws3" },
	{ "other rights", R, SHARED, 2, SAME_FD, "0-2rws0 2-4r-s2" },
	{ "private", RW, PRIVATE, 2, SAME_FD, "0-2rws0 2-4rwp2" },
	{ "no reserve", RW, SHARED | MAP_NORESERVE, 2, SAME_FD, "0-2rws0 2-4rws2" },
};
static int row;

static void neighbour_body(void)
{
	int through = file8();

	if (neighbours[row].through == DUP)
		through = ksys_dup(fd);
	else if (neighbours[row].through == REOPENED)
		through = reopen(fd, O_RDWR);
	mapped(fd, 0, 2, RW, SHARED, 0);
	mapped(through, 2, 2, neighbours[row].prot, neighbours[row].flags,
	       neighbours[row].pgoff);
	expect_layout(neighbours[row].layout);
}

START_TEST(neighbours_join_only_if_everything_agrees)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, neighbour_body);
}
END_TEST

/* MM-62, I-7 */
mm_test(device_mappings_never_join)
{
	int device = device_file();

	mapped(device, 0, 2, RW, SHARED, 0);
	mapped(device, 2, 2, RW, SHARED, 2);
	expect_long(protect(1, 1, R), 0);
	expect_long(protect(1, 1, RW), 0);
	expect_layout("0-1rws0 1-2rws1 2-4rws2");
}

/* MM-35: flags changed by ->mmap never merge for a device; the merge is tried late */
static int noreserve_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_flags |= VM_SEQ_READ;
	return 0;
}

mm_test(a_mapping_that_its_driver_changed_joins_late)
{
	static const struct file_operations fops = { .mmap = noreserve_mmap };
	struct file *file;
	long refs;

	file8();
	file = file_of(fd);
	file->f_op = &fops;
	mapped(fd, 0, 2, R, SHARED, 0);
	refs = file_count(file);
	mapped(fd, 2, 2, R, SHARED, 2);
	expect_layout("0-4r-s0");
	expect_long(file_count(file), refs);
}

static void closing(struct vm_area_struct *vma)
{
}

static int closing_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .close = closing };

	vma->vm_ops = &ops;
	return 0;
}

/* MM-63, MM-69, MM-263 */
mm_test(a_mapping_with_close_joins_only_since_6_12)
{
	static const struct file_operations fops = { .mmap = closing_mmap };

	file8();
	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, R, SHARED, 0);
	mapped(fd, 2, 2, R, SHARED, 2);
	if (kernel_version < KERNEL_6_12)
		expect_layout("0-2r-s0 2-4r-s2");
	else
		expect_layout("0-4r-s0");
}

/* MM-64: private pages on one side */
mm_test(private_pages_join_with_untouched_memory_by_version)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(store(0, 1), 0);
	mapped(ANON, 2, 2, RW, PRIVATE, 0);
	expect_layout("0-4rwp");
	expect_long(protect(2, 2, R), 0);
	expect_long(protect(2, 2, RW), 0);
	expect_layout("0-4rwp");
	mapped(ANON, 8, 2, R, PRIVATE | MAP_NORESERVE, 0);
	mapped(ANON, 10, 2, RW, PRIVATE | MAP_NORESERVE, 0);
	expect_long(store(10, 1), 0);
	expect_long(protect(10, 2, R), 0);
	/* A touched piece next to one without private pages (6.18: joins). */
	if (kernel_version < KERNEL_6_18)
		expect_layout("0-4rwp 8-10r-p 10-12r-p");
	else
		expect_layout("0-4rwp 8-12r-p");
}

/* MM-64: a bridge between two families joins the left one; 6.1's mmap the right one */
mm_test(a_bridge_between_families_joins_one)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	mapped(ANON, 4, 2, RW, PRIVATE, 0);
	expect_long(store(0, 1) | store(4, 1), 0);
	mapped(ANON, 2, 2, RW, PRIVATE, 0);
	if (kernel_version == KERNEL_6_1)
		expect_layout("0-2rwp 2-6rwp");
	else
		expect_layout("0-4rwp 4-6rwp");
}

/* MM-64: in a child the inherited piece does not join with a new one */
mm_test(inherited_pages_do_not_join_with_new_memory)
{
	struct mm_struct *child = mm_alloc();

	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(store(0, 1), 0);
	expect_long(dup_mmap(child, mm), 0);
	act_in(child);
	mapped(ANON, 2, 2, RW, PRIVATE, 0);
	expect_layout("0-2rwp 2-4rwp");
	act_in(mm);
	mmput(child);
}

/* MM-61: munmap, fork and faults join nothing */
mm_test(only_system_calls_that_change_flags_or_map_join)
{
	file8();
	mapped(fd, 0, 2, RW, SHARED, 0);
	mapped(fd, 2, 2, R, SHARED, 2);
	expect_long(store(0, 1) | load(2), 0);
	expect_layout("0-2rws0 2-4r-s2");
	expect_long(protect(2, 1, RW), 0);
	expect_layout("0-3rws0 3-4r-s3");
}

/* MM-71: an adjusted VMA goes behind all others with its first page */
mm_test(an_adjusted_mapping_moves_behind_its_equals)
{
	struct mapping_tree *tree;
	struct mapping_iter iter;

	file8();
	tree = &mapping_of_fd(fd)->i_mmap;
	mapped(fd, 0, 4, RW, SHARED, 0);
	mapped(fd, 8, 4, RW, SHARED, 0);
	vfiosim_expect(vma_interval_tree_iter_first(&iter, tree, 0, 0) == vma_at(0));
	expect_long(unmap(3, 1), 0);
	vfiosim_expect(vma_interval_tree_iter_first(&iter, tree, 0, 0) == vma_at(8));
}

int main(void)
{
	TCase *tc = tcase_create("vma_merge");

	tcase_add_loop_test(tc, neighbours_join_only_if_everything_agrees, 0,
			    ARRAY_SIZE(neighbours));
	add(a_continuing_mapping_of_the_same_file_joins);
	add(a_bridge_joins_three);
	add(a_successor_grows_down);
	add(device_mappings_never_join);
	add(a_mapping_that_its_driver_changed_joins_late);
	add(a_mapping_with_close_joins_only_since_6_12);
	add(private_pages_join_with_untouched_memory_by_version);
	add(a_bridge_between_families_joins_one);
	add(inherited_pages_do_not_join_with_new_memory);
	add(only_system_calls_that_change_flags_or_map_join);
	add(an_adjusted_mapping_moves_behind_its_equals);
	return mm_main("vma_merge", tc);
}
