/* SPDX-License-Identifier: GPL-2.0-only */
/* Address spaces of processes: VMAs, page tables, faults, unmap_mapping_range(). */
#ifndef VFIOSIM_KAPI_MM_H
#define VFIOSIM_KAPI_MM_H

#include <vfiosim/kapi/fs.h>

struct anon_vma_chain;
struct page;

/* vm_flags */
#define VM_NONE 0x00000000
#define VM_READ 0x00000001
#define VM_WRITE 0x00000002
#define VM_EXEC 0x00000004
#define VM_SHARED 0x00000008
#define VM_MAYREAD 0x00000010
#define VM_MAYWRITE 0x00000020
#define VM_MAYEXEC 0x00000040
#define VM_MAYSHARE 0x00000080
#define VM_GROWSDOWN 0x00000100
#define VM_PFNMAP 0x00000400
#define VM_LOCKED 0x00002000
#define VM_IO 0x00004000
#define VM_SEQ_READ 0x00008000
#define VM_RAND_READ 0x00010000
#define VM_DONTCOPY 0x00020000
#define VM_DONTEXPAND 0x00040000
#define VM_ACCOUNT 0x00100000
#define VM_NORESERVE 0x00200000
#define VM_SEALED 0x00400000	/* VM_HUGETLB there; sealed is one of the upper 32 bits */
#define VM_WIPEONFORK 0x02000000
#define VM_DONTDUMP 0x04000000
#define VM_SOFTDIRTY 0x08000000
#define VM_MIXEDMAP 0x10000000
#define VM_HUGEPAGE 0x20000000
#define VM_NOHUGEPAGE 0x40000000
#define VM_MERGEABLE 0x80000000
#define VM_SPECIAL (VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP)

typedef unsigned int vm_fault_t;
#define VM_FAULT_OOM 0x000001
#define VM_FAULT_SIGBUS 0x000002
#define VM_FAULT_MAJOR 0x000004
#define VM_FAULT_WRITE 0x000008
#define VM_FAULT_HWPOISON 0x000010
#define VM_FAULT_SIGSEGV 0x000040
#define VM_FAULT_NOPAGE 0x000100
#define VM_FAULT_LOCKED 0x000200
#define VM_FAULT_RETRY 0x000400
#define VM_FAULT_FALLBACK 0x000800
#define VM_FAULT_DONE_COW 0x001000
#define VM_FAULT_COMPLETED 0x004000

#define FAULT_FLAG_WRITE 0x01
#define FAULT_FLAG_ALLOW_RETRY 0x04	/* the handler may drop mmap_lock and say RETRY */
#define FAULT_FLAG_KILLABLE 0x10
#define FAULT_FLAG_TRIED 0x20		/* it has, once */
#define FAULT_FLAG_USER 0x40

typedef struct { unsigned int pgprot; } pgprot_t;

/* Bits that mprotect() keeps. */
pgprot_t pgprot_noncached(pgprot_t prot) KAPI(pgprot_noncached);
pgprot_t pgprot_decrypted(pgprot_t prot) KAPI(pgprot_decrypted);

struct mm_struct;
struct vm_area_struct;

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned int flags;
	pgoff_t pgoff;
	unsigned long address;
	struct page *page;
	struct page *cow_page;
};

struct vm_operations_struct {
	void (*open)(struct vm_area_struct *vma);
	void (*close)(struct vm_area_struct *vma);
	int (*may_split)(struct vm_area_struct *vma, unsigned long addr);
	int (*mremap)(struct vm_area_struct *vma);
	int (*mprotect)(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			unsigned long newflags);
	vm_fault_t (*fault)(struct vm_fault *vmf);
	vm_fault_t (*huge_fault)(struct vm_fault *vmf, unsigned int order);
	void (*map_pages)(struct vm_fault *vmf, pgoff_t start, pgoff_t end);
	vm_fault_t (*page_mkwrite)(struct vm_fault *vmf);
	vm_fault_t (*pfn_mkwrite)(struct vm_fault *vmf);
};

/*
 * What a walk of the mapping's tree reads comes first. Nothing is kept here that
 * can be kept elsewhere for less: with its share of both trees and of the page
 * tables, a mapping with one present page stays below 160 bytes.
 */
struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_pgoff;
	struct mm_struct *vm_mm;
	unsigned int vm_flags;
	pgprot_t vm_page_prot;
	struct mapping_node *shared_leaf;	/* where the mapping's tree has it; NULL: nowhere */
	struct file *vm_file;
	const struct vm_operations_struct *vm_ops;
	void *vm_private_data;
	struct anon_vma_chain *anon_vma_chain;	/* own anon_vma first; NULL: none */
};

static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

/* inode->i_flags and vfsmount->mnt_flags that forbid mappings; nothing else reads them. */
#define S_APPEND 4
#define S_SWAPFILE 256
#define MNT_NOEXEC 0x04

/* For drivers. */
int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot) KAPI(remap_pfn_range);
int io_remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		       unsigned long size, pgprot_t prot) KAPI(io_remap_pfn_range);
vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn)
	KAPI(vmf_insert_pfn);
void zap_vma_ptes(struct vm_area_struct *vma, unsigned long address, unsigned long size)
	KAPI(zap_vma_ptes);
void unmap_mapping_range(struct address_space *mapping, loff_t holebegin, loff_t holelen,
			 int even_cows) KAPI(unmap_mapping_range);
void unmap_mapping_pages(struct address_space *mapping, pgoff_t start, pgoff_t nr,
			 bool even_cows) KAPI(unmap_mapping_pages);

