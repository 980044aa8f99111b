// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recorded operations on the model. The processes here are an address space and
 * a descriptor table each, lent to the current task for the time of one system
 * call; what a trace has no word for (signals, credentials, threads) they lack.
 *
 * Lock order: no lock of its own; system calls take theirs.
 *
 * Kernel original: none. After each call the task "returns to user mode", where
 * the kernel runs the releases that fput() queued (MM-57).
 */
#include <asm/mman.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>

#include "mmrun.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define SEGV_MAPERR_CODE 1
#define OVERCOMMIT_NEVER 2	/* vm.overcommit_memory */
#define NOFILE 1024UL

/* Files in the order of their numbers in the trace; compared, not referenced. */
struct file_list {
	struct file **file;
	unsigned int count;
	unsigned int room;
};

struct mmrun {
	u64 base;
	unsigned int pages;
	unsigned int nr_procs;
	struct mm_struct *mm[MMOP_PROCS_MAX];	/* NULL: has exited */
	struct files_struct *files[MMOP_PROCS_MAX];
	struct file *file[MMOP_FILES_MAX];	/* NULL: dropped or not created */
	struct address_space *mapping[MMOP_FILES_MAX];
	struct file_list descs;
	struct file_list shared_anon;
	/* What the task was before. */
	struct mm_struct *own_mm;
	struct files_struct *own_files;
};

static struct mmrun *mmrun KSTATE = NULL;

static void *must(void *memory)
{
	/* Traces are replayed without injected faults: memory does not run out. */
	BUG_ON(IS_ERR_OR_NULL(memory));
	return memory;
}

static void file_list_forget(struct file_list *list, const struct file *file)
{
	for (unsigned int i = 0; i < list->count; i++)
		if (list->file[i] == file)
			list->file[i] = NULL;
}

/* An earlier file that had the same memory is gone. */
static void file_list_add(struct file_list *list, struct file *file)
{
	file_list_forget(&mmrun->descs, file);
	file_list_forget(&mmrun->shared_anon, file);
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 16;
		list->file = must(krealloc(list->file, list->room * sizeof(struct file *),
					   GFP_KERNEL));
	}
	list->file[list->count++] = file;
}

static int file_list_find(const struct file_list *list, const struct file *file, int hint)
{
	if (hint >= 0 && hint < list->count && list->file[hint] == file)
		return hint;
	for (unsigned int i = list->count; i > 0; i--)
		if (list->file[i - 1] == file)
			return i - 1;
	return -1;
}

static void act_for(unsigned int proc)
{
	struct task_struct *task = get_current();

	task->mm = mmrun->mm[proc];
	task->active_mm = task->mm;
	task->files = mmrun->files[proc];
}

static void return_to_user(void)
{
	if (get_current()->task_works)
		task_work_run();
}

/* ---- files ---- */

static long do_file(const struct mmop *op)
{
	struct file *file = must(memfd_file("f", 0));

	for (unsigned int i = 0; i < MMOP_FILES_MAX; i++)
		if (mmrun->mapping[i] == file->f_mapping)
			mmrun->mapping[i] = NULL;	/* that file is gone */
	mmrun->file[op->file] = file;
	mmrun->mapping[op->file] = file->f_mapping;
	return memfd_truncate(file, op->length);
}

static long do_drop(const struct mmop *op)
{
	struct file *file = mmrun->file[op->file];

	if (!file)
		return -EBADF;
	mmrun->file[op->file] = NULL;
	fput(file);
	return 0;
}

/*
 * Context: may sleep.
 * Refs:    the new file is owned by the descriptor; on failure by nobody.
 */
