// SPDX-License-Identifier: GPL-2.0-only
/* One VMA and what it belongs to: birth, copies, counters, files, the choice of an address. */
#include "mmtest.h"

/* MM-3: hooks that are empty, not absent: absent means anonymous */
mm_test(a_new_vma_is_empty_and_not_anonymous)
{
	struct vm_area_struct *vma = vm_area_alloc(mm);

	vfiosim_expect(vma->vm_mm == mm && vma->vm_ops && !vma->vm_ops->fault);
	vfiosim_expect(!vma_is_anonymous(vma));
	vfiosim_expect(!vma->vm_start && !vma->vm_end && !vma->vm_flags && !vma->vm_file);
	vm_area_free(vma);
}

/* MM-2, MM-4: every field, but no reference, no set, no tree, no family */
mm_test(a_copy_has_every_field_and_no_place)
{
	int fd = plain_file(4);
	struct vm_area_struct *vma, *copy;
	long refs;

	mapped(fd, 0, 4, RW, PRIVATE, 2);
	expect_long(store(1, 1), 0);
	vma = vma_at(0);
	vma->vm_private_data = &mm_text;
	refs = file_count(file_of(fd));
	copy = vm_area_dup(vma);
	vfiosim_expect(copy->vm_start == vma->vm_start && copy->vm_end == vma->vm_end &&
		       copy->vm_pgoff == 2 && copy->vm_flags == vma->vm_flags);
	vfiosim_expect(copy->vm_file == vma->vm_file && copy->vm_ops == vma->vm_ops &&
		       copy->vm_private_data == vma->vm_private_data && copy->vm_mm == mm);
	expect_long(file_count(file_of(fd)), refs);
	vfiosim_expect(!copy->shared_leaf && vma_at(0) == vma);
	vfiosim_expect(vma->anon_vma_chain && !copy->anon_vma_chain);
	vm_area_free(copy);
}

/* MM-1, MM-46: what an address space counts */
mm_test(an_address_space_counts_its_pages_by_kind)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	mapped(ANON, 4, 3, R | PROT_EXEC, PRIVATE, 0);
	mapped(ANON, 8, 4, R, PRIVATE, 0);
	expect_long(mm->map_count, 3);
	expect_long(mm->total_vm, 9);
	expect_long(mm->data_vm, 2);
	expect_long(mm->exec_vm, 3);
	expect_long(mm->locked_vm, 0);
	expect_long(protect(0, 1, R | PROT_EXEC), 0);
	expect_long(mm->data_vm, 1);
	expect_long(mm->exec_vm, 4);
	/* What may be written is data, run or not. */
	mapped(ANON, 16, 1, RW | PROT_EXEC, PRIVATE, 0);
	expect_long(mm->data_vm, 2);
	expect_long(mm->exec_vm, 4);
	expect_long(unmap(0, 17), 0);
	expect_long(mm->map_count | mm->total_vm | mm->data_vm | mm->exec_vm, 0);
}

/* MM-8, MM-9: above zero so many mappings, below zero forbidden */
mm_test(i_mmap_writable_is_a_signed_counter)
{
	struct address_space *mapping = mapping_of_fd(plain_file(1));

	expect_long(mapping_map_writable(mapping), 0);
	expect_long(mapping->i_mmap_writable, 1);
	expect_long(mapping_deny_writable(mapping), -EBUSY);
	mapping_unmap_writable(mapping);
	expect_long(mapping_deny_writable(mapping), 0);
	expect_long(mapping->i_mmap_writable, -1);
	expect_long(mapping_map_writable(mapping), -EPERM);
	mapping_allow_writable(mapping);
	expect_long(mapping->i_mmap_writable, 0);
}

/* ---- two mappings behind one inode ---- */

/* A second file of @fd's inode whose pages are @other's, as device files are made. */
static int redirected(int fd, int other)
{
	struct file *file = memfd_reopen(file_of(fd), O_RDWR);
	int fresh = get_unused_fd_flags(0);

	file->f_op = &device_fops;
	file->f_mapping = mapping_of_fd(other);
	fd_install(fresh, file);
	return fresh;
}

