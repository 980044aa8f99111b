// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables: finding and making entries, clearing, copying, moving and
 * protecting ranges of them. Follows mm/memory.c and mm/mremap.c.
 *
 * Lock order: innermost. The page-table lock is held for one entry at a time: a
 * step that looks at an entry and changes it is one choice point on that entry
 * (pte_lock()), and nothing inside it can sleep. The kernel holds the lock over
 * several entries, yet may drop it between any two of them. That an entry's table
 * is missing is read from mm->pgd, which growing the tables writes.
 *
 * Clearing an entry takes effect at once, unless TLBs are modelled (tlb.c).
 */
#include "mm_internal.h"

/* What vm_page_prot says, besides caching. */
#define PROT_BIT_WRITE 1u
#define PROT_BIT_NONE 2u
#define PROT_BIT_UNCACHED 4u
#define PROT_BIT_DECRYPTED 8u

pgprot_t vm_get_page_prot(unsigned int flags)
{
	pgprot_t prot = { 0 };

	/* Private writable pages start read-only, to be copied. */
	if ((flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE))
		prot.pgprot |= PROT_BIT_WRITE;
	if (!(flags & (VM_READ | VM_WRITE | VM_EXEC)))
		prot.pgprot |= PROT_BIT_NONE;
	return prot;
}

/* New rights, old caching. */
pgprot_t vm_pgprot_modify(pgprot_t old, unsigned int flags)
{
	const unsigned int kept = PROT_BIT_UNCACHED | PROT_BIT_DECRYPTED;
	pgprot_t prot = vm_get_page_prot(flags);

	prot.pgprot |= old.pgprot & kept;
	return prot;
}

pgprot_t pgprot_noncached(pgprot_t prot)
{
	prot.pgprot |= PROT_BIT_UNCACHED;
	return prot;
}

pgprot_t pgprot_decrypted(pgprot_t prot)
{
	prot.pgprot |= PROT_BIT_DECRYPTED;
	return prot;
}

pte_t pte_make(u64 value, pgprot_t prot, u64 flags)
{
	pte_t pte = value | flags | PTE_PRESENT | PTE_YOUNG;

	if (prot.pgprot & PROT_BIT_WRITE)
		pte |= PTE_WRITE;
	if (prot.pgprot & PROT_BIT_NONE)
		pte |= PTE_PROTNONE;
	return pte;
}

/* The entry of @addr, or NULL: its table does not exist. */
pte_t *pte_find(struct mm_struct *mm, unsigned long addr)
{
	return radix_find(&mm->pgd, addr >> PAGE_SHIFT);
}

/* The entry of @addr, tables included; NULL when memory for them runs out. */
pte_t *pte_alloc(struct mm_struct *mm, unsigned long addr)
{
	pte_t *pte = pte_find(mm, addr);

	if (pte)
		return pte;
	eng_point(ENG_OP_PTE, &mm->pgd, ENG_WRITE);
	return radix_slot(&mm->pgd, addr >> PAGE_SHIFT, "pte_table");
}

/* Tells a fault that inserted nothing from one whose entry was taken again. */
unsigned long entries_zapped KSTATE;

static void drop_entry(struct mm_struct *mm, pte_t pte)
{
	struct page *page = pte_page(pte);

	if (!page)
		return;
	if (pte & PTE_ANON)
		mm->rss_anon -= pte & PTE_SWAP ? 0 : 1;
	else
		mm->rss_file--;
	page_unmapped(page);
}

/*
 * The existing entries of [*index, end), as radix_next(). That those before the
 * result have no table is a read of mm->pgd, looked at again after announcing it.
 */
static inline pte_t *next_entries(struct mm_struct *mm, unsigned long *index, unsigned long end,
			   unsigned long *nr)
{
	unsigned long first = *index;
	pte_t *pte = radix_next(&mm->pgd, index, end, nr);

	if (first >= end || (pte && *index == first))
		return pte;
	eng_point(ENG_OP_PTE, &mm->pgd, ENG_READ);
	*index = first;
	return radix_next(&mm->pgd, index, end, nr);
}

static inline bool is_spared(pte_t pte, enum zap what)
{
	return what != ZAP_ALL && pte & (what == ZAP_FILE_PAGES ? PTE_ANON : PTE_SWAP);
}

static inline void zap_entry(struct mm_struct *mm, pte_t *pte, enum zap what)
{
	pte_t old = pte_lock(pte);

	if (pte_none(old) || is_spared(old, what)) {
		eng_only_read();
		return;
	}
	*pte = 0;
	entries_zapped++;
	drop_entry(mm, old);
}

