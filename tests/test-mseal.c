// SPDX-License-Identifier: GPL-2.0-only
/* mseal(2): what is sealed stays as it is, and zaps go on working (MM-266). */
#include "mmtest.h"

#define SEALS_SINCE KERNEL_6_12

/* A test in each version that has mseal(2). */
#define seal_test(name)								\
	static void name##_body(void);						\
	START_TEST(name)							\
	{									\
		assert_mm(SEALS_SINCE + _i, name##_body);			\
	}									\
	END_TEST								\
	static void name##_body(void)

#define add_seal(name)								\
	tcase_add_loop_test(tc, name, 0, KERNEL_6_18 - SEALS_SINCE + 1)

static long seal(long page, unsigned long count)
{
	return ksys_mseal(AT(page), PAGES(count), 0);
}

static const struct {
	const char *what;
	unsigned long addr;
	unsigned long len;
	unsigned long flags;
	long result;
} requests[] = {
	{ "flags", AT(0), PAGES(1), 1, -EINVAL },
	{ "unaligned", AT(0) + 1, PAGES(1), 0, -EINVAL },
	{ "a length that wraps", AT(0), -1UL, 0, -EINVAL },
	{ "an end that wraps", -PAGE_SIZE, PAGES(2), 0, -EINVAL },
	{ "no length", AT(0), 0, 0, 0 },
	{ "a hole behind", AT(2), PAGES(4), 0, -ENOMEM },
	{ "nothing there", AT(20), PAGES(1), 0, -ENOMEM },
};
static int row;

static void request_body(void)
{
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	expect_long(ksys_mseal(requests[row].addr, requests[row].len, requests[row].flags),
		    kernel_version < SEALS_SINCE ? -ENOSYS : requests[row].result);
	expect_layout("0-4rwp");
	expect_long(unmap(0, 4), 0);
}

/* MM-266 */
START_TEST(a_request_that_fails_seals_nothing)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, request_body);
}
END_TEST

static void sealed_middle(void)
{
	mapped(ANON, 0, 6, RW, PRIVATE, 0);
	expect_long(store(2, 7), 0);
	expect_long(seal(2, 2), 0);
	expect_layout("0-2rwp 2-4rwp 4-6rwp");
	mapped(ANON, 10, 2, R, PRIVATE, 0);
}

static long unmap_inside(void)
{
	return unmap(3, 1);
}

static long unmap_across(void)
{
	return unmap(1, 4);
}

static long map_over(void)
{
	return map(ANON, 2, 1, R, PRIVATE, 0);
}

static long protect_same(void)
{
	return protect(2, 2, RW);
}

static long protect_across(void)
{
	return protect(1, 2, R);
}

static long move_away(void)
{
	return move(2, 2, 2, 16);
}

static long move_onto(void)
{
	return move(10, 2, 2, 3);
}

static long move_neighbours(void)
{
	return move(0, 4, 4, 16);
}

static long resize_to_the_same(void)
{
	return ksys_mremap(AT(2), PAGES(2), PAGES(2), 0, 0);
}

static long resize_to_less(void)
{
	return ksys_mremap(AT(0), PAGES(4), PAGES(1), 0, 0);
}

static const struct {
	const char *what;
	long (*act)(void);
	const char *layout[2];		/* 6.12, 6.18; NULL: the same */
	long result[2];
} changes[] = {
	{ "munmap of a part", unmap_inside, { "0-2rwp 2-4rwp 4-6rwp" }, { -EPERM } },
	/* The cut at the start comes first, and stays. */
	{ "munmap across", unmap_across, { "0-1rwp 1-2rwp 2-4rwp 4-6rwp" }, { -EPERM } },
	{ "MAP_FIXED", map_over, { "0-2rwp 2-4rwp 4-6rwp" }, { -EPERM } },
	{ "mprotect that changes nothing", protect_same, { "0-2rwp 2-4rwp 4-6rwp" }, { -EPERM } },
	{ "mprotect across", protect_across, { "0-1rwp 1-2r-p 2-4rwp 4-6rwp" }, { -EPERM } },
	{ "mremap", move_away, { "0-2rwp 2-4rwp 4-6rwp" }, { -EPERM } },
	{ "mremap onto it", move_onto, { "0-2rwp 2-4rwp 4-6rwp" }, { -EPERM } },
	/* Several mappings move one after the other, up to the sealed one. */
	{ "mremap across", move_neighbours,
	  { "0-2rwp 2-4rwp 4-6rwp", "2-4rwp 4-6rwp 16-18rwp" }, { -EFAULT, -EPERM } },
	{ "mremap that changes nothing", resize_to_the_same, { "0-2rwp 2-4rwp 4-6rwp" },
	  { -EPERM } },
	{ "mremap that cuts it off", resize_to_less, { "0-1rwp 1-2rwp 2-4rwp 4-6rwp" },
	  { -EPERM } },
};

