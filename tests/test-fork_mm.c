// SPDX-License-Identifier: GPL-2.0-only
/* fork and exit of address spaces: what is copied, in which order, what fails. */
#include "mmtest.h"

static struct mm_struct *fork_it(void)
{
	struct mm_struct *child = mm_alloc();

	expect_long(dup_mmap(child, mm), 0);
	return child;
}

/* MM-103, MM-104, MM-249 */
mm_test(only_what_a_fault_cannot_bring_back_is_copied)
{
	int fd = plain_file(4), device = device_file();
	struct mm_struct *child;

	mapped(fd, 0, 2, RW, SHARED, 0);
	mapped(fd, 2, 2, RW, PRIVATE, 0);
	mapped(fd, 4, 2, RW, PRIVATE, 0);
	mapped(device, 6, 1, RW, SHARED, 0);
	expect_long(store(0, 1) | load(2) | store(4, 1) | load(5) | store(6, 1), 0);
	child = fork_it();
	act_in(child);
	expect_text(pages(7), "----AFP");
	act_in(mm);
	mmput(child);
}

static u64 bits_at(struct mm_struct *space, long page)
{
	pte_t *pte = pte_find(space, AT(page));

	return pte ? *pte & (PTE_PRESENT | PTE_SPECIAL | PTE_WRITE | PTE_DIRTY | PTE_YOUNG) : 0;
}

/* MM-104: as the parent's, but clean and old */
mm_test(a_child_gets_device_entries_clean_and_old)
{
	const u64 written = PTE_PRESENT | PTE_SPECIAL | PTE_WRITE | PTE_DIRTY | PTE_YOUNG;
	int device = device_file();
	struct mm_struct *child;

	mapped(device, 0, 2, RW, SHARED, 0);
	expect_long(store(0, 1), 0);
	vfiosim_expect(bits_at(mm, 0) == written);
	child = fork_it();
	vfiosim_expect(bits_at(mm, 0) == written);
	vfiosim_expect(bits_at(child, 0) == (written & ~(PTE_DIRTY | PTE_YOUNG)));
	expect_long(mm->rss_file | child->rss_file | child->rss_anon, 0);
	mmput(child);
}

static int mixed_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct no_ops;

	vma->vm_flags |= VM_MIXEDMAP;
	vma->vm_ops = &no_ops;
	return vmf_insert_pfn(vma, vma->vm_start, DEVICE_PFN) == VM_FAULT_NOPAGE ? 0 : -ENOMEM;
}

/* MM-103: no fault may be able to bring these back */
mm_test(a_child_gets_the_entries_of_mixed_mappings)
{
	static const struct file_operations mixed = { .mmap = mixed_mmap };
	struct mm_struct *child;
	int fd = plain_file(2);

	file_of(fd)->f_op = &mixed;
	mapped(fd, 0, 2, RW, SHARED, 0);
	child = fork_it();
	act_in(child);
	expect_text(pages(2), "P-");
	act_in(mm);
	mmput(child);
}

/* MM-105: both sides lose the right to write until they copied */
mm_test(private_pages_are_isolated_after_fork)
{
	struct mm_struct *child;

	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(store(0, 1) | store(1, 2), 0);
	child = fork_it();
	expect_long(store(0, 10), 0);
	act_in(child);
	expect_long(value_at(0), 1);
	expect_long(store(1, 20), 0);
	act_in(mm);
	expect_long(value_at(0), 10);
	expect_long(value_at(1), 2);
	mmput(child);
	expect_long(store(1, 3), 0);
	expect_long(value_at(1), 3);
}

/* MM-95 */
mm_test(dontcopy_is_left_out)
{
	struct mm_struct *child;

	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	expect_long(ksys_madvise(AT(1), PAGES(2), MADV_DONTFORK), 0);
	child = fork_it();
	act_in(child);
	expect_layout("0-1rwp 3-4rwp");
	expect_long(child->total_vm, 2);
	act_in(mm);
	mmput(child);
}

static void note_child_state(struct vm_area_struct *vma)
{
	note("%s,%s", find_vma(vma->vm_mm, vma->vm_start) == vma ? "set" : "-",
	     vma->shared_leaf ? "tree" : "-");
	note(",%s", user_page_present(vma->vm_mm, vma->vm_start) ? "entries" : "-");
}

static vm_fault_t noting_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, DEVICE_PFN + vmf->pgoff);
}

static int noting_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = {
		.open = note_child_state, .fault = noting_fault,
	};

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	return 0;
}

/* MM-14, MM-97, MM-98, MM-99 */
mm_test(open_in_fork_comes_last_in_5_14_and_early_since_6_1)
{
	static const struct file_operations fops = { .mmap = noting_mmap };
	int fd = device_file();
	struct mm_struct *child;

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(store(0, 1), 0);
	child = fork_it();
	expect_text(noted(), kernel_version < KERNEL_6_1 ? "set,tree,entries" : "set,-,-");
	vfiosim_expect(user_page_present(child, AT(0)));
	mmput(child);
}

