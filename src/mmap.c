// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap(2): argument checks, the choice of an address, making the mapping.
 * Follows mm/mmap.c (do_mmap, mmap_region, get_unmapped_area) of 5.14 and
 * mm/vma.c of 6.12.
 *
 * Lock order (outer first):
 *
 *   mm->mmap_lock		write
 *     a driver's locks		inside f_op->mmap
 *     i_mmap_rwsem		write, for the link
 *
 * From the return of f_op->mmap to vma_link() the VMA is in no tree: entries
 * that the driver made are out of reach of unmap_mapping_range().
 */
#include <asm/mman.h>
#include <linux/mman.h>
#include <linux/stat.h>

#include "mm_internal.h"

#define STACK_GUARD_GAP (256UL << PAGE_SHIFT)
#define PMD_SIZE (1UL << 21)

/* Lowest address that a process without CAP_SYS_RAWIO may map. */
unsigned long mmap_min_addr KSTATE = 65536;

/* Strict overcommit: MAP_NORESERVE is ignored. */
bool overcommit_never KSTATE;

#define LEGACY_MAP_MASK							\
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE |	\
	 MAP_EXECUTABLE | MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |	\
	 MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_HUGE_2MB | MAP_HUGE_1GB)

struct mmap_request {
	struct mm_struct *mm;
	struct file *file;
	unsigned long addr;
	unsigned long len;
	unsigned long pgoff;
	unsigned int vm_flags;
	unsigned long charged;		/* pages of commit charge, until a VMA owns them */
	struct address_space *transient; /* counted in its i_mmap_writable for now */
	bool refused;			/* f_op->mmap failed */
};

/* ---- choosing an address ---- */

static bool gap_fits(struct mm_struct *mm, unsigned long addr, unsigned long len)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	unsigned long limit;

	if (!vma)
		return true;
	limit = vma->vm_start;
	if (vma->vm_flags & VM_GROWSDOWN)
		limit = limit > STACK_GUARD_GAP ? limit - STACK_GUARD_GAP : 0;
	return addr + len <= limit;
}

/* The highest hole below mmap_base, whatever its size. */
static unsigned long search_topdown(struct mm_struct *mm, unsigned long len)
{
	unsigned long top = mm->mmap_base, low = PAGE_SIZE;
	struct vm_area_struct *vma;
	struct vma_iter iter;

	if (low < mmap_min_addr)
		low = mmap_min_addr;
	vma = vma_set_find(&mm->mm_vmas, top - 1, &iter);
	if (vma && vma->vm_start < top)
		top = vma->vm_start;
	vma = vma ? vma_iter_peek_prev(&iter) : vma_set_last(&mm->mm_vmas);
	while (top >= low + len) {
		if (!vma || vma->vm_end <= top - len)
			return top - len;
		top = vma->vm_start;
		vma_set_find(&mm->mm_vmas, vma->vm_start, &iter);
		vma = vma_iter_peek_prev(&iter);
	}
	return -ENOMEM;
}

static unsigned long search_bottomup(struct mm_struct *mm, unsigned long len)
{
	unsigned long addr = PAGE_ALIGN(mm->task_size / 3);
	struct vm_area_struct *vma;
	struct vma_iter iter;

	vma = vma_set_find(&mm->mm_vmas, addr, &iter);
	while (addr <= mm->task_size - len) {
		if (!vma || vma->vm_start >= addr + len)
			return addr;
		addr = vma->vm_end;
		vma = vma_iter_next(&iter);
	}
	return -ENOMEM;
}

static unsigned long arch_get_unmapped_area(struct mm_struct *mm, unsigned long addr,
					    unsigned long len, unsigned long flags)
{
	unsigned long found;

	if (len > mm->task_size)
		return -ENOMEM;
	if (flags & MAP_FIXED)
		return addr;
	addr &= PAGE_MASK;
	if (addr && addr < mmap_min_addr)
		addr = PAGE_ALIGN(mmap_min_addr);
	if (addr && addr <= mm->task_size - len && gap_fits(mm, addr, len))
		return addr;
	found = search_topdown(mm, len);
	return IS_ERR((void *)found) ? search_bottomup(mm, len) : found;
}