static long do_open(const struct mmop *op)
{
	struct file *file, *from = mmrun->file[op->file];
	int fd;

	if (!from)
		return -ENOENT;
	fd = get_unused_fd_flags(0);
	if (fd < 0)
		return fd;
	file = memfd_reopen(from, op->readonly ? O_RDONLY : O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	if (fd != op->handle) {
		ksys_dup2(fd, op->handle);
		close_fd(fd);
	}
	file_list_add(&mmrun->descs, file);
	return 0;
}

static long do_dup(const struct mmop *op)
{
	int fd = ksys_dup2(op->handle2, op->handle);

	return fd < 0 ? fd : 0;
}

static long do_trunc(const struct mmop *op)
{
	struct file *file = mmrun->file[op->file];

	return file ? memfd_truncate(file, op->length) : -EBADF;
}

static long do_punch(const struct mmop *op)
{
	struct file *file = mmrun->file[op->file];

	return file ? memfd_punch(file, op->offset, op->length) : -EBADF;
}

static long do_fwrite(const struct mmop *op, u64 token)
{
	static const u8 zeros[PAGE_SIZE - sizeof(token)];
	struct file *file = mmrun->file[op->file];
	ssize_t ret;

	if (!file)
		return -EBADF;
	ret = memfd_pwrite(file, &token, sizeof(token), op->offset);
	if (ret < 0)
		return ret;
	ret = memfd_pwrite(file, zeros, sizeof(zeros), op->offset + sizeof(token));
	return ret < 0 ? ret : 0;
}

static long do_fread(const struct mmop *op, struct mmop_result *result)
{
	struct file *file = mmrun->file[op->file];
	ssize_t ret;

	if (!file)
		return -EBADF;
	ret = memfd_pread(file, &result->value, sizeof(result->value), op->offset);
	if (ret >= 0)
		result->outcome = ret ? MMOP_VALUE : MMOP_EOF;
	return ret < 0 ? ret : 0;
}

/* ---- address spaces ---- */

static long do_map(const struct mmop *op)
{
	unsigned long flags = op->noreplace ? MAP_FIXED_NOREPLACE : MAP_FIXED;
	unsigned long addr = mmrun->base + op->addr;
	bool anon = op->handle == MMOP_ANON;
	long ret;

	if (op->share != 'x')
		flags |= op->share == 's' ? MAP_SHARED : MAP_PRIVATE;
	flags |= op->noreserve ? MAP_NORESERVE : 0;
	flags |= op->populate ? MAP_POPULATE : 0;
	flags |= op->locked ? MAP_LOCKED : 0;
	if (anon)
		flags |= MAP_ANONYMOUS;
	ret = ksys_mmap(addr, op->length, op->prot, flags, anon ? -1UL : op->handle, op->offset);
	if (ret >= 0 && anon && op->share == 's')
		file_list_add(&mmrun->shared_anon, find_vma(mmrun->mm[op->proc], addr)->vm_file);
	return ret;
}

static long do_mremap(const struct mmop *op)
{
	static const unsigned long flags[MMOP_MREMAP_MODES] = {
		[MMOP_FIXED] = MREMAP_MAYMOVE | MREMAP_FIXED,
		[MMOP_DONTUNMAP] = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		[MMOP_FIXEDONLY] = MREMAP_FIXED,
		[MMOP_HINT] = MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
	};

	return ksys_mremap(mmrun->base + op->addr, op->length, op->new_length, flags[op->mode],
			   mmrun->base + op->new_addr);
}

static long do_madvise(const struct mmop *op)
{
	static const int advice[MMOP_ADVICES] = {
		MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_NORMAL, MADV_RANDOM,
		MADV_SEQUENTIAL, MADV_DONTDUMP, MADV_DODUMP, MADV_REMOVE, MADV_FREE, MADV_COLD,
		MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_WIPEONFORK, MADV_KEEPONFORK,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_UNMERGEABLE,
	};

	return ksys_madvise(mmrun->base + op->addr, op->length, advice[op->mode]);
}

static long do_msync(const struct mmop *op)
{
	static const int flags[MMOP_SYNCS] = { MS_SYNC, MS_ASYNC, MS_INVALIDATE };

	return ksys_msync(mmrun->base + op->addr, op->length, flags[op->mode]);
}

/* The answer as one number: bit n is page n. */
static long do_mincore(const struct mmop *op, struct mmop_result *result)
{
	u8 vec[MMOP_MINCORE_PAGES] = { 0 };
	long ret = ksys_mincore(mmrun->base + op->addr, op->length, vec);

	if (ret)
		return ret;
	result->outcome = MMOP_VALUE;
	for (unsigned int page = 0; page < MMOP_MINCORE_PAGES; page++)
		result->value |= (u64)(vec[page] & 1) << page;
	return 0;
}

static void do_touch(const struct mmop *op, u64 token, struct mmop_result *result)
{
	bool write = op->kind == MMOP_WRITE;
	u64 value = write ? token : 0;
	int code = 0, signal;

	signal = user_access(mmrun->base + op->addr, write, &value, sizeof(value), &code);
	if (signal == SIGSEGV)
		result->outcome = code == SEGV_MAPERR_CODE ? MMOP_MAPERR : MMOP_ACCERR;
	else if (signal)
		result->outcome = MMOP_ADRERR;
	else if (!write)
		*result = (struct mmop_result){ .outcome = MMOP_VALUE, .value = value };
}

/*
 * Context: may sleep.
 * Refs:    the child owns a table and an address space of its own; on failure none.
 */
static long do_fork(const struct mmop *op)
{
	struct files_struct *files;
	struct mm_struct *mm;
	int ret = 0;

	files = dup_fd(mmrun->files[op->proc], &ret);
	if (!files)
		return ret;
	mm = must(mm_alloc());
	ret = dup_mmap(mm, mmrun->mm[op->proc]);
	if (ret) {
		mmput(mm);
		put_files_struct(files);
		return -ENOMEM;
	}
	mmrun->mm[op->child] = mm;
	mmrun->files[op->child] = files;
	mmrun->nr_procs = op->child + 1;
	return 0;
}

/* The memory goes before the descriptors, as in a process that ends (MM-109). */
static long do_exit_process(unsigned int proc)
{
	struct task_struct *task = get_current();

	task->mm = NULL;
	task->active_mm = NULL;
	mmput(mmrun->mm[proc]);
	mmrun->mm[proc] = NULL;
	put_files_struct(mmrun->files[proc]);
	mmrun->files[proc] = NULL;
	task->files = mmrun->own_files;
	return_to_user();
	return 0;
}

/* Those of traces with the feature "calls". */
static long do_newer_call(const struct mmop *op, struct mmop_result *result)
{
	unsigned long addr = mmrun->base + op->addr;

	switch (op->kind) {
	case MMOP_MLOCK:
		return ksys_mlock(addr, op->length);
	case MMOP_MUNLOCK:
		return ksys_munlock(addr, op->length);
	case MMOP_MSYNC:
		return do_msync(op);
	case MMOP_MINCORE:
		return do_mincore(op, result);
	case MMOP_REMAP_FILE:
		return ksys_remap_file_pages(addr, op->length, 0, op->offset >> PAGE_SHIFT, 0);
	case MMOP_MSEAL:
		return ksys_mseal(addr, op->length, 0);
	}
	BUG();
}

static long do_call(const struct mmop *op, u64 token, struct mmop_result *result)
{
	switch (op->kind) {
	case MMOP_FILE:
		return do_file(op);
	case MMOP_DROP:
		return do_drop(op);
	case MMOP_OPEN:
		return do_open(op);
	case MMOP_DUP:
		return do_dup(op);
	case MMOP_CLOSE:
		return close_fd(op->handle);
	case MMOP_MMAP:
		return do_map(op);
	case MMOP_MUNMAP:
		return ksys_munmap(mmrun->base + op->addr, op->length);
	case MMOP_MPROTECT:
		return ksys_mprotect(mmrun->base + op->addr, op->length, op->prot);
	case MMOP_MREMAP:
		return do_mremap(op);
	case MMOP_MADVISE:
		return do_madvise(op);
	case MMOP_TRUNC:
		return do_trunc(op);
	case MMOP_PUNCH:
		return do_punch(op);
	case MMOP_FORK:
		return do_fork(op);
	case MMOP_EXIT:
		return do_exit_process(op->proc);
	case MMOP_FREAD:
		return do_fread(op, result);
	case MMOP_FWRITE:
		return do_fwrite(op, token);
	default:
		return do_newer_call(op, result);
	}
}

/* Where a successful call must have landed; anything else is no result at all. */
static bool landed(const struct mmop *op, long ret)
{
	if (op->kind == MMOP_MMAP)
		return ret == mmrun->base + op->addr;
	if (op->kind == MMOP_MREMAP)
		return ret == mmrun->base + (op->mode == MMOP_INPLACE ? op->addr : op->new_addr);
	return ret == 0;
}

void mmrun_operation(const struct mmop *op, u64 token, struct mmop_result *result)
{
	long ret;

	*result = (struct mmop_result){ .outcome = MMOP_OK };
	act_for(op->proc);
	if (op->kind == MMOP_READ || op->kind == MMOP_WRITE) {
		do_touch(op, token, result);
		return;
	}
	ret = do_call(op, token, result);
	return_to_user();
	if (IS_ERR((void *)ret)) {
		result->outcome = MMOP_ERROR;
		result->error = -ret;
	} else {
		BUG_ON(!landed(op, ret));
	}
}

/* ---- start and end ---- */

static void map_guard(struct file *file, unsigned long addr)
{
	int fd = get_unused_fd_flags(0);

	BUG_ON(fd < 0);
	fd_install(fd, get_file(file));
	BUG_ON(ksys_mmap(addr, MMOP_GUARD * PAGE_SIZE, PROT_NONE, MAP_SHARED | MAP_FIXED, fd, 0) !=
	       addr);
	close_fd(fd);
}

void mmrun_start(enum kernel_version version, bool zeropage, unsigned int overcommit, u64 base,
		 unsigned int pages)
{
	struct task_struct *task = get_current();
	struct file *guard;

	kernel_version = version;
	zeropage_forbidden = !zeropage;
	overcommit_never = overcommit == OVERCOMMIT_NEVER;
	mmrun = must(kzalloc(sizeof(struct mmrun), GFP_KERNEL));
	mmrun->base = base;
	mmrun->pages = pages;
	mmrun->own_mm = task->mm;
	mmrun->own_files = task->files;
	task->rlimit_as = ~0UL;
	task->rlimit_nofile = NOFILE;
	mmrun->mm[0] = must(mm_alloc());
	mmrun->files[0] = must(alloc_files());
	mmrun->nr_procs = 1;
	act_for(0);
	guard = must(memfd_file("guard", 0));
	BUG_ON(memfd_truncate(guard, MMOP_GUARD * PAGE_SIZE));
	map_guard(guard, base - MMOP_GUARD * PAGE_SIZE);
	map_guard(guard, base + pages * PAGE_SIZE);
	fput(guard);
	return_to_user();
}

void mmrun_end(void)
{
	struct task_struct *task = get_current();

	for (unsigned int proc = 0; proc < mmrun->nr_procs; proc++) {
		if (!mmrun->mm[proc])
			continue;
		act_for(proc);
		do_exit_process(proc);
	}
	task->mm = mmrun->own_mm;
	task->active_mm = mmrun->own_mm;
	task->files = mmrun->own_files;
	for (unsigned int i = 0; i < MMOP_FILES_MAX; i++)
		if (mmrun->file[i])
			fput(mmrun->file[i]);
	return_to_user();
	kfree(mmrun->descs.file);
	kfree(mmrun->shared_anon.file);
	kfree(mmrun);
	mmrun = NULL;
}

/* ---- looking ---- */

bool mmrun_alive(unsigned int proc)
{
	return proc < mmrun->nr_procs && mmrun->mm[proc];
}

static u8 perm_of(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_READ ? PROT_READ : 0) |
	       (vma->vm_flags & VM_WRITE ? PROT_WRITE : 0) |
	       (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0) |
	       (vma->vm_flags & VM_MAYSHARE ? MMOP_VMA_SHARED : 0);
}

