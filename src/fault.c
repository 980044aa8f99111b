// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses of user memory and the faults that they take, up to the signal.
 * Follows mm/memory.c (handle_mm_fault and below) and arch/x86/mm/fault.c.
 *
 * Lock order (outer first):
 *
 *   mm->mmap_lock		read
 *     a driver's locks		inside vm_ops->fault
 *       page-table lock	per entry
 *
 * Up to 6.1 this is how the kernel does it. Later ones try with a lock on the VMA
 * alone; whoever changes or removes the VMA waits for that as for mmap_lock.
 *
 * Everything is optimistic: an entry is looked at, work is done, and the step that
 * installs the result looks again. The loser of a race throws its work away.
 */
#include <vfiosim/kapi/io.h>

#include "mm_internal.h"

#define SIGNAL_BUS 7
#define SIGNAL_SEGV 11
#define CODE_MAPERR 1
#define CODE_ACCERR 2
#define CODE_ADRERR 2
#define CODE_MCEERR_AR 4
#define SIGNAL_KILL 9

#define FAULT_ERRORS (VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV | VM_FAULT_HWPOISON)
#define FAULT_AROUND_PAGES 16UL
#define TABLE_SIZE (1UL << 21)

/* Faults on one address that insert nothing, without a zap meanwhile. */
#define USELESS_FAULTS_MAX 8

/* A read of fresh private memory gets a page at once, not the shared zero page. */
bool zeropage_forbidden KSTATE;

/* ---- installing ---- */

static void count_mapped(struct mm_struct *mm, struct page *page, pte_t pte)
{
	page->mapcount++;
	if (pte & PTE_ANON)
		mm->rss_anon++;
	else
		mm->rss_file++;
}

/* A new private page goes where nothing is, or it is given back. */
static vm_fault_t install_private(struct vm_fault *vmf, pte_t *pte, struct page *page)
{
	pte_t entry = pte_make((u64)page, vmf->vma->vm_page_prot, PTE_ANON | PTE_DIRTY);

	if (vmf->vma->vm_flags & VM_WRITE)
		entry |= PTE_WRITE;
	if (!pte_none(pte_lock(pte))) {
		eng_only_read();
		put_page(page);
		return VM_FAULT_NOPAGE;
	}
	count_mapped(vmf->vma->vm_mm, page, entry);
	*pte = entry;
	put_page(page);
	return 0;
}

/*
 * A file's page, which the caller holds, becomes visible if the file still has it.
 * Else it was truncated meanwhile; the access comes again and finds out.
 */
static vm_fault_t install_file_page(struct vm_fault *vmf, pte_t *pte, struct page *page)
{
	pte_t entry = pte_make((u64)page, vmf->vma->vm_page_prot, 0);

	if (!pte_none(pte_lock(pte)) || !page->mapping) {
		eng_only_read();
		put_page(page);
		return VM_FAULT_NOPAGE;
	}
	if (vmf->flags & FAULT_FLAG_WRITE)
		entry |= PTE_DIRTY;
	count_mapped(vmf->vma->vm_mm, page, entry);
	*pte = entry;
	put_page(page);
	return 0;
}

/* A page for private use, held by the caller; NULL: out of memory. */
static struct page *new_private_page(struct vm_area_struct *vma)
{
	struct page *page;

	if (anon_vma_prepare(vma))
		return NULL;
	page = alloc_page();
	if (page)
		page->held = 1;
	return page;
}

/* ---- the kinds of fault ---- */

static vm_fault_t install_zero_page(struct vm_fault *vmf, pte_t *pte)
{
	if (!pte_none(pte_lock(pte))) {
		eng_only_read();
		return VM_FAULT_NOPAGE;
	}
	*pte = pte_make(0, vmf->vma->vm_page_prot, PTE_ZERO);
	return 0;
}

static vm_fault_t do_anonymous_page(struct vm_fault *vmf, pte_t *pte)
{
	struct page *page;

	if (!(vmf->flags & FAULT_FLAG_WRITE) && !zeropage_forbidden)
		return install_zero_page(vmf, pte);
	page = new_private_page(vmf->vma);
	if (!page)
		return VM_FAULT_OOM;
	return install_private(vmf, pte, page);
}

