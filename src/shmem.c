// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain files: memfd and shared anonymous memory, with page cache, contents,
 * truncation, holes and seals. Follows mm/shmem.c, mm/memfd.c, mm/filemap.c.
 *
 * Lock order (outer first):
 *
 *   inode->i_rwsem		size, seals; not taken by faults
 *     mm->mmap_lock		where a write faults in its source
 *     mapping->i_mmap_rwsem	for the unmapping
 *       page-table locks
 *
 * The page cache and the size are one object for the schedule (&mapping->i_pages):
 * looking something up there is one step. The kernel's page lock keeps a page in
 * the cache between a fault's lookup and its entry; here the fault looks again in
 * the step that installs the entry, and a page leaves the cache only in a step that
 * finds it unmapped. The outcomes are the same, without a lock to wait for.
 */
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <linux/stat.h>
#include <vfiosim/kapi/uaccess.h>

#include "mm_internal.h"
#include "vfs.h"

#define TMPFS_MAGIC 0x01021994
#define SIZE_MAX_BYTES LONG_MAX
#define SEALS_ALL (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

struct xarray_pages {
	struct radix pages;	/* struct page addresses by page index */
};

static struct boot_fs shm_fs KSTATE;

static void shmem_evict_inode(struct inode *inode);
static const struct super_operations shmem_super_ops = { .evict_inode = shmem_evict_inode };
static const struct boot_fs_type shmem_fs_type = {
	.name = "tmpfs",
	.magic = TMPFS_MAGIC,
	.minor = BOOT_MINOR_SHMEM,
	.s_op = &shmem_super_ops,
};

/* ---- page cache ---- */

static struct page *cached_page(struct address_space *mapping, pgoff_t index)
{
	u64 *slot = mapping->i_pages ? radix_find(&mapping->i_pages->pages, index) : NULL;

	return slot ? (struct page *)*slot : NULL;
}

struct page *filemap_peek(struct address_space *mapping, pgoff_t index)
{
	return cached_page(mapping, index);
}

static void announce_lookup(struct address_space *mapping, enum eng_access access)
{
	eng_point(access == ENG_READ ? ENG_OP_PLAIN_READ : ENG_OP_PLAIN_WRITE,
		  &mapping->i_pages, access);
}

static u64 *cache_slot(struct address_space *mapping, pgoff_t index)
{
	if (!mapping->i_pages)
		mapping->i_pages = __kmalloc_named(sizeof(*mapping->i_pages),
						   GFP_KERNEL | __GFP_ZERO, "page_cache");
	if (!mapping->i_pages)
		return NULL;
	return radix_slot(&mapping->i_pages->pages, index, "page_cache_node");
}

/* A zeroed page for a hole. Refs: the cache's; NULL when memory runs out. */
static struct page *add_page(struct address_space *mapping, pgoff_t index)
{
	struct page *page = alloc_page();
	u64 *slot = page ? cache_slot(mapping, index) : NULL;

	if (!slot) {
		if (page)
			kfree(page);
		return NULL;
	}
	page->mapping = mapping;
	*slot = (u64)page;
	mapping->nrpages++;
	return page;
}