/*
 * 6.12 and later: whole huge pages, placed so that huge entries can show them.
 * 0: no such place, or none is wanted.
 */
static unsigned long thp_get_unmapped_area(struct file *file, unsigned long addr,
					   unsigned long len, unsigned long pgoff,
					   unsigned long flags)
{
	unsigned long found, offset = pgoff << PAGE_SHIFT;

	if (kernel_version < KERNEL_6_12 || addr || flags & MAP_FIXED || len & (PMD_SIZE - 1))
		return 0;
	/* Plain files have a method of their own, which wants no huge pages here. */
	if (file ? file->f_op == &shmem_file_operations : flags & MAP_SHARED)
		return 0;
	found = search_topdown(get_current()->mm, len + PMD_SIZE);
	if (IS_ERR((void *)found))
		return 0;
	offset = (offset - found) & (PMD_SIZE - 1);
	return found + (offset ? offset : PMD_SIZE);
}

/* Where a mapping of @len goes; an address or -errno. Locks: holds mmap_lock. */
unsigned long get_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
				unsigned long pgoff, unsigned long flags)
{
	struct mm_struct *mm = get_current()->mm;
	unsigned long aligned;

	if (len > mm->task_size)
		return -ENOMEM;
	if (file && file->f_op->get_unmapped_area)
		addr = file->f_op->get_unmapped_area(file, addr, len, pgoff, flags);
	else if (!(aligned = thp_get_unmapped_area(file, addr, len, pgoff, flags)))
		addr = arch_get_unmapped_area(mm, addr, len, flags);
	else
		addr = aligned;
	if (IS_ERR((void *)addr))
		return addr;
	if (addr > mm->task_size - len)
		return -ENOMEM;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (addr < mmap_min_addr && !capable(CAP_SYS_RAWIO))
		return -EPERM;
	return addr;
}

/* ---- checks that change nothing (MM-15) ---- */

static u64 file_mmap_size_max(const struct file *file)
{
	const unsigned int type = file_inode(file)->i_mode & S_IFMT;

	if (type == S_IFREG || type == S_IFBLK || type == S_IFSOCK)
		return (~0UL >> 1);
	return ~0UL;
}

static bool offset_fits(const struct file *file, unsigned long pgoff, unsigned long len)
{
	u64 limit = file_mmap_size_max(file);

	return len <= limit && pgoff <= (limit - len) >> PAGE_SHIFT;
}

static int check_file_common(const struct file *file, unsigned long flags, unsigned int *vm_flags)
{
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (file->f_path.mnt->mnt_flags & MNT_NOEXEC) {
		if (*vm_flags & VM_EXEC)
			return -EPERM;
		*vm_flags &= ~VM_MAYEXEC;
	}
	if (!file->f_op->mmap)
		return -ENODEV;
	if (flags & MAP_GROWSDOWN)
		return -EINVAL;
	return 0;
}

static int check_file_shared(const struct file *file, unsigned long prot, unsigned long flags,
			     unsigned int *vm_flags)
{
	if ((flags & MAP_TYPE) == MAP_SHARED)
		flags &= LEGACY_MAP_MASK;
	else if (flags & ~LEGACY_MAP_MASK)
		return -EOPNOTSUPP;
	if (prot & PROT_WRITE && !(file->f_mode & FMODE_WRITE))
		return -EACCES;
	if (prot & PROT_WRITE && file->f_mapping->host->i_flags & S_SWAPFILE)
		return -ETXTBSY;
	if (file_inode(file)->i_flags & S_APPEND && file->f_mode & FMODE_WRITE)
		return -EACCES;
	*vm_flags |= VM_SHARED | VM_MAYSHARE;
	if (!(file->f_mode & FMODE_WRITE))
		*vm_flags &= ~(VM_MAYWRITE | VM_SHARED);
	return check_file_common(file, flags, vm_flags);
}

