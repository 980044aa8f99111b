// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants of address spaces: I-1 to I-8 and I-10 of docs/spec/mm.md.
 *
 * Objects are found by their type's name in the arena. A predicate looks only at
 * what is quiet: an address space whose mmap_lock nobody holds, a tree whose
 * i_mmap_rwsem nobody holds for writing. The rest is asked when it is quiet again.
 *
 * The others are asked elsewhere: I-9 by the driver's own checks (an entry while
 * memory is off), I-11 by user_access() ("endless-fault"), I-12 by the lock
 * detectors, I-13 and I-14 by tests, since they compare two moments. The first half of
 * I-10, nothing mapped, is asked by evict() itself ("stale-mapping").
 */
#define VFIOSIM_HOST
#include "invariants_mm.h"
#include "mm_internal.h"
#include "run.h"

enum { MMS, INODES, VMAS, FILES, KINDS };

static struct view view[KINDS] = {
	[MMS] = { "mm_struct" },
	[INODES] = { "inode" },
	[VMAS] = { "vm_area_struct" },
	[FILES] = { "file" },
};

#define for_each_vma(mm, iter, vma)						\
	for ((vma) = vma_set_first(&(mm)->mm_vmas, &(iter)); (vma);		\
	     (vma) = vma_iter_next(&(iter)))

static bool sem_is_free(const struct rw_semaphore *sem)
{
	return !sem->owner && !sem->readers;
}

static bool is_quiet(const struct mm_struct *mm)
{
	return mm->mm_users.counter > 0 && sem_is_free(&mm->mmap_lock);
}

static bool all_mms_are_quiet(void)
{
	struct mm_struct *mm;

	for_each(MMS, mm) {
		if (!is_quiet(mm))
			return false;
	}
	return true;
}

static struct address_space *mapping_of(const struct vm_area_struct *vma)
{
	return vma->vm_file ? vma->vm_file->f_mapping : NULL;
}

static bool tree_is_quiet(const struct address_space *mapping)
{
	return !mapping->i_mmap_rwsem.owner;
}

static bool range_is_sane(const struct mm_struct *mm, const struct vm_area_struct *vma,
			  unsigned long floor)
{
	return vma->vm_start >= floor && vma->vm_start < vma->vm_end &&
	       !((vma->vm_start | vma->vm_end) & ~PAGE_MASK) && vma->vm_end <= mm->task_size &&
	       vma->vm_mm == mm;
}

static bool i_1_set(const void **object)
{
	struct vm_area_struct *vma;
	struct vma_iter iter;
	struct mm_struct *mm;

	for_each(MMS, mm) {
		unsigned long floor = 0, pages = 0;
		int count = 0;

		if (!is_quiet(mm))
			continue;
		for_each_vma(mm, iter, vma) {
			*object = vma;
			if (!range_is_sane(mm, vma, floor))
				return false;
			floor = vma->vm_end;
			pages += vma_pages(vma);
			count++;
		}
		*object = mm;
		if (count != mm->map_count || pages != mm->total_vm)
			return false;
	}
	return true;
}

static bool i_2_linked(const void **object)
{
	struct vm_area_struct *vma;
	struct vma_iter iter;
	struct mm_struct *mm;

	for_each(MMS, mm) {
		if (!is_quiet(mm))
			continue;
		for_each_vma(mm, iter, vma) {
			struct address_space *mapping = mapping_of(vma);

			*object = vma;
			if (!mapping && vma->shared_leaf)
				return false;
			if (mapping && tree_is_quiet(mapping) &&
			    !mapping_tree_holds(&mapping->i_mmap, vma))
				return false;
		}
	}
	return true;
}

static bool vma_is_in_its_set(const struct vm_area_struct *vma)
{
	return !is_quiet(vma->vm_mm) || find_vma(vma->vm_mm, vma->vm_start) == vma;
}

static bool i_3_tree(const void **object)
{
	struct inode *inode;

	for_each(INODES, inode) {
		struct address_space *mapping = &inode->i_data;
		const struct vm_area_struct *vma;
		struct mapping_iter iter;

		if (!tree_is_quiet(mapping))
			continue;
		*object = inode;
		if (!mapping_tree_is_right(&mapping->i_mmap))
			return false;
		vma_interval_tree_foreach(vma, &iter, &mapping->i_mmap, 0, ~0UL) {
			*object = vma;
			if (!vma_is_in_its_set(vma))
				return false;
		}
	}
	return true;
}

static bool i_4_file_refs(const void **object)
{
	struct vm_area_struct *vma, *other;

	if (!all_mms_are_quiet())
		return true;
	for_each(VMAS, vma) {
		long users = 0;

		if (!vma->vm_file)
			continue;
		for_each(VMAS, other)
			users += other->vm_file == vma->vm_file;
		*object = vma->vm_file;
		if (vma->vm_file->f_count.counter < users)
			return false;
	}
	return true;
}

static bool i_5_writable(const void **object)
{
	struct inode *inode;

	if (!all_mms_are_quiet())
		return true;
	for_each(INODES, inode) {
		struct address_space *mapping = &inode->i_data;
		const struct vm_area_struct *vma;
		struct mapping_iter iter;
		int shared = 0;

		if (!tree_is_quiet(mapping))
			continue;
		vma_interval_tree_foreach(vma, &iter, &mapping->i_mmap, 0, ~0UL)
			shared += vma_flags_count_writable(vma->vm_flags);
		*object = inode;
		if (mapping->i_mmap_writable != shared &&
		    (mapping->i_mmap_writable != -1 || shared))
			return false;
	}
	return true;
}

