// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translations that processors may go on using after the entry was cleared, until
 * the flush. Follows mm/mmu_gather.c. Off unless a scenario sets tlb_modelled:
 * then an access in the window between clearing and flush still gets through.
 *
 * Only entries of device memory are kept: pages are freed behind the flush, so that
 * a late access to one of them is an early one. Permissions that shrink are flushed
 * in the same step.
 *
 * Lock order: innermost, as the page tables. The list (&mm->stale) is one object.
 */
#include "mm_internal.h"

struct stale_entry {
	unsigned long addr;
	pte_t pte;
	struct stale_entry *next;
};

bool tlb_modelled KSTATE;

/* @nr entries from @pte on, which show @index and on, are about to be cleared. */
void tlb_gather_entries(struct mm_struct *mm, unsigned long index, const pte_t *pte,
			unsigned long nr)
{
	struct stale_entry *entry;

	for (; nr--; index++, pte++) {
		if (!(*pte & PTE_SPECIAL))
			continue;
		entry = eng_alloc_nofail(sizeof(*entry), "stale_entry", true,
					 __builtin_return_address(0));
		*entry = (struct stale_entry){ index << PAGE_SHIFT, *pte, mm->stale };
		mm->stale = entry;
	}
}

/* Every processor forgets what was cleared in @mm. Context: may sleep. */
void tlb_flush(struct mm_struct *mm)
{
	struct stale_entry *entry;

	if (!mm->stale)
		return;
	eng_point(ENG_OP_PTE, &mm->stale, ENG_WRITE);
	eng_event("tlb_flush", mm, "");
	while ((entry = mm->stale)) {
		mm->stale = entry->next;
		kfree(entry);
	}
}

/* What a processor may still hold for @addr; 0: nothing. */
pte_t tlb_lookup(struct mm_struct *mm, unsigned long addr)
{
	const struct stale_entry *entry;

	if (!tlb_modelled)
		return 0;
	eng_point(ENG_OP_PTE, &mm->stale, ENG_READ);
	for (entry = mm->stale; entry; entry = entry->next)
		if (entry->addr == (addr & PAGE_MASK))
			return entry->pte;
	return 0;
}
