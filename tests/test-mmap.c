// SPDX-License-Identifier: GPL-2.0-only
/* mmap(2): the errno matrix, the choice of an address, what a failure leaves behind. */
#include "mmtest.h"

enum which { NONE, GOOD, READ_ONLY, WRITE_ONLY, UNMAPPABLE, CLOSED };

/* MM-15, MM-16, MM-18, MM-234: the first failing test decides. */
static const struct {
	const char *what;
	enum which file;
	unsigned long addr;
	unsigned long len;
	int prot;
	int flags;
	unsigned long offset;
	int error;
} refusals[] = {
	{ "unaligned offset before a bad descriptor", CLOSED, AT(8), 4096, R, SHARED, 1, EINVAL },
	{ "bad descriptor before length 0", CLOSED, AT(8), 0, R, SHARED, 0, EBADF },
	{ "MAP_HUGETLB on a plain file", GOOD, AT(8), 4096, R, SHARED | MAP_HUGETLB, 0, EINVAL },
	{ "length 0", GOOD, AT(8), 0, R, SHARED, 0, EINVAL },
	{ "length that wraps", GOOD, AT(8), -1UL, R, SHARED, 0, ENOMEM },
	{ "length beyond the address space", GOOD, 0, 1UL << 47, R, SHARED, 0, ENOMEM },
	{ "fixed address unaligned", GOOD, AT(8) + 1, 4096, R, SHARED | MAP_FIXED, 0, EINVAL },
	{ "fixed address too high", GOOD, 1UL << 47, 4096, R, SHARED | MAP_FIXED, 0, ENOMEM },
	{ "occupied, read-only descriptor", READ_ONLY, AT(0), 4096, RW,
	  SHARED | MAP_FIXED_NOREPLACE, 0, EEXIST },
	{ "occupied, unmappable file", UNMAPPABLE, AT(0), 4096, R,
	  SHARED | MAP_FIXED_NOREPLACE, 0, EEXIST },
	{ "offset too large, unmappable file", UNMAPPABLE, AT(8), 4096, R, SHARED,
	  0x7ffffffffffff000UL, EOVERFLOW },
	{ "offset too large", GOOD, AT(8), 4096, R, SHARED, 0x7ffffffffffff000UL, EOVERFLOW },
	{ "validated type with an unknown flag", GOOD, AT(8), 4096, R,
	  MAP_SHARED_VALIDATE | MAP_FIXED_NOREPLACE, 0, EOPNOTSUPP },
	{ "shared writable, read-only descriptor", READ_ONLY, AT(8), 4096, RW, SHARED, 0, EACCES },
	{ "write-only descriptor, PROT_NONE", WRITE_ONLY, AT(8), 4096, 0, SHARED, 0, EACCES },
	{ "write-only descriptor, private", WRITE_ONLY, AT(8), 4096, 0, PRIVATE, 0, EACCES },
	{ "no mmap method", UNMAPPABLE, AT(8), 4096, R, SHARED, 0, ENODEV },
	{ "file that grows down", GOOD, AT(8), 4096, R, SHARED | MAP_GROWSDOWN, 0, EINVAL },
	{ "no type", GOOD, AT(8), 4096, R, 0, 0, EINVAL },
	{ "anonymous, validated type", NONE, AT(8), 4096, R,
	  MAP_SHARED_VALIDATE | MAP_ANONYMOUS, 0, EINVAL },
	{ "anonymous, no type", NONE, AT(8), 4096, R, MAP_ANONYMOUS, 0, EINVAL },
	{ "anonymous, shared, grows down", NONE, AT(8), 4096, R,
	  SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, 0, EINVAL },
};
static int row;

static int file_for(enum which which)
{
	static const struct file_operations no_methods;
	int fd = plain_file(8);

	switch (which) {
	case READ_ONLY:
		return reopen(fd, O_RDONLY);
	case WRITE_ONLY:
		return reopen(fd, O_WRONLY);
	case UNMAPPABLE:
		file_of(fd)->f_op = &no_methods;
		return fd;
	case CLOSED:
		return 63;
	default:
		return which == NONE ? ANON : fd;
	}
}

static void refusal_body(void)
{
	int old = plain_file(4);

	mapped(old, 0, 4, RW, SHARED, 0);
	expect_long(store(1, 5), 0);
	expect_long(ksys_mmap(refusals[row].addr, refusals[row].len, refusals[row].prot,
			      refusals[row].flags, file_for(refusals[row].file),
			      refusals[row].offset), -refusals[row].error);
	expect_layout("0-4rws0");
	expect_text(pages(4), "-F--");
}

START_TEST(refused_requests_change_nothing)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, refusal_body);
}
END_TEST