static int check_file(struct mmap_request *request, unsigned long prot, unsigned long flags)
{
	if (!offset_fits(request->file, request->pgoff, request->len))
		return -EOVERFLOW;
	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
	case MAP_SHARED_VALIDATE:
		return check_file_shared(request->file, prot, flags, &request->vm_flags);
	case MAP_PRIVATE:
		return check_file_common(request->file, flags, &request->vm_flags);
	default:
		return -EINVAL;
	}
}

static int check_anonymous(struct mmap_request *request, unsigned long flags)
{
	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
		if (flags & MAP_GROWSDOWN)
			return -EINVAL;
		request->pgoff = 0;
		request->vm_flags |= VM_SHARED | VM_MAYSHARE;
		return 0;
	case MAP_PRIVATE:
		request->pgoff = request->addr >> PAGE_SHIFT;
		return 0;
	default:
		return -EINVAL;
	}
}

static unsigned int calc_vm_flags(struct mm_struct *mm, unsigned long prot, unsigned long flags)
{
	unsigned int vm_flags = mm->def_flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

	vm_flags |= prot & PROT_READ ? VM_READ : 0;
	vm_flags |= prot & PROT_WRITE ? VM_WRITE : 0;
	vm_flags |= prot & PROT_EXEC ? VM_EXEC : 0;
	vm_flags |= flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0;
	vm_flags |= flags & MAP_LOCKED ? VM_LOCKED : 0;
	if (flags & MAP_NORESERVE && !overcommit_never)
		vm_flags |= VM_NORESERVE;
	return vm_flags;
}

/* ---- making the mapping ---- */