/* Ask the driver. With vmf->page set, the caller holds that page. */
static vm_fault_t __do_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = vmf->vma->vm_ops->fault(vmf);

	if (ret & (FAULT_ERRORS | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return ret;
	BUG_ON(!vmf->page);
	return ret;
}

/*
 * Map neighbours that are in the page cache: 16 pages from the aligned one below
 * the fault, or from the VMA's start if that is later.
 */
static void do_fault_around(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long start = vmf->address & ~((FAULT_AROUND_PAGES << PAGE_SHIFT) - 1), end;
	unsigned long table_end = (vmf->address & ~(TABLE_SIZE - 1)) + TABLE_SIZE;

	if (start < vma->vm_start)
		start = vma->vm_start;
	end = start + (FAULT_AROUND_PAGES << PAGE_SHIFT);
	if (end > vma->vm_end)
		end = vma->vm_end;
	if (end > table_end)
		end = table_end;
	vma->vm_ops->map_pages(vmf, linear_page_index(vma, start),
			       linear_page_index(vma, end - PAGE_SIZE));
}

static vm_fault_t do_read_fault(struct vm_fault *vmf, pte_t *pte)
{
	vm_fault_t ret;

	if (vmf->vma->vm_ops->map_pages) {
		do_fault_around(vmf);
		if (!pte_none(*pte))
			return VM_FAULT_NOPAGE;
	}
	ret = __do_fault(vmf);
	if (!vmf->page)
		return ret;
	return (ret & ~VM_FAULT_LOCKED) | install_file_page(vmf, pte, vmf->page);
}

static vm_fault_t do_cow_fault(struct vm_fault *vmf, pte_t *pte)
{
	struct page *page = new_private_page(vmf->vma);
	vm_fault_t ret;

	if (!page)
		return VM_FAULT_OOM;
	vmf->cow_page = page;
	ret = __do_fault(vmf);
	if (!vmf->page) {
		put_page(page);
		return ret;
	}
	copy_page(page, vmf->page);
	put_page(vmf->page);
	return (ret & ~VM_FAULT_LOCKED) | install_private(vmf, pte, page);
}

static vm_fault_t do_shared_fault(struct vm_fault *vmf, pte_t *pte)
{
	const struct vm_operations_struct *ops = vmf->vma->vm_ops;
	vm_fault_t ret = __do_fault(vmf), wanted;

	if (!vmf->page)
		return ret;
	if (ops->page_mkwrite) {
		wanted = ops->page_mkwrite(vmf);
		if (wanted & (FAULT_ERRORS | VM_FAULT_NOPAGE)) {
			put_page(vmf->page);
			return wanted;
		}
	}
	return (ret & ~VM_FAULT_LOCKED) | install_file_page(vmf, pte, vmf->page);
}

static vm_fault_t do_fault(struct vm_fault *vmf, pte_t *pte)
{
	if (!vmf->vma->vm_ops->fault)
		return pte_none(*pte) ? VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;
	if (!(vmf->flags & FAULT_FLAG_WRITE))
		return do_read_fault(vmf, pte);
	if (!(vmf->vma->vm_flags & VM_SHARED))
		return do_cow_fault(vmf, pte);
	return do_shared_fault(vmf, pte);
}

/* ---- writes to what is present but not writable ---- */

/* Shared: the driver may be asked, then the entry becomes writable in place. */
static vm_fault_t wp_shared(struct vm_fault *vmf, pte_t *pte, pte_t old)
{
	const struct vm_operations_struct *ops = vmf->vma->vm_ops;
	vm_fault_t ret = 0;

	if (old & PTE_SPECIAL && ops && ops->pfn_mkwrite)
		ret = ops->pfn_mkwrite(vmf);
	else if (!(old & PTE_SPECIAL) && ops && ops->page_mkwrite)
		ret = ops->page_mkwrite(vmf);
	if (ret & (FAULT_ERRORS | VM_FAULT_NOPAGE))
		return ret;
	if (pte_lock(pte) == old)
		*pte = old | PTE_WRITE | PTE_DIRTY;
	return VM_FAULT_WRITE;
}

/* Replace @old by a private copy, unless it changed while the copy was made. */
static vm_fault_t wp_page_copy(struct vm_fault *vmf, pte_t *pte, pte_t old)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	struct page *page = new_private_page(vmf->vma), *source = pte_page(old);
	pte_t entry;

	if (!page)
		return VM_FAULT_OOM;
	if (pte_lock(pte) != old) {
		eng_only_read();
		put_page(page);
		return VM_FAULT_NOPAGE;
	}
	if (source)
		copy_page(page, source);
	entry = pte_make((u64)page, vmf->vma->vm_page_prot, PTE_ANON | PTE_DIRTY | PTE_WRITE);
	count_mapped(mm, page, entry);
	*pte = entry;
	put_page(page);
	if (source) {
		if (old & PTE_ANON)
			mm->rss_anon--;
		else
			mm->rss_file--;
		page_unmapped(source);
	}
	return VM_FAULT_WRITE;
}

