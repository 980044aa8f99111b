// SPDX-License-Identifier: GPL-2.0-only
/* mremap(2): errors, shrinking, growing, moving, by version. */
#include "mmtest.h"

#define FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)
#define DONTUNMAP (MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)

/* MM-81, MM-86, MM-241: on a private mapping of pages 0 to 3 */
static const struct {
	const char *what;
	unsigned long addr;
	unsigned long old;
	unsigned long new;
	unsigned long flags;
	unsigned long target;
	int error;
} refusals[] = {
	{ "unknown flag", AT(0), PAGES(2), PAGES(2), 8, 0, EINVAL },
	{ "FIXED without MAYMOVE", AT(0), PAGES(2), PAGES(2), MREMAP_FIXED, AT(8), EINVAL },
	{ "DONTUNMAP without MAYMOVE", AT(0), PAGES(2), PAGES(2), MREMAP_DONTUNMAP, 0, EINVAL },
	{ "DONTUNMAP that resizes", AT(0), PAGES(2), PAGES(1), DONTUNMAP, AT(8), EINVAL },
	{ "unaligned", AT(0) + 1, PAGES(2), PAGES(2), 0, 0, EINVAL },
	{ "new length 0", AT(0), PAGES(2), 0, 0, 0, EINVAL },
	{ "unaligned target", AT(0), PAGES(2), PAGES(2), FIXED, AT(8) + 1, EINVAL },
	{ "target too high", AT(0), PAGES(2), PAGES(2), FIXED, 1UL << 47, EINVAL },
	{ "target inside the source", AT(0), PAGES(2), PAGES(2), FIXED, AT(1), EINVAL },
	{ "grow where nothing is", AT(20), PAGES(2), PAGES(3), 0, 0, EFAULT },
	{ "grow across the end", AT(2), PAGES(4), PAGES(5), 0, 0, EFAULT },
	{ "duplicate private memory", AT(0), 0, PAGES(2), MREMAP_MAYMOVE, 0, EINVAL },
	{ "grow into the neighbour", AT(0), PAGES(4), PAGES(5), 0, 0, ENOMEM },
	{ "grow from inside", AT(0), PAGES(2), PAGES(5), 0, 0, ENOMEM },
};
static int row;

static void refusal_body(void)
{
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	mapped(ANON, 4, 1, R, PRIVATE, 0);
	expect_long(ksys_mremap(refusals[row].addr, refusals[row].old, refusals[row].new,
				refusals[row].flags, refusals[row].target),
		    -refusals[row].error);
	expect_layout("0-4rwp 4-5r-p");
}

START_TEST(bad_requests_change_nothing)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, refusal_body);
}
END_TEST

/* MM-82: 5.14 does not look whether anything is there */
mm_test(an_unmapped_source_of_the_same_size_is_fine_in_5_14)
{
	expect_long(ksys_mremap(AT(4), PAGES(2), PAGES(2), 0, 0),
		    kernel_version == KERNEL_5_14 ? (long)AT(4) : -EFAULT);
}

/* MM-82 */
mm_test(shrinking_unmaps_whatever_the_tail_holds)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	mapped(ANON, 2, 2, R, PRIVATE, 0);
	mapped(ANON, 6, 2, R, PRIVATE, 0);
	expect_long(ksys_mremap(AT(0), PAGES(7), PAGES(1), 0, 0), AT(0));
	expect_layout("0-1rwp 7-8r-p");
}

/* MM-85, MM-243 */
mm_test(growing_in_place_joins_a_successor_since_6_1)
{
	int fd = plain_file(8);

	mapped(fd, 0, 2, RW, SHARED, 0);
	mapped(fd, 3, 2, RW, SHARED, 3);
	expect_long(ksys_mremap(AT(0), PAGES(2), PAGES(3), 0, 0), AT(0));
	if (kernel_version < KERNEL_6_1)
		expect_layout("0-3rws0 3-5rws3");
	else
		expect_layout("0-5rws0");
	expect_long(mm->total_vm, 5);
}