/* MM-97, MM-148: the copy stands directly behind its parent */
mm_test(the_copy_stands_directly_behind_its_parent)
{
	int fd = plain_file(4);
	struct address_space *mapping = mapping_of_fd(fd);
	struct vm_area_struct *wanted[4], *vma;
	struct mapping_iter iter;
	struct mm_struct *child;
	int n = 0;

	mapped(fd, 0, 1, RW, SHARED, 0);
	mapped(fd, 4, 1, RW, SHARED, 0);
	child = fork_it();
	wanted[0] = vma_at(0);
	wanted[1] = find_vma(child, AT(0));
	wanted[2] = vma_at(4);
	wanted[3] = find_vma(child, AT(4));
	vma_interval_tree_foreach(vma, &iter, &mapping->i_mmap, 0, ~0UL) {
		vfiosim_expect(n < 4 && vma == wanted[n]);
		n++;
	}
	expect_long(n, 4);
	mmput(child);
}

/* MM-102, MM-233: each VMA of the child has a reference and is counted */
mm_test(files_and_counters_follow_a_fork)
{
	int fd = plain_file(4);
	struct file *file = file_of(fd);
	struct mm_struct *child;

	mapped(fd, 0, 2, RW, SHARED, 0);
	child = fork_it();
	expect_long(file_count(file), 3);
	expect_long(file->f_mapping->i_mmap_writable, 2);
	expect_long(memfd_add_seals(file, F_SEAL_WRITE), -EBUSY);
	expect_long(unmap(0, 2), 0);
	expect_long(memfd_add_seals(file, F_SEAL_WRITE), -EBUSY);
	mmput(child);
	expect_long(memfd_add_seals(file, F_SEAL_WRITE), 0);
	expect_long(file_count(file), 1);
}

/* MM-108, MM-56: three phases, close for each VMA ascending */
mm_test(exit_closes_every_mapping_in_order)
{
	int fd = device_file();
	struct mm_struct *child;

	mapped(fd, 4, 1, RW, SHARED, 0);
	mapped(fd, 0, 2, RW, SHARED, 2);
	child = fork_it();
	noted();
	mmput(child);
	expect_text(noted(), "close(0-2)close(4-5)");
}

/* MM-95: a fatal signal ends the fork */
mm_test(a_fatal_signal_ends_a_fork)
{
	struct task_struct *task = get_current();
	struct mm_struct *child = mm_alloc();

	mapped(ANON, 0, 1, RW, PRIVATE, 0);
	task->pending |= SIGKILL_BIT;
	expect_long(dup_mmap(child, mm), -EINTR);
	task->pending = 0;
	mmput(child);
}

/* MM-7 */
mm_test(a_dead_address_space_cannot_be_revived)
{
	struct mm_struct *child = fork_it();

	mmgrab(child);
	vfiosim_expect(mmget_not_zero(child));
	mmput(child);
	mmput(child);
	vfiosim_expect(!mmget_not_zero(child));
	mmdrop(child);
}

static struct files_struct *files KSTATE;

/* Before the run, where nothing fails; the run's task takes the world over. */
static void parent_to_fork(void *unused)
{
	struct task_struct *task = get_current();
	int device;

	world_begin();
	device = device_file();
	mapped(device, 0, 4, RW, SHARED, 0);
	mapped(ANON, 8, 2, RW, PRIVATE, 0);
	expect_long(store(1, 1) | store(8, 5), 0);
	files = task->files;
	task->files = NULL;
	task->mm = NULL;
}

static void fork_under_pressure(void *unused)
{
	struct mm_struct *child = mm_alloc();
	int ret;

	get_current()->mm = mm;
	get_current()->files = files;
	if (child) {
		ret = dup_mmap(child, mm);
		vfiosim_expect(!ret || ret == -ENOMEM);
		mmput(child);
	}
	expect_long(value_at(8), 5);
	expect_layout("0-4rws0 8-10rwp");
	world_end();
}

/* MM-101, MM-106, MM-212, MM-218: whatever fails, the parent stays as it was and nothing leaks. */
START_TEST(a_failing_fork_leaves_the_parent_whole)
{
	const struct vfiosim_scenario scenario = {
		.name = "fork", .kernel = VFIOSIM_KERNEL_5_14 + _i, .setup = parent_to_fork,
		.tasks = { { "task", fork_under_pressure } },
	};

	/* The child's mm, two VMAs, a chain or two, tables: at least these. */
	assert_scenario_survives_faults(&scenario, 5);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("fork_mm");

	add(only_what_a_fault_cannot_bring_back_is_copied);
	add(a_child_gets_device_entries_clean_and_old);
	add(a_child_gets_the_entries_of_mixed_mappings);
	add(private_pages_are_isolated_after_fork);
	add(dontcopy_is_left_out);
	add(open_in_fork_comes_last_in_5_14_and_early_since_6_1);
	add(the_copy_stands_directly_behind_its_parent);
	add(files_and_counters_follow_a_fork);
	add(exit_closes_every_mapping_in_order);
	add(a_fatal_signal_ends_a_fork);
	add(a_dead_address_space_cannot_be_revived);
	tcase_add_loop_test(tc, a_failing_fork_leaves_the_parent_whole, 0, KERNEL_6_18 + 1);
	return mm_main("fork_mm", tc);
}