static vm_fault_t do_wp_page(struct vm_fault *vmf, pte_t *pte)
{
	pte_t old = pte_lock(pte);
	struct page *page = pte_page(old);

	if (pte_none(old) || old & PTE_WRITE) {
		eng_only_read();
		return VM_FAULT_NOPAGE;
	}
	if (vmf->vma->vm_flags & VM_SHARED)
		return wp_shared(vmf, pte, old);
	/* A pfn that a private mapping shows cannot be copied here: no struct page. */
	if (old & PTE_SPECIAL)
		return VM_FAULT_SIGBUS;
	if (old & PTE_ANON && page->mapcount == 1) {
		*pte = old | PTE_WRITE | PTE_DIRTY;
		return VM_FAULT_WRITE;
	}
	return wp_page_copy(vmf, pte, old);
}

/* The page comes back from swap. A write to one that others show copies it next. */
static vm_fault_t do_swap_page(struct vm_fault *vmf, pte_t *pte)
{
	pte_t old = pte_lock(pte);

	if (!(old & PTE_SWAP)) {
		eng_only_read();
		return VM_FAULT_NOPAGE;
	}
	*pte = pte_make(old & PTE_VALUE, vmf->vma->vm_page_prot, PTE_ANON | PTE_DIRTY);
	if (vmf->flags & FAULT_FLAG_WRITE && pte_page(old)->mapcount == 1)
		*pte |= PTE_WRITE;
	vmf->vma->vm_mm->rss_anon++;
	return VM_FAULT_MAJOR;
}

/*
 * Resolve a fault that @vma permits. Tables come first: no memory for them is OOM
 * before the driver is asked.
 *
 * Context: may sleep. Locks: mmap_lock held for read.
 */
vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long addr, unsigned int flags)
{
	struct vm_fault vmf = {
		.vma = vma, .flags = flags, .address = addr & PAGE_MASK,
		.pgoff = linear_page_index(vma, addr),
	};
	struct mm_struct *mm = vma->vm_mm;
	pte_t *pte = pte_alloc(mm, addr);
	vm_fault_t ret;

	if (!pte)
		return VM_FAULT_OOM;
	if (*pte & PTE_SWAP)
		ret = do_swap_page(&vmf, pte);
	else if (!pte_none(*pte))
		ret = flags & FAULT_FLAG_WRITE ? do_wp_page(&vmf, pte) : 0;
	else if (vma_is_anonymous(vma))
		ret = do_anonymous_page(&vmf, pte);
	else
		ret = do_fault(&vmf, pte);
	/* With the lock dropped @vma may be gone. */
	if (!(ret & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)))
		eng_event("fault", vma, "%lx result %x", vmf.address, ret);
	if (ret & (FAULT_ERRORS | VM_FAULT_RETRY))
		return ret;
	if (ret & VM_FAULT_MAJOR || flags & FAULT_FLAG_TRIED)
		mm->maj_flt++;
	else
		mm->min_flt++;
	return ret;
}

/* ---- what drivers insert ---- */

