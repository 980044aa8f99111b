// SPDX-License-Identifier: GPL-2.0-only
/* Accesses, faults and signals; what drivers insert; fault-around. */
#include "mmtest.h"

/* MM-112, MM-113, MM-251 */
mm_test(signals_say_what_was_wrong)
{
	int fd = plain_file(2);

	mapped(fd, 0, 4, RW, SHARED, 0);
	mapped(fd, 8, 1, R, SHARED, 0);
	mapped(fd, 9, 1, PROT_NONE, SHARED, 1);
	mapped(fd, 10, 1, PROT_WRITE, SHARED, 0);
	mapped(fd, 11, 1, R, SHARED, 5);
	expect_long(load(20), MAPERR);
	expect_long(store(8, 1), ACCERR);
	expect_long(load(9), ACCERR);
	expect_long(load(10), 0);
	expect_long(load(2), ADRERR);
	/* A permission fault goes before the end of the file. */
	expect_long(store(11, 1), ACCERR);
}

/* MM-6, MM-124: one fault, then none */
mm_test(a_read_fault_in_a_writable_shared_mapping_is_enough)
{
	int fd = plain_file(4);
	unsigned long faults;

	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(load(1), 0);
	faults = mm->min_flt;
	expect_long(store(1, 4), 0);
	expect_long(load(1), 0);
	expect_long(mm->min_flt, faults);
}

/* MM-116 */
mm_test(failing_faults_are_not_counted)
{
	int fd = device_file();

	mapped(fd, 0, 1, RW, SHARED, 0);
	device_off = true;
	expect_long(load(0), ADRERR);
	expect_long(mm->min_flt, 0);
	device_off = false;
	expect_long(load(0), 0);
	expect_long(mm->min_flt, 1);
}

/* MM-126, MM-252: the window of a read fault */
static const struct {
	const char *what;
	long start;
	unsigned long count;
	long touched;
	bool write;
	const char *found;	/* pages start to start + 39 of the mapping */
} windows[] = {
	{ "aligned group", 0, 40, 17, false, "----------------FFFFFFFFFFFFFFFF--------" },
	{ "from the start of the mapping", 9, 31, 11, false,
	  ".........FFFFFFFFFFFFFFFF---------------" },
	{ "cut by its end", 0, 20, 17, false, "----------------FFFF...................." },
	{ "a write maps only its page", 0, 40, 17, true,
	  "-----------------F----------------------" },
};
static int row;

static void window_body(void)
{
	int fd = plain_file(64);
	u64 word = 1;

	for (int page = 0; page < 64; page++)
		memfd_pwrite(file_of(fd), &word, sizeof(word), PAGES(page));
	mapped(fd, windows[row].start, windows[row].count, RW, SHARED, windows[row].start);
	expect_long(windows[row].write ? store(windows[row].touched, 1) :
					 load(windows[row].touched), 0);
	expect_text(pages(40), windows[row].found);
}

START_TEST(a_read_fault_maps_cached_neighbours)
{
	row = _i;
	assert_mm(KERNEL_5_14, window_body);
	assert_mm(KERNEL_6_18, window_body);
}
END_TEST

/* MM-126: only pages that the cache has */
mm_test(holes_are_not_mapped_around)
{
	int fd = plain_file(16);
	u64 word = 1;

	memfd_pwrite(file_of(fd), &word, sizeof(word), PAGES(3));
	mapped(fd, 0, 16, R, SHARED, 0);
	expect_long(load(5), 0);
	expect_text(pages(16), "---F-F----------");
}

/* MM-121, MM-158 of copies: isolation of private pages */
mm_test(a_private_write_copies_the_page)
{
	int fd = plain_file(4);

	mapped(fd, 0, 4, RW, SHARED, 0);
	mapped(fd, 8, 4, RW, PRIVATE, 0);
	expect_long(store(1, 11), 0);
	expect_long(value_at(9), 11);
	expect_long(store(9, 22), 0);
	expect_long(value_at(1), 11);
	expect_long(value_at(9), 22);
	expect_long(store(1, 33), 0);
	expect_long(value_at(9), 22);
	expect_text(pages(12), "-F--....-A--");
}

mm_test(reading_fresh_memory_maps_the_zero_page)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(value_at(0), 0);
	expect_text(pages(2), "Z-");
	vfiosim_expect(!find_vma(mm, AT(0))->anon_vma_chain);
	expect_long(store(0, 5), 0);
	expect_text(pages(2), "A-");
	expect_long(value_at(0), 5);
}

mm_test(where_the_zero_page_is_forbidden_a_read_gets_a_page_at_once)
{
	zeropage_forbidden = true;
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(value_at(0), 0);
	expect_text(pages(2), "A-");
	vfiosim_expect(find_vma(mm, AT(0))->anon_vma_chain != NULL);
}