/* MM-17, MM-235: an early error keeps the old mapping under MAP_FIXED */
mm_test(an_early_error_keeps_what_was_mapped)
{
	int fd = plain_file(4), read_only = reopen(fd, O_RDONLY);

	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(map(read_only, 1, 2, RW, SHARED, 0), -EACCES);
	expect_layout("0-4rws0");
}

/* MM-16: MAP_SHARED drops unknown flags */
mm_test(an_old_style_shared_mapping_ignores_unknown_flags)
{
	int fd = plain_file(4);

	expect_long(map(fd, 0, 1, R, SHARED | MAP_SYNC, 0), AT(0));
}

/* MM-15 row 8, MM-254: one more than the limit can exist */
mm_test(the_map_limit_is_one_too_high)
{
	mapped(ANON, 0, 1, R, PRIVATE, 0);
	sysctl_max_map_count = 2;
	mapped(ANON, 2, 1, R, PRIVATE, 0);
	mapped(ANON, 4, 1, R, PRIVATE, 0);
	expect_long(map(ANON, 6, 1, R, PRIVATE, 0), -ENOMEM);
	expect_long(map(ANON, 4, 1, RW, PRIVATE, 0), -ENOMEM);
	expect_layout("0-1r-p 2-3r-p 4-5r-p");
}