/*
 * Clear the entries of [start, end), which lies in @vma.
 *
 * Context: may sleep. No mmap_lock needed if @vma is pinned in its file's tree.
 * Locks:   takes and drops the page-table lock for each entry.
 */
void zap_range_gather(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		      enum zap what)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned long index = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT, nr;
	pte_t *pte;

	eng_event("zap", vma, "%lx-%lx", start, end);
	while ((pte = next_entries(mm, &index, last, &nr))) {
		if (tlb_modelled)
			tlb_gather_entries(mm, index, pte, nr);
		index += nr;
		while (nr--)
			zap_entry(mm, pte++, what);
	}
}

void zap_range(struct vm_area_struct *vma, unsigned long start, unsigned long end,
	       enum zap what)
{
	struct mm_struct *mm = vma->vm_mm;

	zap_range_gather(vma, start, end, what);
	tlb_flush(mm);
}

/* ---- swap ---- */

/* Where there is none, as on most machines that run this, pages stay. */
bool swap_enabled KSTATE;

/*
 * MADV_PAGEOUT: private pages of [start, end) that only this entry shows go to swap.
 *
 * Locks: holds mmap_lock for read; page-table locks per entry.
 */
void swap_out_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	unsigned long index = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT, nr;
	pte_t *pte, old;

	while (swap_enabled && (pte = next_entries(vma->vm_mm, &index, last, &nr))) {
		for (index += nr; nr--; pte++) {
			old = pte_lock(pte);
			if (!(old & PTE_PRESENT) || !(old & PTE_ANON) ||
			    pte_page(old)->mapcount != 1) {
				eng_only_read();
				continue;
			}
			*pte = (old & PTE_VALUE) | PTE_ANON | PTE_SWAP;
			vma->vm_mm->rss_anon--;
		}
	}
}

/* For drivers: @address and @size as given, if they lie in a PFNMAP @vma. */
void zap_vma_ptes(struct vm_area_struct *vma, unsigned long address, unsigned long size)
{
	if (address < vma->vm_start || address + size > vma->vm_end ||
	    !(vma->vm_flags & VM_PFNMAP))
		return;
	zap_range(vma, address, address + size, ZAP_ALL);
}

/* ---- fork ---- */

/* Only what a fault could not bring back, or would bring back slowly, is copied. */
static bool needs_copy(const struct vm_area_struct *src)
{
	if (src->vm_flags & VM_WIPEONFORK)
		return false;
	return src->vm_flags & (VM_PFNMAP | VM_MIXEDMAP) || src->anon_vma_chain;
}

static pte_t copied_entry(struct mm_struct *mm, pte_t *src, unsigned int flags)
{
	struct page *page = pte_page(*src);
	pte_t pte;

	if (is_cow_mapping(flags))
		*src &= ~PTE_WRITE;
	pte = *src & ~PTE_YOUNG;
	if (flags & VM_SHARED)
		pte &= ~PTE_DIRTY;
	if (!page)
		return pte;
	page->mapcount++;
	if (pte & PTE_SWAP)
		return pte;
	if (pte & PTE_ANON)
		mm->rss_anon++;
	else
		mm->rss_file++;
	return pte;
}

/* The child's lock is taken first, then the parent's; the copy is one step. */
static int copy_entry(struct vm_area_struct *dst, unsigned long addr, pte_t *src)
{
	pte_t *pte;

	if (pte_none(*src)) {
		pte_lock(src);
		if (pte_none(*src)) {
			eng_only_read();
			return 0;
		}
	}
	pte = pte_alloc(dst->vm_mm, addr);
	if (!pte)
		return -ENOMEM;
	pte_lock(pte);
	if (!pte_none(pte_lock(src)))
		*pte = copied_entry(dst->vm_mm, src, dst->vm_flags);
	return 0;
}

/*
 * Give the child's @dst the entries of the parent's @src.
 *
 * Locks: holds both mmap_locks for write; page-table locks per entry.
 * Refs:  +1 on each page copied; on -ENOMEM what was copied stays until exit.
 */
int copy_page_range(struct vm_area_struct *dst, struct vm_area_struct *src)
{
	unsigned long index = src->vm_start >> PAGE_SHIFT, end = src->vm_end >> PAGE_SHIFT, nr;
	pte_t *pte;

	if (!needs_copy(src))
		return 0;
	while ((pte = next_entries(src->vm_mm, &index, end, &nr))) {
		for (; nr--; index++, pte++) {
			if (copy_entry(dst, index << PAGE_SHIFT, pte))
				return -ENOMEM;
		}
	}
	return 0;
}

/* ---- mremap ---- */

