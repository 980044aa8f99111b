/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the memory model tell each other. */
#ifndef VFIOSIM_MM_INTERNAL_H
#define VFIOSIM_MM_INTERNAL_H

#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/mm_types.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>

#include "engine.h"

static inline pgoff_t linear_page_index(const struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
}

/*
 * Where the nodes of a tree come from and go to. Nobody outside the tree holds a
 * pointer to one, so they are used again at once, without the quarantine that
 * finds late users of other objects. Never out of memory.
 */
struct node_pool {
	size_t size;
	const char *name;
	void *free;
};

static inline void *node_alloc(struct node_pool *pool)
{
	const void *site = __builtin_return_address(0);

	if (pool->free)
		return eng_cache_get(&pool->free, site);
	return eng_alloc_cached(pool->size, pool->name, site);
}

static inline void node_free(struct node_pool *pool, const void *node)
{
	eng_cache_put(node, &pool->free, __builtin_return_address(0));
}

/* ---- radix.c ---- */
/*
 * Locks: whoever owns the root protects it, in all of these. A slot's address stays the
 * same while its node lives; only radix_slot() makes nodes, and is NULL without memory.
 */
u64 *radix_find(struct radix *radix, unsigned long index) SIM(radix_find);
u64 *radix_slot(struct radix *radix, unsigned long index, const char *what) SIM(radix_slot);
u64 *radix_next_slow(struct radix *radix, unsigned long *index, unsigned long end,
		     unsigned long *nr) SIM(radix_next_slow);

#define RADIX_BITS 5
#define RADIX_SLOTS (1 << RADIX_BITS)
#define RADIX_MASK (RADIX_SLOTS - 1UL)

struct radix_node {
	unsigned long prefix;	/* first index covered */
	unsigned int shift;	/* bits of the index below this level; 0: a leaf */
	unsigned int unused;
	u64 slot[RADIX_SLOTS];	/* words in a leaf, else addresses of nodes */
};

static inline u64 *radix_in_leaf(struct radix_node *leaf, unsigned long index, unsigned long end,
				 unsigned long *nr)
{
	unsigned long slot = index & RADIX_MASK, left = end - index;

	*nr = left < RADIX_SLOTS - slot ? left : RADIX_SLOTS - slot;
	return &leaf->slot[slot];
}

/*
 * Words that exist in [*index, end): returns the first and sets *index to its
 * index and *nr to how many follow each other in memory.
 */
static inline u64 *radix_next(struct radix *radix, unsigned long *index, unsigned long end,
			      unsigned long *nr)
{
	struct radix_node *leaf = radix->last;

	if (*index >= end)
		return NULL;
	if (leaf && leaf->prefix == (*index & ~RADIX_MASK))
		return radix_in_leaf(leaf, *index, end, nr);
	return radix_next_slow(radix, index, end, nr);
}

void radix_prune(struct radix *radix, unsigned long first, unsigned long end) SIM(radix_prune);

/* ---- vma_set.c ---- */
/* 0, or -ENOMEM where 6.1 and later allocate before they change anything. */
int vma_set_prealloc(void) SIM(vma_set_prealloc);
/* Locks: mmap_lock, for the set and its iterators. A change of the set ends every iterator. */
struct vm_area_struct *vma_iter_load(const struct vma_iter *iter) SIM(vma_iter_load);
struct vm_area_struct *vma_iter_next(struct vma_iter *iter) SIM(vma_iter_next);
/* The VMA behind the next one, if that is known at once. */
struct vm_area_struct *vma_iter_ahead(const struct vma_iter *iter) SIM(vma_iter_ahead);
struct vm_area_struct *vma_iter_peek_prev(const struct vma_iter *iter) SIM(vma_iter_peek_prev);
struct vm_area_struct *vma_set_find(struct vma_set *set, unsigned long addr,
				    struct vma_iter *iter) SIM(vma_set_find);
