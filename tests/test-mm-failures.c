// SPDX-License-Identifier: GPL-2.0-only
/*
 * Section J: each allocation of each call fails once, and what the caller gets
 * and what is left is as in the kernel. A row lists, in the order in which the
 * points are reached, "point: result, mappings, pages".
 */
#include "mmtest.h"

#define POINTS_MAX 80

/* Of the host: one for the run that goes on. */
static char outcome[300];
static void (*prepare)(void);
static long (*act)(void);
static bool show_hooks;		/* instead of the pages */

static void failing_body(void)
{
	long result;

	prepare();
	noted();
	result = act();
	snprintf(outcome, sizeof(outcome), "%ld, %s, ", result > 0 ? 0 : result,
		 layout_of(mm));
	strcat(outcome, show_hooks ? noted() : pages(10));
}

static void failing_task(void *unused)
{
	outcome[0] = 0;
	mm_task(NULL);
}

static bool failing_run(int kernel, unsigned int nth)
{
	const struct vfiosim_scenario scenario = {
		.name = "failure", .kernel = VFIOSIM_KERNEL_5_14 + kernel,
		.tasks = { { "task", failing_task } },
	};
	enum vfiosim_verdict verdict;

	mm_body = failing_body;
	verdict = simtest_run_fault(&scenario, nth);
	if (outcome[0])
		ck_assert_msg(verdict == VFIOSIM_OK, "failing %s: %s", simtest_failed_site() ?: "-",
			      run_failure() ? run_failure()->message : "?");
	return simtest_failed_site();
}

/* The undisturbed run first; then those that failed within the act. */
static void collect(int kernel, char *found, size_t size)
{
	static char plain[sizeof(outcome)];
	size_t used = 0;

	failing_run(kernel, 0);
	strcpy(plain, outcome);
	used = snprintf(found, size, "%s", plain);
	for (unsigned int nth = 1; nth < POINTS_MAX && failing_run(kernel, nth); nth++) {
		bool unlike = strcmp(plain, outcome);

		/* A point of the fixture, or one behind the act. */
		if (!outcome[0] || !unlike)
			continue;
		used += snprintf(found + used, size - used, "\n%s: %s", simtest_failed_site(),
				 outcome);
	}
}

/* ---- acts ---- */

static int device KSTATE, plain KSTATE;

static void one_device(void)
{
	device = device_file();
	mapped(device, 0, 6, RW, SHARED, 0);
	expect_long(store(1, 1) | store(5, 1), 0);
}

static void one_plain(void)
{
	plain = plain_file(8);
	mapped(plain, 0, 6, RW, SHARED, 0);
}

static void private_pages(void)
{
	plain = plain_file(1);
	mapped(ANON, 0, 6, RW, PRIVATE, 0);
	expect_long(store(1, 1), 0);
}

/* Three pieces, the last with a page; the middle one may join both. */
static void a_gap_with_a_mapping(void)
{
	plain = plain_file(1);
	mapped(ANON, 0, 1, RW, PRIVATE, 0);
	mapped(ANON, 1, 1, R, PRIVATE, 0);
	mapped(ANON, 2, 1, RW, PRIVATE, 0);
	expect_long(store(2, 1), 0);
}

static void a_gap(void)
{
	a_gap_with_a_mapping();
	expect_long(unmap(1, 1), 0);
}

static long map_in_the_middle(void)
{
	return map(ANON, 2, 2, RW, PRIVATE, 0);
}

static long map_over_all(void)
{
	return map(device, 0, 6, RW, SHARED, 0);
}

static long unmap_the_middle(void)
{
	return unmap(2, 2);
}

static long unmap_everything(void)
{
	return unmap(0, 6);
}

static long protect_the_middle(void)
{
	return protect(2, 2, R);
}

static long advise_the_middle(void)
{
	return ksys_madvise(AT(2), PAGES(2), MADV_DONTFORK);
}

static long merge_the_middle(void)
{
	return ksys_madvise(AT(2), PAGES(2), MADV_MERGEABLE);
}