/* Bytes behind the first eight of a page. */
mm_test(a_page_keeps_all_of_its_bytes)
{
	struct mm_struct *child = mm_alloc();
	u64 value = 0x1122334455667788ULL;
	int code;

	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(user_access(AT(0) + 4088, true, &value, 8, &code), 0);
	expect_long(dup_mmap(child, mm), 0);
	value = 0;
	expect_long(user_access(AT(0) + 4088, true, &value, 4, &code), 0);
	expect_long(user_access(AT(0) + 4088, false, &value, 8, &code), 0);
	vfiosim_expect(value == 0x1122334400000000ULL);
	act_in(child);
	expect_long(user_access(AT(0) + 4088, false, &value, 8, &code), 0);
	vfiosim_expect(value == 0x1122334455667788ULL);
	act_in(mm);
	mmput(child);
}

/* MM-129, VF-184: what is there stays, even another pfn */
static unsigned long next_pfn KSTATE;

static vm_fault_t changing_fault(struct vm_fault *vmf)
{
	vm_fault_t first = vmf_insert_pfn(vmf->vma, vmf->address, ++next_pfn);
	vm_fault_t second = vmf_insert_pfn(vmf->vma, vmf->address, ++next_pfn);

	vfiosim_expect(first == VM_FAULT_NOPAGE && second == VM_FAULT_NOPAGE);
	/* MM-128, MM-130 */
	vfiosim_expect(vmf_insert_pfn(vmf->vma, vmf->vma->vm_end, 1) == VM_FAULT_SIGBUS);
	vfiosim_expect(vmf_insert_pfn(vmf->vma, vmf->vma->vm_start, 77) == VM_FAULT_NOPAGE);
	return VM_FAULT_NOPAGE;
}

static int changing_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = changing_fault };

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	return 0;
}

static void insert_twice_body(void)
{
	static const struct file_operations fops = { .mmap = changing_mmap };
	int fd = device_file();
	pte_t *pte;

	file_of(fd)->f_op = &fops;
	next_pfn = 100;
	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(load(1), 0);
	pte = radix_find(&mm->pgd, AT(1) >> PAGE_SHIFT);
	expect_long(pte_pfn(*pte), 101);
	pte = radix_find(&mm->pgd, AT(0) >> PAGE_SHIFT);
	expect_long(pte_pfn(*pte), 77);
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 1);
}

START_TEST(vmf_insert_pfn_leaves_a_present_entry_alone)
{
	assert_mm(KERNEL_5_14, insert_twice_body);
}
END_TEST

/* MM-41, MM-133, MM-135, MM-139 */
mm_test(remap_pfn_range_fills_and_marks_the_mapping)
{
	int fd = device_file();

	device_fills_whole = true;
	mapped(fd, 0, 3, RW, SHARED, 2);
	expect_text(pages(4), "PPP.");
	expect_long(vma_at(0)->vm_flags & (VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP),
		    VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	expect_long(vma_at(0)->vm_pgoff, 2);
}

/* MM-136 */
static int twice_mmap(struct file *file, struct vm_area_struct *vma)
{
	remap_pfn_range(vma, vma->vm_start, 1, PAGE_SIZE, vma->vm_page_prot);
	return remap_pfn_range(vma, vma->vm_start, 1, PAGE_SIZE, vma->vm_page_prot);
}

static void remap_twice_body(void)
{
	static const struct file_operations fops = { .mmap = twice_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	map(fd, 0, 2, RW, SHARED, 0);
}

START_TEST(remapping_a_populated_entry_is_a_bug)
{
	assert_mm_detects(KERNEL_5_14, remap_twice_body, "bug");
	assert_mm_detects(KERNEL_6_18, remap_twice_body, "bug");
}
END_TEST

/* MM-134: a private mapping only whole; vm_pgoff becomes the pfn */
static int partly_mmap(struct file *file, struct vm_area_struct *vma)
{
	vfiosim_expect(remap_pfn_range(vma, vma->vm_start, 5, PAGE_SIZE, vma->vm_page_prot) ==
		       -EINVAL);
	return remap_pfn_range(vma, vma->vm_start, 5, PAGES(2), vma->vm_page_prot);
}

static void private_remap_body(void)
{
	static const struct file_operations fops = { .mmap = partly_mmap };
	int fd = plain_file(4);

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, R, PRIVATE, 0);
	expect_long(vma_at(0)->vm_pgoff, 5);
	expect_long(unmap(0, 2), 0);
}

START_TEST(a_private_remap_covers_the_whole_mapping)
{
	assert_mm(KERNEL_5_14, private_remap_body);
}
END_TEST

/* MM-123, I-11 */
static vm_fault_t idle_fault(struct vm_fault *vmf)
{
	return VM_FAULT_NOPAGE;
}

static int idle_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = idle_fault };

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	return 0;
}