struct vm_area_struct *vma_set_first(struct vma_set *set, struct vma_iter *iter)
	SIM(vma_set_first);
struct vm_area_struct *vma_set_last(struct vma_set *set) SIM(vma_set_last);
void vma_set_insert(struct vma_set *set, struct vm_area_struct *vma) SIM(vma_set_insert);
void vma_set_erase(struct vma_set *set, struct vm_area_struct *vma) SIM(vma_set_erase);
void vma_set_move_start(struct vma_set *set, struct vm_area_struct *vma, unsigned long start)
	SIM(vma_set_move_start);

/* ---- mapping_tree.c ---- */
struct mapping_iter {
	struct mapping_node *leaf;
	unsigned int slot;
};

/* Locks: i_mmap_rwsem, for writing to change the tree. A change ends every iterator. */
void vma_interval_tree_insert(struct vm_area_struct *vma, struct mapping_tree *tree)
	KAPI(vma_interval_tree_insert);
void vma_interval_tree_insert_after(struct vm_area_struct *vma, struct vm_area_struct *prev,
				    struct mapping_tree *tree)
	KAPI(vma_interval_tree_insert_after);
void vma_interval_tree_remove(struct vm_area_struct *vma, struct mapping_tree *tree)
	KAPI(vma_interval_tree_remove);
struct vm_area_struct *vma_interval_tree_iter_first(struct mapping_iter *iter,
						    const struct mapping_tree *tree,
						    unsigned long first, unsigned long last)
	KAPI(vma_interval_tree_iter_first);
struct vm_area_struct *vma_interval_tree_iter_next(struct mapping_iter *iter,
						   unsigned long first, unsigned long last)
	KAPI(vma_interval_tree_iter_next);
#define vma_interval_tree_foreach(vma, iter, tree, first, last)			\
	for (vma = vma_interval_tree_iter_first(iter, tree, first, last); vma;	\
	     vma = vma_interval_tree_iter_next(iter, first, last))
/* @vma's place in the tree is about to be looked for. */
void vma_interval_tree_prefetch(const struct vm_area_struct *vma)
	SIM(vma_interval_tree_prefetch);
bool mapping_tree_holds(const struct mapping_tree *tree, const struct vm_area_struct *vma)
	SIM(mapping_tree_holds);
bool mapping_tree_is_right(const struct mapping_tree *tree) SIM(mapping_tree_is_right);

/* ---- pgtable.c ---- */
extern unsigned long entries_zapped SIM(entries_zapped);

/* ---- anon_vma.c ---- */
int anon_vma_prepare(struct vm_area_struct *vma) KAPI(anon_vma_prepare);
int anon_vma_clone(struct vm_area_struct *dst, const struct vm_area_struct *src)
	KAPI(anon_vma_clone);
int anon_vma_fork(struct vm_area_struct *vma, const struct vm_area_struct *parent)
	KAPI(anon_vma_fork);
void unlink_anon_vmas(struct vm_area_struct *vma) KAPI(unlink_anon_vmas);

/* ---- vma_model.c ---- */
struct vma_change {
	struct vm_area_struct *vma;		/* gets the range start, end, pgoff */
	unsigned long start;
	unsigned long end;
	unsigned long pgoff;
	struct vm_area_struct *adjust;		/* its start moves to adjust_start, or NULL */
	unsigned long adjust_start;
	struct vm_area_struct *insert;		/* joins set and tree, or NULL */
	struct vm_area_struct *remove;		/* @vma covers it now, or NULL */
};

#define VM_CLOSED 0x00800000	/* the model's own: vm_ops->close has run; VM_SYNC there */

/* The checkers' (I-8): device VMAs mapped by a driver, plus opens, minus closes. */
extern long device_vmas_open SIM(device_vmas_open);
static inline void count_device_vma(const struct vm_area_struct *vma, int change)
{
	if (vma->vm_file && vma->vm_flags & VM_PFNMAP)
		device_vmas_open += change;
}