static void mergeable_memory(void)
{
	mapped(ANON, 0, 6, RW, PRIVATE, 0);
	expect_long(ksys_madvise(AT(0), PAGES(6), MADV_MERGEABLE), 0);
}

static long move_all(void)
{
	return move(0, 6, 6, 1024);
}

static long move_the_middle(void)
{
	return move(1, 2, 2, 1024);
}

static long protect_the_gap(void)
{
	return protect(1, 1, RW);
}

static long map_the_gap(void)
{
	return map(ANON, 1, 1, RW, PRIVATE, 0);
}

static long zap_everything(void)
{
	unmap_mapping_range(mapping_of_fd(device), 0, 0, 1);
	return 0;
}

static struct mm_struct *child KSTATE;

static void a_child(void)
{
	one_device();
	child = mm_alloc();
	vfiosim_expect(child);
	expect_long(dup_mmap(child, mm), 0);
}

static long fork_the_space(void)
{
	struct mm_struct *copy = mm_alloc();
	int ret;

	if (!copy)
		return -ENOMEM;
	ret = dup_mmap(copy, mm);
	mmput(copy);
	return ret;
}

static long child_exits(void)
{
	mmput(child);
	return 0;
}

/* Not the access, which would try again: the fault, with its result. */
static long fault_at_fresh_table(void)
{
	vm_fault_t fault = handle_mm_fault(vma_at(1024), AT(1024), FAULT_FLAG_WRITE);

	vfiosim_expect(present(1024) == !(fault & VM_FAULT_OOM));
	return -(long)(fault & VM_FAULT_OOM);
}

static void private_far_off(void)
{
	plain = plain_file(1);
	mapped(ANON, 1024, 2, RW, PRIVATE, 0);
}

static void private_file_far_off(void)
{
	plain = plain_file(2);
	mapped(plain, 1024, 2, RW, PRIVATE, 0);
}

/* ---- a driver that fills its whole mapping, pages 1022 to 1025, by one fault ---- */

static bool by_remap;

static vm_fault_t filling_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	vm_fault_t ret = VM_FAULT_NOPAGE;

	if (by_remap)
		return io_remap_pfn_range(vma, vma->vm_start, DEVICE_PFN, PAGES(4),
					  vma->vm_page_prot) ? VM_FAULT_SIGBUS :
							       VM_FAULT_NOPAGE;
	for (unsigned int i = 0; i < 4 && !(ret & VM_FAULT_OOM); i++)
		ret = vmf_insert_pfn(vma, vma->vm_start + PAGES(i), DEVICE_PFN + i);
	return ret;
}

static int filling_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = filling_fault };

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	return 0;
}

static void filling_device(void)
{
	static const struct file_operations fops = { .mmap = filling_mmap };

	device = device_file();
	file_of(device)->f_op = &fops;
	mapped(device, 1022, 4, RW, SHARED, 0);
}

/* How many entries a failing fault leaves, negative. */
static long fill_by_inserts(void)
{
	by_remap = false;
	handle_mm_fault(vma_at(1022), AT(1022), 0);
	return -(present(1022) + present(1023) + present(1024) + present(1025));
}

static long fill_by_remap(void)
{
	down_write(&mm->mmap_lock);
	by_remap = true;
	handle_mm_fault(vma_at(1022), AT(1022), 0);
	up_write(&mm->mmap_lock);
	return -(present(1022) + present(1023) + present(1024) + present(1025));
}

