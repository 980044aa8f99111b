// SPDX-License-Identifier: GPL-2.0-only
/* mlock(2) and its relatives: flags, limits, and the pages that they bring in. */
#include "mmtest.h"

/* MM-94: plain memory is locked and brought in; device memory is left as it is */
mm_test(plain_memory_is_locked_and_device_memory_is_not)
{
	int plain = plain_file(4), device = device_file();

	mapped(plain, 0, 4, RW, SHARED, 0);
	mapped(device, 8, 4, RW, SHARED, 0);
	expect_long(ksys_mlock(AT(1), PAGES(2)), 0);
	expect_layout("0-1rws0 1-3rws1 3-4rws3 8-12rws0");
	vfiosim_expect(vma_at(1)->vm_flags & VM_LOCKED);
	expect_text(pages(4), "-FF-");
	expect_long(ksys_mlock(AT(8), PAGES(4)), 0);
	vfiosim_expect(!(vma_at(8)->vm_flags & VM_LOCKED));
	vfiosim_expect(!present(8));
	expect_long(mm->locked_vm, 2);
	expect_long(ksys_munlock(AT(0), PAGES(4)), 0);
	expect_layout("0-4rws0 8-12rws0");
	expect_long(mm->locked_vm, 0);
}

static const struct {
	const char *what;
	long page;
	unsigned long count;
	long mlock;
	long munlock;
} ranges[] = {
	{ "nothing there", 20, 1, -ENOMEM, -ENOMEM },
	{ "a hole behind", 2, 4, -ENOMEM, -ENOMEM },
	{ "no length", 20, 0, 0, 0 },
	{ "no rights", 8, 1, -ENOMEM, 0 },
	{ "behind the end of the file", 12, 1, -ENOMEM, 0 },
};
static int row;

static void range_body(void)
{
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	mapped(ANON, 8, 1, PROT_NONE, PRIVATE, 0);
	mapped(plain_file(0), 12, 1, RW, SHARED, 0);
	expect_long(ksys_mlock(AT(ranges[row].page), PAGES(ranges[row].count)), ranges[row].mlock);
	expect_long(ksys_munlock(AT(ranges[row].page), PAGES(ranges[row].count)),
		    ranges[row].munlock);
	expect_long(mm->locked_vm, 0);
}

START_TEST(what_cannot_be_locked_is_enomem)
{
	row = _i;
	for (int kernel = 0; kernel <= KERNEL_6_18; kernel++)
		assert_mm(kernel, range_body);
}
END_TEST

/* What comes before a hole stays locked. */
mm_test(a_hole_leaves_what_lies_before_it_locked)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(ksys_mlock(AT(0), PAGES(3)), -ENOMEM);
	vfiosim_expect(vma_at(0)->vm_flags & VM_LOCKED);
	expect_long(mm->locked_vm, 2);
	expect_long(unmap(0, 1), 0);
	expect_long(mm->locked_vm, 1);
}

/* MM-15 row 11, MM-83: the limit, for mlock, mmap and mremap */
mm_test(the_limit_counts_what_is_locked_already_once)
{
	static struct cred nobody;

	get_current()->cred = &nobody;
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	mapped(ANON, 8, 4, RW, PRIVATE, 0);
	memlock_limit = PAGES(4);
	expect_long(ksys_mlock(AT(0), PAGES(4)), 0);
	expect_long(ksys_mlock(AT(0), PAGES(4)), 0);
	expect_long(ksys_mlock(AT(8), PAGES(1)), -ENOMEM);
	expect_long(map(ANON, 16, 1, RW, PRIVATE | MAP_LOCKED, 0), -EAGAIN);
	expect_long(move(0, 4, 5, 24), -EAGAIN);
	expect_long(move(0, 4, 4, 24), AT(24));
	expect_long(mm->locked_vm, 4);
	memlock_limit = 0;
	expect_long(ksys_mlock(AT(8), PAGES(1)), -EPERM);
	expect_long(ksys_mlockall(MCL_CURRENT), -EPERM);
	get_current()->cred = NULL;
}

