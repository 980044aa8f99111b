/* SPDX-License-Identifier: GPL-2.0-only */
/* What an address space is made of: the set of VMAs, page tables, pages. */
#ifndef VFIOSIM_KAPI_MM_TYPES_H
#define VFIOSIM_KAPI_MM_TYPES_H

#include <vfiosim/kapi/mm.h>

struct radix_node;
struct stale_entry;
struct vma_node;

/* VMAs of one address space by vm_start: a B+ tree (vma_set.c). */
struct vma_set {
	struct vma_node *root;
	struct vma_node *last;		/* the leaf found last */
	unsigned int height;		/* levels; 0 while empty */
};

/* A position in the set; @node is NULL behind the last VMA. */
struct vma_iter {
	struct vma_node *node;
	unsigned int slot;
};

/* 64-bit words by a 52-bit index: page tables and page caches (radix.c). */
struct radix {
	struct radix_node *root;
	struct radix_node *last;	/* the leaf found last */
};

struct mm_struct {
	struct vma_set mm_vmas;
	struct radix pgd;		/* entries by virtual page number */
	struct stale_entry *stale;	/* cleared, not flushed (tlb.c) */
	unsigned int walks;		/* processors that are walking the tables */
	bool has_sealed;		/* some VMA is, or was in a parent, VM_SEALED */
	bool ksm_entered;		/* MMF_VM_MERGEABLE: ksmd has a slot for it */
	struct rw_semaphore mmap_lock;
	atomic_t mm_users;
	atomic_t mm_count;
	int map_count;
	unsigned int def_flags;
	unsigned long mmap_base;
	unsigned long start_brk;
	unsigned long brk;
	unsigned long task_size;
	unsigned long total_vm;		/* pages, as the next four */
	unsigned long data_vm;
	unsigned long exec_vm;
	unsigned long stack_vm;
	unsigned long locked_vm;
	unsigned long min_flt;
	unsigned long maj_flt;
	long rss_file;
	long rss_anon;
};

/*
 * A page of memory. Most scenarios use its first eight bytes only; the others get
 * memory when something that is not zero is stored there. It is freed when no
 * entry maps it, nobody holds it and no page cache has it.
 */
struct page {
	u64 word;			/* the first eight bytes */
	u8 *rest;			/* the bytes behind them; NULL: zero */
	struct address_space *mapping;	/* whose cache has it; NULL: private, or truncated */
	u32 mapcount;			/* entries that map it */
	u32 held;			/* by faults and reads in progress */
};

/* Where private pages come from: shared by VMAs that may be joined. */
struct anon_vma {
	struct anon_vma *parent;	/* itself for the first of a family */
	u32 refs;			/* chains and children that point here */
	u32 num_children;
	u32 num_active_vmas;		/* VMAs whose own anon_vma this is */
};

struct anon_vma_chain {
	struct anon_vma *anon_vma;
	struct anon_vma_chain *next;
};

/*
 * A page table entry: flags above bit 51; below them a page frame number
 * (special) or the address of a struct page.
 */
typedef u64 pte_t;
#define PTE_PRESENT (1ULL << 63)
#define PTE_SPECIAL (1ULL << 62)	/* a pfn without a struct page */
#define PTE_WRITE (1ULL << 61)
#define PTE_DIRTY (1ULL << 60)
#define PTE_YOUNG (1ULL << 59)
#define PTE_PROTNONE (1ULL << 58)	/* present, yet every access faults */
#define PTE_ANON (1ULL << 57)		/* a page private to processes */
#define PTE_ZERO (1ULL << 56)		/* the shared zero page */
#define PTE_SWAP (1ULL << 55)		/* not present: a private page that is swapped out */
#define PTE_VALUE ((1ULL << 52) - 1)

static inline bool pte_none(pte_t pte)
{
	return pte == 0;
}

static inline struct page *pte_page(pte_t pte)
{
	return pte & (PTE_SPECIAL | PTE_ZERO) ? NULL : (struct page *)(pte & PTE_VALUE);
}

static inline unsigned long pte_pfn(pte_t pte)
{
	return pte & PTE_VALUE;
}

static inline struct anon_vma *vma_anon_vma(const struct vm_area_struct *vma)
{
	return vma->anon_vma_chain ? vma->anon_vma_chain->anon_vma : NULL;
}

static inline bool is_cow_mapping(unsigned int flags)
{
	return (flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

static inline bool vma_is_anonymous(const struct vm_area_struct *vma)
{
	return !vma->vm_ops;
}

#endif
