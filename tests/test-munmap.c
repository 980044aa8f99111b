// SPDX-License-Identifier: GPL-2.0-only
/* munmap(2): errors, cuts, who survives, the order of the steps. */
#include "mmtest.h"

/* MM-47 */
mm_test(bad_ranges_are_refused)
{
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	expect_long(ksys_munmap(AT(0) + 1, PAGE_SIZE), -EINVAL);
	expect_long(ksys_munmap(AT(0), 0), -EINVAL);
	expect_long(ksys_munmap(-PAGE_SIZE, PAGE_SIZE), -EINVAL);
	expect_long(ksys_munmap(AT(0), mm->task_size), -EINVAL);
	expect_layout("0-4rwp");
}

/* MM-48 */
mm_test(holes_are_no_error)
{
	mapped(ANON, 1, 1, RW, PRIVATE, 0);
	mapped(ANON, 3, 1, RW, PRIVATE, 0);
	expect_long(unmap(8, 4), 0);
	expect_long(unmap(0, 8), 0);
	expect_layout("");
}

/* MM-240: a length is rounded up */
mm_test(a_length_is_rounded_up_to_pages)
{
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	expect_long(ksys_munmap(AT(1), 1), 0);
	expect_layout("0-1rwp 2-4rwp");
}

/* MM-50, MM-51, MM-233, MM-262 */
mm_test(a_hole_in_one_mapping_makes_the_right_one_new)
{
	int fd = device_file();
	struct vm_area_struct *original;

	mapped(fd, 0, 6, RW, SHARED, 0);
	original = vma_at(0);
	noted();
	expect_long(unmap(2, 2), 0);
	expect_layout("0-2rws0 4-6rws4");
	if (kernel_version < KERNEL_6_12) {
		expect_text(noted(), "may_split(2)open(2-6)may_split(4)open(2-4)close(2-4)");
		vfiosim_expect(vma_at(0) == original);
	} else {
		expect_text(noted(), "may_split(2)open(0-2)may_split(4)open(4-6)close(2-4)");
		vfiosim_expect(vma_at(0) != original && vma_at(4) != original);
	}
}

/* MM-52 */
mm_test(a_driver_may_refuse_a_cut)
{
	int fd = device_file();

	mapped(fd, 0, 6, RW, SHARED, 0);
	device_refuses_split = -EINVAL;
	expect_long(unmap(2, 2), -EINVAL);
	expect_layout("0-6rws0");
	expect_long(unmap(0, 6), 0);
	expect_layout("");
}

/* MM-49 */
mm_test(at_the_map_limit_edges_can_be_cut_but_no_hole_made)
{
	mapped(ANON, 0, 6, RW, PRIVATE, 0);
	mapped(ANON, 8, 1, RW, PRIVATE, 0);
	sysctl_max_map_count = mm->map_count;
	expect_long(unmap(2, 2), -ENOMEM);
	expect_layout("0-6rwp 8-9rwp");
	expect_long(unmap(0, 1), 0);
	expect_long(unmap(5, 1), 0);
	expect_layout("1-5rwp 8-9rwp");
}

/* MM-56: the file is still there in close, and goes after it */
mm_test(the_last_mapping_keeps_a_closed_file)
{
	int fd = plain_file(4);
	struct file *file = file_of(fd);

	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(store(1, 7), 0);
	get_file(file);
	close_fd(fd);
	expect_long(file_count(file), 2);
	expect_long(unmap(0, 1), 0);
	expect_long(file_count(file), 2);
	expect_long(unmap(1, 3), 0);
	expect_long(file_count(file), 1);
	fput(file);
}

static long count_in_close KSTATE;

static void count_references(struct vm_area_struct *vma)
{
	count_in_close = file_count(vma->vm_file);
}

/* MM-56: close, and only then the reference */
mm_test(close_still_has_the_reference_of_its_mapping)
{
	static const struct vm_operations_struct counting = { .close = count_references };
	int fd = device_file();

	mapped(fd, 0, 4, RW, SHARED, 0);
	vma_at(0)->vm_ops = &counting;
	expect_long(file_count(file_of(fd)), 2);
	expect_long(unmap(0, 4), 0);
	expect_long(count_in_close, 2);
	expect_long(file_count(file_of(fd)), 1);
}

/* MM-162, MM-46 */
mm_test(counters_follow_what_is_mapped)
{
	int fd = plain_file(8);

	mapped(fd, 0, 8, RW, SHARED, 0);
	mapped(ANON, 8, 4, RW, PRIVATE, 0);
	expect_long(mm->total_vm, 12);
	expect_long(mm->data_vm, 4);
	expect_long(vm_committed_as, 4);
	expect_long(mapping_of_fd(fd)->i_mmap_writable, 1);
	expect_long(unmap(2, 8), 0);
	expect_long(mm->total_vm, 4);
	expect_long(mm->data_vm, 2);
	expect_long(vm_committed_as, 2);
	expect_long(mapping_of_fd(fd)->i_mmap_writable, 1);
	expect_long(unmap(0, 2), 0);
	expect_long(mapping_of_fd(fd)->i_mmap_writable, 0);
}

int main(void)
{
	TCase *tc = tcase_create("munmap");

	add(bad_ranges_are_refused);
	add(holes_are_no_error);
	add(a_length_is_rounded_up_to_pages);
	add(a_hole_in_one_mapping_makes_the_right_one_new);
	add(a_driver_may_refuse_a_cut);
	add(at_the_map_limit_edges_can_be_cut_but_no_hole_made);
	add(the_last_mapping_keeps_a_closed_file);
	add(close_still_has_the_reference_of_its_mapping);
	add(counters_follow_what_is_mapped);
	return mm_main("munmap", tc);
}