void vma_open(struct vm_area_struct *vma) SIM(vma_open);
extern const struct vm_operations_struct vma_dummy_vm_ops SIM(vma_dummy_vm_ops);
extern unsigned long vm_committed_as SIM(vm_committed_as);
extern unsigned long vm_commit_limit SIM(vm_commit_limit);
extern unsigned long memlock_limit SIM(memlock_limit);
extern unsigned long mmap_min_addr SIM(mmap_min_addr);
struct vm_area_struct *vm_area_alloc(struct mm_struct *mm) KAPI(vm_area_alloc);
struct vm_area_struct *vm_area_dup(const struct vm_area_struct *old) KAPI(vm_area_dup);
/* Refs: none are dropped; the VMA holds neither file nor anon_vma any more. */
void vm_area_free(struct vm_area_struct *vma) KAPI(vm_area_free);
/*
 * The first two count shared writable mappings: -EPERM while writing is denied. The last
 * takes all writers out: -EBUSY while one is counted. mapping_allow_writable() adds a
 * writer without asking, and undoes mapping_deny_writable(). Context: any.
 */
int mapping_map_writable(struct address_space *mapping) KAPI(mapping_map_writable);
void mapping_unmap_writable(struct address_space *mapping) KAPI(mapping_unmap_writable);
void mapping_allow_writable(struct address_space *mapping) KAPI(mapping_allow_writable);
int mapping_deny_writable(struct address_space *mapping) KAPI(mapping_deny_writable);
bool vma_flags_count_writable(unsigned int flags) SIM(vma_flags_count_writable);
/* Context: may sleep. Locks: i_mmap_rwsem for write, outside of page-table locks. */
void i_mmap_lock_write(struct address_space *mapping) KAPI(i_mmap_lock_write);
void i_mmap_unlock_write(struct address_space *mapping) KAPI(i_mmap_unlock_write);
void unlink_file_vma(struct vm_area_struct *vma) KAPI(unlink_file_vma);
void vma_link(struct mm_struct *mm, struct vm_area_struct *vma) KAPI(vma_link);
void vma_link_file_after(struct vm_area_struct *vma, struct vm_area_struct *parent)
	SIM(vma_link_file_after);
void vma_commit(const struct vma_change *change) SIM(vma_commit);
/*
 * Locks: mmap_lock for write; takes and drops i_mmap_rwsem. Refs: the new half has its own
 * on the file. -ENOMEM leaves @vma whole; split_vma() also minds the limit of VMAs.
 */
int __split_vma(struct vm_area_struct *vma, unsigned long addr, bool new_below)
	KAPI(__split_vma);
int split_vma(struct vm_area_struct *vma, unsigned long addr, bool new_below) KAPI(split_vma);
void remove_vma(struct vm_area_struct *vma) KAPI(remove_vma);
void vma_close(struct vm_area_struct *vma) KAPI(vma_close);
/* Locks: mmap_lock for write. */
void vm_stat_account(struct mm_struct *mm, unsigned int flags, long npages)
	KAPI(vm_stat_account);
bool may_expand_vm(struct mm_struct *mm, unsigned int flags, unsigned long npages)
	KAPI(may_expand_vm);
/* Charges @pages, given back by vm_unacct_memory(); -ENOMEM charges nothing. */
int security_vm_enough_memory_mm(struct mm_struct *mm, unsigned long pages)
	KAPI(security_vm_enough_memory_mm);
void vm_unacct_memory(unsigned long pages) KAPI(vm_unacct_memory);
/* Whether @bytes more may be locked. Locks: mmap_lock. */
bool mlock_future_ok(struct mm_struct *mm, unsigned long bytes) KAPI(mlock_future_ok);
struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start,
					     unsigned long end) KAPI(find_vma_intersection);