static unsigned long place(unsigned long hint, unsigned long count)
{
	return ksys_mmap(hint, PAGES(count), R, PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* MM-23, MM-25, MM-237 */
mm_test(the_highest_hole_is_taken)
{
	unsigned long first = place(0, 4), second = place(0, 4), third = place(0, 2);

	expect_long(first, mm->mmap_base - PAGES(4));
	expect_long(second, first - PAGES(4));
	expect_long(third, second - PAGES(2));
	expect_long(ksys_munmap(second, PAGES(4)), 0);
	expect_long(place(0, 8), third - PAGES(8));
	expect_long(place(0, 3), second + PAGES(1));
}

/* MM-22 */
mm_test(a_hint_is_rounded_down_and_used_only_if_free)
{
	expect_long(place(AT(4) + 123, 2), AT(4));
	vfiosim_expect(place(AT(5), 1) > AT(64));
	expect_long(place(PAGE_SIZE, 1), mmap_min_addr);
}

/* MM-24 */
mm_test(without_room_below_the_search_goes_up)
{
	const unsigned long size = mm->task_size >> PAGE_SHIFT;

	mm->mmap_base = mmap_min_addr + PAGES(2);
	expect_long(place(0, 4), PAGE_ALIGN(mm->task_size / 3));
	expect_long(place(0, 4), PAGE_ALIGN(mm->task_size / 3) + PAGES(4));
	expect_long(place(0, size - size / 3), -ENOMEM);
}

/* MM-18: regular files end at LLONG_MAX, an anonymous inode's at the last index */
mm_test(how_far_a_file_reaches_depends_on_its_type)
{
	const unsigned long last = (1UL << 51) - 1;
	int plain = plain_file(1), device;

	device = anon_inode_getfd("[device]", &device_fops, NULL, O_RDWR);
	expect_long(map(plain, 0, 1, R, SHARED, last), -EOVERFLOW);
	mapped(plain, 0, 1, R, SHARED, last - 1);
	expect_long(map(plain, 1, 2, R, SHARED, last - 1), -EOVERFLOW);
	expect_long(map(device, 2, 1, R, SHARED, 2 * last + 1), -EOVERFLOW);
	mapped(device, 2, 1, R, SHARED, 2 * last);
}

/* MM-39, MM-204, MM-235 */
mm_test(a_driver_that_refuses_leaves_a_hole)
{
	int old = plain_file(4), fd = device_file();
	struct file *file = file_of(fd);
	long refs = file_count(file);

	mapped(old, 0, 4, RW, SHARED, 0);
	device_mmap_error = -EINVAL;
	expect_long(map(fd, 1, 2, RW, SHARED, 0), -EINVAL);
	expect_layout("0-1rws0 3-4rws3");
	expect_text(noted(), "mmap(1-3)");
	expect_long(file_count(file), refs);
	expect_long(file->f_mapping->i_mmap_writable, 0);
}

/* MM-39: what a driver had filled in before it refused is zapped, and close is not called */
static int filling_and_failing_mmap(struct file *file, struct vm_area_struct *vma)
{
	device_fills_whole = true;
	expect_long(device_fops.mmap(file, vma), 0);
	vfiosim_expect(user_page_present(mm, vma->vm_start));
	return -EIO;
}

mm_test(what_a_refusing_driver_filled_in_is_zapped)
{
	static const struct file_operations fops = { .mmap = filling_and_failing_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	expect_long(map(fd, 0, 2, RW, SHARED, 0), -EIO);
	expect_text(noted(), "mmap(0-2)");
	expect_layout("2-4rwp");
	vfiosim_expect(!user_page_present(mm, AT(0)) && !user_page_present(mm, AT(1)));
}

/* MM-40: 5.14 forgets the charge of a refused private writable request */
mm_test(a_refused_private_request_loses_its_charge_in_5_14)
{
	int fd = device_file();

	device_mmap_error = -ENODEV;
	expect_long(map(fd, 0, 2, RW, PRIVATE, 0), -ENODEV);
	expect_long(vm_committed_as, kernel_version == KERNEL_5_14 ? 2 : 0);
	vm_committed_as = 0;
}

/* MM-27, MM-44, MM-200, MM-236, MM-261 */
mm_test(the_address_space_limit_leaves_halves_in_6_12)
{
	mapped(ANON, 0, 4, R, PRIVATE, 0);
	get_current()->rlimit_as = PAGES(5);
	expect_long(map(ANON, 2, 5, R, PRIVATE, 0), -ENOMEM);
	if (kernel_version < KERNEL_6_12)
		expect_layout("0-4r-p");
	else
		expect_layout("0-2r-p 2-4r-p");
	mapped(ANON, 2, 3, R, PRIVATE, 0);
	get_current()->rlimit_as = 0;
}

/* MM-29, MM-202 */
mm_test(a_commit_failure_comes_after_the_old_mapping_went_only_before_6_12)
{
	mapped(ANON, 0, 4, R, PRIVATE, 0);
	vm_commit_limit = 1;
	expect_long(map(ANON, 0, 4, RW, PRIVATE, 0), -ENOMEM);
	expect_layout(kernel_version < KERNEL_6_12 ? "" : "0-4r-p");
	expect_long(map(ANON, 0, 4, RW, PRIVATE | MAP_NORESERVE, 0), AT(0));
}

/* MM-28, MM-44, MM-255 */
mm_test(a_refused_cut_is_enomem_before_6_12)
{
	int fd = device_file();

	mapped(fd, 0, 4, RW, SHARED, 0);
	device_refuses_split = -EINVAL;
	expect_long(map(ANON, 1, 1, R, PRIVATE, 0),
		    kernel_version < KERNEL_6_12 ? -ENOMEM : -EINVAL);
	expect_layout("0-4rws0");
}

/* MM-14, MM-44: where close of the replaced mapping runs */
mm_test(close_of_what_is_replaced_runs_before_the_new_mmap)
{
	int fd = device_file();

	mapped(fd, 0, 4, RW, SHARED, 0);
	noted();
	mapped(fd, 0, 4, RW, SHARED, 8);
	expect_text(noted(), "close(0-4)mmap(0-4)");
}

/* MM-3: a driver that leaves vm_ops alone gets SIGBUS, never zero pages */
static int lazy_mmap(struct file *file, struct vm_area_struct *vma)
{
	return 0;
}

mm_test(a_driver_without_vm_ops_gives_sigbus)
{
	static const struct file_operations lazy = { .mmap = lazy_mmap };
	int fd = plain_file(4);

	file_of(fd)->f_op = &lazy;
	mapped(fd, 0, 4, RW, SHARED, 0);
	vfiosim_expect(vma_at(0)->vm_ops != NULL);
	expect_long(load(1), ADRERR);
}

/* MM-19, MM-20 */
mm_test(vm_shared_means_a_writable_descriptor)
{
	int fd = plain_file(4), read_only = reopen(fd, O_RDONLY);

	mapped(fd, 0, 1, R, SHARED, 0);
	mapped(read_only, 1, 1, R, SHARED, 0);
	mapped(read_only, 2, 1, RW, PRIVATE, 0);
	vfiosim_expect(vma_at(0)->vm_flags & VM_SHARED);
	expect_long(vma_at(0)->vm_flags & (VM_READ | VM_WRITE | VM_EXEC | VM_MAYREAD |
					   VM_MAYWRITE | VM_MAYEXEC),
		    VM_READ | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC);
	expect_long(vma_at(1)->vm_flags & (VM_SHARED | VM_MAYSHARE | VM_MAYWRITE), VM_MAYSHARE);
	vfiosim_expect(!is_cow_mapping(vma_at(0)->vm_flags));
	vfiosim_expect(!is_cow_mapping(vma_at(1)->vm_flags));
	vfiosim_expect(is_cow_mapping(vma_at(2)->vm_flags));
	expect_long(mapping_of_fd(fd)->i_mmap_writable, 1);
}

/* MM-34 */
mm_test(two_shared_anonymous_mappings_never_join)
{
	mapped(ANON, 0, 2, RW, SHARED, 0);
	mapped(ANON, 2, 2, RW, SHARED, 0);
	expect_layout("0-2rws0 2-4rws0");
}

/* MM-38 */
mm_test(a_locked_device_mapping_is_not_locked)
{
	int fd = device_file();

	mapped(fd, 0, 2, RW, SHARED | MAP_LOCKED, 0);
	vfiosim_expect(!(vma_at(0)->vm_flags & VM_LOCKED));
	mapped(ANON, 4, 2, RW, PRIVATE | MAP_LOCKED, 0);
	vfiosim_expect(vma_at(4)->vm_flags & VM_LOCKED);
	expect_long(mm->locked_vm, 2);
}

/* MM-94: MAP_POPULATE skips device memory */
mm_test(populate_skips_device_memory)
{
	int fd = plain_file(4), device = device_file();

	mapped(fd, 0, 2, RW, SHARED | MAP_POPULATE, 0);
	mapped(device, 2, 2, RW, SHARED | MAP_POPULATE, 0);
	expect_text(pages(4), "FF--");
}

/* MM-32, MM-203, MM-235, MM-250 */
mm_test(a_write_sealed_file_cannot_be_mapped_writable)
{
	int fd = plain_file(4);

	expect_long(memfd_add_seals(file_of(fd), F_SEAL_WRITE), 0);
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	expect_long(map(fd, 1, 2, RW, SHARED, 0), -EPERM);
	expect_layout(kernel_version < KERNEL_6_1 ? "0-1rwp 3-4rwp" : "0-4rwp");
	expect_long(map(fd, 8, 2, R, SHARED, 0),
		    kernel_version < KERNEL_6_1 ? -EPERM : (long)AT(8));
}

/* MM-15 rows 15, 16 and 18: what the inode and the mount forbid */
mm_test(inode_and_mount_may_forbid_a_mapping)
{
	int fd = plain_file(4), readonly = reopen(fd, O_RDONLY);
	struct file *file = file_of(fd);

	file_inode(file)->i_flags = S_SWAPFILE;
	expect_long(map(fd, 0, 1, RW, SHARED, 0), -ETXTBSY);
	mapped(fd, 0, 1, R, SHARED, 0);
	mapped(fd, 0, 1, RW, PRIVATE, 0);
	/* Rows 14, 15, 16 in this order. */
	file_inode(file)->i_flags = S_SWAPFILE | S_APPEND;
	expect_long(map(readonly, 0, 1, RW, SHARED, 0), -EACCES);
	expect_long(map(fd, 0, 1, RW, SHARED, 0), -ETXTBSY);
	file_inode(file)->i_flags = S_APPEND;
	expect_long(map(fd, 0, 1, R, SHARED, 0), -EACCES);
	mapped(readonly, 0, 1, R, SHARED, 0);
	mapped(fd, 0, 1, RW, PRIVATE, 0);
	file_inode(file)->i_flags = 0;
	file->f_path.mnt->mnt_flags |= MNT_NOEXEC;
	expect_long(map(fd, 0, 1, R | PROT_EXEC, PRIVATE, 0), -EPERM);
	mapped(fd, 0, 1, R, PRIVATE, 0);
	expect_long(protect(0, 1, R | PROT_EXEC), -EACCES);
	file->f_path.mnt->mnt_flags &= ~MNT_NOEXEC;
}

int main(void)
{
	TCase *tc = tcase_create("mmap");

	tcase_add_loop_test(tc, refused_requests_change_nothing, 0, ARRAY_SIZE(refusals));
	add(inode_and_mount_may_forbid_a_mapping);
	add(an_early_error_keeps_what_was_mapped);
	add(an_old_style_shared_mapping_ignores_unknown_flags);
	add(the_map_limit_is_one_too_high);
	add(the_highest_hole_is_taken);
	add(a_hint_is_rounded_down_and_used_only_if_free);
	add(without_room_below_the_search_goes_up);
	add(how_far_a_file_reaches_depends_on_its_type);
	add(a_driver_that_refuses_leaves_a_hole);
	add(what_a_refusing_driver_filled_in_is_zapped);
	add(a_refused_private_request_loses_its_charge_in_5_14);
	add(the_address_space_limit_leaves_halves_in_6_12);
	add(a_commit_failure_comes_after_the_old_mapping_went_only_before_6_12);
	add(a_refused_cut_is_enomem_before_6_12);
	add(close_of_what_is_replaced_runs_before_the_new_mmap);
	add(a_driver_without_vm_ops_gives_sigbus);
	add(vm_shared_means_a_writable_descriptor);
	add(two_shared_anonymous_mappings_never_join);
	add(a_locked_device_mapping_is_not_locked);
	add(populate_skips_device_memory);
	add(a_write_sealed_file_cannot_be_mapped_writable);
	return mm_main("mmap", tc);
}
