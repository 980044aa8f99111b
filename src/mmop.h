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
	MMOP_KINDS
};

enum mmop_mremap {
	MMOP_INPLACE,
	MMOP_FIXED,
	MMOP_DONTUNMAP,
	MMOP_FIXEDONLY,
	MMOP_MREMAP_MODES
};

enum mmop_advice {
	MMOP_DONTNEED,
	MMOP_DONTFORK,
	MMOP_DOFORK,
	MMOP_ADVICES
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
	uint8_t mode;		/* enum mmop_mremap or enum mmop_advice */
	bool noreplace;
	bool noreserve;
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

struct mmop_vma {
	uint16_t start;		/* pages of the window */
	uint16_t end;
	uint8_t perm;
	uint8_t flags;
	char object;		/* 'f' file, 'a' private anonymous, 'z' shared anonymous */
	int32_t id;		/* which file or shared anonymous object; 0 for 'a' */
	int32_t desc;		/* the open file description, or -1 */
	uint64_t pgoff;		/* 0 for 'a' */
};

#endif