/* ---- vma_merge.c ---- */
struct vma_merge {
	struct mm_struct *mm;
	struct vm_area_struct *prev;
	struct vm_area_struct *next;
	struct vm_area_struct *middle;		/* the VMA whose flags change, or NULL */
	struct vm_area_struct *copied_from;	/* mremap's source, or NULL */
	unsigned long start;
	unsigned long end;
	unsigned long pgoff;
	unsigned int flags;
	struct file *file;
	bool plain_mmap;			/* a new mapping, not mremap's or brk's */
	bool growing;				/* mremap in place: copied_from is prev */
};

struct vm_area_struct *vma_merge_new_range(struct vma_merge *merge) KAPI(vma_merge_new_range);
struct vm_area_struct *vma_modify_flags(struct vm_area_struct *vma, unsigned long start,
					unsigned long end, unsigned int flags)
	KAPI(vma_modify_flags);
struct vm_area_struct *vma_merge_extend(struct vm_area_struct *vma, unsigned long delta)
	KAPI(vma_merge_extend);
struct vm_area_struct *copy_vma(struct vm_area_struct **source, unsigned long addr,
				unsigned long len, pgoff_t pgoff, bool *need_rmap_locks)
	KAPI(copy_vma);

pte_t *pte_find(struct mm_struct *mm, unsigned long addr) SIM(pte_find);
pte_t *pte_alloc(struct mm_struct *mm, unsigned long addr) KAPI(pte_alloc);
/* No step, no lock: these compute. */
pgprot_t vm_get_page_prot(unsigned int flags) KAPI(vm_get_page_prot);
pgprot_t vm_pgprot_modify(pgprot_t old, unsigned int flags) KAPI(vm_pgprot_modify);
pte_t pte_make(u64 value, pgprot_t prot, u64 flags) SIM(pte_make);

/* The choice point of every step that reads or changes *@pte. */
static inline pte_t pte_lock(pte_t *pte)
{
	eng_point(ENG_OP_PTE, pte, ENG_WRITE);
	return *pte;
}

/* ---- madvise.c ---- */
int ksm_enter(struct mm_struct *mm) SIM(ksm_enter);

/* ---- tlb.c ---- */
extern bool tlb_modelled SIM(tlb_modelled);
void tlb_gather_entries(struct mm_struct *mm, unsigned long index, const pte_t *pte,
			unsigned long nr) SIM(tlb_gather_entries);
void tlb_flush(struct mm_struct *mm) SIM(tlb_flush);
pte_t tlb_lookup(struct mm_struct *mm, unsigned long addr) SIM(tlb_lookup);

/* ---- pgtable.c ---- */
enum zap {
	ZAP_FILE_PAGES,		/* private copies stay */
	ZAP_ALL,
	ZAP_BUT_SWAPPED,	/* private copies go, unless they are swapped out */
};

extern bool swap_enabled SIM(swap_enabled);
/*
 * Context: may sleep. Locks: takes and drops the lock of each entry; mmap_lock is not
 * needed if @vma is pinned in its file's tree.
 */
void zap_range(struct vm_area_struct *vma, unsigned long start, unsigned long end,
	       enum zap what) SIM(zap_range);
/* The same, but the flush is left to the caller. */
void zap_range_gather(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		      enum zap what) SIM(zap_range_gather);
void swap_out_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
	SIM(swap_out_range);
int copy_page_range(struct vm_area_struct *dst, struct vm_area_struct *src)
	KAPI(copy_page_range);
unsigned long move_page_tables(struct vm_area_struct *vma, unsigned long old_addr,
			       struct vm_area_struct *new_vma, unsigned long new_addr,
			       unsigned long len, bool need_rmap_locks)
	KAPI(move_page_tables);
void change_protection(struct vm_area_struct *vma, unsigned long start, unsigned long end)
	KAPI(change_protection);
void free_pgtables(struct mm_struct *mm, unsigned long floor, unsigned long ceiling)
	KAPI(free_pgtables);

