// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants of address spaces hold in an ordinary life, and each of them
 * sees what breaks it: a field is spoilt by hand, and asked, and mended.
 */
#include "mmtest.h"

static int device KSTATE, plain KSTATE;

/* Three VMAs of a device and two of a plain file, with entries in each. */
static void populate(void)
{
	device = device_file();
	plain = plain_file(8);
	mapped(device, 0, 6, RW, SHARED, 0);
	expect_long(protect(2, 2, R), 0);
	mapped(plain, 8, 4, RW, SHARED, 0);
	mapped(plain, 16, 4, RW, PRIVATE, 4);
	expect_long(store(0, 1) | store(1, 1) | store(5, 1) | store(9, 1) | store(17, 1), 0);
}

static int first_broken(void)
{
	const void *object;
	const struct invariant *broken = mm_invariants_broken(&object);

	return broken ? broken->number : 0;
}

static pte_t *entry_at(long page)
{
	return radix_find(&mm->pgd, AT(page) >> PAGE_SHIFT);
}

static struct inode *plain_inode(void)
{
	return mapping_of_fd(plain)->host;
}

/* ---- each spoils something, or mends it again ---- */

static void map_count(bool spoil)
{
	mm->map_count += spoil ? 1 : -1;
}

static void total_vm(bool spoil)
{
	mm->total_vm += spoil ? 1 : -1;
}

static void overlap(bool spoil)
{
	vma_at(8)->vm_end += spoil ? PAGES(5) : -PAGES(5);
}

static void f_mapping(bool spoil)
{
	static struct address_space *right KSTATE;
	struct file *file = vma_at(8)->vm_file;

	if (spoil)
		right = file->f_mapping;
	file->f_mapping = spoil ? mapping_of_fd(device) : right;
}

static void key(bool spoil)
{
	vma_at(18)->vm_pgoff += spoil ? 1 : -1;
}

static void file_reference(bool spoil)
{
	vma_at(8)->vm_file->f_count.counter += spoil ? -2 : 2;
}

static void writable(bool spoil)
{
	mapping_of_fd(plain)->i_mmap_writable += spoil ? 1 : -1;
}

static void write_bit(bool spoil)
{
	static unsigned int right KSTATE;
	struct vm_area_struct *vma = vma_at(5);

	if (spoil)
		right = vma->vm_flags;
	vma->vm_flags = spoil ? right & ~VM_WRITE : right;
}

static void wrong_page(bool spoil)
{
	*entry_at(1) += spoil ? 1 : -1;
}

static void entry_outside(bool spoil)
{
	pte_t entry = *entry_at(9);

	*entry_at(9) = *entry_at(7);
	*entry_at(7) = entry;
}

static void device_flags(bool spoil)
{
	vma_at(0)->vm_flags ^= VM_DONTEXPAND;
}

static void opens(bool spoil)
{
	device_vmas_open += spoil ? 1 : -1;
}

static void evicted(bool spoil)
{
	plain_inode()->i_state ^= I_CLEAR;
}

static const struct {
	int number;
	void (*change)(bool spoil);
} ways[] = {
	{ 1, map_count },	/* MM-1, MM-219 */
	{ 1, total_vm },	/* MM-219 */
	{ 1, overlap },		/* MM-2, MM-219 */
	{ 2, f_mapping },	/* MM-42, MM-220 */
	{ 3, key },		/* MM-221 */
	{ 4, file_reference },	/* MM-222 */
	{ 5, writable },	/* MM-8, MM-223 */
	{ 6, write_bit },	/* MM-224 */
	{ 6, wrong_page },	/* MM-224 */
	{ 6, entry_outside },	/* MM-224 */
	{ 7, device_flags },	/* MM-225 */
	{ 8, opens },		/* MM-226 */
	{ 10, evicted },	/* MM-228 */
};
static int row;

static void spoil_body(void)
{
	populate();
	expect_long(first_broken(), 0);
	ways[row].change(true);
	expect_long(first_broken(), ways[row].number);
	ways[row].change(false);
	expect_long(first_broken(), 0);
}

START_TEST(each_invariant_sees_what_breaks_it)
{
	row = _i;
	assert_mm(KERNEL_5_14, spoil_body);
	assert_mm(KERNEL_6_18, spoil_body);
}
END_TEST

/* MM-230: who holds the lock is in the middle of something, and not asked. */
mm_test(a_locked_address_space_is_not_asked)
{
	populate();
	mmap_write_lock(mm);
	map_count(true);
	expect_long(first_broken(), 0);
	map_count(false);
	mmap_write_unlock(mm);
}

/* What is out of sight may be just what a predicate would miss. */
mm_test(nothing_is_concluded_from_more_objects_than_a_view_holds)
{
	populate();
	for (long page = 0; page < VIEW_MAX; page++)
		mapped(plain, 100 + 2 * page, 1, RW, SHARED, 0);
	expect_long(first_broken(), 0);
	map_count(true);
	expect_long(first_broken(), 0);
	for (long page = 0; page < 8; page++)
		expect_long(unmap(100 + 2 * page, 1), 0);
	map_count(false);
	expect_long(first_broken(), 0);
	map_count(true);
	expect_long(first_broken(), 1);
	map_count(false);
}

/* MM-231: a zap leaves all but entries and counters of pages as it was */
mm_test(a_zap_changes_entries_and_nothing_else)
{
	struct vm_area_struct before[8], *vma;
	unsigned int n = 0;
	long refs;

	populate();
	refs = file_count(file_of(device));
	for (vma = find_vma(mm, 0); vma; vma = vma_next(vma))
		before[n++] = *vma;
	unmap_mapping_range(mapping_of_fd(device), 0, 0, 1);
	unmap_mapping_range(mapping_of_fd(plain), 0, 0, 1);
	n = 0;
	for (vma = find_vma(mm, 0); vma; vma = vma_next(vma), n++)
		vfiosim_expect(!memcmp(&before[n], vma, sizeof(*vma)));
	expect_long(mm->map_count, n);
	expect_long(file_count(file_of(device)), refs);
	expect_long(mapping_of_fd(plain)->i_mmap_writable, 1);
	expect_long(mm->rss_file, 0);
	expect_text(pages(20), "------..----....----");
}

/* MM-232: two devices, each with a tree of its own */
mm_test(a_zap_of_one_device_spares_the_other)
{
	int other;

	populate();
	other = device_file();
	mapped(other, 24, 2, RW, SHARED, 0);
	expect_long(store(24, 1), 0);
	unmap_mapping_range(mapping_of_fd(device), 0, 0, 1);
	vfiosim_expect(present(24) && !present(1) && !present(5));
	unmap_mapping_range(mapping_of_fd(other), 0, 0, 1);
	vfiosim_expect(!present(24) && present(9));
}

int main(void)
{
	TCase *tc = tcase_create("invariants_mm");

	tcase_add_loop_test(tc, each_invariant_sees_what_breaks_it, 0, ARRAY_SIZE(ways));
	add(a_locked_address_space_is_not_asked);
	add(nothing_is_concluded_from_more_objects_than_a_view_holds);
	add(a_zap_changes_entries_and_nothing_else);
	add(a_zap_of_one_device_spares_the_other);
	return mm_main("invariants_mm", tc);
}
