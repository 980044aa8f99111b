// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of the checks on the modelled kernel. Runs inside a task of the
 * engine, which acts for one process after the other; written like the kernel side.
 */
#include <signal.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>

#include <vfiosim/kapi/eventfd.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/mm_types.h>
#include <vfiosim/kapi/string.h>

#include "backend.h"

#define FIRST_PFN 0x1000UL

enum vfiosim_kernel model_kernel = VFIOSIM_KERNEL_DEFAULT;

static struct {
	struct mm_struct *mm[MMOP_PROCS_MAX];
	struct files_struct *files[MMOP_PROCS_MAX];
	unsigned int nr;
	struct mm_struct *own_mm;
	struct files_struct *own_files;
} procs KSTATE;

static void act_for(unsigned int proc)
{
	struct task_struct *task = get_current();

	task->mm = procs.mm[proc];
	task->active_mm = task->mm;
	task->files = procs.files[proc];
}

static long done(long ret)
{
	if (get_current()->task_works)
		task_work_run();
	return ret;
}

static bool start(const char **why)
{
	struct task_struct *task = get_current();

	procs.own_mm = task->mm;
	procs.own_files = task->files;
	procs.mm[0] = mm_alloc();
	procs.files[0] = alloc_files();
	procs.nr = 1;
	task->rlimit_as = ~0UL;
	task->rlimit_nofile = 1024;
	act_for(0);
	return true;
}

static void exit_process(unsigned int proc)
{
	struct task_struct *task = get_current();

	task->mm = NULL;
	task->active_mm = NULL;
	mmput(procs.mm[proc]);
	procs.mm[proc] = NULL;
	put_files_struct(procs.files[proc]);
	procs.files[proc] = NULL;
	task->files = procs.own_files;
	done(0);
}

static void stop(void)
{
	for (unsigned int proc = 0; proc < procs.nr; proc++)
		if (procs.mm[proc])
			exit_process(proc);
	get_current()->mm = procs.own_mm;
	get_current()->active_mm = procs.own_mm;
}

static long map(unsigned int proc, unsigned long addr, unsigned long len, int prot, int flags,
		int fd, unsigned long offset)
{
	act_for(proc);
	return done(ksys_mmap(addr, len, prot, flags, (unsigned long)fd, offset));
}

static long unmap(unsigned int proc, unsigned long addr, unsigned long len)
{
	act_for(proc);
	return done(ksys_munmap(addr, len));
}

static long protect(unsigned int proc, unsigned long addr, unsigned long len, int prot)
{
	act_for(proc);
	return done(ksys_mprotect(addr, len, prot));
}

static long remap(unsigned int proc, unsigned long addr, unsigned long old_len,
		  unsigned long new_len, int flags, unsigned long new_addr)
{
	act_for(proc);
	return done(ksys_mremap(addr, old_len, new_len, flags, new_addr));
}

static long advise(unsigned int proc, unsigned long addr, unsigned long len, int advice)
{
	act_for(proc);
	return done(ksys_madvise(addr, len, advice));
}

static enum mmop_outcome touch(unsigned int proc, unsigned long addr, bool write,
			       uint64_t *value)
{
	u64 word = write ? *value : 0;
	int code = 0, signal;

	act_for(proc);
	signal = user_access(addr, write, &word, sizeof(word), &code);
	if (signal)
		return signal == SIGBUS ? MMOP_ADRERR : code == 1 ? MMOP_MAPERR : MMOP_ACCERR;
	if (!write)
		*value = word;
	return MMOP_OK;
}

/* Refs: the descriptor owns @file; on failure the file is put. */
static long install(struct file *file)
{
	int fd;

	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(0);
	if (fd < 0)
		fput(file);
	else
		fd_install(fd, file);
	return fd;
}

static long memfd(unsigned int proc, unsigned int pages)
{
	struct file *file;

	act_for(proc);
	file = memfd_file("check", MFD_ALLOW_SEALING);
	if (!IS_ERR(file))
		memfd_truncate(file, pages * PAGE_SIZE);
	return install(file);
}