/* ---- munmap.c ---- */
/* VMAs of one request that have left the set, in ascending order. */
struct vma_munmap {
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
	struct vm_area_struct **vma;	/* that left the set, ascending */
	unsigned int nr_vmas;
	struct vm_area_struct *few[2];	/* room for most requests */
	struct vm_area_struct *prev;	/* what stays on either side, or NULL */
	struct vm_area_struct *next;
	unsigned long nr_pages;
	unsigned long nr_accounted;
	bool cleared;
};

int vms_gather_munmap_vmas(struct vma_munmap *vms, struct mm_struct *mm, unsigned long start,
			   unsigned long end) KAPI(vms_gather_munmap_vmas);
void vms_abort_munmap_vmas(struct vma_munmap *vms) KAPI(vms_abort_munmap_vmas);
void vms_clear_ptes(struct vma_munmap *vms) KAPI(vms_clear_ptes);
void vms_close_vmas(struct vma_munmap *vms) SIM(vms_close_vmas);
void vms_complete_munmap_vmas(struct vma_munmap *vms) KAPI(vms_complete_munmap_vmas);
int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long len, bool downgrade)
	KAPI(do_munmap);

/* ---- mmap.c ---- */
long do_mmap(struct file *file, unsigned long addr, unsigned long len, unsigned long prot,
	     unsigned long flags, unsigned long pgoff) KAPI(do_mmap);
unsigned long get_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
				unsigned long pgoff, unsigned long flags)
	KAPI(get_unmapped_area);

/* ---- page.c ---- */
struct page *alloc_page(void) KAPI(alloc_page);
void page_unmapped(struct page *page) SIM(page_unmapped);
void put_page(struct page *page) KAPI(put_page);
void page_uncached(struct page *page) SIM(page_uncached);
/* @to is new: nobody else sees it yet. */
void copy_page(struct page *to, const struct page *from) KAPI(copy_page);
/* No step: the content belongs to the step of the entry that leads here. */
void page_load(const struct page *page, unsigned int at, void *buffer, unsigned int size)
	SIM(page_load);
void page_store(struct page *page, unsigned int at, const void *buffer, unsigned int size)
	SIM(page_store);

/* ---- fault.c ---- */
vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long addr, unsigned int flags)
	KAPI(handle_mm_fault);

/* ---- gup.c ---- */
int populate_vma_page_range(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			    unsigned long *at) KAPI(populate_vma_page_range);
/* Context: may sleep. Locks: takes and drops mmap_lock. What cannot be faulted in stays out. */
void mm_populate(unsigned long addr, unsigned long len) KAPI(mm_populate);
int __mm_populate(unsigned long start, unsigned long len, bool ignore_errors)
	KAPI(__mm_populate);
int faultin_page_range(struct mm_struct *mm, unsigned long start, unsigned long end, bool write)
	KAPI(faultin_page_range);
int fixup_user_fault(struct mm_struct *mm, unsigned long addr, unsigned int flags)
	KAPI(fixup_user_fault);

/* ---- unmap.c ---- */
void truncate_pagecache(struct inode *inode, loff_t newsize) KAPI(truncate_pagecache);
void unmap_hole(loff_t begin, loff_t len, unsigned int index_bits, u64 *first, u64 *last)
	SIM(unmap_hole);

/* ---- shmem.c ---- */
extern const struct file_operations shmem_file_operations KAPI(shmem_file_operations);
int shmem_zero_setup(struct vm_area_struct *vma) KAPI(shmem_zero_setup);
int memfd_check_seals_mmap(struct file *file, unsigned int *vm_flags)
	KAPI(memfd_check_seals_mmap);
void filemap_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
	KAPI(filemap_map_pages);
/* For checkers: the page that the cache has at @index, or NULL. */
struct page *filemap_peek(struct address_space *mapping, pgoff_t index) SIM(filemap_peek);
void truncate_inode_pages(struct address_space *mapping, loff_t start)
	KAPI(truncate_inode_pages);

#endif
