// SPDX-License-Identifier: GPL-2.0-only
/* mincore(2) and msync(2), on plain and on device memory. */
#include "mmtest.h"

static const char *resident(long page, unsigned int count)
{
	u8 vec[32] = { 0 };

	expect_long(ksys_mincore(AT(page), PAGES(count), vec), 0);
	for (unsigned int i = 0; i < count; i++)
		mm_text[i] = vec[i] ? '1' : '0';
	mm_text[count] = 0;
	return mm_text;
}

/* MM-94: the page cache counts, not the entry; a touched device page is none */
mm_test(mincore_tells_of_the_page_cache)
{
	int plain = plain_file(4), device = device_file();

	mapped(plain, 0, 4, RW, SHARED, 0);
	mapped(device, 8, 2, RW, SHARED, 0);
	mapped(ANON, 12, 2, RW, PRIVATE, 0);
	expect_long(store(1, 1) | store(9, 1) | store(13, 1), 0);
	expect_text(resident(0, 4), "0100");
	expect_long(ksys_madvise(AT(1), PAGES(1), MADV_DONTNEED), 0);
	vfiosim_expect(!present(1));
	expect_text(resident(0, 4), "0100");
	vfiosim_expect(present(9));
	expect_text(resident(8, 2), "00");
	expect_text(resident(12, 2), "01");
}

mm_test(mincore_wants_everything_mapped)
{
	u8 vec[4] = { 9, 9, 9, 9 };

	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(store(0, 1), 0);
	expect_long(ksys_mincore(AT(0) + 1, 1, vec), -EINVAL);
	expect_long(ksys_mincore(AT(0), -1UL, vec), -ENOMEM);
	expect_long(ksys_mincore(AT(0), PAGES(3), vec), -ENOMEM);
	vfiosim_expect(vec[0] == 1 && vec[1] == 0 && vec[2] == 9);
	expect_long(ksys_mincore(AT(2), 0, vec), 0);
}

/* MM-94: a device's file cannot be synchronised */
static const struct {
	const char *what;
	unsigned long addr;
	size_t len;
	int flags;
	long result;
} syncs[] = {
	{ "plain, sync", AT(0), PAGES(4), MS_SYNC, 0 },
	{ "plain, async", AT(0), PAGES(4), MS_ASYNC, 0 },
	{ "plain, invalidate", AT(0), PAGES(4), MS_INVALIDATE, 0 },
	{ "device, sync", AT(8), PAGES(4), MS_SYNC, -EINVAL },
	{ "device, async", AT(8), PAGES(4), MS_ASYNC, 0 },
	{ "private view of the device's neighbour", AT(12), PAGES(1), MS_SYNC, 0 },
	{ "both", AT(0), PAGES(4), MS_SYNC | MS_ASYNC, -EINVAL },
	{ "unknown flag", AT(0), PAGES(4), 64, -EINVAL },
	{ "unaligned", AT(0) + 1, PAGES(4), MS_SYNC, -EINVAL },
	{ "wraps", AT(0), -PAGES(1), MS_SYNC, -ENOMEM },
	{ "nothing", AT(20), 0, MS_SYNC, 0 },
	{ "hole", AT(0), PAGES(6), MS_SYNC, -ENOMEM },
	{ "hole before the device, async", AT(2), PAGES(8), MS_ASYNC, -ENOMEM },
	{ "hole before the device", AT(2), PAGES(8), MS_SYNC, -EINVAL },
};
static int row;

static void sync_body(void)
{
	mapped(plain_file(4), 0, 4, RW, SHARED, 0);
	mapped(device_file(), 8, 4, RW, SHARED, 0);
	mapped(plain_file(4), 12, 1, RW, PRIVATE, 0);
	expect_long(ksys_msync(syncs[row].addr, syncs[row].len, syncs[row].flags),
		    syncs[row].result);
}

START_TEST(msync_ends_as_in_the_kernel)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, sync_body);
}
END_TEST

/* The file's method runs without mmap_lock, once for each shared mapping. */
static int syncs_done KSTATE;

static int counting_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	vfiosim_expect(!mm->mmap_lock.readers && !mm->mmap_lock.owner);
	note("fsync(%ld-%ld)", (long)(start >> PAGE_SHIFT), (long)(end >> PAGE_SHIFT));
	syncs_done++;
	return 0;
}

mm_test(msync_asks_the_file_without_the_lock)
{
	static const struct file_operations fops = {
		.mmap = device_mmap, .fsync = counting_fsync,
	};
	int fd = device_file();

	file_of(fd)->f_op = &fops;
	mapped(fd, 0, 2, RW, SHARED, 0);
	mapped(fd, 2, 2, RW, SHARED, 8);
	noted();
	expect_long(ksys_msync(AT(1), PAGES(2), MS_SYNC), 0);
	expect_text(noted(), "fsync(1-1)fsync(8-8)");
}

int main(void)
{
	TCase *tc = tcase_create("mincore");

	add(mincore_tells_of_the_page_cache);
	add(mincore_wants_everything_mapped);
	tcase_add_loop_test(tc, msync_ends_as_in_the_kernel, 0, ARRAY_SIZE(syncs));
	add(msync_asks_the_file_without_the_lock);
	return mm_main("mincore", tc);
}
