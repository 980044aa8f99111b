// SPDX-License-Identifier: GPL-2.0-only
/* unmap_mapping_range(): its arithmetic, whom it reaches, what it leaves alone. */
#include "mmtest.h"

#define ALL (~0ULL)

/* F.4 of the specification, all columns. */
static const struct vector {
	s64 begin;
	s64 len;
	u64 range[4][2];	/* 64-bit 5.14, 64-bit 6.12, 32-bit 5.14, 32-bit 6.12 */
} vectors[] = {
#define SAME(first, last) { first, last }, { first, last }
#define MAX32 0xffffffffULL
	{ 0, 0, { SAME(0, ALL), SAME(0, MAX32) } },
	{ 0, 1, { SAME(0, 0), SAME(0, 0) } },
	{ 0, 0x1001, { SAME(0, 1), SAME(0, 1) } },
	{ 0x1000, 0, { SAME(1, ALL), SAME(1, MAX32) } },
	{ 0x1800, 0x1000, { SAME(1, 1), SAME(1, 1) } },
	{ 0x1fff, 2, { SAME(1, 1), SAME(1, 1) } },
	{ 0, 6LL << 40, { SAME(0, 0x5fffffff), { 0, 0x5fffffff }, { 0, MAX32 } } },
	{ 1LL << 40, 1LL << 40, { SAME(0x10000000, 0x1fffffff),
				  { 0x10000000, 0x1fffffff }, { 0, MAX32 } } },
	{ (2LL << 40) + 0x3000, 0x5000, { SAME(0x20000003, 0x20000007),
					  { 0x20000003, 0x20000007 }, { 3, 7 } } },
	{ (2LL << 40) + 0x3000, 0, { SAME(0x20000003, ALL),
				     { 0x20000003, MAX32 }, { 3, MAX32 } } },
	{ 0, 0x7fffffffffffffff, { SAME(0, 0x7ffffffffffff), SAME(0, MAX32) } },
	{ 0x7ffffffffffff000, 0x2000, { SAME(0x7ffffffffffff, 0x8000000000000),
					{ MAX32, MAX32 }, { 0xfffff, MAX32 } } },
	{ 0x5000, -1, { SAME(5, ALL), SAME(5, MAX32) } },
	{ 0x5000, -4096, { SAME(5, 0x10000000000003), { 5, MAX32 }, { 5, 0x100003 } } },
	{ -4096, 4096, { { ALL, ALL }, { 0xfffffffffffff, 0xfffffffffffff },
			 { MAX32, MAX32 }, { 0xfffff, 0xfffff } } },
	{ (1LL << 44) - 4096, 8192, { SAME(0xffffffff, 0x100000000),
				      { MAX32, MAX32 }, { 0xfffff, MAX32 } } },
	{ 1LL << 44, 4096, { SAME(0x100000000, 0x100000000), SAME(0, MAX32) } },
};
static int row;

/* MM-152, MM-153, MM-154, MM-155, MM-156, VF-183 */
static void vector_body(void)
{
	const struct vector *vector = &vectors[row];
	u64 first, last;

	for (int bits = 64; bits; bits = bits == 64 ? 32 : 0) {
		int column = (bits == 32) * 2 + (kernel_version >= KERNEL_6_1);

		unmap_hole(vector->begin, vector->len, bits, &first, &last);
		if (first != vector->range[column][0] || last != vector->range[column][1])
			eng_fail("expectation", NULL, "column %d: %llx-%llx, not %llx-%llx",
				 column, first, last, vector->range[column][0],
				 vector->range[column][1]);
	}
}

START_TEST(the_range_is_that_of_the_kernel)
{
	row = _i;
	assert_mm(KERNEL_5_14, vector_body);
	assert_mm(KERNEL_6_12, vector_body);
}
END_TEST

static void touch(long first, long count)
{
	for (long page = first; page < first + count; page++)
		expect_long(store(page, page + 1), 0);
}