static bool accountable(const struct mmap_request *request)
{
	return (request->vm_flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE;
}

static int charge(struct mmap_request *request)
{
	unsigned long pages = request->len >> PAGE_SHIFT;

	if (!accountable(request))
		return 0;
	if (security_vm_enough_memory_mm(request->mm, pages))
		return -ENOMEM;
	request->charged = pages;
	request->vm_flags |= VM_ACCOUNT;
	return 0;
}

static void uncharge(struct mmap_request *request)
{
	vm_unacct_memory(request->charged);
	request->charged = 0;
}

static int hold_writable(struct mmap_request *request)
{
	int ret;

	if (!request->file || !vma_flags_count_writable(request->vm_flags))
		return 0;
	ret = mapping_map_writable(request->file->f_mapping);
	if (!ret)
		request->transient = request->file->f_mapping;
	return ret;
}

static void release_writable(struct mmap_request *request)
{
	if (request->transient)
		mapping_unmap_writable(request->transient);
	request->transient = NULL;
}

/* @prev and @next stand on either side of the free range of @request. */
static struct vm_area_struct *merge_with_neighbours(const struct mmap_request *request,
						    struct vm_area_struct *prev,
						    struct vm_area_struct *next)
{
	struct vma_merge merge = {
		.mm = request->mm, .start = request->addr, .end = request->addr + request->len,
		.pgoff = request->pgoff, .flags = request->vm_flags, .file = request->file,
		.prev = prev, .next = next, .plain_mmap = true,
	};

	/* Shared anonymous memory gets a file of its own, which nobody else shows. */
	if (!request->file && request->vm_flags & VM_SHARED)
		return NULL;
	return vma_merge_new_range(&merge);
}

/*
 * f_op->mmap refused: what it may have inserted goes, close is not called.
 *
 * Refs: drops the VMA's reference on its file.
 */
static void undo_call_mmap(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	struct vm_area_struct *next = find_vma(mm, vma->vm_end);

	fput(vma->vm_file);
	vma->vm_file = NULL;
	zap_range(vma, vma->vm_start, vma->vm_end, ZAP_ALL);
	free_pgtables(mm, vma->vm_start, next ? next->vm_start : mm->task_size);
}

/* Context: f_op->mmap may sleep. Refs: +1 on the file, owned by @vma; none on failure. */
static int attach_file(struct vm_area_struct *vma, struct file *file)
{
	unsigned long start = vma->vm_start;
	int ret;

	vma->vm_file = get_file(file);
	eng_event("f_op->mmap", vma, "%lx-%lx pgoff %lx", start, vma->vm_end, vma->vm_pgoff);
	ret = file->f_op->mmap(file, vma);
	if (ret) {
		undo_call_mmap(vma);
		return ret;
	}
	WARN_ON_ONCE(vma->vm_start != start);
	count_device_vma(vma, 1);
	return 0;
}

static int attach_backing(struct vm_area_struct *vma, struct file *file)
{
	if (file)
		return attach_file(vma, file);
	if (vma->vm_flags & VM_SHARED)
		return shmem_zero_setup(vma);
	vma->vm_ops = NULL;
	return 0;
}

/*
 * The file or memory behind @vma, and room for it in the set. 6.1 asks for that
 * room last: then f_op->mmap has succeeded, and close is called.
 *
 * Refs: +1 on the file, owned by @vma; none on failure.
 */
static int attach_and_prealloc(struct mmap_request *request, struct vm_area_struct *vma)
{
	int ret = kernel_version >= KERNEL_6_12 ? vma_set_prealloc() : 0;

	if (ret)
		return ret;
	ret = attach_backing(vma, request->file);
	request->refused = ret && request->file;
	if (ret || kernel_version >= KERNEL_6_12)
		return ret;
	ret = vma_set_prealloc();
	if (!ret || !vma->vm_file)
		return ret;
	vma_close(vma);
	undo_call_mmap(vma);
	return ret;
}

/* The driver changed the flags: what it made may fit its neighbours now. */
static struct vm_area_struct *merge_late(struct vm_area_struct *vma, unsigned int wanted)
{
	struct vma_merge merge = {
		.mm = vma->vm_mm, .start = vma->vm_start, .end = vma->vm_end,
		.pgoff = vma->vm_pgoff, .flags = vma->vm_flags, .file = vma->vm_file,
		.plain_mmap = true,
	};
	struct vm_area_struct *merged;
	struct vma_iter iter;

	if (vma->vm_flags == wanted)
		return vma;
	merge.next = vma_set_find(&merge.mm->mm_vmas, vma->vm_start, &iter);
	merge.prev = merge.next ? vma_iter_peek_prev(&iter) : vma_set_last(&merge.mm->mm_vmas);
	merged = merge.prev ? vma_merge_new_range(&merge) : NULL;
	if (!merged)
		return vma;
	fput(vma->vm_file);
	vm_area_free(vma);
	return merged;
}

/* Locked device memory stays unlocked, without an error. */
static void account_mapping(struct vm_area_struct *vma, unsigned long pages)
{
	struct mm_struct *mm = vma->vm_mm;

	vm_stat_account(mm, vma->vm_flags, pages);
	if (vma->vm_flags & VM_LOCKED) {
		if (vma->vm_flags & VM_SPECIAL)
			vma->vm_flags &= ~VM_LOCKED;
		else
			mm->locked_vm += pages;
	}
	vma->vm_flags |= VM_SOFTDIRTY;
	vma->vm_page_prot = vm_pgprot_modify(vma->vm_page_prot, vma->vm_flags);
}

/* A VMA for the free range of @request, linked; ERR_PTR leaves the range free. */
static struct vm_area_struct *new_mapping(struct mmap_request *request)
{
	struct vm_area_struct *vma = vm_area_alloc(request->mm), *merged;
	int ret;

	if (!vma)
		return ERR_PTR(-ENOMEM);
	vma->vm_start = request->addr;
	vma->vm_end = request->addr + request->len;
	vma->vm_flags = request->vm_flags;
	vma->vm_page_prot = vm_get_page_prot(request->vm_flags);
	vma->vm_pgoff = request->pgoff;
	ret = kernel_version < KERNEL_6_1 ? hold_writable(request) : 0;
	if (!ret)
		ret = attach_and_prealloc(request, vma);
	if (ret) {
		if (kernel_version < KERNEL_6_1)
			release_writable(request);
		vm_area_free(vma);
		return ERR_PTR(ret);
	}
	merged = merge_late(vma, request->vm_flags);
	if (merged == vma)
		vma_link(request->mm, vma);
	return merged;
}

static long finish_mapping(struct mmap_request *request, struct vm_area_struct *vma)
{
	release_writable(request);
	account_mapping(vma, request->len >> PAGE_SHIFT);
	return request->addr;
}

static bool room_for(const struct mmap_request *request)
{
	struct mm_struct *mm = request->mm;
	unsigned long end = request->addr + request->len, pages = request->len >> PAGE_SHIFT;
	struct vm_area_struct *vma;
	struct vma_iter iter;

	if (may_expand_vm(mm, request->vm_flags, pages))
		return true;
	vma = vma_set_find(&mm->mm_vmas, request->addr, &iter);
	for (; vma && vma->vm_start < end; vma = vma_iter_next(&iter)) {
		unsigned long from = vma->vm_start, to = vma->vm_end;

		from = from > request->addr ? from : request->addr;
		to = to < end ? to : end;
		pages -= (to - from) >> PAGE_SHIFT;
	}
	return may_expand_vm(mm, request->vm_flags, pages);
}

/*
 * 5.14 and 6.1: the old mappings go first, so whatever fails later leaves a hole.
 *
 * Locks: holds mmap_lock for write.
 */
static long mmap_region_old(struct mmap_request *request)
{
	struct vma_set *set = &request->mm->mm_vmas;
	struct vm_area_struct *vma, *prev;
	struct vma_iter iter;
	int ret = 0;

	if (!room_for(request))
		return -ENOMEM;
	if (do_munmap(request->mm, request->addr, request->len, false))
		ret = -ENOMEM;
	if (!ret)
		ret = charge(request);
	if (ret)
		return ret;
	vma = vma_set_find(set, request->addr, &iter);
	prev = vma ? vma_iter_peek_prev(&iter) : vma_set_last(set);
	vma = merge_with_neighbours(request, prev, vma);
	if (!vma)
		vma = new_mapping(request);
	if (!IS_ERR(vma))
		return finish_mapping(request, vma);
	/* 5.14 forgets the charge when the driver refuses (MM-40). */
	if (kernel_version >= KERNEL_6_1 || !request->refused)
		uncharge(request);
	return PTR_ERR(vma);
}

/*
 * 6.12: cut and set aside the old mappings, test the limits, and only then clear.
 *
 * Locks: holds mmap_lock for write.
 */
static long mmap_region_new(struct mmap_request *request)
{
	struct vm_area_struct *vma;
	struct vma_munmap vms;
	int ret;

	ret = vms_gather_munmap_vmas(&vms, request->mm, request->addr,
				     request->addr + request->len);
	if (ret)
		return ret;
	if (!may_expand_vm(request->mm, request->vm_flags,
			   (request->len >> PAGE_SHIFT) - vms.nr_pages))
		ret = -ENOMEM;
	if (!ret)
		ret = charge(request);
	if (ret) {
		vms_abort_munmap_vmas(&vms);
		return ret;
	}
	vms_clear_ptes(&vms);
	vms_close_vmas(&vms);
	vma = merge_with_neighbours(request, vms.prev, vms.next);
	if (!vma)
		vma = new_mapping(request);
	if (IS_ERR(vma))
		uncharge(request);
	else
		ret = 0;
	vms_complete_munmap_vmas(&vms);
	return IS_ERR(vma) ? PTR_ERR(vma) : finish_mapping(request, vma);
}

static long mmap_region(struct mmap_request *request)
{
	long ret;

	if (kernel_version < KERNEL_6_1)
		return mmap_region_old(request);
	ret = hold_writable(request);
	if (ret)
		return ret;
	if (kernel_version < KERNEL_6_12)
		ret = mmap_region_old(request);
	else
		ret = mmap_region_new(request);
	release_writable(request);
	return ret;
}

static int check_locked(struct mm_struct *mm, unsigned int vm_flags, unsigned long len)
{
	if (!(vm_flags & VM_LOCKED) || mlock_future_ok(mm, len))
		return 0;
	return -EAGAIN;
}

/*
 * From 6.1 on F_SEAL_WRITE is tested here, from 6.12 on F_SEAL_FUTURE_WRITE as
 * well; before, they are inside step 6 and f_op->mmap.
 */
static int check_seals(struct mmap_request *request)
{
	if (!request->file || kernel_version < KERNEL_6_1)
		return 0;
	return memfd_check_seals_mmap(request->file, &request->vm_flags);
}

/*
 * Everything behind the lock. Locks: holds mmap_lock for write.
 * Return: the address, or -errno.
 */
long do_mmap(struct file *file, unsigned long addr, unsigned long len, unsigned long prot,
	     unsigned long flags, unsigned long pgoff)
{
	struct mmap_request request = { .mm = get_current()->mm, .file = file, .pgoff = pgoff };
	struct mm_struct *mm = request.mm;
	int ret;

	if (!len)
		return -EINVAL;
	if (flags & MAP_FIXED_NOREPLACE)
		flags |= MAP_FIXED;
	len = PAGE_ALIGN(len);
	if (!len)
		return -ENOMEM;
	if (pgoff + (len >> PAGE_SHIFT) < pgoff)
		return -EOVERFLOW;
	if (mm->map_count > sysctl_max_map_count)
		return -ENOMEM;
	addr = get_unmapped_area(file, addr, len, pgoff, flags);
	if (IS_ERR((void *)addr))
		return addr;
	if (flags & MAP_FIXED_NOREPLACE && find_vma_intersection(mm, addr, addr + len))
		return -EEXIST;
	request.addr = addr;
	request.len = len;
	request.vm_flags = calc_vm_flags(mm, prot, flags);
	ret = check_locked(mm, request.vm_flags, len);
	if (!ret)
		ret = file ? check_file(&request, prot, flags) :
			     check_anonymous(&request, flags);
	if (!ret)
		ret = check_seals(&request);
	return ret ? ret : mmap_region(&request);
}

static bool wants_pages(const struct mm_struct *mm, unsigned long flags)
{
	return flags & MAP_LOCKED || mm->def_flags & VM_LOCKED ||
	       (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE;
}

static long mmap_locked(struct file *file, unsigned long addr, unsigned long len,
			unsigned long prot, unsigned long flags, unsigned long pgoff)
{
	struct mm_struct *mm = get_current()->mm;
	long ret;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = do_mmap(file, addr, len, prot, flags, pgoff);
	mmap_write_unlock(mm);
	if (!IS_ERR((void *)ret) && wants_pages(mm, flags))
		mm_populate(ret, PAGE_ALIGN(len));
	return ret;
}

/* mmap(2). Context: may sleep. Refs: the mapping has its own on the file. */
long ksys_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
	       unsigned long fd, unsigned long offset)
{
	struct file *file = NULL;
	long ret;

	if (offset & ~PAGE_MASK)
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		file = fget(fd);
		if (!file)
			return -EBADF;
		if (flags & MAP_HUGETLB) {
			fput(file);
			return -EINVAL;
		}
	}
	flags &= ~(unsigned long)MAP_DENYWRITE;
	ret = mmap_locked(file, addr, len, prot, flags, offset >> PAGE_SHIFT);
	if (file)
		fput(file);
	return ret;
}
