/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An address space with a window, files to map there, and a device that notes
 * each of its hooks. Addresses, lengths and offsets are in pages of the window.
 */
#ifndef VFIOSIM_MMWORLD_H
#define VFIOSIM_MMWORLD_H

#define VFIOSIM_HOST
#include <asm/mman.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/memfd.h>
#include <stdarg.h>
#include <stdio.h>

#include <vfiosim.h>

#include <vfiosim/kapi/fdtable.h>

#include "invariants_mm.h"
#include "mm_internal.h"

#define MMTEST static __attribute__((unused))

#define WINDOW 0x200000000000UL
#define AT(page) (WINDOW + (unsigned long)(page) * PAGE_SIZE)
#define PAGES(count) ((unsigned long)(count) * PAGE_SIZE)
#define R PROT_READ
#define RW (PROT_READ | PROT_WRITE)
#define SHARED MAP_SHARED
#define PRIVATE MAP_PRIVATE
#define ANON (-1)
#define MAPERR (11 | 1 << 8)	/* signal | si_code << 8 */
#define ACCERR (11 | 2 << 8)
#define ADRERR (7 | 2 << 8)
#define DEVICE_PFN 0xfe000UL

/* ---- what a test asks ---- */

/* @fact must hold; says what was expected in words if not. */
#define expect_long(is, should)							\
	do {									\
		long is_ = (is), should_ = (should);				\
		if (is_ != should_)						\
			eng_fail("expectation", NULL, #is " is %ld, not %ld (line %d)",	\
				 is_, should_, __LINE__);			\
	} while (0)
#define expect_text(is, should)							\
	do {									\
		const char *is_ = (is), *should_ = (should);			\
		if (strcmp(is_, should_))					\
			eng_fail("expectation", NULL, "found \"%s\", not \"%s\" (line %d)",	\
				 is_, should_, __LINE__);			\
	} while (0)

/* ---- the world ---- */

static struct mm_struct *mm KSTATE;
static char mm_text[400] KSTATE;
static char hook_log[400] KSTATE;

MMTEST void note(const char *format, ...)
{
	size_t used = strlen(hook_log);
	va_list args;

	va_start(args, format);
	vsnprintf(hook_log + used, sizeof(hook_log) - used, format, args);
	va_end(args);
}

/* What was noted since the last call. */
MMTEST const char *noted(void)
{
	strcpy(mm_text, hook_log);
	hook_log[0] = 0;
	return mm_text;
}

/* Let the current task act in @space. */
MMTEST void act_in(struct mm_struct *space)
{
	get_current()->mm = space;
}

MMTEST void world_begin(void)
{
	struct task_struct *task = get_current();

	mm = mm_alloc();
	vfiosim_expect(mm);
	task->mm = mm;
	if (!task->files)
		task->files = alloc_files();
	vfiosim_expect(task->files);
	task->rlimit_nofile = 64;
}

/* Everything is given back; the run's own checks find what is not. */
MMTEST void world_end(void)
{
	struct task_struct *task = get_current();

	vfiosim_expect(mm_invariants_hold(NULL));
	task->mm = NULL;
	mmput(mm);
	put_files_struct(task->files);
	task->files = NULL;
	task_work_run();
	expect_long(vm_committed_as, 0);
}

/* ---- files ---- */

/* A descriptor of a new plain file of @size pages. */
MMTEST int plain_file(unsigned long size)
{
	struct file *file = memfd_file("plain", MFD_ALLOW_SEALING);
	int fd = get_unused_fd_flags(0);

	vfiosim_expect(!IS_ERR(file) && fd >= 0);
	fd_install(fd, file);
	memfd_truncate(file, PAGES(size));
	return fd;
}

/* Borrowed: the descriptor's. */
MMTEST struct file *file_of(int fd)
{
	struct file *file = fget(fd);

	fput(file);
	return file;
}

MMTEST int reopen(int fd, int flags)
{
	int fresh = get_unused_fd_flags(0);

	fd_install(fresh, memfd_reopen(file_of(fd), flags));
	return fresh;
}

MMTEST struct address_space *mapping_of_fd(int fd)
{
	return file_of(fd)->f_mapping;
}

/* ---- a device ---- */

static int device_mmap_error KSTATE;
static int device_refuses_split KSTATE;
static bool device_off KSTATE;
static bool device_fills_whole KSTATE;

static long page_of(unsigned long addr)
{
	return (long)(addr - WINDOW) >> PAGE_SHIFT;
}

static void note_range(const char *what, const struct vm_area_struct *vma)
{
	note("%s(%ld-%ld)", what, page_of(vma->vm_start), page_of(vma->vm_end));
}

static void device_open(struct vm_area_struct *vma)
{
	note_range("open", vma);
}

static void device_close(struct vm_area_struct *vma)
{
	note_range("close", vma);
	BUG_ON(!vma->vm_file);
}