static void change_body(void)
{
	const unsigned int newer = kernel_version >= KERNEL_6_18 && changes[row].layout[1];

	sealed_middle();
	expect_long(changes[row].act(), changes[row].result[newer]);
	expect_long(unmap(10, 2), 0);
	expect_layout(changes[row].layout[newer]);
	expect_long(value_at(2), 7);
}

/* MM-266 */
START_TEST(sealed_memory_is_neither_unmapped_nor_changed_nor_moved)
{
	row = _i;
	for (int kernel = SEALS_SINCE; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, change_body);
}
END_TEST

static const struct {
	const char *what;
	int prot;
	bool plain;
	int advice;
	long result;
} advised[] = {
	{ "DONTNEED of memory that nobody may write", R, false, MADV_DONTNEED, -EPERM },
	{ "DONTFORK of it", R, false, MADV_DONTFORK, -EPERM },
	{ "WIPEONFORK of it", R, false, MADV_WIPEONFORK, -EPERM },
	{ "RANDOM of it", R, false, MADV_RANDOM, 0 },
	{ "DONTNEED of what may be written anyway", RW, false, MADV_DONTNEED, 0 },
	{ "DONTNEED of a file", R, true, MADV_DONTNEED, 0 },
};

static void advised_body(void)
{
	int fd = advised[row].plain ? plain_file(2) : ANON;

	mapped(fd, 0, 2, RW, PRIVATE, 0);
	expect_long(store(0, 5), 0);
	expect_long(protect(0, 2, advised[row].prot), 0);
	expect_long(seal(0, 2), 0);
	expect_long(ksys_madvise(AT(0), PAGES(2), advised[row].advice), advised[row].result);
	expect_long(value_at(0), advised[row].advice == MADV_DONTNEED && !advised[row].result ?
		    0 : 5);
}

/* MM-266 */
START_TEST(what_nobody_may_write_is_not_thrown_away_either)
{
	row = _i;
	for (int kernel = SEALS_SINCE; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, advised_body);
}
END_TEST

/* MM-266: a seal is about the mapping; the driver takes its memory away all the same */
seal_test(a_zap_clears_a_sealed_mapping)
{
	int fd = device_file();

	mapped(fd, 0, 4, RW, SHARED, 0);
	expect_long(store(1, 1) | store(2, 1), 0);
	expect_long(seal(0, 2), 0);
	expect_layout("0-2rws0 2-4rws2");
	unmap_mapping_range(mapping_of_fd(fd), 0, 0, 1);
	expect_text(pages(4), "----");
	expect_long(store(1, 1), 0);
	expect_text(pages(4), "-P--");
}

seal_test(a_child_inherits_the_seal)
{
	struct mm_struct *child = mm_alloc();

	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(seal(0, 1), 0);
	expect_long(dup_mmap(child, mm), 0);
	act_in(child);
	expect_long(unmap(0, 2), -EPERM);
	expect_long(unmap(1, 1), 0);
	act_in(mm);
	mmput(child);
	expect_long(unmap(0, 1), -EPERM);
}

seal_test(sealed_neighbours_join)
{
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	expect_long(seal(0, 1), 0);
	expect_long(seal(2, 2), 0);
	expect_layout("0-1rwp 1-2rwp 2-4rwp");
	expect_long(seal(0, 4), 0);
	expect_layout("0-4rwp");
}

int main(void)
{
	TCase *tc = tcase_create("mseal");

	tcase_add_loop_test(tc, a_request_that_fails_seals_nothing, 0, ARRAY_SIZE(requests));
	tcase_add_loop_test(tc, sealed_memory_is_neither_unmapped_nor_changed_nor_moved, 0,
			    ARRAY_SIZE(changes));
	tcase_add_loop_test(tc, what_nobody_may_write_is_not_thrown_away_either, 0,
			    ARRAY_SIZE(advised));
	add_seal(a_zap_clears_a_sealed_mapping);
	add_seal(a_child_inherits_the_seal);
	add_seal(sealed_neighbours_join);
	return mm_main("mseal", tc);
}