static pgoff_t pages_of_size(const struct inode *inode)
{
	return ((unsigned long)inode->i_size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* A page that entries still show is unmapped by itself, until a look finds none. */
static void delete_page(struct address_space *mapping, pgoff_t index, u64 *slot)
{
	struct page *page;

	announce_lookup(mapping, ENG_WRITE);
	page = (struct page *)*slot;
	while (page->mapcount)
		unmap_mapping_pages(mapping, index, 1, false);
	*slot = 0;
	mapping->nrpages--;
	page_uncached(page);
}

static void delete_pages(struct address_space *mapping, pgoff_t first, pgoff_t end)
{
	pgoff_t index = first;
	unsigned long nr;
	u64 *slot;

	if (!mapping->i_pages)
		return;
	while ((slot = radix_next(&mapping->i_pages->pages, &index, end, &nr))) {
		for (; nr--; index++, slot++) {
			if (*slot)
				delete_page(mapping, index, slot);
		}
	}
	radix_prune(&mapping->i_pages->pages, first, end);
}

/* The cut page keeps its head. */
static void zero_partial(struct address_space *mapping, loff_t from, loff_t to)
{
	static const u8 zeroes[PAGE_SIZE];
	struct page *page = cached_page(mapping, (unsigned long)from >> PAGE_SHIFT);

	if (page && to > from)
		page_store(page, from & ~PAGE_MASK, zeroes, to - from);
}

void truncate_inode_pages(struct address_space *mapping, loff_t start)
{
	loff_t whole = (start + (loff_t)PAGE_SIZE - 1) & (loff_t)PAGE_MASK;

	zero_partial(mapping, start, whole);
	delete_pages(mapping, (unsigned long)whole >> PAGE_SHIFT, ~0UL >> PAGE_SHIFT);
}

/*
 * Map those pages of [start, end] that the cache holds, where nothing is mapped yet.
 *
 * Locks: mmap_lock held for read; page-table locks.
 */
void filemap_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	struct vm_area_struct *vma = vmf->vma;
	struct address_space *mapping = vma->vm_file->f_mapping;
	struct page *page;
	pte_t *pte;

	announce_lookup(mapping, ENG_READ);
	for (pgoff_t index = start; index <= end; index++) {
		if (!cached_page(mapping, index))
			continue;
		pte = pte_alloc(vma->vm_mm, vma->vm_start +
				((index - vma->vm_pgoff) << PAGE_SHIFT));
		if (!pte)
			return;
		pte_lock(pte);
		page = cached_page(mapping, index);
		if (!pte_none(*pte) || !page || index >= pages_of_size(mapping->host)) {
			eng_only_read();
			continue;
		}
		page->mapcount++;
		vma->vm_mm->rss_file++;
		*pte = pte_make((u64)page, vma->vm_page_prot, 0);
	}
}

/* Refs: on success vmf->page is held for the caller. */
static vm_fault_t shmem_fault(struct vm_fault *vmf)
{
	struct address_space *mapping = vmf->vma->vm_file->f_mapping;
	struct page *page;

	announce_lookup(mapping, ENG_WRITE);
	if (vmf->pgoff >= pages_of_size(mapping->host)) {
		eng_only_read();
		return VM_FAULT_SIGBUS;
	}
	page = cached_page(mapping, vmf->pgoff);
	if (page)
		eng_only_read();
	else
		page = add_page(mapping, vmf->pgoff);
	if (!page)
		return VM_FAULT_OOM;
	page->held++;
	vmf->page = page;
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct shmem_vm_ops = {
	.fault = shmem_fault,
	.map_pages = filemap_map_pages,
};

/* ---- seals ---- */

static unsigned int seals_of(const struct inode *inode)
{
	return (unsigned long)inode->i_private;
}

/*
 * May a file with these seals be mapped with *vm_flags? A shared mapping that may
 * not write now cannot be made writable later either.
 */
static int check_write_seals(unsigned int seals, unsigned int *vm_flags)
{
	if (!seals || !(*vm_flags & VM_SHARED))
		return 0;
	if (*vm_flags & VM_WRITE)
		return -EPERM;
	*vm_flags &= ~VM_MAYWRITE;
	return 0;
}

/* The seals that are asked before anything has changed. */
int memfd_check_seals_mmap(struct file *file, unsigned int *vm_flags)
{
	unsigned int early = F_SEAL_WRITE |
			     (kernel_version >= KERNEL_6_12 ? F_SEAL_FUTURE_WRITE : 0);

	if (file->f_op != &shmem_file_operations)
		return 0;
	return check_write_seals(seals_of(file_inode(file)) & early, vm_flags);
}

/*
 * F_ADD_SEALS. Locks: takes and drops i_rwsem.
 * Return: -EBUSY for F_SEAL_WRITE while any shared writable mapping exists.
 */
int memfd_add_seals(struct file *file, unsigned int seals)
{
	struct inode *inode = file_inode(file);
	int ret = 0;

	if (file->f_op != &shmem_file_operations || seals & ~(unsigned int)SEALS_ALL)
		return -EINVAL;
	if (!(file->f_mode & FMODE_WRITE))
		return -EPERM;
	down_write(&inode->i_rwsem);
	if (seals_of(inode) & F_SEAL_SEAL)
		ret = -EPERM;
	else if (seals & F_SEAL_WRITE && !(seals_of(inode) & F_SEAL_WRITE))
		ret = mapping_deny_writable(inode->i_mapping);
	if (!ret) {
		inode->i_private = (void *)(unsigned long)(seals_of(inode) | seals);
		if (seals & F_SEAL_WRITE)
			inode->i_mapping->flags |= AS_WRITE_SEALED;
	}
	up_write(&inode->i_rwsem);
	return ret;
}

int memfd_get_seals(struct file *file)
{
	if (file->f_op != &shmem_file_operations)
		return -EINVAL;
	return seals_of(file_inode(file));
}

static int shmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned int seals = seals_of(file_inode(file)) & F_SEAL_FUTURE_WRITE;
	int ret = 0;

	if (kernel_version < KERNEL_6_12)
		ret = check_write_seals(seals, &vma->vm_flags);
	if (!ret)
		vma->vm_ops = &shmem_vm_ops;
	return ret;
}

/* ---- size and holes ---- */

static int check_size_seals(const struct inode *inode, loff_t size)
{
	unsigned int seals = seals_of(inode);

	if (size < inode->i_size && seals & F_SEAL_SHRINK)
		return -EPERM;
	if (size > inode->i_size && seals & F_SEAL_GROW)
		return -EPERM;
	return 0;
}

static void set_size(struct inode *inode, loff_t size)
{
	announce_lookup(inode->i_mapping, ENG_WRITE);
	inode->i_size = size;
}

/* Nothing whole is cut off when the old end lies in the page of the new one. */
static void shrink(struct inode *inode, loff_t old, loff_t size)
{
	loff_t whole = (size + (loff_t)PAGE_SIZE - 1) & (loff_t)PAGE_MASK;

	if (old > whole)
		truncate_pagecache(inode, size);
	else
		truncate_inode_pages(inode->i_mapping, size);
}

/* ftruncate(2). Context: may sleep. Locks: takes and drops i_rwsem. */
int memfd_truncate(struct file *file, loff_t size)
{
	struct inode *inode = file_inode(file);
	loff_t old;
	int ret;

	if (size < 0 || !(file->f_mode & FMODE_WRITE))
		return -EINVAL;
	down_write(&inode->i_rwsem);
	ret = check_size_seals(inode, size);
	if (!ret) {
		old = inode->i_size;
		set_size(inode, size);
		if (size < old)
			shrink(inode, old, size);
	}
	up_write(&inode->i_rwsem);
	return ret;
}

/* A hole rounds inwards: partial pages at its ends are zeroed, not removed. */
static void punch(struct inode *inode, loff_t offset, loff_t end)
{
	struct address_space *mapping = inode->i_mapping;
	loff_t first = (offset + (loff_t)PAGE_SIZE - 1) & (loff_t)PAGE_MASK;
	loff_t last = end & (loff_t)PAGE_MASK;

	if (last > first)
		unmap_mapping_range(mapping, first, last - first, 0);
	if (first > end) {
		zero_partial(mapping, offset, end);
		return;
	}
	zero_partial(mapping, offset, first);
	zero_partial(mapping, last, end);
	if (last > first)
		delete_pages(mapping, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
}

/* Locks: takes and drops i_rwsem. Private copies of punched pages survive. */
static long shmem_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	int ret = 0;

	if (mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	down_write(&inode->i_rwsem);
	if (seals_of(inode) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		ret = -EPERM;
	else
		punch(inode, offset, offset + len);
	up_write(&inode->i_rwsem);
	return ret;
}

int memfd_punch(struct file *file, loff_t offset, loff_t len)
{
	if (offset < 0 || len <= 0)
		return -EINVAL;
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (len > LLONG_MAX - offset)
		return -EFBIG;
	return shmem_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len);
}

/* ---- read and write ---- */

static unsigned int chunk(loff_t offset, size_t size)
{
	size_t left = PAGE_SIZE - (offset & ~PAGE_MASK);

	return size < left ? size : left;
}

/* pread(2): holes read as zero. Context: may sleep. */
ssize_t memfd_pread(struct file *file, void *buf, size_t size, loff_t offset)
{
	struct inode *inode = file_inode(file);
	struct address_space *mapping = inode->i_mapping;
	struct page *page;
	size_t done = 0;

	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	if (offset < 0)
		return -EINVAL;
	for (unsigned int n; done < size; done += n, offset += n) {
		announce_lookup(mapping, ENG_READ);
		if (offset >= inode->i_size)
			break;
		n = chunk(offset, size - done);
		if (n > inode->i_size - offset)
			n = inode->i_size - offset;
		page = cached_page(mapping, (unsigned long)offset >> PAGE_SHIFT);
		if (page)
			page_load(page, offset & ~PAGE_MASK, (u8 *)buf + done, n);
		else
			memset((u8 *)buf + done, 0, n);
	}
	return done;
}

/* Seals are asked page by page: what fitted before the first refusal stays written. */
static int write_chunk(struct inode *inode, const void *buf, unsigned int n, loff_t offset)
{
	struct address_space *mapping = inode->i_mapping;
	pgoff_t index = (unsigned long)offset >> PAGE_SHIFT;
	unsigned int seals = seals_of(inode);
	struct page *page;

	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (seals & F_SEAL_GROW && offset + n > inode->i_size)
		return -EPERM;
	announce_lookup(mapping, ENG_WRITE);
	page = cached_page(mapping, index);
	if (!page)
		page = add_page(mapping, index);
	if (!page)
		return -ENOMEM;
	page_store(page, offset & ~PAGE_MASK, buf, n);
	if (offset + n > inode->i_size)
		inode->i_size = offset + n;
	return 0;
}

/* pwrite(2). Context: may sleep. Locks: takes and drops i_rwsem. */
ssize_t memfd_pwrite(struct file *file, const void *buf, size_t size, loff_t offset)
{
	struct inode *inode = file_inode(file);
	ssize_t done = 0;
	int ret = 0;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (offset < 0 || size > (size_t)(SIZE_MAX_BYTES - offset))
		return -EINVAL;
	down_write(&inode->i_rwsem);
	for (unsigned int n; done < size; done += n, offset += n) {
		n = chunk(offset, size - done);
		ret = write_chunk(inode, (const u8 *)buf + done, n, offset);
		if (ret)
			break;
	}
	up_write(&inode->i_rwsem);
	return done ? done : ret;
}

/* A page at a time: what it held at the lookup is copied out afterwards, without a lock. */
static ssize_t shmem_file_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	u8 page[PAGE_SIZE];
	unsigned long left = 0;
	size_t done = 0;

	while (done < size && !left) {
		ssize_t n = memfd_pread(file, page, chunk(*pos, size - done), *pos);

		if (n <= 0)
			break;
		left = copy_to_user(buf + done, page, n);
		*pos += n - left;
		done += n - left;
	}
	return left && !done ? -EFAULT : (ssize_t)done;
}

/*
 * Context: may sleep; faults in user memory.
 * Locks:   takes and drops i_rwsem, which is held over these faults.
 */
static ssize_t shmem_file_write(struct file *file, const char __user *buf, size_t size,
				loff_t *pos)
{
	struct inode *inode = file_inode(file);
	u8 page[PAGE_SIZE];
	size_t done = 0;
	int ret = 0;

	down_write(&inode->i_rwsem);
	for (unsigned int n; done < size; done += n, *pos += n) {
		n = chunk(*pos, size - done);
		n -= copy_from_user(page, buf + done, n);
		ret = n ? write_chunk(inode, page, n, *pos) : -EFAULT;
		if (ret)
			break;
	}
	up_write(&inode->i_rwsem);
	return done ? (ssize_t)done : ret;
}

/* ---- position ---- */

static pgoff_t next_cached(struct address_space *mapping, pgoff_t index, pgoff_t end)
{
	unsigned long nr;
	u64 *slot;

	if (!mapping->i_pages)
		return end;
	while ((slot = radix_next(&mapping->i_pages->pages, &index, end, &nr))) {
		for (; nr--; index++, slot++) {
			if (*slot)
				return index;
		}
	}
	return end;
}

/*
 * The first byte from @start on that lies in a page of the cache, or in none: data and
 * hole by whole pages. Behind the last page there is a hole, if only of no bytes.
 *
 * Locks: i_rwsem for write.
 */
static loff_t seek_hole_data(struct inode *inode, loff_t start, int whence)
{
	struct address_space *mapping = inode->i_mapping;
	pgoff_t index = start >> PAGE_SHIFT, end = pages_of_size(inode);
	loff_t found;

	if (start >= inode->i_size)
		return -ENXIO;
	if (whence == SEEK_DATA)
		index = next_cached(mapping, index, end);
	else
		while (index < end && cached_page(mapping, index))
			index++;
	if (index >= end)
		return whence == SEEK_DATA ? -ENXIO : inode->i_size;
	found = (loff_t)index << PAGE_SHIFT;
	return found > start ? found : start;
}

/* Context: may sleep. Locks: takes and drops i_rwsem for SEEK_DATA and SEEK_HOLE. */
static loff_t shmem_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);

	if (whence == SEEK_END)
		announce_lookup(inode->i_mapping, ENG_READ);
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(file, offset, whence, SIZE_MAX_BYTES,
						inode->i_size);
	if (offset < 0)
		return -ENXIO;
	down_write(&inode->i_rwsem);
	announce_lookup(inode->i_mapping, ENG_READ);
	offset = seek_hole_data(inode, offset, whence);
	if (offset >= 0)
		offset = vfs_setpos(file, offset, SIZE_MAX_BYTES);
	up_write(&inode->i_rwsem);
	return offset;
}