static void move_entry(pte_t *from, pte_t *to)
{
	pte_lock(to);
	if (pte_none(pte_lock(from))) {
		eng_only_read();
		return;
	}
	*to = *from;
	*from = 0;
}

/*
 * Move the entries of [old_addr, old_addr + len) to new_addr. A walk of the tree
 * meets the source first, unless @need_rmap_locks: then it is kept out.
 *
 * Locks: holds mmap_lock for write; i_mmap_rwsem if needed; two page-table locks.
 * Return: bytes moved; less than @len when memory for tables ran out.
 */
unsigned long move_page_tables(struct vm_area_struct *vma, unsigned long old_addr,
			       struct vm_area_struct *new_vma, unsigned long new_addr,
			       unsigned long len, bool need_rmap_locks)
{
	struct mm_struct *mm = vma->vm_mm;
	struct address_space *mapping = vma->vm_file ? vma->vm_file->f_mapping : NULL;
	unsigned long index = old_addr >> PAGE_SHIFT, end = (old_addr + len) >> PAGE_SHIFT, nr;
	unsigned long distance = (new_addr >> PAGE_SHIFT) - index;
	pte_t *from, *to;

	if (need_rmap_locks && mapping)
		i_mmap_lock_write(mapping);
	while ((from = next_entries(mm, &index, end, &nr))) {
		for (; nr--; index++, from++) {
			if (pte_none(*from) && pte_none(pte_lock(from))) {
				eng_only_read();
				continue;
			}
			to = pte_alloc(mm, (index + distance) << PAGE_SHIFT);
			if (!to)
				goto out;
			move_entry(from, to);
		}
	}
	index = end;
out:
	if (need_rmap_locks && mapping)
		i_mmap_unlock_write(mapping);
	return (index << PAGE_SHIFT) - old_addr;
}

/* ---- mprotect ---- */

/*
 * A special entry of a shared mapping becomes writable at once; a private page
 * only if no other process shows it, since the write must copy it otherwise.
 */
static bool may_become_writable(const struct vm_area_struct *vma, pte_t pte)
{
	const struct page *page = pte_page(pte);

	if (!(vma->vm_flags & VM_WRITE))
		return false;
	if (vma->vm_flags & VM_SHARED)
		return true;
	return pte & PTE_ANON && page->mapcount == 1;
}

/* The entries of [start, end) get @vma's protection in place. */
void change_protection(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	unsigned long index = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT, nr;
	pgprot_t prot = vma->vm_page_prot;
	pte_t *pte, old;

	while ((pte = next_entries(vma->vm_mm, &index, last, &nr))) {
		for (index += nr; nr--; pte++) {
			old = pte_lock(pte);
			if (!(old & PTE_PRESENT)) {
				eng_only_read();
				continue;
			}
			old &= ~(PTE_WRITE | PTE_PROTNONE);
			if (may_become_writable(vma, old))
				old |= PTE_WRITE;
			if (prot.pgprot & PROT_BIT_NONE)
				old |= PTE_PROTNONE;
			*pte = old;
		}
	}
}

/* ---- tables ---- */

/*
 * Give back tables between the neighbours of VMAs that left. After the unlink
 * from the file's tree: a walk never meets a freed table.
 */
void free_pgtables(struct mm_struct *mm, unsigned long floor, unsigned long ceiling)
{
	/* Processors walk without a lock; the kernel waits for them, here the tables stay. */
	if (mm->walks)
		return;
	radix_prune(&mm->pgd, floor >> PAGE_SHIFT, ceiling >> PAGE_SHIFT);
}

/* ---- looking from outside ---- */

bool user_page_present(struct mm_struct *mm, unsigned long addr)
{
	pte_t *pte = pte_find(mm, addr);

	return pte && *pte & PTE_PRESENT;
}

static u8 state_of(pte_t pte)
{
	if (!(pte & PTE_PRESENT))
		return USER_PAGE_ABSENT;
	if (pte & PTE_SPECIAL)
		return USER_PAGE_PFN;
	if (pte & PTE_ZERO)
		return USER_PAGE_ZERO;
	return pte & PTE_ANON ? USER_PAGE_ANON : USER_PAGE_FILE;
}

void user_page_states(struct mm_struct *mm, unsigned long addr, unsigned long nr, u8 *states)
{
	unsigned long first = addr >> PAGE_SHIFT, index = first, count;
	pte_t *pte;

	memset(states, USER_PAGE_ABSENT, nr);
	while ((pte = radix_next(&mm->pgd, &index, first + nr, &count))) {
		for (; count--; index++)
			states[index - first] = state_of(*pte++);
	}
}