/* MM-157, MM-162: clipped to each VMA, nothing else changes (I-13) */
mm_test(exactly_the_pages_in_the_range_go)
{
	int fd = plain_file(16);
	struct vm_area_struct before;

	mapped(fd, 0, 8, RW, SHARED, 0);
	mapped(fd, 10, 6, RW, SHARED, 4);
	touch(0, 8);
	touch(10, 6);
	before = *vma_at(0);
	unmap_mapping_range(mapping_of_fd(fd), PAGES(3), PAGES(3), 1);
	expect_text(pages(16), "FFF---FF..--FFFF");
	vfiosim_expect(!memcmp(&before, vma_at(0), sizeof(before)));
	expect_layout("0-8rws0 10-16rws4");
}

/* MM-159, MM-161 */
mm_test(private_copies_go_only_if_asked)
{
	int fd = plain_file(8);

	mapped(fd, 0, 4, RW, PRIVATE, 0);
	touch(0, 2);
	expect_long(load(2), 0);
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 0);
	expect_text(pages(4), "AA--");
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 1);
	expect_text(pages(4), "----");
	expect_long(value_at(0), 0);
}

/* MM-159: entries without a page go in any case */
mm_test(device_entries_go_whatever_even_cows_says)
{
	int fd = device_file();

	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(load(1), 0);
	expect_text(pages(4), "-P--");
	unmap_mapping_range(mapping_of_fd(fd), 0, PAGES(4), 0);
	expect_text(pages(4), "----");
}

/* MM-163, MM-164: whoever shows the file, however it came to that */
mm_test(every_kind_of_mapping_is_reached)
{
	int fd = device_file(), other = ksys_dup(fd);
	struct address_space *mapping = mapping_of_fd(fd);

	mapped(fd, 0, 4, RW, SHARED, 0);
	mapped(other, 8, 4, RW, SHARED, 0);
	touch(0, 4);
	touch(8, 4);
	expect_long(move(8, 4, 4, 16), AT(16));
	expect_long(protect(1, 1, PROT_NONE), 0);
	expect_long(close_fd(fd) | close_fd(other), 0);
	unmap_mapping_range(mapping, 0, 0, 1);
	expect_text(pages(20), "----............----");
	expect_layout("0-1rws0 1-2--s1 2-4rws2 16-20rws0");
}

/* MM-163: another file's mappings are out of reach (I-14) */
mm_test(another_device_is_left_alone)
{
	int fd = device_file(), other = device_file();

	mapped(fd, 0, 2, RW, SHARED, 0);
	mapped(other, 2, 2, RW, SHARED, 0);
	touch(0, 4);
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 1);
	expect_text(pages(4), "--PP");
}

/* MM-164: a forked child */
mm_test(a_forked_child_is_reached)
{
	int fd = device_file();
	struct mm_struct *child = mm_alloc();

	mapped(fd, 0, 4, RW, SHARED, 0);
	touch(0, 4);
	expect_long(dup_mmap(child, mm), 0);
	vfiosim_expect(user_page_present(child, AT(3)));
	unmap_mapping_range(mapping_of_fd(fd), PAGES(3), 0, 1);
	vfiosim_expect(user_page_present(child, AT(2)));
	vfiosim_expect(!user_page_present(child, AT(3)));
	mmput(child);
}

/* MM-166 */
mm_test(pages_count_zero_means_to_the_end)
{
	int fd = device_file();

	mapped(fd, 0, 4, RW, SHARED, 8);
	touch(0, 4);
	unmap_mapping_pages(mapping_of_fd(fd), 9, 1, true);
	expect_text(pages(4), "P-PP");
	unmap_mapping_pages(mapping_of_fd(fd), 10, 0, true);
	expect_text(pages(4), "P---");
}

/* MM-150: a driver that rewrites vm_pgoff changes where a zap finds it */
static int rewriting_mmap(struct file *file, struct vm_area_struct *vma)
{
	int ret = device_fops.mmap(file, vma);

	vma->vm_pgoff += 1000;
	return ret;
}

mm_test(a_rewritten_pgoff_is_the_key)
{
	static const struct file_operations fops = { .mmap = rewriting_mmap };
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, RW, SHARED, 0);
	touch(0, 2);
	unmap_mapping_range(mapping_of_fd(fd), 0, PAGES(2), 1);
	expect_text(pages(2), "PP");
	unmap_mapping_range(mapping_of_fd(fd), PAGES(1000), PAGES(2), 1);
	expect_text(pages(2), "--");
}