/* Address spaces of processes. */
extern int sysctl_max_map_count KAPI(sysctl_max_map_count);
/* What mm_forbids_zeropage() says: not so on x86 as released, but there are such builds. */
extern bool zeropage_forbidden SIM(zeropage_forbidden);
extern bool overcommit_never SIM(overcommit_never);	/* vm.overcommit_memory is 2 */
/* Built without CONFIG_TRANSPARENT_HUGEPAGE, without CONFIG_KSM: such advice is EINVAL. */
extern bool config_no_huge_pages SIM(config_no_huge_pages);
extern bool config_no_ksm SIM(config_no_ksm);
struct mm_struct *mm_alloc(void) KAPI(mm_alloc);
bool mmget_not_zero(struct mm_struct *mm) KAPI(mmget_not_zero);
void mmget(struct mm_struct *mm) KAPI(mmget);
void mmput(struct mm_struct *mm) KAPI(mmput);
void mmgrab(struct mm_struct *mm) KAPI(mmgrab);
void mmdrop(struct mm_struct *mm) KAPI(mmdrop);
int dup_mmap(struct mm_struct *mm, struct mm_struct *oldmm) KAPI(dup_mmap);
void mmap_read_lock(struct mm_struct *mm) KAPI(mmap_read_lock);
bool mmap_read_trylock(struct mm_struct *mm) KAPI(mmap_read_trylock);
void mmap_read_unlock(struct mm_struct *mm) KAPI(mmap_read_unlock);
void mmap_write_lock(struct mm_struct *mm) KAPI(mmap_write_lock);
int mmap_write_lock_killable(struct mm_struct *mm) KAPI(mmap_write_lock_killable);
void mmap_write_unlock(struct mm_struct *mm) KAPI(mmap_write_unlock);

/* System calls on the current task's mm; addresses or -errno, as in the kernel. */
long ksys_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
	       unsigned long fd, unsigned long offset) SIM(ksys_mmap);
long ksys_munmap(unsigned long addr, size_t len) SIM(ksys_munmap);
long ksys_mprotect(unsigned long addr, size_t len, unsigned long prot) SIM(ksys_mprotect);
long ksys_mremap(unsigned long addr, unsigned long old_len, unsigned long new_len,
		 unsigned long flags, unsigned long new_addr) SIM(ksys_mremap);
long ksys_madvise(unsigned long addr, size_t len, int behavior) SIM(ksys_madvise);
long ksys_mlock(unsigned long addr, size_t len) SIM(ksys_mlock);
long ksys_munlock(unsigned long addr, size_t len) SIM(ksys_munlock);
long ksys_mlockall(int flags) SIM(ksys_mlockall);
long ksys_munlockall(void) SIM(ksys_munlockall);
long ksys_mseal(unsigned long addr, size_t len, unsigned long flags) SIM(ksys_mseal);
/* One byte of @vec, in kernel memory, for each page. */
long ksys_mincore(unsigned long addr, size_t len, u8 *vec) SIM(ksys_mincore);
long ksys_msync(unsigned long addr, size_t len, int flags) SIM(ksys_msync);
unsigned long ksys_brk(unsigned long brk) SIM(ksys_brk);
long ksys_remap_file_pages(unsigned long start, unsigned long size, unsigned long prot,
			   unsigned long pgoff, unsigned long flags) SIM(ksys_remap_file_pages);

/*
 * A user-mode access of @size bytes (1..8, within one page) by the current task:
 * the page tables, then faults until it succeeds. Returns 0, or the signal it
 * would get (SIGSEGV, SIGBUS) with *code the si_code; no signal is delivered.
 */
int user_access(unsigned long addr, bool write, u64 *value, unsigned int size, int *code)
	SIM(user_access);
/* Whether the page at @addr has a present PTE; no fault, no choice point. */
bool user_page_present(struct mm_struct *mm, unsigned long addr) SIM(user_page_present);

/* Plain files (memfd): holes, page cache, truncate, punch; shmem.c. */
struct file *memfd_file(const char *name, unsigned int flags) SIM(memfd_file);
int memfd_truncate(struct file *file, loff_t size) SIM(memfd_truncate);
int memfd_punch(struct file *file, loff_t offset, loff_t len) SIM(memfd_punch);

/* F_GET_SEALS; -EINVAL for other files. */
int memfd_get_seals(struct file *file) KAPI(memfd_get_seals);

/* Reads and writes of a plain file without any mapping; bytes done or -errno. */
ssize_t memfd_pread(struct file *file, void *buf, size_t size, loff_t offset) SIM(memfd_pread);
ssize_t memfd_pwrite(struct file *file, const void *buf, size_t size, loff_t offset)
	SIM(memfd_pwrite);
/* fcntl(F_ADD_SEALS), with the uapi's F_SEAL_*; -EBUSY as MM-9 says. */
int memfd_add_seals(struct file *file, unsigned int seals) KAPI(memfd_add_seals);
/* A new open file description of the same inode, as open("/proc/self/fd/N") gives it. */
struct file *memfd_reopen(struct file *file, int flags) SIM(memfd_reopen);

/*
 * Looking from outside (replay, fuzzing, checkers): no fault, no lock, no choice point.
 */
/* The VMA with the lowest end above @addr, or NULL. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr) KAPI(find_vma);
/* The VMA behind @vma in its set, or NULL. */
struct vm_area_struct *vma_next(const struct vm_area_struct *vma) SIM(vma_next);

enum user_page {
	USER_PAGE_ABSENT,
	USER_PAGE_FILE,		/* the page cache's page */
	USER_PAGE_ANON,		/* private to the process, or shared by fork until written */
	USER_PAGE_ZERO,		/* the shared zero page */
	USER_PAGE_PFN,		/* a special entry: a pfn without a page */
};
/* What the entries of @nr pages from @addr hold, an enum user_page each. */
void user_page_states(struct mm_struct *mm, unsigned long addr, unsigned long nr, u8 *states)
	SIM(user_page_states);

#endif