static int device_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	note("may_split(%ld)", page_of(addr));
	return device_refuses_split;
}

static int device_mremap(struct vm_area_struct *vma)
{
	note_range("mremap", vma);
	return 0;
}

static vm_fault_t device_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;

	note("fault(%ld)", page_of(vmf->address));
	if (device_off)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vma, vmf->address, DEVICE_PFN + vmf->pgoff);
}

static const struct vm_operations_struct device_vm_ops = {
	.open = device_open,
	.close = device_close,
	.may_split = device_may_split,
	.mremap = device_mremap,
	.fault = device_fault,
};

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	note_range("mmap", vma);
	if (device_mmap_error)
		return device_mmap_error;
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &device_vm_ops;
	if (device_fills_whole)
		return remap_pfn_range(vma, vma->vm_start, DEVICE_PFN + vma->vm_pgoff,
				       vma->vm_end - vma->vm_start, vma->vm_page_prot);
	return 0;
}

static const struct file_operations device_fops = { .mmap = device_mmap };

/* A descriptor of a device with an inode of its own. */
MMTEST int device_file(void)
{
	int fd = plain_file(0);

	file_of(fd)->f_op = &device_fops;
	return fd;
}

/* ---- acts ---- */

MMTEST long map(int fd, long page, unsigned long count, int prot, int flags, unsigned long pgoff)
{
	if (fd == ANON)
		flags |= MAP_ANONYMOUS;
	return ksys_mmap(AT(page), PAGES(count), prot, flags | MAP_FIXED, fd, PAGES(pgoff));
}

/* It must succeed where asked. */
MMTEST void mapped(int fd, long page, unsigned long count, int prot, int flags,
		   unsigned long pgoff)
{
	expect_long(map(fd, page, count, prot, flags, pgoff), AT(page));
}

MMTEST long unmap(long page, unsigned long count)
{
	return ksys_munmap(AT(page), PAGES(count));
}

MMTEST long protect(long page, unsigned long count, int prot)
{
	return ksys_mprotect(AT(page), PAGES(count), prot);
}

MMTEST long move(long page, unsigned long old, unsigned long new, long to)
{
	return ksys_mremap(AT(page), PAGES(old), PAGES(new), MREMAP_MAYMOVE | MREMAP_FIXED,
			   AT(to));
}

/* 0, or signal | si_code << 8. */
MMTEST int store(long page, u64 value)
{
	int code = 0, signal = user_access(AT(page), true, &value, sizeof(value), &code);

	return signal ? signal | code << 8 : 0;
}

MMTEST int load(long page)
{
	u64 value;
	int code = 0, signal = user_access(AT(page), false, &value, sizeof(value), &code);

	return signal ? signal | code << 8 : 0;
}

/* What a load finds; it must succeed. */
MMTEST u64 value_at(long page)
{
	u64 value = ~0ULL;
	int code;

	expect_long(user_access(AT(page), false, &value, sizeof(value), &code), 0);
	return value;
}

MMTEST bool present(long page)
{
	return user_page_present(get_current()->mm, AT(page));
}

/* ---- looking ---- */

/* One word per VMA: "START-END rwx s|p PGOFF", private anonymous without PGOFF. */
MMTEST const char *layout_of(struct mm_struct *space)
{
	struct vm_area_struct *vma = find_vma(space, 0);
	size_t used = 0;

	mm_text[0] = 0;
	for (; vma; vma = vma_next(vma)) {
		used += snprintf(mm_text + used, sizeof(mm_text) - used, "%s%ld-%ld%c%c%c",
				 used ? " " : "", page_of(vma->vm_start), page_of(vma->vm_end),
				 vma->vm_flags & VM_READ ? 'r' : '-',
				 vma->vm_flags & VM_WRITE ? 'w' : '-',
				 vma->vm_flags & VM_MAYSHARE ? 's' : 'p');
		if (vma->vm_file)
			used += snprintf(mm_text + used, sizeof(mm_text) - used, "%lu",
					 vma->vm_pgoff);
	}
	return mm_text;
}

#define expect_layout(should) expect_text(layout_of(get_current()->mm), should)

/* The window's first @count pages: '.' nothing, '-' absent, F A Z P. */
MMTEST const char *pages(unsigned int count)
{
	u8 states[128];

	user_page_states(get_current()->mm, AT(0), count, states);
	for (unsigned int i = 0; i < count; i++) {
		struct vm_area_struct *vma = find_vma(get_current()->mm, AT(i));

		mm_text[i] = vma && vma->vm_start <= AT(i) ? "-FAZP"[states[i]] : '.';
	}
	mm_text[count] = 0;
	return mm_text;
}

MMTEST struct vm_area_struct *vma_at(long page)
{
	struct vm_area_struct *vma = find_vma(get_current()->mm, AT(page));

	return vma && vma->vm_start <= AT(page) ? vma : NULL;
}

#endif