/* ---- files ---- */

/* There is nothing behind the page cache. */
static int noop_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return 0;
}

const struct file_operations shmem_file_operations = {
	.llseek = shmem_file_llseek,
	.read = shmem_file_read,
	.write = shmem_file_write,
	.mmap = shmem_mmap,
	.fsync = noop_fsync,
	.fallocate = shmem_fallocate,
};

/* Nothing shows the file any more; its pages go with it. */
static void shmem_evict_inode(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;

	truncate_inode_pages(mapping, 0);
	if (mapping->i_pages)
		kfree(mapping->i_pages);
	mapping->i_pages = NULL;
	clear_inode(inode);
}

/* Refs: the file is the caller's; it owns the inode. */
static struct file *shmem_file_setup(const char *name, loff_t size, unsigned int seals)
{
	struct vfsmount *mnt = boot_fs_mount(&shm_fs, &shmem_fs_type);
	struct inode *inode = new_inode(mnt->mnt_sb);
	struct file *file;

	if (!inode)
		return ERR_PTR(-ENOSPC);
	inode->i_mode = S_IFREG | 0777;
	inode->i_ino = get_next_ino();
	inode->i_size = size;
	inode->i_nlink = 0;
	inode->i_private = (void *)(unsigned long)seals;
	file = alloc_file_pseudo(inode, mnt, name, O_RDWR, &shmem_file_operations);
	if (IS_ERR(file))
		iput(inode);
	return file;
}

struct file *memfd_file(const char *name, unsigned int flags)
{
	struct file *file;

	if (flags & ~(unsigned int)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return ERR_PTR(-EINVAL);
	file = shmem_file_setup(name, 0, flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL);
	if (!IS_ERR(file))
		file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	return file;
}

/* As an open by name, and so, other than memfd_file(), with a position that is locked. */
struct file *memfd_reopen(struct file *file, int flags)
{
	struct inode *inode = file_inode(file);
	struct file *fresh;

	ihold(inode);
	fresh = alloc_file_pseudo(inode, file->f_path.mnt, "memfd", flags & O_ACCMODE,
				  &shmem_file_operations);
	if (IS_ERR(fresh))
		iput(inode);
	else
		fresh->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS;
	return fresh;
}

/* Shared anonymous memory: a file of its own, so two of them never join. */
int shmem_zero_setup(struct vm_area_struct *vma)
{
	struct file *file;

	file = shmem_file_setup("dev/zero", vma->vm_end - vma->vm_start, F_SEAL_SEAL);
	if (IS_ERR(file))
		return PTR_ERR(file);
	vma->vm_file = file;
	vma->vm_ops = &shmem_vm_ops;
	return 0;
}