/* MM-87, MM-233: hooks, and references that balance */
mm_test(a_move_opens_the_new_moves_and_closes_the_old)
{
	int fd = device_file();
	struct file *file = file_of(fd);
	long refs;

	mapped(fd, 0, 4, RW, SHARED, 0);
	refs = file_count(file);
	expect_long(store(1, 1), 0);
	noted();
	expect_long(move(0, 4, 4, 8), AT(8));
	expect_text(noted(), "open(8-12)mremap(8-12)close(0-4)");
	expect_layout("8-12rws0");
	expect_text(pages(12), "........-P--");
	expect_long(file_count(file), refs);
	expect_long(file->f_mapping->i_mmap_writable, 1);
}

/* MM-87: the driver is asked for the cut points */
mm_test(a_driver_may_refuse_to_give_a_part)
{
	int fd = device_file();

	mapped(fd, 0, 4, RW, SHARED, 0);
	device_refuses_split = -EINVAL;
	expect_long(move(1, 2, 2, 8), -EINVAL);
	expect_layout("0-4rws0");
	device_refuses_split = 0;
	expect_long(move(1, 2, 2, 8), AT(8));
	expect_layout("0-1rws0 3-4rws3 8-10rws1");
}

/* MM-88, MM-242: pages keep their place in the file */
mm_test(a_moved_page_is_still_found_by_its_file_page)
{
	int fd = plain_file(8);

	mapped(fd, 0, 4, RW, SHARED, 2);
	expect_long(store(1, 9), 0);
	expect_long(move(0, 4, 4, 8), AT(8));
	expect_long(value_at(9), 9);
	memfd_truncate(file_of(fd), PAGES(3));
	expect_text(pages(12), "........----");
	expect_long(load(9), ADRERR);
}

/* MM-84 */
mm_test(device_mappings_move_but_do_not_grow_or_multiply)
{
	int fd = device_file();

	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(ksys_mremap(AT(0), PAGES(4), PAGES(5), MREMAP_MAYMOVE, 0), -EFAULT);
	expect_long(ksys_mremap(AT(0), 0, PAGES(4), MREMAP_MAYMOVE, 0), -EFAULT);
	expect_long(ksys_mremap(AT(0), PAGES(4), PAGES(4), DONTUNMAP, AT(8)), -EINVAL);
	expect_long(ksys_mremap(AT(0), PAGES(4), PAGES(2), 0, 0), AT(0));
	expect_layout("0-2rws0");
	expect_long(move(0, 2, 2, 16), AT(16));
}

/* MM-92 */
mm_test(dontunmap_leaves_an_empty_mapping)
{
	int fd = plain_file(8);

	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(store(0, 3), 0);
	expect_long(ksys_mremap(AT(0), PAGES(2), PAGES(2), DONTUNMAP, AT(8)), AT(8));
	expect_layout("0-2rws0 8-10rws0");
	expect_text(pages(10), "--......F-");
	expect_long(value_at(0), 3);
}

/* MM-92: old_len 0 */
mm_test(length_zero_makes_a_second_view)
{
	int fd = plain_file(8);

	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(store(0, 3), 0);
	expect_long(ksys_mremap(AT(0), 0, PAGES(2), FIXED, AT(8)), AT(8));
	expect_layout("0-2rws0 8-10rws0");
	expect_text(pages(10), "F-......--");
	expect_long(value_at(8), 3);
}

/* MM-86: when the target is gone though the source was wrong */
mm_test(a_bad_source_costs_the_target_before_6_18)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	mapped(ANON, 8, 4, R, PRIVATE, 0);
	expect_long(move(1, 2, 3, 8), -EFAULT);
	expect_layout(kernel_version < KERNEL_6_18 ? "0-2rwp 11-12r-p" : "0-2rwp 8-12r-p");
	expect_long(move(20, 2, 3, 9), -EFAULT);
	if (kernel_version == KERNEL_5_14)
		expect_layout("0-2rwp");
	else
		expect_layout(kernel_version < KERNEL_6_18 ? "0-2rwp 11-12r-p" :
							      "0-2rwp 8-12r-p");
}

/* MM-93, MM-244 */
mm_test(several_mappings_move_at_once_in_6_18)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	mapped(ANON, 3, 2, R, PRIVATE, 0);
	expect_long(move(0, 5, 5, 8), kernel_version < KERNEL_6_18 ? -EFAULT : (long)AT(8));
	expect_layout(kernel_version < KERNEL_6_18 ? "0-2rwp 3-5r-p" : "8-10rwp 11-13r-p");
}