static const struct {
	void (*prepare)(void);
	long (*act)(void);
	const char *found[KERNEL_6_18 + 1];	/* NULL: as in the version before */
	bool show_hooks;
} rows[] = {
	/* MM-201, MM-218 */
	{ one_plain, map_in_the_middle, {
		[KERNEL_5_14] =
		"0, 0-2rws0 2-4rwp 4-6rws4, ------....\n"
		"vm_area_struct: -12, 0-6rws0, ------....\n"
		"vm_area_struct: -12, 0-2rws0 2-6rws2, ------....\n"
		"vm_enough_memory: -12, 0-2rws0 4-6rws4, --..--....\n"
		"vm_area_struct: -12, 0-2rws0 4-6rws4, --..--....",
		[KERNEL_6_1] =
		"0, 0-2rws0 2-4rwp 4-6rws4, ------....\n"
		"vm_area_struct: -12, 0-6rws0, ------....\n"
		"maple_node: -12, 0-6rws0, ------....\n"
		"vm_area_struct: -12, 0-2rws0 2-6rws2, ------....\n"
		"maple_node: -12, 0-2rws0 2-6rws2, ------....\n"
		"maple_node: -12, 0-2rws0 2-4rws2 4-6rws4, ------....\n"
		"vm_enough_memory: -12, 0-2rws0 4-6rws4, --..--....\n"
		"vm_area_struct: -12, 0-2rws0 4-6rws4, --..--....\n"
		"maple_node: -12, 0-2rws0 4-6rws4, --..--....",
		[KERNEL_6_12] =
		"0, 0-2rws0 2-4rwp 4-6rws4, ------....\n"
		"vm_area_struct: -12, 0-6rws0, ------....\n"
		"maple_node: -12, 0-6rws0, ------....\n"
		"vm_area_struct: -12, 0-2rws0 2-6rws2, ------....\n"
		"maple_node: -12, 0-2rws0 2-6rws2, ------....\n"
		"maple_node: -12, 0-2rws0 2-4rws2 4-6rws4, ------....\n"
		"vm_enough_memory: -12, 0-2rws0 2-4rws2 4-6rws4, ------....\n"
		"vm_area_struct: -12, 0-2rws0 4-6rws4, --..--....\n"
		"maple_node: -12, 0-2rws0 4-6rws4, --..--....", } },
	/* MM-31, MM-202 */
	{ one_device, map_over_all, {
		[KERNEL_5_14] =
		"0, 0-6rws0, ------....\n"
		"vm_area_struct: -12, , ..........",
		[KERNEL_6_1] =
		"0, 0-6rws0, ------....\n"
		"maple_node: -12, 0-6rws0, -P---P....\n"
		"vm_area_struct: -12, , ..........\n"
		"maple_node: -12, , ..........", } },
	/* MM-205 */
	{ a_gap, map_the_gap, {
		[KERNEL_5_14] =
		"0, 0-3rwp, --A.......\n"
		"vm_enough_memory: -12, 0-1rwp 2-3rwp, -.A.......\n"
		"anon_vma_chain: 0, 0-1rwp 1-2rwp 2-3rwp, --A.......",
		[KERNEL_6_1] =
		"0, 0-3rwp, --A.......\n"
		"vm_enough_memory: -12, 0-1rwp 2-3rwp, -.A.......\n"
		"anon_vma_chain: 0, 0-1rwp 1-2rwp 2-3rwp, --A.......\n"
		"maple_node: 0, 0-1rwp 1-2rwp 2-3rwp, --A.......", } },
	/* MM-206 */
	{ one_device, unmap_the_middle, {
		[KERNEL_5_14] =
		"0, 0-2rws0 4-6rws4, -P..-P....\n"
		"vm_area_struct: -12, 0-6rws0, -P---P....\n"
		"vm_area_struct: -12, 0-2rws0 2-6rws2, -P---P....",
		[KERNEL_6_1] =
		"0, 0-2rws0 4-6rws4, -P..-P....\n"
		"vm_area_struct: -12, 0-6rws0, -P---P....\n"
		"maple_node: -12, 0-6rws0, -P---P....\n"
		"vm_area_struct: -12, 0-2rws0 2-6rws2, -P---P....\n"
		"maple_node: -12, 0-2rws0 2-6rws2, -P---P....\n"
		"maple_node: -12, 0-2rws0 2-4rws2 4-6rws4, -P---P....", } },
	/* MM-59, MM-207 */
	{ one_device, unmap_everything, {
		[KERNEL_5_14] =
		"0, , ..........",
		[KERNEL_6_1] =
		"0, , ..........\n"
		"maple_node: -12, 0-6rws0, -P---P....", } },
	/* MM-208 */
	{ private_pages, protect_the_middle, {
		[KERNEL_5_14] =
		"0, 0-2rwp 2-4r-p 4-6rwp, -A----....\n"
		"vm_area_struct: -12, 0-6rwp, -A----....\n"
		"anon_vma_chain: -12, 0-6rwp, -A----....\n"
		"vm_area_struct: -12, 0-2rwp 2-6rwp, -A----....\n"
		"anon_vma_chain: -12, 0-2rwp 2-6rwp, -A----....",
		[KERNEL_6_1] =
		"0, 0-2rwp 2-4r-p 4-6rwp, -A----....\n"
		"vm_area_struct: -12, 0-6rwp, -A----....\n"
		"anon_vma_chain: -12, 0-6rwp, -A----....\n"
		"maple_node: -12, 0-6rwp, -A----....\n"
		"vm_area_struct: -12, 0-2rwp 2-6rwp, -A----....\n"
		"anon_vma_chain: -12, 0-2rwp 2-6rwp, -A----....\n"
		"maple_node: -12, 0-2rwp 2-6rwp, -A----....",
		[KERNEL_6_12] =
		"0, 0-2rwp 2-4r-p 4-6rwp, -A----....\n"
		"vm_area_struct: -12, 0-6rwp, -A----....\n"
		"maple_node: -12, 0-6rwp, -A----....\n"
		"anon_vma_chain: -12, 0-6rwp, -A----....\n"
		"vm_area_struct: -12, 0-2rwp 2-6rwp, -A----....\n"
		"maple_node: -12, 0-2rwp 2-6rwp, -A----....\n"
		"anon_vma_chain: -12, 0-2rwp 2-6rwp, -A----....", } },
	/* MM-209 */
	{ one_device, advise_the_middle, {
		[KERNEL_5_14] =
		"0, 0-2rws0 2-4rws2 4-6rws4, -P---P....\n"
		"vm_area_struct: -11, 0-6rws0, -P---P....\n"
		"vm_area_struct: -11, 0-2rws0 2-6rws2, -P---P....",
		[KERNEL_6_1] =
		"0, 0-2rws0 2-4rws2 4-6rws4, -P---P....\n"
		"vm_area_struct: -11, 0-6rws0, -P---P....\n"
		"maple_node: -11, 0-6rws0, -P---P....\n"
		"vm_area_struct: -11, 0-2rws0 2-6rws2, -P---P....\n"
		"maple_node: -11, 0-2rws0 2-6rws2, -P---P....", } },
	/* MM-94 */
	{ private_pages, merge_the_middle, {
		[KERNEL_5_14] =
		"0, 0-2rwp 2-4rwp 4-6rwp, -A----....\n"
		"ksm_mm_slot: -11, 0-6rwp, -A----....\n"
		"vm_area_struct: -11, 0-6rwp, -A----....\n"
		"anon_vma_chain: -11, 0-6rwp, -A----....\n"
		"vm_area_struct: -11, 0-2rwp 2-6rwp, -A----....\n"
		"anon_vma_chain: -11, 0-2rwp 2-6rwp, -A----....",
		[KERNEL_6_1] =
		"0, 0-2rwp 2-4rwp 4-6rwp, -A----....\n"
		"ksm_mm_slot: -11, 0-6rwp, -A----....\n"
		"vm_area_struct: -11, 0-6rwp, -A----....\n"
		"anon_vma_chain: -11, 0-6rwp, -A----....\n"
		"maple_node: -11, 0-6rwp, -A----....\n"
		"vm_area_struct: -11, 0-2rwp 2-6rwp, -A----....\n"
		"anon_vma_chain: -11, 0-2rwp 2-6rwp, -A----....\n"
		"maple_node: -11, 0-2rwp 2-6rwp, -A----....",
		[KERNEL_6_12] =
		"0, 0-2rwp 2-4rwp 4-6rwp, -A----....\n"
		"ksm_mm_slot: -11, 0-6rwp, -A----....\n"
		"vm_area_struct: -11, 0-6rwp, -A----....\n"
		"maple_node: -11, 0-6rwp, -A----....\n"
		"anon_vma_chain: -11, 0-6rwp, -A----....\n"
		"vm_area_struct: -11, 0-2rwp 2-6rwp, -A----....\n"
		"maple_node: -11, 0-2rwp 2-6rwp, -A----....\n"
		"anon_vma_chain: -11, 0-2rwp 2-6rwp, -A----....", } },
	/* MM-95 */
	{ mergeable_memory, fork_the_space, {
		[KERNEL_5_14] =
		"0, 0-6rwp, ------....\n"
		"mm_struct: -12, 0-6rwp, ------....\n"
		"ksm_mm_slot: -12, 0-6rwp, ------....\n"
		"vm_enough_memory: -12, 0-6rwp, ------....\n"
		"vm_area_struct: -12, 0-6rwp, ------....",
		[KERNEL_6_1] =
		"0, 0-6rwp, ------....\n"
		"mm_struct: -12, 0-6rwp, ------....\n"
		"ksm_mm_slot: -12, 0-6rwp, ------....\n"
		"vm_enough_memory: -12, 0-6rwp, ------....\n"
		"vm_area_struct: -12, 0-6rwp, ------....\n"
		"maple_node: -12, 0-6rwp, ------....",
		[KERNEL_6_12] =
		"0, 0-6rwp, ------....\n"
		"mm_struct: -12, 0-6rwp, ------....\n"
		"vm_enough_memory: -12, 0-6rwp, ------....\n"
		"vm_area_struct: -12, 0-6rwp, ------....\n"
		"maple_node: -12, 0-6rwp, ------....", } },
	/* MM-210 */
	{ one_device, move_all, {
		[KERNEL_5_14] =
		"0, 1024-1030rws0, ..........\n"
		"vm_area_struct: -12, 0-6rws0, -P---P....\n"
		"pte_table: -12, 0-6rws0, -P---P....\n"
		"pte_table: -12, 0-6rws0, -P---P....",
		[KERNEL_6_1] =
		"0, 1024-1030rws0, ..........\n"
		"vm_area_struct: -12, 0-6rws0, -P---P....\n"
		"maple_node: -12, 0-6rws0, -P---P....\n"
		"pte_table: -12, 0-6rws0, -P---P....\n"
		"pte_table: -12, 0-6rws0, -P---P....\n"
		"maple_node: 0, 0-6rws0 1024-1030rws0, ------....", } },
	/* MM-90, MM-211 */
	{ one_device, move_the_middle, {
		[KERNEL_5_14] =
		"0, 0-1rws0 3-6rws3 1024-1026rws1, -..--P....\n"
		"vm_area_struct: -12, 0-6rws0, -P---P....\n"
		"pte_table: -12, 0-6rws0, -P---P....\n"
		"pte_table: -12, 0-6rws0, -P---P....\n"
		"vm_area_struct: 0, 0-6rws0 1024-1026rws1, -----P....\n"
		"vm_area_struct: 0, 0-1rws0 1-6rws1 1024-1026rws1, -----P....",
		[KERNEL_6_1] =
		"0, 0-1rws0 3-6rws3 1024-1026rws1, -..--P....\n"
		"vm_area_struct: -12, 0-6rws0, -P---P....\n"
		"maple_node: -12, 0-6rws0, -P---P....\n"
		"pte_table: -12, 0-6rws0, -P---P....\n"
		"pte_table: -12, 0-6rws0, -P---P....\n"
		"vm_area_struct: 0, 0-6rws0 1024-1026rws1, -----P....\n"
		"maple_node: 0, 0-6rws0 1024-1026rws1, -----P....\n"
		"vm_area_struct: 0, 0-1rws0 1-6rws1 1024-1026rws1, -----P....\n"
		"maple_node: 0, 0-1rws0 1-6rws1 1024-1026rws1, -----P....\n"
		"maple_node: 0, 0-1rws0 1-3rws1 3-6rws3 1024-1026rws1, -----P....", } },
	/* MM-68 */
	{ a_gap_with_a_mapping, protect_the_gap, {
		[KERNEL_5_14] =
		"0, 0-3rwp, --A.......\n"
		"vm_enough_memory: -12, 0-1rwp 1-2r-p 2-3rwp, --A.......\n"
		"anon_vma_chain: 0, 0-1rwp 1-2rwp 2-3rwp, --A.......",
		[KERNEL_6_1] =
		"0, 0-3rwp, --A.......\n"
		"vm_enough_memory: -12, 0-1rwp 1-2r-p 2-3rwp, --A.......\n"
		"anon_vma_chain: 0, 0-1rwp 1-2rwp 2-3rwp, --A.......\n"
		"maple_node: 0, 0-1rwp 1-2rwp 2-3rwp, --A.......",
		[KERNEL_6_12] =
		"0, 0-3rwp, --A.......\n"
		"vm_enough_memory: -12, 0-1rwp 1-2r-p 2-3rwp, --A.......\n"
		"anon_vma_chain: -12, 0-1rwp 1-2r-p 2-3rwp, --A.......\n"
		"maple_node: -12, 0-1rwp 1-2r-p 2-3rwp, --A.......", } },
	/* MM-72, MM-75 */
	{ one_device, protect_the_middle, {
		[KERNEL_5_14] =
		"0, 0-2rws0 2-4r-s2 4-6rws4, may_split(2)open(0-2)may_split(4)open(4-6)\n"
		"vm_area_struct: -12, 0-6rws0, may_split(2)\n"
		"vm_area_struct: -12, 0-2rws0 2-6rws2, may_split(2)open(0-2)may_split(4)",
		[KERNEL_6_1] =
		"0, 0-2rws0 2-4r-s2 4-6rws4, may_split(2)open(0-2)may_split(4)open(4-6)\n"
		"vm_area_struct: -12, 0-6rws0, may_split(2)\n"
		"maple_node: -12, 0-6rws0, may_split(2)open(0-2)close(2-2)\n"
		"vm_area_struct: -12, 0-2rws0 2-6rws2, may_split(2)open(0-2)may_split(4)\n"
		"maple_node: -12, 0-2rws0 2-6rws2, "
		"may_split(2)open(0-2)may_split(4)open(4-6)close(6-6)",
		[KERNEL_6_12] =
		"0, 0-2rws0 2-4r-s2 4-6rws4, may_split(2)open(0-2)may_split(4)open(4-6)\n"
		"vm_area_struct: -12, 0-6rws0, may_split(2)\n"
		"maple_node: -12, 0-6rws0, may_split(2)\n"
		"vm_area_struct: -12, 0-2rws0 2-6rws2, may_split(2)open(0-2)may_split(4)\n"
		"maple_node: -12, 0-2rws0 2-6rws2, may_split(2)open(0-2)may_split(4)", },
	  .show_hooks = true },
	/* MM-44 */
	{ one_device, map_over_all, {
		[KERNEL_5_14] =
		"0, 0-6rws0, close(0-6)mmap(0-6)\n"
		"vm_area_struct: -12, , close(0-6)",
		[KERNEL_6_1] =
		"0, 0-6rws0, close(0-6)mmap(0-6)\n"
		"maple_node: -12, 0-6rws0, \n"
		"vm_area_struct: -12, , close(0-6)\n"
		"maple_node: -12, , close(0-6)mmap(0-6)close(0-6)",
		[KERNEL_6_12] =
		"0, 0-6rws0, close(0-6)mmap(0-6)\n"
		"maple_node: -12, 0-6rws0, \n"
		"vm_area_struct: -12, , close(0-6)\n"
		"maple_node: -12, , close(0-6)", }, .show_hooks = true },
	/* MM-87 */
	{ one_device, move_all, {
		[KERNEL_5_14] =
		"0, 1024-1030rws0, open(1024-1030)mremap(1024-1030)close(0-6)\n"
		"vm_area_struct: -12, 0-6rws0, \n"
		"pte_table: -12, 0-6rws0, open(1024-1030)close(1024-1030)\n"
		"pte_table: -12, 0-6rws0, open(1024-1030)close(1024-1030)",
		[KERNEL_6_1] =
		"0, 1024-1030rws0, open(1024-1030)mremap(1024-1030)close(0-6)\n"
		"vm_area_struct: -12, 0-6rws0, \n"
		"maple_node: -12, 0-6rws0, open(1024-1030)close(1024-1030)\n"
		"pte_table: -12, 0-6rws0, open(1024-1030)close(1024-1030)\n"
		"pte_table: -12, 0-6rws0, open(1024-1030)close(1024-1030)\n"
		"maple_node: 0, 0-6rws0 1024-1030rws0, open(1024-1030)mremap(1024-1030)", },
	  .show_hooks = true },
	/* MM-213 */
	{ private_far_off, fault_at_fresh_table, {
		[KERNEL_5_14] =
		"0, 1024-1026rwp, ..........\n"
		"pte_table: -1, 1024-1026rwp, ..........\n"
		"anon_vma: -1, 1024-1026rwp, ..........\n"
		"anon_vma_chain: -1, 1024-1026rwp, ..........\n"
		"page: -1, 1024-1026rwp, ..........", } },
	/* MM-213 */
	{ private_file_far_off, fault_at_fresh_table, {
		[KERNEL_5_14] =
		"0, 1024-1026rwp0, ..........\n"
		"pte_table: -1, 1024-1026rwp0, ..........\n"
		"anon_vma: -1, 1024-1026rwp0, ..........\n"
		"anon_vma_chain: -1, 1024-1026rwp0, ..........\n"
		"page: -1, 1024-1026rwp0, ..........\n"
		"page: -1, 1024-1026rwp0, ..........\n"
		"page_cache: -1, 1024-1026rwp0, ..........\n"
		"page_cache_node: -1, 1024-1026rwp0, ..........", } },
	/* MM-214 */
	{ filling_device, fill_by_inserts, {
		[KERNEL_5_14] =
		"-4, 1022-1026rws0, ..........\n"
		"pte_table: 0, 1022-1026rws0, ..........\n"
		"pte_table: -2, 1022-1026rws0, ..........\n"
		"pte_table: -2, 1022-1026rws0, ..........", } },
	/* MM-137, MM-215 */
	{ filling_device, fill_by_remap, {
		[KERNEL_5_14] =
		"-4, 1022-1026rws0, ..........\n"
		"pte_table: 0, 1022-1026rws0, ..........\n"
		"pte_table: -2, 1022-1026rws0, ..........\n"
		"pte_table: -2, 1022-1026rws0, ..........",
		[KERNEL_6_1] =
		"-4, 1022-1026rws0, ..........\n"
		"pte_table: 0, 1022-1026rws0, ..........\n"
		"pte_table: 0, 1022-1026rws0, ..........\n"
		"pte_table: 0, 1022-1026rws0, ..........", } },
	/* MM-217 */
	{ one_device, zap_everything, {
		[KERNEL_5_14] =
		"0, 0-6rws0, ------....", } },
	/* MM-217 */
	{ a_child, child_exits, {
		[KERNEL_5_14] =
		"0, 0-6rws0, -P---P....", } },
};

START_TEST(each_failure_leaves_what_the_kernel_leaves)
{
	static char found[4096];

	prepare = rows[_i].prepare;
	act = rows[_i].act;
	show_hooks = rows[_i].show_hooks;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++) {
		int version = kernel;

		while (version > 0 && !rows[_i].found[version])
			version--;
		collect(kernel, found, sizeof(found));
		ck_assert_msg(!strcmp(found, rows[_i].found[version]), "row %d, kernel %d:\n%s",
			      _i, kernel, found);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("mm-failures");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_failure_leaves_what_the_kernel_leaves, 0, ARRAY_SIZE(rows));
	return mm_main("mm-failures", tc);
}
