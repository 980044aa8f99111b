// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMAs: their memory, how they enter and leave the set and the file's tree, how
 * they change their range, and how one becomes two. Follows mm/mmap.c of 5.14
 * (__vma_adjust, __split_vma, vma_link) and mm/vma.c of 6.12.
 *
 * Lock order (outer first):
 *
 *   mm->mmap_lock			write, for everything here
 *     mapping->i_mmap_rwsem		write; range and place of a file's VMA
 *
 * A file's VMA changes vm_start, vm_end and vm_pgoff with both held, so that a
 * walk of the tree, which holds the second one only, sees all three or none.
 * vm_flags change under mmap_lock alone.
 */
#include "mm_internal.h"

#define CAP_IPC_LOCK 14

int sysctl_max_map_count KSTATE = 65530;

/*
 * What a new VMA starts with: not NULL, which would mean private anonymous
 * memory. A driver that forgets vm_ops gets SIGBUS, never zero pages.
 */
const struct vm_operations_struct vma_dummy_vm_ops;

static inline struct address_space *mapping_of(const struct vm_area_struct *vma)
{
	return vma->vm_file ? vma->vm_file->f_mapping : NULL;
}

/* Refs: none; @mm is not pinned by its VMAs. */
struct vm_area_struct *vm_area_alloc(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	vma = __kmalloc_named(sizeof(*vma), GFP_KERNEL | __GFP_ZERO, "vm_area_struct");
	if (vma) {
		vma->vm_mm = mm;
		vma->vm_ops = &vma_dummy_vm_ops;
	}
	return vma;
}

/* A copy of every field. Refs: takes none; the caller takes the file's. */
struct vm_area_struct *vm_area_dup(const struct vm_area_struct *old)
{
	struct vm_area_struct *vma;

	vma = __kmalloc_named(sizeof(*vma), GFP_KERNEL, "vm_area_struct");
	if (vma) {
		*vma = *old;
		vma->anon_vma_chain = NULL;
		vma->shared_leaf = NULL;
	}
	return vma;
}

void vm_area_free(struct vm_area_struct *vma)
{
	kfree(vma);
}

/* ---- i_mmap_writable ---- */

static void announce_writable(struct address_space *mapping)
{
	eng_point(ENG_OP_ATOMIC_RMW, &mapping->i_mmap_writable, ENG_WRITE);
}

int mapping_map_writable(struct address_space *mapping)
{
	announce_writable(mapping);
	if (mapping->i_mmap_writable < 0) {
		eng_only_read();
		return -EPERM;
	}
	mapping->i_mmap_writable++;
	return 0;
}

void mapping_unmap_writable(struct address_space *mapping)
{
	announce_writable(mapping);
	mapping->i_mmap_writable--;
}

void mapping_allow_writable(struct address_space *mapping)
{
	announce_writable(mapping);
	mapping->i_mmap_writable++;
}

int mapping_deny_writable(struct address_space *mapping)
{
	announce_writable(mapping);
	if (mapping->i_mmap_writable > 0) {
		eng_only_read();
		return -EBUSY;
	}
	mapping->i_mmap_writable--;
	return 0;
}

/* Does a VMA with these flags count in i_mmap_writable? */
bool vma_flags_count_writable(unsigned int flags)
{
	if (kernel_version >= KERNEL_6_1)
		return (flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE);
	return flags & VM_SHARED;
}

/* ---- the file's tree; Locks: i_mmap_rwsem held for write ---- */

static void file_link(struct vm_area_struct *vma, struct address_space *mapping)
{
	if (vma_flags_count_writable(vma->vm_flags))
		mapping_allow_writable(mapping);
	vma_interval_tree_insert(vma, &mapping->i_mmap);
}

static void file_unlink(struct vm_area_struct *vma, struct address_space *mapping)
{
	if (vma_flags_count_writable(vma->vm_flags))
		mapping_unmap_writable(mapping);
	vma_interval_tree_remove(vma, &mapping->i_mmap);
}

void i_mmap_lock_write(struct address_space *mapping)
{
	down_write(&mapping->i_mmap_rwsem);
}

void i_mmap_unlock_write(struct address_space *mapping)
{
	up_write(&mapping->i_mmap_rwsem);
}

/*
 * Take @vma out of its file's tree; its entries are cleared already.
 *
 * Locks: takes and drops i_mmap_rwsem. Refs: the file stays referenced.
 */
void unlink_file_vma(struct vm_area_struct *vma)
{
	struct address_space *mapping = mapping_of(vma);

	if (!mapping)
		return;
	i_mmap_lock_write(mapping);
	file_unlink(vma, mapping);
	i_mmap_unlock_write(mapping);
	eng_event("vma_unlink", vma, "pgoff %lx", vma->vm_pgoff);
}

/*
 * Put @vma into the set and the tree of the mapping that its file has *now*.
 *
 * Locks: holds mmap_lock for write; takes and drops i_mmap_rwsem.
 * Refs:  none; @vma already owns its file reference.
 */