static void idle_body(void)
{
	static const struct file_operations fops = { .mmap = idle_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, R, SHARED, 0);
	load(0);
}

START_TEST(a_handler_that_inserts_nothing_is_found)
{
	assert_mm_detects(KERNEL_5_14, idle_body, "endless-fault");
}
END_TEST

/* MM-127 */
static int plain_flags_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &device_vm_ops;
	return 0;
}

static void no_pfnmap_body(void)
{
	static const struct file_operations fops = { .mmap = plain_flags_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, R, SHARED, 0);
	load(0);
}

START_TEST(inserting_a_pfn_into_a_plain_mapping_is_a_bug)
{
	assert_mm_detects(KERNEL_5_14, no_pfnmap_body, "bug");
}
END_TEST

/* MM-125 */
mm_test(a_special_entry_becomes_writable_without_the_driver)
{
	int fd = device_file();

	mapped(fd, 0, 1, R, SHARED, 0);
	expect_long(load(0), 0);
	vma_at(0)->vm_flags |= VM_WRITE;
	noted();
	expect_long(store(0, 1), 0);
	expect_text(noted(), "");
}

/* ---- what ->fault may return ---- */

#define SIGBUS_POISON (7 | 4 << 8)

static const struct {
	const char *what;
	vm_fault_t fault;	/* twice; then the page is there */
	int access;
	long on_behalf;		/* of fixup_user_fault(), for the first fault */
	unsigned long major;
} endings[] = {
	{ "SIGBUS", VM_FAULT_SIGBUS, ADRERR, -EFAULT, 0 },
	{ "SIGSEGV", VM_FAULT_SIGSEGV, MAPERR, -EFAULT, 0 },
	{ "HWPOISON", VM_FAULT_HWPOISON, SIGBUS_POISON, -EFAULT, 0 },
	{ "OOM", VM_FAULT_OOM, 0, -ENOMEM, 0 },
	{ "RETRY", VM_FAULT_RETRY, 0, 0, 1 },
	{ "NOPAGE", VM_FAULT_NOPAGE, 0, 0, 0 },
};
static unsigned int faults_taken KSTATE;

static vm_fault_t scripted_fault(struct vm_fault *vmf)
{
	struct mm_struct *space = vmf->vma->vm_mm;

	vfiosim_expect(space->mmap_lock.readers == 1);
	if (faults_taken)
		vfiosim_expect(!(vmf->flags & FAULT_FLAG_TRIED) ==
			       (endings[row].fault != VM_FAULT_RETRY));
	if (faults_taken++ >= 2)
		return vmf_insert_pfn(vmf->vma, vmf->address, DEVICE_PFN + vmf->pgoff);
	/* MM-132: whatever is inserted, the flags of the VMA stay */
	if (endings[row].fault == VM_FAULT_RETRY)
		mmap_read_unlock(space);
	return endings[row].fault;
}

static int scripted_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = scripted_fault };

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	return 0;
}

static void ending_body(void)
{
	static const struct file_operations fops = { .mmap = scripted_mmap };
	int fd = device_file();
	unsigned int flags;

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, RW, SHARED, 0);
	flags = vma_at(0)->vm_flags;
	faults_taken = 0;
	expect_long(load(0), endings[row].access);
	expect_long(present(0), !endings[row].access);
	expect_long(mm->maj_flt, endings[row].major);
	vfiosim_expect(!mm->mmap_lock.readers);
	expect_long(vma_at(0)->vm_flags, flags);
}

/* MM-114, MM-116, MM-132 */
START_TEST(what_the_handler_says_decides_over_the_access)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, ending_body);
}
END_TEST

static void on_behalf_body(void)
{
	static const struct file_operations fops = { .mmap = scripted_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, R, SHARED, 0);
	faults_taken = 0;
	mmap_read_lock(mm);
	expect_long(fixup_user_fault(mm, AT(0), 0), endings[row].on_behalf);
	expect_long(fixup_user_fault(mm, AT(0), FAULT_FLAG_WRITE), -EFAULT);
	expect_long(fixup_user_fault(mm, AT(9), 0), -EFAULT);
	if (endings[row].fault != VM_FAULT_RETRY)
		mmap_read_unlock(mm);
}

/* MM-115: an errno, never a signal */
START_TEST(a_fault_for_somebody_else_ends_in_an_errno)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, on_behalf_body);
}
END_TEST