/* MM-151: BAR offsets of region << 40 */
mm_test(the_zap_of_all_bars_ends_before_the_rom)
{
	int fd = device_file();
	const unsigned long bar5 = 5UL << 28, rom = 6UL << 28;

	mapped(fd, 0, 1, RW, SHARED, bar5 + 0xfffffff);
	mapped(fd, 1, 1, RW, SHARED, rom);
	touch(0, 2);
	unmap_mapping_range(mapping_of_fd(fd), 0, 6LL << 40, 1);
	expect_text(pages(2), "-P");
}

static void zap_and_truncate(void)
{
	int fd = plain_file(4);

	mapped(fd, 0, 4, RW, PRIVATE, 0);
	expect_long(store(3, 1), 0);
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 1);
	vfiosim_say("zapped");
	expect_long(memfd_truncate(file_of(fd), PAGES(1)), 0);
}

/* MM-168, MM-171: truncation makes two passes, the zap of a device one */
START_TEST(a_truncation_makes_two_passes_and_a_zap_one)
{
	assert_mm(KERNEL_5_14, zap_and_truncate);
	ck_assert_uint_eq(simtest_trace_count("unmap_mapping_pages"), 1 + 2);
}
END_TEST

/* MM-160, MM-161: what is swapped out is passed over up to 5.14 */
mm_test(a_swapped_copy_survives_a_zap_up_to_5_14)
{
	int fd = plain_file(4);

	swap_enabled = true;
	mapped(fd, 0, 4, RW, PRIVATE, 0);
	expect_long(store(1, 5) | store(2, 6), 0);
	expect_long(ksys_madvise(AT(1), PAGES(1), MADV_PAGEOUT), 0);
	expect_text(pages(4), "--A-");
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 0);
	expect_long(value_at(1), 5);
	expect_long(mm->maj_flt, 1);
	expect_long(ksys_madvise(AT(1), PAGES(1), MADV_PAGEOUT), 0);
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 1);
	expect_long(value_at(1), kernel_version < KERNEL_6_1 ? 5 : 0);
	expect_long(value_at(2), 0);
}

/* What is swapped out is copied by fork, moved, protected and unmapped like the rest. */
mm_test(a_swapped_page_is_private_memory_all_the_same)
{
	struct mm_struct *child = mm_alloc();

	swap_enabled = true;
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(store(0, 5) | store(1, 6), 0);
	expect_long(ksys_madvise(AT(0), PAGES(2), MADV_PAGEOUT), 0);
	expect_long(mm->rss_anon, 0);
	expect_long(protect(0, 2, R) | protect(0, 2, RW), 0);
	expect_long(dup_mmap(child, mm), 0);
	expect_long(move(0, 2, 2, 8), AT(8));
	expect_long(store(8, 7), 0);
	expect_long(value_at(8), 7);
	expect_long(value_at(9), 6);
	act_in(child);
	expect_long(value_at(0), 5);
	act_in(mm);
	mmput(child);
	expect_long(mm->rss_anon, 2);
}

int main(void)
{
	TCase *tc = tcase_create("unmap");

	tcase_add_loop_test(tc, the_range_is_that_of_the_kernel, 0, ARRAY_SIZE(vectors));
	add(a_swapped_copy_survives_a_zap_up_to_5_14);
	add(a_swapped_page_is_private_memory_all_the_same);
	tcase_add_test(tc, a_truncation_makes_two_passes_and_a_zap_one);
	add(exactly_the_pages_in_the_range_go);
	add(private_copies_go_only_if_asked);
	add(device_entries_go_whatever_even_cows_says);
	add(every_kind_of_mapping_is_reached);
	add(another_device_is_left_alone);
	add(a_forked_child_is_reached);
	add(pages_count_zero_means_to_the_end);
	add(a_rewritten_pgoff_is_the_key);
	add(the_zap_of_all_bars_ends_before_the_rom);
	return mm_main("unmap", tc);
}