void vma_link(struct mm_struct *mm, struct vm_area_struct *vma)
{
	struct address_space *mapping = mapping_of(vma);

	if (mapping)
		i_mmap_lock_write(mapping);
	vma_set_insert(&mm->mm_vmas, vma);
	if (mapping) {
		file_link(vma, mapping);
		i_mmap_unlock_write(mapping);
	}
	mm->map_count++;
	eng_event("vma_link", vma, "%lx-%lx pgoff %lx", vma->vm_start, vma->vm_end,
		  vma->vm_pgoff);
}

/*
 * fork: @vma, which shows the same pages as @parent, goes directly behind it, so
 * that a zap that met the parent before its entries were copied meets the copy.
 */
void vma_link_file_after(struct vm_area_struct *vma, struct vm_area_struct *parent)
{
	struct address_space *mapping = mapping_of(vma);

	i_mmap_lock_write(mapping);
	if (vma_flags_count_writable(vma->vm_flags))
		mapping_allow_writable(mapping);
	vma_interval_tree_insert_after(vma, parent, &mapping->i_mmap);
	i_mmap_unlock_write(mapping);
	eng_event("vma_link", vma, "copy, behind %O", parent);
}

/* ---- changing ranges ---- */

/* The set is keyed by vm_start; vm_end and vm_pgoff can just be stored. */
static void set_range(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		      unsigned long pgoff)
{
	if (start != vma->vm_start)
		vma_set_move_start(&vma->vm_mm->mm_vmas, vma, start);
	vma->vm_end = end;
	vma->vm_pgoff = pgoff;
}

/* A VMA that another one has swallowed: neither open nor close is called. */
static void vma_swallowed(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	eng_event("vma_merged", vma, "%lx-%lx", vma->vm_start, vma->vm_end);
	if (vma->vm_file)
		fput(vma->vm_file);
	unlink_anon_vmas(vma);
	mm->map_count--;
	vm_area_free(vma);
}

/*
 * One consistent change of the set and the tree: @change->vma gets a new range;
 * optionally a neighbour's start moves the other way, one VMA is inserted, or
 * one that @vma now covers goes. All of them show the same file.
 *
 * Locks: holds mmap_lock for write; i_mmap_rwsem for write around all of it.
 * Refs:  the reference of a swallowed VMA is dropped after the unlock.
 */
void vma_commit(const struct vma_change *change)
{
	struct vm_area_struct *vma = change->vma, *adjust = change->adjust;
	struct address_space *mapping = mapping_of(vma);
	struct vma_set *set = &vma->vm_mm->mm_vmas;

	if (mapping) {
		i_mmap_lock_write(mapping);
		if (change->insert)
			file_link(change->insert, mapping);
		vma_interval_tree_remove(vma, &mapping->i_mmap);
		if (adjust)
			vma_interval_tree_remove(adjust, &mapping->i_mmap);
	}
	if (change->remove)
		vma_set_erase(set, change->remove);
	/* The one that shrinks goes first, so that two starts are never equal. */
	if (adjust && change->adjust_start > adjust->vm_start)
		set_range(adjust, change->adjust_start, adjust->vm_end,
			  linear_page_index(adjust, change->adjust_start));
	set_range(vma, change->start, change->end, change->pgoff);
	if (adjust && change->adjust_start < adjust->vm_start)
		set_range(adjust, change->adjust_start, adjust->vm_end, adjust->vm_pgoff -
			  ((adjust->vm_start - change->adjust_start) >> PAGE_SHIFT));
	if (mapping) {
		if (adjust)
			vma_interval_tree_insert(adjust, &mapping->i_mmap);
		vma_interval_tree_insert(vma, &mapping->i_mmap);
		if (change->remove)
			file_unlink(change->remove, mapping);
	}
	if (change->insert)
		vma_set_insert(set, change->insert);
	if (mapping)
		i_mmap_unlock_write(mapping);
	if (change->insert)
		vma->vm_mm->map_count++;
	if (change->remove)
		vma_swallowed(change->remove);
}

/* ---- splitting ---- */

long device_vmas_open KSTATE;

/* A new VMA shows what another one does: tell the driver. */
void vma_open(struct vm_area_struct *vma)
{
	count_device_vma(vma, 1);
	if (vma->vm_ops && vma->vm_ops->open)
		vma->vm_ops->open(vma);
}

/* The new half, complete but in no set and no tree; @vma still spans everything. */
static struct vm_area_struct *split_half(struct vm_area_struct *vma, unsigned long addr,
					 bool new_below)
{
	struct vm_area_struct *half = vm_area_dup(vma);

	if (!half)
		return NULL;
	if (new_below) {
		half->vm_end = addr;
	} else {
		half->vm_start = addr;
		half->vm_pgoff = linear_page_index(vma, addr);
	}
	if ((kernel_version >= KERNEL_6_12 && vma_set_prealloc()) || anon_vma_clone(half, vma)) {
		vm_area_free(half);
		return NULL;
	}
	return half;
}

