/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One set of calls on two kernels: this machine's and the modelled one. The
 * differential checks are written against this. Processes are numbers, 0 is
 * there from the start; results are the call's or -errno.
 */
#ifndef TESTS_LIVE_BACKEND_H
#define TESTS_LIVE_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "mmop.h"
#include "vfiosim.h"

#define CHECK_BASE 0x200000000000UL
#define CHECK_PAGES 64

struct piece {
	unsigned long start;	/* address */
	unsigned long end;
	unsigned long pgoff;
	char perm[5];
};

struct backend {
	const char *name;
	/* False if the kernel cannot be used here; *why says what is missing. */
	bool (*start)(const char **why);
	void (*stop)(void);

	long (*mmap)(unsigned int proc, unsigned long addr, unsigned long len, int prot, int flags,
		     int fd, unsigned long offset);
	long (*munmap)(unsigned int proc, unsigned long addr, unsigned long len);
	long (*mprotect)(unsigned int proc, unsigned long addr, unsigned long len, int prot);
	long (*mremap)(unsigned int proc, unsigned long addr, unsigned long old_len,
		       unsigned long new_len, int flags, unsigned long new_addr);
	long (*madvise)(unsigned int proc, unsigned long addr, unsigned long len, int advice);
	enum mmop_outcome (*touch)(unsigned int proc, unsigned long addr, bool write,
				   uint64_t *value);

	/* Descriptors; a memfd may be sealed. */
	long (*memfd)(unsigned int proc, unsigned int pages);
	long (*reopen)(unsigned int proc, int fd, int flags);
	long (*unmappable)(unsigned int proc);	/* a file without ->mmap */
	long (*dup)(unsigned int proc, int fd);
	long (*close)(unsigned int proc, int fd);
	long (*truncate)(unsigned int proc, int fd, unsigned long size);
	long (*punch)(unsigned int proc, int fd, unsigned long offset, unsigned long len);
	long (*fill)(unsigned int proc, int fd, unsigned int pages);	/* the page cache */
	long (*seal)(unsigned int proc, int fd, unsigned int seals);

	int (*fork)(unsigned int proc);
	void (*exit)(unsigned int proc);

	unsigned int (*pieces)(unsigned int proc, unsigned long start, unsigned long end,
			       struct piece *pieces, unsigned int max);
	bool (*present)(unsigned int proc, unsigned long addr);
	/* Mappings and pages that @proc may have more than it has now. */
	long (*limit_pages)(unsigned int proc, unsigned long more);
	long (*map_count)(unsigned int proc);
	long (*map_limit)(void);

	/*
	 * A mapping with VM_PFNMAP that must not be cut, [*start, *end); or one that
	 * a file's ->mmap filled. False if this kernel has none to offer.
	 */
	bool (*pfnmap)(unsigned int proc, unsigned long *start, unsigned long *end);
	bool (*pfn_file)(unsigned int proc, unsigned long *start, unsigned long *end);
};

extern const struct backend live_backend;
extern const struct backend model_backend;

/* The modelled kernel that a model_backend of the next start() is. */
extern enum vfiosim_kernel model_kernel;

#endif