/* Calls on a file go through its descriptor, so that a wrong one is seen. */
#define WITH_FILE(name, ...)						\
	({								\
		struct file *file;					\
		long ret_ = -EBADF;					\
									\
		act_for(proc);						\
		file = fget(fd);					\
		if (file) {						\
			ret_ = name(file, ##__VA_ARGS__);		\
			fput(file);					\
		}							\
		done(ret_);						\
	})

static long install_reopened(struct file *file, int flags)
{
	return install(memfd_reopen(file, flags));
}

static long reopen(unsigned int proc, int fd, int flags)
{
	return WITH_FILE(install_reopened, flags);
}

static long truncate_file(unsigned int proc, int fd, unsigned long size)
{
	return WITH_FILE(memfd_truncate, size);
}

static long punch(unsigned int proc, int fd, unsigned long offset, unsigned long len)
{
	return WITH_FILE(memfd_punch, offset, len);
}

static long seal(unsigned int proc, int fd, unsigned int seals)
{
	return WITH_FILE(memfd_add_seals, seals);
}

static long fill_file(struct file *file, unsigned int pages)
{
	const u64 word = 0x0101010101010101;
	ssize_t ret = 0;

	for (unsigned int i = 0; i < pages && ret >= 0; i++)
		ret = memfd_pwrite(file, &word, sizeof(word), i * PAGE_SIZE);
	return ret < 0 ? ret : 0;
}

static long fill(unsigned int proc, int fd, unsigned int pages)
{
	return WITH_FILE(fill_file, pages);
}

static long unmappable(unsigned int proc)
{
	act_for(proc);
	return do_eventfd(0, 0);
}

static long duplicate(unsigned int proc, int fd)
{
	act_for(proc);
	return ksys_dup(fd);
}

static long close_descriptor(unsigned int proc, int fd)
{
	act_for(proc);
	return done(close_fd(fd));
}

static int fork_process(unsigned int proc)
{
	struct mm_struct *mm = mm_alloc();
	int ret;

	act_for(proc);
	ret = dup_mmap(mm, procs.mm[proc]);
	if (ret) {
		mmput(mm);
		return ret;
	}
	procs.mm[procs.nr] = mm;
	procs.files[procs.nr] = dup_fd(procs.files[proc], &ret);
	return procs.nr++;
}

static unsigned int pieces(unsigned int proc, unsigned long from, unsigned long to,
			   struct piece *out, unsigned int max)
{
	struct vm_area_struct *vma = find_vma(procs.mm[proc], from);
	unsigned int count = 0;

	for (; vma && vma->vm_start < to && count < max; vma = vma_next(vma), count++) {
		out[count] = (struct piece){ vma->vm_start, vma->vm_end,
					     vma->vm_file ? vma->vm_pgoff : 0, "" };
		out[count].perm[0] = vma->vm_flags & VM_READ ? 'r' : '-';
		out[count].perm[1] = vma->vm_flags & VM_WRITE ? 'w' : '-';
		out[count].perm[2] = vma->vm_flags & VM_EXEC ? 'x' : '-';
		out[count].perm[3] = vma->vm_flags & VM_MAYSHARE ? 's' : 'p';
	}
	return count;
}

static bool present(unsigned int proc, unsigned long addr)
{
	return user_page_present(procs.mm[proc], addr);
}

static long limit_pages(unsigned int proc, unsigned long more)
{
	get_current()->rlimit_as = (procs.mm[proc]->total_vm + more) * PAGE_SIZE;
	return 0;
}

static long map_count(unsigned int proc)
{
	return procs.mm[proc]->map_count;
}

static long map_limit(void)
{
	return 65530;
}

/* ---- stand-ins for [vvar] and a perf ring ---- */

static int refuse_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static vm_fault_t insert_page(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, FIRST_PFN + vmf->pgoff);
}

static const struct vm_operations_struct whole_ops = {
	.may_split = refuse_split,
	.fault = insert_page,
};

static int map_whole(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &whole_ops;
	return 0;
}

static int map_filled(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_flags |= VM_DONTCOPY;
	return remap_pfn_range(vma, vma->vm_start, FIRST_PFN, vma->vm_end - vma->vm_start,
			       vma->vm_page_prot);
}

static const struct file_operations whole_fops = { .mmap = map_whole };
static const struct file_operations filled_fops = { .mmap = map_filled };

static bool map_driver(unsigned int proc, const struct file_operations *fops,
		       unsigned long pages, unsigned long *start_out, unsigned long *end_out)
{
	long fd, addr;

	act_for(proc);
	fd = install(anon_inode_getfile("[check]", fops, NULL, O_RDWR));
	addr = map(proc, CHECK_BASE, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, fd, 0);
	close_descriptor(proc, fd);
	if (IS_ERR((void *)addr))
		return false;
	*start_out = addr;
	*end_out = addr + pages * PAGE_SIZE;
	return true;
}

static bool pfnmap(unsigned int proc, unsigned long *start_out, unsigned long *end_out)
{
	return map_driver(proc, &whole_fops, 4, start_out, end_out);
}

static bool pfn_file(unsigned int proc, unsigned long *start_out, unsigned long *end_out)
{
	return map_driver(proc, &filled_fops, 3, start_out, end_out);
}

const struct backend model_backend = {
	.name = "model",
	.start = start,
	.stop = stop,
	.mmap = map,
	.munmap = unmap,
	.mprotect = protect,
	.mremap = remap,
	.madvise = advise,
	.touch = touch,
	.memfd = memfd,
	.reopen = reopen,
	.unmappable = unmappable,
	.dup = duplicate,
	.close = close_descriptor,
	.truncate = truncate_file,
	.punch = punch,
	.fill = fill,
	.seal = seal,
	.fork = fork_process,
	.exit = exit_process,
	.pieces = pieces,
	.present = present,
	.limit_pages = limit_pages,
	.map_count = map_count,
	.map_limit = map_limit,
	.pfnmap = pfnmap,
	.pfn_file = pfn_file,
};