/*
 * 6.1 asks for tree nodes when the driver has been told already: it is told again
 * that the new VMA goes, which has no range any more.
 *
 * Refs: drops the file's reference.
 */
static void give_up_half(struct vm_area_struct *half)
{
	half->vm_start = half->vm_end;
	half->vm_pgoff = 0;
	remove_vma(half);
}

/*
 * Cut @vma at @addr, strictly inside; a new VMA gets the lower part if
 * @new_below, else the upper part. The map limit is not looked at.
 *
 * Locks: holds mmap_lock for write.
 * Refs:  +1 on the file, owned by the new VMA; on failure none.
 */
int __split_vma(struct vm_area_struct *vma, unsigned long addr, bool new_below)
{
	struct vma_change change = { .vma = vma };
	struct vm_area_struct *half;
	int ret;

	if (vma->vm_ops && vma->vm_ops->may_split) {
		ret = vma->vm_ops->may_split(vma, addr);
		if (ret)
			return ret;
	}
	half = split_half(vma, addr, new_below);
	if (!half)
		return -ENOMEM;
	if (half->vm_file)
		get_file(half->vm_file);
	vma_open(half);
	if (kernel_version == KERNEL_6_1 && vma_set_prealloc()) {
		give_up_half(half);
		return -ENOMEM;
	}
	change.insert = half;
	change.start = new_below ? addr : vma->vm_start;
	change.end = new_below ? vma->vm_end : addr;
	change.pgoff = new_below ? linear_page_index(vma, addr) : vma->vm_pgoff;
	vma_commit(&change);
	eng_event("vma_split", vma, "at %lx, new %O", addr, half);
	return 0;
}

int split_vma(struct vm_area_struct *vma, unsigned long addr, bool new_below)
{
	if (vma->vm_mm->map_count >= sysctl_max_map_count)
		return -ENOMEM;
	return __split_vma(vma, addr, new_below);
}

/*
 * @vma is in no set and no tree any more: tell its driver, then let go.
 *
 * Refs: drops the file's reference, after close; its ->release runs later.
 */
void remove_vma(struct vm_area_struct *vma)
{
	vma_close(vma);
	if (vma->vm_file)
		fput(vma->vm_file);
	unlink_anon_vmas(vma);
	vm_area_free(vma);
}

/* From 6.12 on a table without hooks replaces vm_ops, so that close runs once. */
void vma_close(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_CLOSED)
		return;
	count_device_vma(vma, -1);
	vma->vm_flags |= VM_CLOSED;
	if (!vma->vm_ops || !vma->vm_ops->close)
		return;
	eng_event("vma_close", vma, "%lx-%lx", vma->vm_start, vma->vm_end);
	vma->vm_ops->close(vma);
	if (kernel_version >= KERNEL_6_12)
		vma->vm_ops = &vma_dummy_vm_ops;
}

/* ---- accounting ---- */

void vm_stat_account(struct mm_struct *mm, unsigned int flags, long npages)
{
	mm->total_vm += npages;
	if ((flags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) == VM_EXEC)
		mm->exec_vm += npages;
	else if (flags & VM_GROWSDOWN)
		mm->stack_vm += npages;
	else if ((flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE)
		mm->data_vm += npages;
}

/* Is there room for @npages more in the address-space limit of the current task? */
bool may_expand_vm(struct mm_struct *mm, unsigned int flags, unsigned long npages)
{
	unsigned long limit = get_current()->rlimit_as;

	return !limit || mm->total_vm + npages <= limit >> PAGE_SHIFT;
}

/* Pages promised to private writable memory, system-wide, and the most there may be. */
unsigned long vm_committed_as KSTATE;
unsigned long vm_commit_limit KSTATE = ~0UL;

int security_vm_enough_memory_mm(struct mm_struct *mm, unsigned long pages)
{
	if (vm_committed_as + pages > vm_commit_limit || eng_fail_here("vm_enough_memory"))
		return -ENOMEM;
	vm_committed_as += pages;
	return 0;
}

void vm_unacct_memory(unsigned long pages)
{
	vm_committed_as -= pages;
}

/* RLIMIT_MEMLOCK of everybody, in bytes. */
unsigned long memlock_limit KSTATE = ~0UL;

bool mlock_future_ok(struct mm_struct *mm, unsigned long bytes)
{
	unsigned long pages = mm->locked_vm + (bytes >> PAGE_SHIFT);

	return pages <= memlock_limit >> PAGE_SHIFT || capable(CAP_IPC_LOCK);
}

/* ---- looking from outside ---- */

struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	struct vma_iter iter;

	return vma_set_find(&mm->mm_vmas, addr, &iter);
}

struct vm_area_struct *vma_next(const struct vm_area_struct *vma)
{
	struct vma_iter iter;

	return vma_set_find(&vma->vm_mm->mm_vmas, vma->vm_end, &iter);
}

/* Whether [start, end) meets a VMA. */
struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start,
					     unsigned long end)
{
	struct vm_area_struct *vma = find_vma(mm, start);

	return vma && vma->vm_start < end ? vma : NULL;
}
