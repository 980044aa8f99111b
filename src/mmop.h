/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One operation on the address spaces of a few processes, and what became of
 * it: the vocabulary that recorded traces, the replay in the model and the
 * recorder on the live kernel share. Addresses and offsets are bytes; addresses
 * count from the start of the window.
 */
#ifndef VFIOSIM_MMOP_H
#define VFIOSIM_MMOP_H

#include <stdbool.h>
#include <stdint.h>

#define MMOP_PAGE 4096UL
#define MMOP_WINDOW_MAX 512	/* pages */
#define MMOP_GUARD 16		/* mapped pages on either side of the window */
#define MMOP_PROCS_MAX 64
#define MMOP_FILES_MAX 16
#define MMOP_HANDLES_MAX 16
#define MMOP_ANON (-1)		/* a handle: no file */

enum mmop_kind {
	MMOP_FILE, MMOP_DROP, MMOP_OPEN, MMOP_DUP, MMOP_CLOSE, MMOP_MMAP, MMOP_MUNMAP,
	MMOP_MPROTECT, MMOP_MREMAP, MMOP_READ, MMOP_WRITE, MMOP_MADVISE, MMOP_TRUNC,
	MMOP_PUNCH, MMOP_FORK, MMOP_EXIT, MMOP_FREAD, MMOP_FWRITE,
	/* Only with the feature "calls", as is what is marked so below. */
	MMOP_MLOCK, MMOP_MUNLOCK, MMOP_MSYNC, MMOP_MINCORE, MMOP_REMAP_FILE,
	MMOP_MSEAL,
	MMOP_KINDS,
	MMOP_FIRST_CALL = MMOP_MLOCK
};

enum mmop_mremap {
	MMOP_INPLACE,
	MMOP_FIXED,
	MMOP_DONTUNMAP,
	MMOP_FIXEDONLY,
	MMOP_HINT,		/* MAYMOVE and DONTUNMAP alone; the target is free. "calls" */
	MMOP_MREMAP_MODES
};

enum mmop_advice {
	MMOP_DONTNEED,
	MMOP_DONTFORK,
	MMOP_DOFORK,
	/* "calls" */
	MMOP_NORMAL, MMOP_RANDOM, MMOP_SEQUENTIAL, MMOP_DONTDUMP, MMOP_DODUMP, MMOP_REMOVE,
	MMOP_FREE, MMOP_COLD, MMOP_POPULATE_READ, MMOP_POPULATE_WRITE, MMOP_WIPEONFORK,
	MMOP_KEEPONFORK, MMOP_HUGEPAGE, MMOP_NOHUGEPAGE, MMOP_MERGEABLE, MMOP_UNMERGEABLE,
	MMOP_ADVICES,
	MMOP_PLAIN_ADVICES = MMOP_NORMAL
};

/* The flags of an msync. */
enum mmop_sync {
	MMOP_SYNC,
	MMOP_ASYNC,
	MMOP_INVALIDATE,
	MMOP_SYNCS
};

struct mmop {
	uint8_t kind;
	uint8_t proc;
	uint8_t child;
	uint8_t file;
	int8_t handle;		/* MMOP_ANON: none */
	int8_t handle2;		/* the source of a dup */
	uint8_t prot;		/* PROT_* */
	char share;		/* 's', 'p', or 'x' for neither */
	uint8_t mode;		/* enum mmop_mremap, mmop_advice or mmop_sync */
	bool noreplace;
	bool noreserve;
	bool populate;		/* MAP_POPULATE. "calls" */
	bool locked;		/* MAP_LOCKED. "calls" */
	bool readonly;		/* of an open */
	uint64_t addr;
	uint64_t length;	/* of a file too */
	uint64_t new_length;
	uint64_t new_addr;
	uint64_t offset;
};

enum mmop_outcome {
	MMOP_OK,
	MMOP_VALUE,		/* ok, and a value was read */
	MMOP_EOF,
	MMOP_ERROR,
	MMOP_MAPERR,		/* signals */
	MMOP_ACCERR,
	MMOP_ADRERR,
};

struct mmop_result {
	uint8_t outcome;	/* enum mmop_outcome */
	uint8_t error;		/* errno, positive */
	uint64_t value;
};

/* mmop_vma.perm; the first three are PROT_*'s bits. */
#define MMOP_VMA_SHARED 8
/* mmop_vma.flags */
#define MMOP_VMA_ACCOUNT 1
#define MMOP_VMA_DONTCOPY 2
#define MMOP_VMA_NORESERVE 4
/* "calls" */
#define MMOP_VMA_LOCKED 8
#define MMOP_VMA_SEQUENTIAL 16
#define MMOP_VMA_RANDOM 32
#define MMOP_VMA_DONTDUMP 64
#define MMOP_VMA_WIPEONFORK 128
#define MMOP_VMA_SEALED 256
#define MMOP_VMA_HUGEPAGE 512
#define MMOP_VMA_NOHUGEPAGE 1024
#define MMOP_VMA_MERGEABLE 2048
#define MMOP_VMA_PLAIN_FLAGS 7
#define MMOP_MINCORE_PAGES 64	/* an answer is one bit for each page */

struct mmop_vma {
	uint16_t start;		/* pages of the window */
	uint16_t end;
	uint16_t flags;
	uint8_t perm;
	char object;		/* 'f' file, 'a' private anonymous, 'z' shared anonymous */
	int32_t id;		/* which file or shared anonymous object; 0 for 'a' */
	int32_t desc;		/* the open file description, or -1 */
	uint64_t pgoff;		/* 0 for 'a' */
};

#endif