/*
 * Called from ->fault. An entry that is there already stays, even with another pfn.
 *
 * Context: may sleep. Locks: mmap_lock held for read; takes the page-table lock.
 */
vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn)
{
	const unsigned int kind = vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP);
	pte_t *pte;

	BUG_ON(kind != VM_PFNMAP && kind != VM_MIXEDMAP);
	BUG_ON(kind == VM_PFNMAP && is_cow_mapping(vma->vm_flags));
	if (addr < vma->vm_start || addr >= vma->vm_end)
		return VM_FAULT_SIGBUS;
	pte = pte_alloc(vma->vm_mm, addr);
	if (!pte)
		return VM_FAULT_OOM;
	if (!pte_none(pte_lock(pte))) {
		eng_only_read();
		return VM_FAULT_NOPAGE;
	}
	*pte = pte_make(pfn, vma->vm_page_prot, PTE_SPECIAL);
	eng_event("vmf_insert_pfn", vma, "%lx pfn %lx", addr, pfn);
	return VM_FAULT_NOPAGE;
}

static int remap_entries(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
			 unsigned long end, pgprot_t prot)
{
	pte_t *pte;

	for (; addr < end; addr += PAGE_SIZE, pfn++) {
		pte = pte_alloc(vma->vm_mm, addr);
		if (!pte)
			return -ENOMEM;
		/* Never twice over one page: the kernel stops here. */
		BUG_ON(!pte_none(pte_lock(pte)));
		*pte = pte_make(pfn, prot, PTE_SPECIAL);
	}
	return 0;
}

/*
 * Fill [addr, addr + size) with consecutive pfns and mark @vma as a device's.
 *
 * Context: may sleep. Locks: mmap_lock held for write, since vm_flags change.
 * Return:  -ENOMEM leaves the entries made so far (5.14) or none (6.1 and later).
 */
int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot)
{
	unsigned long end = addr + PAGE_ALIGN(size);
	int ret;

	if (WARN_ON_ONCE(addr & ~PAGE_MASK))
		return -EINVAL;
	if (is_cow_mapping(vma->vm_flags)) {
		if (addr != vma->vm_start || end != vma->vm_end)
			return -EINVAL;
		vma->vm_pgoff = pfn;
	}
	WARN_ON_ONCE(kernel_version >= KERNEL_6_12 && !vma->vm_mm->mmap_lock.owner);
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	BUG_ON(addr >= end);
	eng_event("remap_pfn_range", vma, "%lx-%lx pfn %lx", addr, end, pfn);
	ret = remap_entries(vma, addr, pfn, end, prot);
	if (ret && kernel_version >= KERNEL_6_1)
		zap_range(vma, addr, end, ZAP_ALL);
	return ret;
}

int io_remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		       unsigned long size, pgprot_t prot)
{
	return remap_pfn_range(vma, addr, pfn, size, pgprot_decrypted(prot));
}

/* ---- accesses ---- */

/* Forbidden by the VMA's rights, before any driver is asked? (x86) */
static bool access_error(const struct vm_area_struct *vma, unsigned long addr, bool write)
{
	pte_t *pte;

	if (write)
		return !(vma->vm_flags & VM_WRITE);
	if (!(vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC)))
		return true;
	pte = pte_find(vma->vm_mm, addr);
	return pte && *pte & PTE_PROTNONE;
}

static int signal_of(vm_fault_t fault, int *code)
{
	if (fault & (VM_FAULT_SIGBUS | VM_FAULT_HWPOISON)) {
		*code = fault & VM_FAULT_HWPOISON ? CODE_MCEERR_AR : CODE_ADRERR;
		return SIGNAL_BUS;
	}
	if (fault & VM_FAULT_SIGSEGV) {
		*code = CODE_MAPERR;
		return SIGNAL_SEGV;
	}
	return 0;
}

/*
 * One fault of the current task. Out of memory lets it try again, and so does a
 * handler that had to drop the lock (RETRY; *result says so to the next try).
 *
 * Locks:  takes and drops mmap_lock for read; on RETRY and COMPLETED the handler
 *	   has dropped it.
 * Return: 0, or the signal, with *code its si_code.
 */
