// SPDX-License-Identifier: GPL-2.0-only
/* Plain files: size, holes, contents, seals, and what mappings see of them. */
#include "mmtest.h"

static u64 word_of(int fd, unsigned long page)
{
	u64 word = 0;

	expect_long(memfd_pread(file_of(fd), &word, sizeof(word), PAGES(page)), sizeof(word));
	return word;
}

static void put_word(int fd, unsigned long page, u64 word)
{
	expect_long(memfd_pwrite(file_of(fd), &word, sizeof(word), PAGES(page)), sizeof(word));
}

/* MM-168, MM-169, MM-246 */
mm_test(truncation_takes_private_copies_too)
{
	int fd = plain_file(4);

	mapped(fd, 0, 4, RW, SHARED, 0);
	mapped(fd, 8, 4, RW, PRIVATE, 0);
	expect_long(store(1, 1) | store(3, 3) | store(9, 9) | store(11, 11), 0);
	expect_long(memfd_truncate(file_of(fd), PAGES(2)), 0);
	expect_text(pages(12), "-F--....-A--");
	expect_long(load(3), ADRERR);
	expect_long(load(11), ADRERR);
	expect_long(memfd_truncate(file_of(fd), PAGES(4)), 0);
	expect_long(value_at(3), 0);
	expect_long(value_at(11), 0);
	expect_long(value_at(9), 9);
}

/* MM-169: the cut page keeps its head and its entries */
mm_test(a_partly_cut_page_stays_mapped)
{
	int fd = plain_file(2);
	u64 tail = 7;
	int code;

	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(store(0, 5), 0);
	expect_long(user_access(AT(0) + 2048, true, &tail, 8, &code), 0);
	expect_long(memfd_truncate(file_of(fd), 100), 0);
	expect_text(pages(2), "F-");
	expect_long(value_at(0), 5);
	expect_long(user_access(AT(0) + 2048, false, &tail, 8, &code), 0);
	expect_long(tail, 0);
	expect_long(load(1), ADRERR);
}

/* MM-170, MM-247, MM-246 */
mm_test(a_hole_rounds_inwards_and_spares_private_copies)
{
	int fd = plain_file(4);

	mapped(fd, 0, 4, RW, SHARED, 0);
	mapped(fd, 8, 4, RW, PRIVATE, 0);
	for (int page = 0; page < 4; page++)
		expect_long(store(page, page + 1), 0);
	expect_long(store(9, 99) | load(10), 0);
	expect_long(memfd_punch(file_of(fd), 1, PAGES(3) - 1), 0);
	/* The read of page 10 mapped its neighbours as well. */
	expect_text(pages(12), "F--F....FA-F");
	expect_long(value_at(0) & 0xff, 1);
	expect_long(value_at(1), 0);
	expect_long(value_at(9), 99);
	expect_long(value_at(10), 0);
	expect_long(memfd_punch(file_of(fd), PAGES(3) + 8, 16), 0);
	expect_long(value_at(3), 4);
}

/* MM-248, MM-258: a dropped entry keeps its data */
mm_test(data_outlives_its_mappings)
{
	int fd = plain_file(2);

	mapped(fd, 0, 2, RW, SHARED, 0);
	expect_long(store(1, 42), 0);
	expect_long(unmap(0, 2), 0);
	expect_long(word_of(fd, 1), 42);
	put_word(fd, 0, 43);
	mapped(fd, 0, 2, R, SHARED, 0);
	expect_long(value_at(0), 43);
	expect_long(value_at(1), 42);
}

mm_test(a_write_beyond_the_end_grows_the_file)
{
	int fd = plain_file(1), read_only = reopen(fd, O_RDONLY);
	u64 word = 1;

	put_word(fd, 3, 5);
	expect_long(word_of(fd, 2), 0);
	expect_long(word_of(fd, 3), 5);
	expect_long(memfd_pread(file_of(fd), &word, 8, PAGES(4)), 0);
	expect_long(memfd_pwrite(file_of(read_only), &word, 8, 0), -EBADF);
	expect_long(memfd_punch(file_of(read_only), 0, PAGES(1)), -EBADF);
	expect_long(memfd_punch(file_of(fd), 0, 0), -EINVAL);
	expect_long(memfd_punch(file_of(fd), LLONG_MAX - 1, 2), -EFBIG);
	expect_long(memfd_truncate(file_of(fd), -1), -EINVAL);
}