static u16 flags_of(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_ACCOUNT ? MMOP_VMA_ACCOUNT : 0) |
	       (vma->vm_flags & VM_DONTCOPY ? MMOP_VMA_DONTCOPY : 0) |
	       (vma->vm_flags & VM_NORESERVE ? MMOP_VMA_NORESERVE : 0) |
	       (vma->vm_flags & VM_LOCKED ? MMOP_VMA_LOCKED : 0) |
	       (vma->vm_flags & VM_SEQ_READ ? MMOP_VMA_SEQUENTIAL : 0) |
	       (vma->vm_flags & VM_RAND_READ ? MMOP_VMA_RANDOM : 0) |
	       (vma->vm_flags & VM_DONTDUMP ? MMOP_VMA_DONTDUMP : 0) |
	       (vma->vm_flags & VM_WIPEONFORK ? MMOP_VMA_WIPEONFORK : 0) |
	       (vma->vm_flags & VM_SEALED ? MMOP_VMA_SEALED : 0) |
	       (vma->vm_flags & VM_HUGEPAGE ? MMOP_VMA_HUGEPAGE : 0) |
	       (vma->vm_flags & VM_NOHUGEPAGE ? MMOP_VMA_NOHUGEPAGE : 0) |
	       (vma->vm_flags & VM_MERGEABLE ? MMOP_VMA_MERGEABLE : 0);
}