/* MM-42, MM-43: tree and counter are f_mapping's, the limit of offsets f_inode's */
mm_test(the_tree_is_of_f_mapping_and_the_limit_of_f_inode)
{
	int inode = plain_file(0), pages = device_file(), fd = redirected(inode, pages);

	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(mapping_of_fd(pages)->i_mmap_writable, 1);
	expect_long(mapping_of_fd(inode)->i_mmap_writable, 0);
	vfiosim_expect(mapping_mapped(mapping_of_fd(pages)));
	vfiosim_expect(!mapping_mapped(mapping_of_fd(inode)));
	/* A regular file ends at 2^63; without a type it would be 2^64. */
	expect_long(map(fd, 4, 1, R, SHARED, 1UL << 51), -EOVERFLOW);
	file_inode(file_of(fd))->i_mode = 0;
	mapped(fd, 4, 1, R, SHARED, 1UL << 51);
	expect_long(map(fd, 5, 1, R, SHARED, (1UL << 52) - 1), -EOVERFLOW);
	expect_long(unmap(4, 1), 0);
	file_inode(file_of(fd))->i_mode = S_IFREG;
	expect_long(unmap(0, 2), 0);
	expect_long(mapping_of_fd(pages)->i_mmap_writable, 0);
}

/* MM-172: the file pins its own inode; nobody pins that of f_mapping */
mm_test(a_mapping_does_not_pin_the_inode_behind_f_mapping)
{
	int inode = plain_file(0), pages = device_file(), fd = redirected(inode, pages);
	struct inode *host = mapping_of_fd(pages)->host;
	int own = file_inode(file_of(fd))->i_count.counter, others = host->i_count.counter;
	long refs = file_count(file_of(fd));

	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(file_count(file_of(fd)), refs + 1);
	expect_long(host->i_count.counter, others);
	expect_long(file_inode(file_of(fd))->i_count.counter, own);
}

static void evicted_under_a_mapping(void)
{
	int inode = plain_file(0), pages = device_file(), fd = redirected(inode, pages);

	mapped(fd, 0, 2, RW, SHARED, 0);
	close_fd(pages);
	task_work_run();
}

/* MM-174, MM-175, MM-176: the last iput evicts at once, and here a mapping is left */
START_TEST(an_inode_put_too_early_is_found)
{
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm_detects(kernel, evicted_under_a_mapping, "stale-mapping");
}
END_TEST

/* MM-57, MM-173: release comes last of all, without the lock, when the tree is empty */
static bool released KSTATE;

static int noting_release(struct inode *inode, struct file *file)
{
	note("release");
	released = true;
	vfiosim_expect(!mm->mmap_lock.owner && !mm->mmap_lock.readers);
	vfiosim_expect(!mapping_mapped(file->f_mapping));
	return 0;
}

mm_test(release_runs_on_the_way_back_to_user_mode)
{
	static const struct file_operations fops = {
		.mmap = device_mmap, .release = noting_release,
	};
	int fd = device_file();

	released = false;
	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, RW, SHARED, 0);
	close_fd(fd);
	task_work_run();
	vfiosim_expect(!released);
	noted();
	expect_long(unmap(0, 2), 0);
	expect_text(noted(), "close(0-2)");
	vfiosim_expect(!released);
	task_work_run();
	expect_text(noted(), "release");
}

/* ---- where a mapping goes (MM-21) ---- */

static unsigned long own_area(struct file *file, unsigned long addr, unsigned long len,
			      unsigned long pgoff, unsigned long flags)
{
	return flags & MAP_FIXED ? addr : AT(100 + pgoff);
}

mm_test(a_file_may_choose_the_address_itself)
{
	static const struct file_operations fops = {
		.mmap = device_mmap, .get_unmapped_area = own_area,
	};
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	expect_long(ksys_mmap(0, PAGES(1), R, MAP_SHARED, fd, PAGES(7)), AT(107));
	expect_long(ksys_mmap(AT(3) + 1, PAGES(1), R, MAP_SHARED | MAP_FIXED, fd, 0), -EINVAL);
}