static int user_fault(struct mm_struct *mm, unsigned long addr, bool write, int *code,
		      vm_fault_t *result)
{
	unsigned int flags = FAULT_FLAG_USER | FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE;
	struct vm_area_struct *vma;
	int signal = SIGNAL_SEGV;

	flags |= write ? FAULT_FLAG_WRITE : 0;
	flags |= *result & VM_FAULT_RETRY ? FAULT_FLAG_TRIED : 0;
	*result = 0;
	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	if (!vma || vma->vm_start > addr) {
		*code = CODE_MAPERR;
	} else if (access_error(vma, addr, write)) {
		*code = CODE_ACCERR;
	} else {
		*result = handle_mm_fault(vma, addr, flags);
		signal = signal_of(*result, code);
	}
	if (!(*result & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)))
		mmap_read_unlock(mm);
	else if (fatal_signal_pending(get_current()))
		signal = SIGNAL_KILL;
	return signal;
}

/* A processor's view: may this access go ahead with this entry? */
static inline bool entry_permits(pte_t pte, bool write)
{
	if (!(pte & PTE_PRESENT) || pte & PTE_PROTNONE)
		return false;
	return !write || pte & PTE_WRITE;
}

static void carry_out(pte_t pte, unsigned long addr, bool write, u64 *value, unsigned int size)
{
	unsigned int at = addr & ~PAGE_MASK;
	struct page *page = pte_page(pte);

	if (pte & PTE_SPECIAL) {
		iomem_access((pte_pfn(pte) << PAGE_SHIFT) | at, write, value, size);
		return;
	}
	if (!write)
		*value = 0;
	if (!page)
		return;
	if (write)
		page_store(page, at, value, size);
	else
		page_load(page, at, value, size);
}

/* The access itself, if an entry permits it: translation and transfer are one step. */
static bool access_mapped(struct mm_struct *mm, unsigned long addr, bool write, u64 *value,
			  unsigned int size)
{
	pte_t *pte = pte_find(mm, addr);

	if (!pte) {
		eng_point(ENG_OP_PTE, &mm->pgd, ENG_READ);
		return false;
	}
	mm->walks++;
	eng_point(ENG_OP_PTE, pte, write ? ENG_WRITE : ENG_READ);
	mm->walks--;
	if (!entry_permits(*pte, write)) {
		eng_only_read();
		return false;
	}
	*pte |= PTE_YOUNG | (write ? PTE_DIRTY : 0);
	carry_out(*pte, addr, write, value, size);
	return true;
}

/* The entry is gone, but the processor has not been told yet. */
static bool access_stale(struct mm_struct *mm, unsigned long addr, bool write, u64 *value,
			 unsigned int size)
{
	pte_t pte = tlb_lookup(mm, addr);

	if (!entry_permits(pte, write))
		return false;
	eng_event("stale_access", find_vma(mm, addr), "%lx", addr);
	carry_out(pte, addr, write, value, size);
	return true;
}

/* A handler that says NOPAGE without inserting keeps the task busy for ever (MM-123). */
static void check_progress(struct mm_struct *mm, unsigned long addr, unsigned int faults)
{
	if (faults < USELESS_FAULTS_MAX || user_page_present(mm, addr))
		return;
	eng_fail("endless-fault", find_vma(mm, addr),
		 "the fault handler said NOPAGE %u times for address %lx and inserted nothing; "
		 "the access can never go on", faults, addr);
}

int user_access(unsigned long addr, bool write, u64 *value, unsigned int size, int *code)
{
	struct mm_struct *mm = get_current()->mm;
	unsigned long zaps = entries_zapped;
	unsigned int faults = 0;
	vm_fault_t result = 0;
	int signal;

	while (!access_mapped(mm, addr, write, value, size) &&
	       !access_stale(mm, addr, write, value, size)) {
		signal = user_fault(mm, addr, write, code, &result);
		if (signal)
			return signal;
		if (zaps != entries_zapped || !(result & VM_FAULT_NOPAGE))
			faults = 0;
		zaps = entries_zapped;
		check_progress(mm, addr, ++faults);
	}
	return 0;
}