/* MM-86, MM-254 */
mm_test(near_the_map_limit_nothing_moves)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	sysctl_max_map_count = mm->map_count + 5;
	expect_long(move(0, 2, 2, 8), -ENOMEM);
	sysctl_max_map_count++;
	expect_long(move(0, 2, 2, 8), AT(8));
}

/* MM-90: the old place cannot be unmapped; both stay and the new one has the pages */
static int split_budget KSTATE;

static int miserly_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return split_budget-- > 0 ? 0 : -ENOMEM;
}

static vm_fault_t miserly_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, DEVICE_PFN + vmf->pgoff);
}

static int miserly_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = {
		.may_split = miserly_may_split, .fault = miserly_fault,
	};

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	return 0;
}

mm_test(a_source_that_cannot_be_cut_stays)
{
	static const struct file_operations fops = { .mmap = miserly_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(store(0, 1), 0);
	split_budget = 1;
	expect_long(move(0, 2, 2, 8), AT(8));
	expect_layout("0-4rws0 8-10rws0");
	expect_text(pages(10), "----....P-");
}

/* MM-197: the list says that it is filled, and a part of it was moved away */
static bool listed KSTATE;

static vm_fault_t listing_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;

	if (listed)
		return VM_FAULT_NOPAGE;
	listed = true;
	return vmf_insert_pfn(vma, vma->vm_start, DEVICE_PFN);
}

static int listing_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = {
		.may_split = miserly_may_split, .fault = listing_fault,
	};

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	return 0;
}

static void lost_part(void)
{
	static const struct file_operations fops = { .mmap = listing_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	listed = false;
	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(store(0, 1), 0);
	split_budget = 1;
	expect_long(move(0, 2, 2, 8), AT(8));
	load(0);
}

START_TEST(a_listed_mapping_without_its_entries_faults_for_ever)
{
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm_detects(kernel, lost_part, "endless-fault");
}
END_TEST

/* MM-89: the hook refuses; everything is back */
static int refusing_mremap(struct vm_area_struct *vma)
{
	return -EBUSY;
}

static int stubborn_mmap(struct file *file, struct vm_area_struct *vma)
{
	static struct vm_operations_struct ops;

	ops = device_vm_ops;
	ops.mremap = refusing_mremap;
	device_fops.mmap(file, vma);
	vma->vm_ops = &ops;
	return 0;
}

mm_test(a_driver_that_refuses_the_move_gets_its_entries_back)
{
	static const struct file_operations fops = { .mmap = stubborn_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(store(0, 1) | store(1, 1), 0);
	noted();
	expect_long(move(0, 2, 2, 8), -EBUSY);
	expect_text(noted(), "open(8-10)close(8-10)");
	expect_layout("0-2rws0");
	expect_text(pages(2), "PP");
}

int main(void)
{
	TCase *tc = tcase_create("mremap");

	tcase_add_loop_test(tc, bad_requests_change_nothing, 0, ARRAY_SIZE(refusals));
	add(an_unmapped_source_of_the_same_size_is_fine_in_5_14);
	add(shrinking_unmaps_whatever_the_tail_holds);
	add(growing_in_place_joins_a_successor_since_6_1);
	add(a_move_opens_the_new_moves_and_closes_the_old);
	add(a_driver_may_refuse_to_give_a_part);
	add(a_moved_page_is_still_found_by_its_file_page);
	add(device_mappings_move_but_do_not_grow_or_multiply);
	add(dontunmap_leaves_an_empty_mapping);
	add(length_zero_makes_a_second_view);
	add(a_bad_source_costs_the_target_before_6_18);
	add(several_mappings_move_at_once_in_6_18);
	add(near_the_map_limit_nothing_moves);
	add(a_source_that_cannot_be_cut_stays);
	tcase_add_test(tc, a_listed_mapping_without_its_entries_faults_for_ever);
	add(a_driver_that_refuses_the_move_gets_its_entries_back);
	return mm_main("mremap", tc);
}