/* -1 for a file that the trace knows nothing of; such a mapping is a difference. */
static int file_number(const struct file *file)
{
	for (unsigned int i = 0; i < MMOP_FILES_MAX; i++)
		if (mmrun->mapping[i] == file->f_mapping)
			return i;
	return -1;
}

static void name_object(const struct vm_area_struct *vma, const struct mmop_vma *hint,
			struct mmop_vma *out)
{
	out->desc = -1;
	out->object = 'a';
	if (!vma->vm_file)
		return;
	out->pgoff = vma->vm_pgoff;
	out->desc = file_list_find(&mmrun->descs, vma->vm_file, hint ? hint->desc : -1);
	if (out->desc >= 0) {
		out->object = 'f';
		out->id = hint && hint->object == 'f' && mmrun->mapping[hint->id] ==
			  vma->vm_file->f_mapping ? hint->id : file_number(vma->vm_file);
		return;
	}
	out->object = 'z';
	out->id = file_list_find(&mmrun->shared_anon, vma->vm_file, hint ? hint->id : -1);
}

unsigned int mmrun_mappings(unsigned int proc, struct mmop_vma *vmas, unsigned int max,
			    const struct mmop_vma *hint, unsigned int hints)
{
	unsigned long end = mmrun->base + mmrun->pages * PAGE_SIZE;
	struct vm_area_struct *vma = find_vma(mmrun->mm[proc], mmrun->base);
	unsigned int count = 0;

	for (; vma && vma->vm_start < end && count < max; vma = vma_next(vma)) {
		struct mmop_vma *out = &vmas[count];

		*out = (struct mmop_vma){
			.start = (vma->vm_start - mmrun->base) >> PAGE_SHIFT,
			.end = (vma->vm_end - mmrun->base) >> PAGE_SHIFT,
			.perm = perm_of(vma),
			.flags = flags_of(vma),
		};
		name_object(vma, count < hints ? &hint[count] : NULL, out);
		count++;
	}
	return count;
}

void mmrun_pages(unsigned int proc, u8 *pages)
{
	user_page_states(mmrun->mm[proc], mmrun->base, mmrun->pages, pages);
}