/* MM-9, MM-250: the seal sees every piece of a writable shared mapping */
mm_test(a_write_seal_waits_for_the_last_writable_piece)
{
	int fd = plain_file(8), read_only = reopen(fd, O_RDONLY);
	struct file *file = file_of(fd);

	mapped(read_only, 16, 1, R, SHARED, 0);
	mapped(fd, 0, 8, RW, SHARED, 0);
	expect_long(protect(2, 2, R), 0);
	expect_long(unmap(0, 2) | unmap(4, 4), 0);
	expect_long(move(2, 2, 2, 8), AT(8));
	expect_long(memfd_add_seals(file, F_SEAL_WRITE), -EBUSY);
	expect_long(unmap(8, 1), 0);
	expect_long(memfd_add_seals(file, F_SEAL_WRITE), -EBUSY);
	expect_long(unmap(9, 1), 0);
	expect_long(memfd_add_seals(file, F_SEAL_WRITE), 0);
	expect_long(file->f_mapping->i_mmap_writable, -1);
}

/* A failed request leaves no count behind. */
mm_test(a_failed_mmap_does_not_count_as_writable)
{
	int fd = plain_file(8);

	mapped(ANON, 0, 1, R, PRIVATE, 0);
	expect_long(ksys_mmap(AT(0), PAGES(1), RW, SHARED | MAP_FIXED_NOREPLACE, fd, 0), -EEXIST);
	get_current()->rlimit_as = PAGES(2);
	expect_long(map(fd, 8, 8, RW, SHARED, 0), -ENOMEM);
	get_current()->rlimit_as = 0;
	expect_long(memfd_add_seals(file_of(fd), F_SEAL_WRITE), 0);
}

/* Seals on size and writes. */
mm_test(seals_forbid_what_they_say)
{
	static const char two_pages[2 * PAGE_SIZE];
	int fd = plain_file(4);
	struct file *file = file_of(fd);
	u64 word = 1;

	expect_long(memfd_add_seals(file, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	/* A write asks for each page: the one that fits is written. */
	expect_long(memfd_pwrite(file, two_pages, PAGES(2), PAGES(3)), PAGES(1));
	expect_long(memfd_truncate(file, PAGES(3)), -EPERM);
	expect_long(memfd_truncate(file, PAGES(5)), -EPERM);
	expect_long(memfd_pwrite(file, &word, 8, PAGES(4)), -EPERM);
	expect_long(memfd_pwrite(file, &word, 8, 0), 8);
	expect_long(memfd_add_seals(file, F_SEAL_WRITE), 0);
	expect_long(memfd_pwrite(file, &word, 8, 0), -EPERM);
	expect_long(memfd_pwrite(file, &word, 0, 0), 0);
	expect_long(memfd_punch(file, 0, PAGES(1)), -EPERM);
	expect_long(memfd_add_seals(file, F_SEAL_SEAL), 0);
	expect_long(memfd_add_seals(file, F_SEAL_SEAL), -EPERM);
	expect_long(memfd_get_seals(file), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
		    F_SEAL_SEAL);
}

/* MM-235, MM-250: F_SEAL_FUTURE_WRITE spares what exists */
mm_test(a_future_write_seal_spares_existing_mappings)
{
	int fd = plain_file(4);

	mapped(fd, 0, 1, RW, SHARED, 0);
	expect_long(memfd_add_seals(file_of(fd), F_SEAL_FUTURE_WRITE), 0);
	expect_long(store(0, 1), 0);
	mapped(ANON, 4, 2, RW, PRIVATE, 0);
	expect_long(map(fd, 4, 2, RW, SHARED, 0), -EPERM);
	/* Inside ->mmap before 6.12: too late to keep what was there. */
	expect_layout(kernel_version < KERNEL_6_12 ? "0-1rws0" : "0-1rws0 4-6rwp");
	expect_long(map(fd, 8, 1, R, SHARED, 0), AT(8));
	expect_long(protect(8, 1, RW), -EACCES);
}

int main(void)
{
	TCase *tc = tcase_create("shmem");

	add(truncation_takes_private_copies_too);
	add(a_partly_cut_page_stays_mapped);
	add(a_hole_rounds_inwards_and_spares_private_copies);
	add(data_outlives_its_mappings);
	add(a_write_beyond_the_end_grows_the_file);
	add(a_write_seal_waits_for_the_last_writable_piece);
	add(a_failed_mmap_does_not_count_as_writable);
	add(seals_forbid_what_they_say);
	add(a_future_write_seal_spares_existing_mappings);
	return mm_main("shmem", tc);
}