/* What an entry may be in @vma; *base: the pfn of file page 0, once known. */
static bool entry_is_right(const struct vm_area_struct *vma, unsigned long addr, pte_t pte,
			   u64 *base)
{
	pgoff_t index = linear_page_index(vma, addr);
	const struct page *page = pte_page(pte);

	if (pte & PTE_WRITE && !(vma->vm_flags & VM_WRITE))
		return false;
	if (vma->vm_flags & VM_PFNMAP) {
		if (*base == ~0ULL)
			*base = pte_pfn(pte) - index;
		return pte & PTE_SPECIAL && pte_pfn(pte) - index == *base;
	}
	if (!page || pte & PTE_ANON || !page->mapping)
		return true;
	return page == filemap_peek(mapping_of(vma), index);
}

static bool entries_are_right(struct mm_struct *mm, const void **object)
{
	unsigned long index = 0, nr;
	struct vm_area_struct *vma = NULL, *last = NULL;
	u64 base = ~0ULL;
	pte_t *pte;

	*object = mm;
	while ((pte = radix_next(&mm->pgd, &index, mm->task_size >> PAGE_SHIFT, &nr))) {
		for (; nr--; index++, pte++) {
			unsigned long addr = index << PAGE_SHIFT;

			if (pte_none(*pte))
				continue;
			vma = find_vma(mm, addr);
			if (!vma || vma->vm_start > addr)
				return false;
			if (vma != last)
				base = ~0ULL;
			last = vma;
			*object = vma;
			if (!entry_is_right(vma, addr, *pte, &base))
				return false;
		}
	}
	return true;
}

static bool i_6_entries(const void **object)
{
	struct mm_struct *mm;

	for_each(MMS, mm) {
		if (is_quiet(mm) && !entries_are_right(mm, object))
			return false;
	}
	return true;
}

static bool i_7_device_flags(const void **object)
{
	const unsigned int wanted = VM_IO | VM_DONTEXPAND | VM_DONTDUMP | VM_SHARED;
	struct vm_area_struct *vma;

	for_each(VMAS, vma) {
		*object = vma;
		if (!vma->vm_file || !(vma->vm_flags & VM_PFNMAP) || !is_quiet(vma->vm_mm))
			continue;
		if ((vma->vm_flags & wanted) != wanted || is_cow_mapping(vma->vm_flags))
			return false;
	}
	return true;
}

static bool i_8_hooks(const void **object)
{
	struct vm_area_struct *vma;
	long alive = 0;

	if (!all_mms_are_quiet())
		return true;
	for_each(VMAS, vma)
		alive += vma->vm_file && vma->vm_flags & VM_PFNMAP;
	return alive == device_vmas_open;
}

static bool inode_is_alive(const struct address_space *mapping)
{
	const struct object *object = arena_object(mapping);

	if (!object)		/* not from the heap */
		return true;
	if (object->state != OBJECT_LIVE && object->state != OBJECT_IMMORTAL)
		return false;
	return !mapping->host || !(mapping->host->i_state & I_CLEAR);
}

static bool i_10_evicted(const void **object)
{
	struct file *file;

	for_each(FILES, file) {
		*object = file;
		if (file->f_count.counter > 0 && file->f_mapping &&
		    !inode_is_alive(file->f_mapping))
			return false;
	}
	return true;
}

const struct invariant mm_invariants[] = {
	{ 1, "vma-set", "VMAs are ordered, disjoint, aligned; map_count and total_vm count them",
	  i_1_set },
	{ 2, "vma-linked", "a file's VMA is in the tree of the mapping that its file has now",
	  i_2_linked },
	{ 3, "mapping-tree", "a tree ascends by vm_pgoff and holds VMAs of live sets",
	  i_3_tree },
	{ 4, "vma-file-ref", "each VMA owns a reference on its file", i_4_file_refs },
	{ 5, "mmap-writable", "i_mmap_writable is the number of shared writable VMAs",
	  i_5_writable },
	{ 6, "pte-in-vma", "a present entry lies in a VMA and shows the page that belongs there",
	  i_6_entries },
	{ 7, "device-vma-flags", "a device's VMA is shared, never copied, expanded or dumped",
	  i_7_device_flags },
	{ 8, "open-close", "device VMAs alive are those mapped, plus opens, minus closes",
	  i_8_hooks },
	{ 10, "evicted-unused", "no open file has the mapping of an evicted inode", i_10_evicted },
};
const size_t mm_invariants_count = ARRAY_SIZE(mm_invariants);

const struct invariant *mm_invariants_broken(const void **object)
{
	if (!view_fill(view, KINDS, true))
		return NULL;
	for (size_t n = 0; n < mm_invariants_count; n++) {
		*object = NULL;
		if (!mm_invariants[n].holds(object))
			return &mm_invariants[n];
	}
	return NULL;
}

bool mm_invariants_hold(const void *fixture)
{
	const void *object = NULL;
	const struct invariant *broken = mm_invariants_broken(&object);

	if (broken)
		eng_report("invariant", object, "I-%d (%s) is broken: %s", broken->number,
			   broken->name, broken->says);
	return !broken;
}