static const struct {
	const char *what;
	unsigned long addr;
	unsigned long len;
	unsigned long flags;
	bool privileged;
	long result;
} places[] = {
	{ "longer than the address space", 0, 1UL << 47, 0, false, -ENOMEM },
	{ "beyond the end", 0x7ffffffff000, 4096, MAP_FIXED, false, -ENOMEM },
	{ "unaligned", 0x200000000001, 4096, MAP_FIXED, false, -EINVAL },
	{ "below the minimum", 4096, 4096, MAP_FIXED, false, -EPERM },
	{ "below it with the right", 4096, 4096, MAP_FIXED, true, 4096 },
	{ "the last page", 0x7fffffffe000, 4096, MAP_FIXED, false, 0x7fffffffe000 },
	{ "a hint below the minimum is raised", 4096, 4096, 0, false, 65536 },
};
static int row;

static void place_body(void)
{
	static struct cred nobody;

	if (!places[row].privileged)
		get_current()->cred = &nobody;
	expect_long(ksys_mmap(places[row].addr, places[row].len, R,
			      MAP_PRIVATE | MAP_ANONYMOUS | places[row].flags, -1, 0),
		    places[row].result);
	get_current()->cred = NULL;
}

/* MM-21, MM-22 */
START_TEST(addresses_are_checked_as_in_the_kernel)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, place_body);
}
END_TEST

#define MIB (1UL << 20)

/* MM-23, MM-24: with no room below mmap_base the search goes up from a third */
mm_test(without_room_below_the_search_goes_up)
{
	unsigned long third = PAGE_ALIGN(mm->task_size / 3);

	mm->mmap_base = PAGES(4);
	expect_long(ksys_mmap(0, PAGES(8), R, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), third);
	expect_long(ksys_mmap(0, PAGES(8), R, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		    third + PAGES(8));
	mm->mmap_base = PAGES(40);
	expect_long(ksys_mmap(0, PAGES(8), R, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), PAGES(32));
}

/* MM-26: 6.12 aligns what has whole huge pages, but no plain file and no odd length */
mm_test(large_mappings_are_aligned_since_6_12)
{
	int device = device_file(), plain = plain_file(2048);
	unsigned long flags = MAP_SHARED, odd, whole, memfd, hinted;

	odd = ksys_mmap(0, 3 * MIB, R, flags, device, 0);
	whole = ksys_mmap(0, 4 * MIB, R, flags, device, 0);
	memfd = ksys_mmap(0, 4 * MIB, R, flags, plain, 0);
	hinted = ksys_mmap(AT(3), 4 * MIB, R, flags, device, 0);
	expect_long(odd, mm->mmap_base - 3 * MIB);
	if (kernel_version >= KERNEL_6_12) {
		expect_long(whole % (2 * MIB), 0);
		vfiosim_expect(whole + 4 * MIB <= odd && odd - whole < 6 * MIB + 1);
	} else {
		expect_long(whole, odd - 4 * MIB);
	}
	expect_long(memfd, whole - 4 * MIB);
	expect_long(hinted, AT(3));
}

int main(void)
{
	TCase *tc = tcase_create("vma_model");

	add(a_new_vma_is_empty_and_not_anonymous);
	add(a_copy_has_every_field_and_no_place);
	add(an_address_space_counts_its_pages_by_kind);
	add(i_mmap_writable_is_a_signed_counter);
	add(the_tree_is_of_f_mapping_and_the_limit_of_f_inode);
	add(a_mapping_does_not_pin_the_inode_behind_f_mapping);
	tcase_add_test(tc, an_inode_put_too_early_is_found);
	add(release_runs_on_the_way_back_to_user_mode);
	add(a_file_may_choose_the_address_itself);
	tcase_add_loop_test(tc, addresses_are_checked_as_in_the_kernel, 0, ARRAY_SIZE(places));
	add(without_room_below_the_search_goes_up);
	add(large_mappings_are_aligned_since_6_12);
	return mm_main("vma_model", tc);
}