/* MM-117 */
START_TEST(the_bits_of_a_result_are_the_kernels)
{
	static const struct { vm_fault_t is, should; } bits[] = {
		{ VM_FAULT_OOM, 1 }, { VM_FAULT_SIGBUS, 2 }, { VM_FAULT_MAJOR, 4 },
		{ VM_FAULT_WRITE, 8 }, { VM_FAULT_HWPOISON, 0x10 }, { VM_FAULT_SIGSEGV, 0x40 },
		{ VM_FAULT_NOPAGE, 0x100 }, { VM_FAULT_LOCKED, 0x200 },
		{ VM_FAULT_RETRY, 0x400 }, { VM_FAULT_FALLBACK, 0x800 },
		{ VM_FAULT_DONE_COW, 0x1000 }, { VM_FAULT_COMPLETED, 0x4000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		ck_assert_uint_eq(bits[i].is, bits[i].should);
}
END_TEST

/* MM-122: neither a page nor NOPAGE */
static vm_fault_t forgetful_fault(struct vm_fault *vmf)
{
	return 0;
}

static int forgetful_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = forgetful_fault };

	vma->vm_ops = &ops;
	return 0;
}

static void forgetful_body(void)
{
	static const struct file_operations fops = { .mmap = forgetful_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 1, R, SHARED, 0);
	load(0);
}

START_TEST(a_handler_that_sets_no_page_is_a_bug)
{
	assert_mm_detects(KERNEL_5_14, forgetful_body, "bug");
	assert_mm_detects(KERNEL_6_18, forgetful_body, "bug");
}
END_TEST

/* MM-120: without ->fault an absent entry is SIGBUS, a present one is looked at again */
static int hookless_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops;

	vma->vm_ops = &ops;
	return remap_pfn_range(vma, vma->vm_start, DEVICE_PFN, PAGE_SIZE, vma->vm_page_prot);
}

mm_test(without_a_handler_only_what_is_there_can_be_read)
{
	static const struct file_operations fops = { .mmap = hookless_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, R, SHARED, 0);
	expect_long(load(0), 0);
	expect_long(load(1), ADRERR);
	mmap_read_lock(mm);
	expect_long(handle_mm_fault(vma_at(1), AT(1), 0), VM_FAULT_SIGBUS);
	mmap_read_unlock(mm);
	expect_long(unmap(0, 2), 0);
}

/* MM-119: what the handler is told */
static vm_fault_t telling_fault(struct vm_fault *vmf)
{
	vfiosim_expect(vmf->address == AT(2) && vmf->pgoff == 7 + 2);
	vfiosim_expect(vmf->flags & FAULT_FLAG_USER && vmf->flags & FAULT_FLAG_WRITE);
	return VM_FAULT_SIGBUS;
}

static int telling_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = telling_fault };

	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	return 0;
}

mm_test(the_handler_is_told_the_page_and_its_place_in_the_file)
{
	static const struct file_operations fops = { .mmap = telling_mmap };
	u64 value = 1;
	int code, fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 4, RW, SHARED, 7);
	expect_long(user_access(AT(2) + 40, true, &value, 8, &code), 7);
}

int main(void)
{
	TCase *tc = tcase_create("fault");

	tcase_add_loop_test(tc, what_the_handler_says_decides_over_the_access, 0,
			    ARRAY_SIZE(endings));
	tcase_add_loop_test(tc, a_fault_for_somebody_else_ends_in_an_errno, 0,
			    ARRAY_SIZE(endings));
	tcase_add_test(tc, the_bits_of_a_result_are_the_kernels);
	tcase_add_test(tc, a_handler_that_sets_no_page_is_a_bug);
	add(without_a_handler_only_what_is_there_can_be_read);
	add(the_handler_is_told_the_page_and_its_place_in_the_file);

	add(signals_say_what_was_wrong);
	add(a_read_fault_in_a_writable_shared_mapping_is_enough);
	add(failing_faults_are_not_counted);
	tcase_add_loop_test(tc, a_read_fault_maps_cached_neighbours, 0, ARRAY_SIZE(windows));
	add(holes_are_not_mapped_around);
	add(a_private_write_copies_the_page);
	add(reading_fresh_memory_maps_the_zero_page);
	add(where_the_zero_page_is_forbidden_a_read_gets_a_page_at_once);
	add(a_page_keeps_all_of_its_bytes);
	tcase_add_test(tc, vmf_insert_pfn_leaves_a_present_entry_alone);
	add(remap_pfn_range_fills_and_marks_the_mapping);
	tcase_add_test(tc, remapping_a_populated_entry_is_a_bug);
	tcase_add_test(tc, a_private_remap_covers_the_whole_mapping);
	tcase_add_test(tc, a_handler_that_inserts_nothing_is_found);
	tcase_add_test(tc, inserting_a_pfn_into_a_plain_mapping_is_a_bug);
	add(a_special_entry_becomes_writable_without_the_driver);
	return mm_main("fault", tc);
}