/* MM-96: the child's copy is not locked, and counts from zero */
mm_test(a_child_starts_unlocked)
{
	struct mm_struct *child = mm_alloc();

	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(ksys_mlock(AT(0), PAGES(2)), 0);
	expect_long(dup_mmap(child, mm), 0);
	act_in(child);
	vfiosim_expect(!(vma_at(0)->vm_flags & VM_LOCKED));
	expect_long(child->locked_vm, 0);
	act_in(mm);
	mmput(child);
}

/* MM-65: VM_LOCKED keeps neighbours apart; MM-94: locked memory is not dropped */
mm_test(locked_memory_refuses_to_be_dropped)
{
	mapped(ANON, 0, 4, RW, PRIVATE, 0);
	expect_long(ksys_mlock(AT(0), PAGES(2)), 0);
	expect_layout("0-2rwp 2-4rwp");
	expect_long(ksys_madvise(AT(0), PAGES(1), MADV_DONTNEED), -EINVAL);
	expect_long(ksys_madvise(AT(0), PAGES(1), MADV_REMOVE), -EINVAL);
	expect_long(ksys_msync(AT(0), PAGES(1), MS_INVALIDATE), -EBUSY);
	expect_text(pages(4), "AA--");
}

/* What mprotect makes writable in locked private memory is copied at once. */
mm_test(locked_private_memory_is_copied_when_it_becomes_writable)
{
	int fd = plain_file(2);

	mapped(fd, 0, 2, R, PRIVATE, 0);
	expect_long(ksys_mlock(AT(0), PAGES(2)), 0);
	expect_text(pages(2), "FF");
	expect_long(protect(0, 2, RW), 0);
	expect_text(pages(2), "AA");
}

/* MM-85: what mremap adds to locked memory is brought in and counted. */
mm_test(growing_locked_memory_brings_pages_in)
{
	mapped(ANON, 0, 2, RW, PRIVATE, 0);
	expect_long(ksys_mlock(AT(0), PAGES(2)), 0);
	expect_long(ksys_mremap(AT(0), PAGES(2), PAGES(4), 0, 0), AT(0));
	expect_text(pages(4), "AAAA");
	expect_long(mm->locked_vm, 4);
	expect_long(move(0, 4, 6, 16), AT(16));
	expect_long(mm->locked_vm, 6);
	vfiosim_expect(present(21));
	expect_long(unmap(16, 6), 0);
	expect_long(mm->locked_vm, 0);
}

mm_test(mlockall_takes_what_is_there_and_what_comes)
{
	mapped(ANON, 0, 1, RW, PRIVATE, 0);
	mapped(ANON, 2, 1, PROT_NONE, PRIVATE, 0);
	expect_long(ksys_mlockall(0), -EINVAL);
	expect_long(ksys_mlockall(MCL_CURRENT | MCL_FUTURE), 0);
	mapped(ANON, 4, 1, RW, PRIVATE, 0);
	expect_text(pages(5), "A.-.A");
	expect_long(mm->locked_vm, 3);
	expect_long(ksys_munlockall(), 0);
	expect_long(mm->locked_vm, 0);
	mapped(ANON, 6, 1, RW, PRIVATE, 0);
	vfiosim_expect(!present(6));
}

int main(void)
{
	TCase *tc = tcase_create("mlock");

	add(plain_memory_is_locked_and_device_memory_is_not);
	tcase_add_loop_test(tc, what_cannot_be_locked_is_enomem, 0, ARRAY_SIZE(ranges));
	add(a_hole_leaves_what_lies_before_it_locked);
	add(the_limit_counts_what_is_locked_already_once);
	add(a_child_starts_unlocked);
	add(locked_memory_refuses_to_be_dropped);
	add(locked_private_memory_is_copied_when_it_becomes_writable);
	add(growing_locked_memory_brings_pages_in);
	add(mlockall_takes_what_is_there_and_what_comes);
	return mm_main("mlock", tc);
}
