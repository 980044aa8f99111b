/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This machine's own kernel, used through worker processes: each obeys one
 * system call or one touch of memory at a time, so a test can lead several
 * address spaces step by step and look at them from outside.
 */
#ifndef TESTS_LIVE_H
#define TESTS_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmop.h"

#define LIVE_BASE 0x200000000000UL
#define LIVE_SKIP 77		/* Meson's exit status for a skipped test */

struct live;

/*
 * Starts process 0 with guard mappings around @window pages at @base (0: no
 * guards). NULL if this machine does not allow something; *why says what.
 */
struct live *live_start(unsigned long base, unsigned int window, const char **why);
void live_stop(struct live *live);

/* The result, or -errno. Pointers must lie in live_shared() or be constant strings. */
#define LIVE_ARGS 6
#define live_syscall(live, proc, number, ...) \
	live_call(live, proc, number, (const long[LIVE_ARGS]){ __VA_ARGS__ })
long live_call(struct live *live, unsigned int proc, long number, const long args[LIVE_ARGS]);
/* 64 KiB that all processes share with the caller. */
void *live_shared(const struct live *live);

/* A load or store of 8 bytes: MMOP_OK, or the signal that it got. */
enum mmop_outcome live_touch(struct live *live, unsigned int proc, unsigned long addr,
			     bool write, uint64_t *value);

/* The new process, numbered from 1 and never reused, or -errno. */
int live_fork(struct live *live, unsigned int proc);
/* Ends @proc; its address space is gone on return. */
void live_exit(struct live *live, unsigned int proc);
bool live_alive(const struct live *live, unsigned int proc);

/* One line of /proc/PID/smaps that meets [base, base + pages). */
struct live_vma {
	unsigned long start;
	unsigned long end;
	unsigned long offset;
	unsigned long inode;
	char perm[8];
	char flags[160];	/* VmFlags, a space before and behind each */
};

/* The mappings that meet [@start, @end), ascending; returns how many, at most @max. */
unsigned int live_maps(struct live *live, unsigned int proc, unsigned long start,
		       unsigned long end, struct live_vma *vmas, unsigned int max);

#define LIVE_PRESENT (3ULL << 62)	/* present or swapped out */
#define LIVE_FILE_PAGE (1ULL << 61)
void live_pagemap(struct live *live, unsigned int proc, unsigned long addr, unsigned int pages,
		  uint64_t *entries);

/*
 * Whether this kernel answers the first read of private anonymous memory with the
 * shared zero page; if not, with a page of the process's own. Its release does not tell.
 */
bool live_zeropage(void);

/* Ends the program: a fact about the machine that nothing here can go on without. */
void live_die(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

#endif
