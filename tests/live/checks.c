// SPDX-License-Identifier: GPL-2.0-only
/*
 * MM-234 to MM-257: each check leads processes through calls and says after each
 * what the specification expects there. Whether that is what happened is for the
 * caller to compare, on the live kernel and in the model.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "checks.h"

#define PAGE MMOP_PAGE
#define RW (PROT_READ | PROT_WRITE)
#define BAD_FD 1000
#define PIECES_MAX 64

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define UNKNOWN_FLAG 0x1000000
#define MAP_SYNC_FLAG 0x80000

static unsigned long at(unsigned int page)
{
	return CHECK_BASE + page * PAGE;
}

/* ---- observing ---- */

static void observe(struct checker *c, const char *what, const char *expected, char *seen)
{
	struct observation *observation = g_new0(struct observation, 1);

	observation->what = g_strdup(what);
	observation->expected = g_strdup(expected);
	observation->seen = seen;
	g_ptr_array_add(c->observations, observation);
}

/* The first version that has a behaviour of its own says what holds from there on. */
static const char *since(const struct checker *c, enum kernel_version version,
			 const char *from_then, const char *before)
{
	return c->version >= version ? from_then : before;
}

/* "ok" or the name of the error. */
static void result(struct checker *c, const char *what, const char *expected, long ret)
{
	bool failed = ret < 0 && ret >= -4095;

	observe(c, what, expected, g_strdup(failed ? strerrorname_np(-ret) : "ok"));
}

/* The window's mappings of @proc: "0-4 rw-s 2" is pages 0 to 3, from file page 2 on. */
static void layout_of(struct checker *c, unsigned int proc, const char *what,
		      const char *expected)
{
	struct piece pieces[PIECES_MAX];
	unsigned int count = c->b->pieces(proc, at(0), at(CHECK_PAGES), pieces, PIECES_MAX);
	GString *text = g_string_new(NULL);

	for (unsigned int i = 0; i < count; i++)
		g_string_append_printf(text, "%s%lu-%lu %s %lu", i ? ", " : "",
				       (pieces[i].start - at(0)) / PAGE,
				       (pieces[i].end - at(0)) / PAGE, pieces[i].perm,
				       pieces[i].pgoff);
	observe(c, what, expected, g_string_free(text, FALSE));
}

static void layout(struct checker *c, const char *what, const char *expected)
{
	layout_of(c, 0, what, expected);
}

/* One character a page from @page on: + present, - absent. */
static void pages_of(struct checker *c, unsigned int proc, unsigned int page, const char *what,
		     const char *expected)
{
	GString *text = g_string_new(NULL);

	for (unsigned int i = 0; i < strlen(expected); i++)
		g_string_append_c(text, c->b->present(proc, at(page + i)) ? '+' : '-');
	observe(c, what, expected, g_string_free(text, FALSE));
}

static void pages(struct checker *c, unsigned int page, const char *what, const char *expected)
{
	pages_of(c, 0, page, what, expected);
}

static void load_in(struct checker *c, unsigned int proc, unsigned int page, const char *what,
		    const char *expected)
{
	static const char *const names[] = {
		[MMOP_MAPERR] = "SIGSEGV.MAPERR", [MMOP_ACCERR] = "SIGSEGV.ACCERR",
		[MMOP_ADRERR] = "SIGBUS.ADRERR",
	};
	uint64_t value = 0;
	enum mmop_outcome outcome = c->b->touch(proc, at(page), false, &value);

	observe(c, what, expected, outcome == MMOP_OK ?
		g_strdup_printf("%llu", (unsigned long long)value) : g_strdup(names[outcome]));
}

static void load(struct checker *c, unsigned int page, const char *what, const char *expected)
{
	load_in(c, 0, page, what, expected);
}

static void store(struct checker *c, unsigned int page, const char *what, const char *expected)
{
	static const char *const names[] = {
		[MMOP_OK] = "ok", [MMOP_MAPERR] = "SIGSEGV.MAPERR",
		[MMOP_ACCERR] = "SIGSEGV.ACCERR", [MMOP_ADRERR] = "SIGBUS.ADRERR",
	};
	uint64_t value = 1000 + page;

	observe(c, what, expected, g_strdup(names[c->b->touch(0, at(page), true, &value)]));
}

/* ---- acting without a remark ---- */

static void write_page(struct checker *c, unsigned int proc, unsigned int page)
{
	uint64_t value = 1000 + page;

	c->b->touch(proc, at(page), true, &value);
}

static void read_page(struct checker *c, unsigned int proc, unsigned int page)
{
	uint64_t value;

	c->b->touch(proc, at(page), false, &value);
}

static long map(struct checker *c, unsigned int page, unsigned int count, int prot, int flags,
		int fd, unsigned int offset)
{
	return c->b->mmap(0, at(page), count * PAGE, prot, flags | MAP_FIXED, fd, offset * PAGE);
}

static long map_shared(struct checker *c, unsigned int page, unsigned int count, int fd,
		       unsigned int offset)
{
	return map(c, page, count, RW, MAP_SHARED, fd, offset);
}

static long map_private(struct checker *c, unsigned int page, unsigned int count, int prot,
			int fd, unsigned int offset)
{
	return map(c, page, count, prot, MAP_PRIVATE, fd, offset);
}

static long protect(struct checker *c, unsigned int page, unsigned int count, int prot)
{
	return c->b->mprotect(0, at(page), count * PAGE, prot);
}

static long unmap(struct checker *c, unsigned int page, unsigned int count)
{
	return c->b->munmap(0, at(page), count * PAGE);
}

static long move(struct checker *c, unsigned int page, unsigned int count, unsigned int to)
{
	return c->b->mremap(0, at(page), count * PAGE, count * PAGE,
			    MREMAP_MAYMOVE | MREMAP_FIXED, at(to));
}

static long advise(struct checker *c, unsigned int page, unsigned int count, int advice)
{
	return c->b->madvise(0, at(page), count * PAGE, advice);
}

/* ---- MM-234 to MM-237: mmap ---- */

enum which { ANON, READ_WRITE, READ_ONLY, WRITE_ONLY, NO_MMAP, NOT_OPEN };

static const struct {
	const char *what;
	const char *expected;
	unsigned long addr;	/* bytes from the start of the window */
	unsigned long len;
	int prot;
	int flags;
	enum which file;
	unsigned long offset;
} mmap_calls[] = {
	{ "unaligned offset", "EINVAL", 0, PAGE, RW, MAP_SHARED | MAP_FIXED, READ_WRITE, 1 },
	{ "unaligned offset of a bad descriptor", "EINVAL", 0, PAGE, RW,
	  MAP_SHARED | MAP_FIXED, NOT_OPEN, 1 },
	{ "bad descriptor", "EBADF", 0, PAGE, RW, MAP_SHARED | MAP_FIXED, NOT_OPEN, 0 },
	{ "bad descriptor, no length", "EBADF", 0, 0, RW, MAP_SHARED | MAP_FIXED, NOT_OPEN, 0 },
	{ "no length", "EINVAL", 0, 0, RW, MAP_SHARED | MAP_FIXED, READ_WRITE, 0 },
	{ "length that wraps", "ENOMEM", 0, -1UL, RW, MAP_SHARED | MAP_FIXED, READ_WRITE, 0 },
	{ "length beyond everything", "ENOMEM", 0, 1UL << 47, RW, MAP_PRIVATE | MAP_FIXED, ANON,
	  0 },
	{ "unaligned address", "EINVAL", 1, PAGE, RW, MAP_SHARED | MAP_FIXED, READ_WRITE, 0 },
	{ "address beyond user space", "ENOMEM", 1UL << 47, PAGE, RW, MAP_PRIVATE | MAP_FIXED,
	  ANON, 0 },
	{ "occupied", "EEXIST", 32 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED_NOREPLACE,
	  READ_WRITE, 0 },
	{ "occupied, read-only descriptor", "EEXIST", 32 * PAGE, PAGE, RW,
	  MAP_SHARED | MAP_FIXED_NOREPLACE, READ_ONLY, 0 },
	{ "occupied, file without mmap", "EEXIST", 32 * PAGE, PAGE, RW,
	  MAP_SHARED | MAP_FIXED_NOREPLACE, NO_MMAP, 0 },
	{ "last byte offset of a regular file", "EOVERFLOW", 0, PAGE, RW,
	  MAP_SHARED | MAP_FIXED, READ_WRITE, 0x7ffffffffffff000 },
	{ "a page before it", "ok", 0, PAGE, RW, MAP_SHARED | MAP_FIXED, READ_WRITE,
	  0x7fffffffffffe000 },
	{ "offset beyond a file without mmap", "EOVERFLOW", 0, PAGE, RW,
	  MAP_SHARED | MAP_FIXED, NO_MMAP, 0xfffffffffffff000 },
	{ "unknown flag", "ok", 0, PAGE, RW, MAP_SHARED | MAP_FIXED | MAP_SYNC_FLAG, READ_WRITE,
	  0 },
	{ "unknown flag, validated", "EOPNOTSUPP", 0, PAGE, RW,
	  MAP_SHARED_VALIDATE | MAP_FIXED | UNKNOWN_FLAG, READ_WRITE, 0 },
	{ "size of a huge page, validated", "ok", 0, PAGE, RW,
	  MAP_SHARED_VALIDATE | MAP_FIXED | MAP_HUGE_2MB, READ_WRITE, 0 },
	{ "NOREPLACE, validated", "EOPNOTSUPP", 20 * PAGE, PAGE, RW,
	  MAP_SHARED_VALIDATE | MAP_FIXED_NOREPLACE, READ_WRITE, 0 },
	{ "shared writing through a read-only descriptor", "EACCES", 0, PAGE, RW,
	  MAP_SHARED | MAP_FIXED, READ_ONLY, 0 },
	{ "private writing through a read-only descriptor", "ok", 0, PAGE, RW,
	  MAP_PRIVATE | MAP_FIXED, READ_ONLY, 0 },
	{ "no access through a write-only descriptor", "EACCES", 0, PAGE, PROT_NONE,
	  MAP_SHARED | MAP_FIXED, WRITE_ONLY, 0 },
	{ "file without mmap", "ENODEV", 0, PAGE, RW, MAP_PRIVATE | MAP_FIXED, NO_MMAP, 0 },
	{ "a file that grows down", "EINVAL", 0, PAGE, RW,
	  MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN, READ_WRITE, 0 },
	{ "neither shared nor private", "EINVAL", 0, PAGE, RW, MAP_FIXED, READ_WRITE, 0 },
	{ "neither shared nor private, anonymous", "EINVAL", 0, PAGE, RW, MAP_FIXED, ANON, 0 },
	{ "validated, anonymous", "EINVAL", 0, PAGE, RW, MAP_SHARED_VALIDATE | MAP_FIXED, ANON,
	  0 },
	{ "shared memory that grows down", "EINVAL", 0, PAGE, RW,
	  MAP_SHARED | MAP_FIXED | MAP_GROWSDOWN, ANON, 0 },
};

static void mmap_errors(struct checker *c)
{
	int fd[] = {
		[ANON] = -1, [READ_WRITE] = c->b->memfd(0, 8), [NO_MMAP] = c->b->unmappable(0),
		[NOT_OPEN] = BAD_FD,
	};

	fd[READ_ONLY] = c->b->reopen(0, fd[READ_WRITE], O_RDONLY);
	fd[WRITE_ONLY] = c->b->reopen(0, fd[READ_WRITE], O_WRONLY);
	map_shared(c, 32, 4, fd[READ_WRITE], 0);
	for (unsigned int i = 0; i < G_N_ELEMENTS(mmap_calls); i++) {
		int flags = mmap_calls[i].flags;

		if (mmap_calls[i].file == ANON)
			flags |= MAP_ANONYMOUS;
		result(c, mmap_calls[i].what, mmap_calls[i].expected,
		       c->b->mmap(0, at(0) + mmap_calls[i].addr, mmap_calls[i].len,
				  mmap_calls[i].prot, flags, fd[mmap_calls[i].file],
				  mmap_calls[i].offset));
	}
}

static long map_sealed(struct checker *c, unsigned int seals)
{
	int fd = c->b->memfd(0, 8);

	c->b->seal(0, fd, seals);
	return map_shared(c, 0, 4, fd, 0);
}

static void failed_replacement(struct checker *c)
{
	int fd = c->b->memfd(0, 8), readonly = c->b->reopen(0, fd, O_RDONLY);

	map_shared(c, 0, 4, fd, 0);
	write_page(c, 0, 1);
	result(c, "replace by a read-only descriptor", "EACCES",
	       map_shared(c, 0, 4, readonly, 0));
	layout(c, "is kept", "0-4 rw-s 0");
	result(c, "replace by a file without mmap", "ENODEV",
	       map_shared(c, 0, 4, c->b->unmappable(0), 0));
	layout(c, "is kept", "0-4 rw-s 0");
	pages(c, 0, "with its pages", "-+--");
	result(c, "replace by a sealed file", "EPERM", map_sealed(c, F_SEAL_WRITE));
	layout(c, "is kept from 6.1 on", since(c, KERNEL_6_1, "0-4 rw-s 0", ""));
	map_shared(c, 0, 4, fd, 0);
	result(c, "replace by a file sealed for the future", "EPERM",
	       map_sealed(c, F_SEAL_FUTURE_WRITE));
	layout(c, "is kept from 6.12 on", since(c, KERNEL_6_12, "0-4 rw-s 0", ""));
}

static void limited_replacement(struct checker *c)
{
	int fd = c->b->memfd(0, 16);

	map_shared(c, 0, 8, fd, 0);
	c->b->limit_pages(0, 2);
	result(c, "8 pages over the last 4 of 8, 2 to spare", "ENOMEM",
	       map_shared(c, 4, 8, fd, 0));
	layout(c, "the old mapping is cut from 6.12 on",
	       since(c, KERNEL_6_12, "0-4 rw-s 0, 4-8 rw-s 4", "0-8 rw-s 0"));
	result(c, "as many pages as go", "ok", map(c, 0, 8, PROT_READ, MAP_SHARED, fd, 0));
}

static long place(struct checker *c, unsigned long hint, unsigned long len)
{
	return c->b->mmap(0, hint, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void same(struct checker *c, const char *what, unsigned long a, unsigned long b)
{
	observe(c, what, "yes", g_strdup(a == b ? "yes" : "no"));
}

static void placement(struct checker *c)
{
	/* Large, so that only the topmost hole fits; odd, so that no huge page is aligned. */
	const unsigned long len = (1UL << 30) + PAGE;
	unsigned long first = place(c, 0, len), second = place(c, 0, len), third;

	same(c, "the second is directly below the first", second, first - len);
	third = place(c, 0, len);
	same(c, "the third below that", third, second - len);
	c->b->munmap(0, second, len);
	same(c, "a hole is filled again", place(c, 0, len), second);
	same(c, "a free hint is taken", place(c, at(3), PAGE), at(3));
	same(c, "a hint is rounded down", place(c, at(5) + 7, PAGE), at(5));
	c->b->munmap(0, first, len);
	same(c, "an occupied hint is ignored", place(c, at(3), len), first);
	result(c, "longer than user space", "ENOMEM", place(c, 0, 1UL << 47));
}

/* ---- MM-238: merging ---- */

/* Two mappings next to each other; @offset in the second place. */
static const struct {
	const char *what;
	const char *expected;
	int prot;
	int flags;
	unsigned int offset;
	enum { SAME_FD, DUP, REOPENED, ANONYMOUS } second;
} neighbours[] = {
	{ "contiguous", "0-4 rw-s 0", RW, MAP_SHARED, 2, SAME_FD },
	{ "through a dup", "0-4 rw-s 0", RW, MAP_SHARED, 2, DUP },
	{ "through another open", "0-2 rw-s 0, 2-4 rw-s 2", RW, MAP_SHARED, 2, REOPENED },
	{ "a gap in the file", "0-2 rw-s 0, 2-4 rw-s 3", RW, MAP_SHARED, 3, SAME_FD },
	{ "other protection", "0-2 rw-s 0, 2-4 r--s 2", PROT_READ, MAP_SHARED, 2, SAME_FD },
	{ "private behind shared", "0-2 rw-s 0, 2-4 rw-p 2", RW, MAP_PRIVATE, 2, SAME_FD },
	{ "MAP_NORESERVE", "0-2 rw-s 0, 2-4 rw-s 2", RW, MAP_SHARED | MAP_NORESERVE, 2,
	  SAME_FD },
	{ "anonymous behind a file", "0-2 rw-s 0, 2-4 rw-p 0", RW, MAP_PRIVATE | MAP_ANONYMOUS,
	  0, ANONYMOUS },
};

static void merge_private(struct checker *c)
{
	int fd = c->b->memfd(0, 16);

	unmap(c, 0, 8);
	map_private(c, 0, 2, RW, fd, 0);
	map_private(c, 2, 2, PROT_READ, fd, 2);
	write_page(c, 0, 0);
	protect(c, 2, 2, RW);
	layout(c, "a piece without copies joins one with", "0-4 rw-p 0");
	unmap(c, 0, 8);
	map_private(c, 0, 2, RW, fd, 0);
	map_private(c, 2, 2, PROT_READ, fd, 2);
	write_page(c, 0, 0);
	protect(c, 0, 2, PROT_READ);
	/* The accounting flag of the writable piece would keep them apart as well. */
	layout(c, "a piece that was writable stays accounted", "0-2 r--p 0, 2-4 r--p 2");
}

static void merging(struct checker *c)
{
	int fd = c->b->memfd(0, 16);
	int second[] = { fd, c->b->dup(0, fd), c->b->reopen(0, fd, O_RDWR), -1 };

	for (unsigned int i = 0; i < G_N_ELEMENTS(neighbours); i++) {
		map_shared(c, 0, 2, fd, 0);
		map(c, 2, 2, neighbours[i].prot, neighbours[i].flags,
		    second[neighbours[i].second], neighbours[i].offset);
		layout(c, neighbours[i].what, neighbours[i].expected);
		unmap(c, 0, 4);
	}
	map_shared(c, 0, 2, fd, 0);
	map_shared(c, 4, 2, fd, 4);
	map_shared(c, 2, 2, fd, 2);
	layout(c, "a bridge joins both sides", "0-6 rw-s 0");
	unmap(c, 0, 6);
	map(c, 0, 1, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	map(c, 1, 1, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	layout(c, "shared anonymous objects stay two", "0-1 rw-s 0, 1-2 rw-s 0");
	merge_private(c);
}

/* ---- MM-239, MM-240: mprotect, munmap ---- */

static void protecting(struct checker *c)
{
	int fd = c->b->memfd(0, 16), readonly = c->b->reopen(0, fd, O_RDONLY);

	map_shared(c, 0, 8, fd, 0);
	result(c, "the middle", "ok", protect(c, 2, 2, PROT_READ));
	layout(c, "is cut out", "0-2 rw-s 0, 2-4 r--s 2, 4-8 rw-s 4");
	result(c, "and back", "ok", protect(c, 2, 2, RW));
	layout(c, "is whole again", "0-8 rw-s 0");
	unmap(c, 4, 2);
	result(c, "over a hole", "ENOMEM", protect(c, 2, 6, PROT_READ));
	layout(c, "only what is before the hole changes", "0-2 rw-s 0, 2-4 r--s 2, 6-8 rw-s 6");
	map(c, 4, 2, PROT_READ, MAP_SHARED, readonly, 4);
	result(c, "up to a read-only descriptor's", "EACCES", protect(c, 2, 6, RW));
	layout(c, "what is before it changes", "0-4 rw-s 0, 4-6 r--s 4, 6-8 rw-s 6");
	result(c, "unaligned", "EINVAL", c->b->mprotect(0, at(0) + 1, PAGE, RW));
	result(c, "nothing, where nothing is", "ok", c->b->mprotect(0, at(40), 0, RW));
	result(c, "where nothing is", "ENOMEM", c->b->mprotect(0, at(40), PAGE, RW));
	result(c, "a length that wraps", "ENOMEM", c->b->mprotect(0, at(0), -PAGE, RW));
	result(c, "unknown bits", "EINVAL", c->b->mprotect(0, at(0), PAGE, 0x800000));
	result(c, "both directions of growth", "EINVAL",
	       c->b->mprotect(0, at(0), PAGE, PROT_GROWSDOWN | PROT_GROWSUP));
}

static void unmapping(struct checker *c)
{
	int fd = c->b->memfd(0, 16);

	map_shared(c, 0, 8, fd, 0);
	result(c, "unaligned", "EINVAL", c->b->munmap(0, at(0) + 1, PAGE));
	result(c, "no length", "EINVAL", c->b->munmap(0, at(0), 0));
	result(c, "beyond user space", "EINVAL", c->b->munmap(0, at(0), 1UL << 47));
	result(c, "one byte", "ok", c->b->munmap(0, at(7), 1));
	layout(c, "is a page", "0-7 rw-s 0");
	result(c, "the middle", "ok", unmap(c, 2, 2));
	layout(c, "is a hole", "0-2 rw-s 0, 4-7 rw-s 4");
	result(c, "two pieces and holes", "ok", unmap(c, 1, 50));
	layout(c, "leaves the first page", "0-1 rw-s 0");
	result(c, "nothing there", "ok", unmap(c, 20, 10));
}

/* ---- MM-241 to MM-244: mremap ---- */

static const struct {
	const char *what;
	const char *expected;
	const char *before_6_1;		/* NULL: the same */
	unsigned long addr, old_len, new_len;	/* bytes */
	int flags;
	unsigned long new_addr;
} mremaps[] = {
	{ "unknown flag", "EINVAL", NULL, 0, PAGE, PAGE, 64 },
	{ "FIXED alone", "EINVAL", NULL, 0, PAGE, PAGE, MREMAP_FIXED, 20 * PAGE },
	{ "DONTUNMAP alone", "EINVAL", NULL, 0, PAGE, PAGE, MREMAP_DONTUNMAP, 20 * PAGE },
	{ "DONTUNMAP with two lengths", "EINVAL", NULL, 0, PAGE, 2 * PAGE,
	  MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 20 * PAGE },
	{ "unaligned", "EINVAL", NULL, 1, PAGE, PAGE },
	{ "no new length", "EINVAL", NULL, 0, PAGE, 0 },
	{ "same size where nothing is", "EFAULT", "ok", 40 * PAGE, PAGE, PAGE },
	{ "smaller where nothing is", "EFAULT", "ok", 40 * PAGE, 2 * PAGE, PAGE },
	{ "larger where nothing is", "EFAULT", NULL, 40 * PAGE, PAGE, 2 * PAGE },
	{ "larger across an end", "EFAULT", NULL, 2 * PAGE, 4 * PAGE, 8 * PAGE },
	{ "larger, something is behind", "ENOMEM", NULL, 0, 4 * PAGE, 5 * PAGE },
	{ "larger, the end is not the mapping's", "ENOMEM", NULL, 0, 2 * PAGE, 3 * PAGE },
	{ "no old length, private", "EINVAL", NULL, 8 * PAGE, 0, PAGE, MREMAP_MAYMOVE },
	{ "no old length in place", "ENOMEM", NULL, 0, 0, PAGE },
	{ "FIXED, unaligned target", "EINVAL", NULL, 0, PAGE, PAGE,
	  MREMAP_MAYMOVE | MREMAP_FIXED, 20 * PAGE + 1 },
	{ "FIXED, overlapping", "EINVAL", NULL, 0, 4 * PAGE, 4 * PAGE,
	  MREMAP_MAYMOVE | MREMAP_FIXED, 2 * PAGE },
	{ "FIXED, target too high", "EINVAL", NULL, 0, PAGE, PAGE,
	  MREMAP_MAYMOVE | MREMAP_FIXED, 1UL << 47 },
	{ "same size", "ok", NULL, 0, 4 * PAGE, 4 * PAGE },
};

/* 0-4 shared, 4-6 shared and read-only, 8-10 private, 30-34 a target. */
static void map_sources(struct checker *c, int fd)
{
	unmap(c, 0, CHECK_PAGES);
	map_shared(c, 0, 4, fd, 0);
	map(c, 4, 2, PROT_READ, MAP_SHARED, fd, 4);
	map_private(c, 8, 2, RW, fd, 0);
	map_shared(c, 30, 4, fd, 8);
}

static void remap_effects(struct checker *c, int fd)
{
	map_sources(c, fd);
	result(c, "shrink", "ok", c->b->mremap(0, at(0), 4 * PAGE, 2 * PAGE, 0, 0));
	layout(c, "the tail is gone",
	       "0-2 rw-s 0, 4-6 r--s 4, 8-10 rw-p 0, 30-34 rw-s 8");
	result(c, "grow in place", "ok", c->b->mremap(0, at(0), 2 * PAGE, 3 * PAGE, 0, 0));
	layout(c, "up to the hole's end",
	       "0-3 rw-s 0, 4-6 r--s 4, 8-10 rw-p 0, 30-34 rw-s 8");
	result(c, "a second view", "ok",
	       c->b->mremap(0, at(0), 0, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(20)));
	layout(c, "beside the first",
	       "0-3 rw-s 0, 4-6 r--s 4, 8-10 rw-p 0, 20-22 rw-s 0, 30-34 rw-s 8");
	write_page(c, 0, 1);
	result(c, "DONTUNMAP", "ok",
	       c->b->mremap(0, at(0), 3 * PAGE, 3 * PAGE,
			    MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, at(24)));
	pages(c, 0, "the old place is empty", "---");
	pages(c, 24, "the new one has the page", "-+-");
	load(c, 1, "and the data is still the file's", "1001");
}

static void remap_targets(struct checker *c, int fd)
{
	const int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;

	map_sources(c, fd);
	result(c, "FIXED from where nothing is", "EFAULT",
	       c->b->mremap(0, at(40), PAGE, PAGE, fixed, at(30)));
	layout(c, "5.14 has unmapped the target by then",
	       since(c, KERNEL_6_1,
		     "0-4 rw-s 0, 4-6 r--s 4, 8-10 rw-p 0, 30-34 rw-s 8",
		     "0-4 rw-s 0, 4-6 r--s 4, 8-10 rw-p 0, 31-34 rw-s 9"));
	map_sources(c, fd);
	result(c, "FIXED across an end, two lengths", "EFAULT",
	       c->b->mremap(0, at(2), 4 * PAGE, 5 * PAGE, fixed, at(30)));
	layout(c, "6.18 looks at the source first",
	       since(c, KERNEL_6_18,
		     "0-4 rw-s 0, 4-6 r--s 4, 8-10 rw-p 0, 30-34 rw-s 8",
		     "0-4 rw-s 0, 4-6 r--s 4, 8-10 rw-p 0"));
}

static void remapping(struct checker *c)
{
	int fd = c->b->memfd(0, 32);

	map_sources(c, fd);
	for (unsigned int i = 0; i < G_N_ELEMENTS(mremaps); i++) {
		const char *before = mremaps[i].before_6_1 ? mremaps[i].before_6_1 :
				     mremaps[i].expected;

		result(c, mremaps[i].what, since(c, KERNEL_6_1, mremaps[i].expected, before),
		       c->b->mremap(0, at(0) + mremaps[i].addr, mremaps[i].old_len,
				    mremaps[i].new_len, mremaps[i].flags,
				    at(0) + mremaps[i].new_addr));
	}
	remap_effects(c, fd);
	remap_targets(c, fd);
}

static void moving(struct checker *c)
{
	int fd = c->b->memfd(0, 8);

	map_shared(c, 0, 4, fd, 2);
	write_page(c, 0, 1);
	write_page(c, 0, 3);
	result(c, "a whole mapping", "ok", move(c, 0, 4, 20));
	layout(c, "keeps its file pages", "20-24 rw-s 2");
	pages(c, 20, "and its entries", "-+-+");
	result(c, "half of it", "ok", move(c, 20, 2, 30));
	layout(c, "leaves the other", "22-24 rw-s 4, 30-32 rw-s 2");
	pages(c, 30, "its pages came along", "-+");
	c->b->truncate(0, fd, 0);
	pages(c, 30, "truncation finds them", "--");
	load(c, 31, "and they are beyond the end", "SIGBUS.ADRERR");
}

static void growing(struct checker *c)
{
	int fd = c->b->memfd(0, 8);

	map_shared(c, 0, 2, fd, 0);
	map_shared(c, 4, 2, fd, 4);
	result(c, "up to a neighbour that continues it", "ok",
	       c->b->mremap(0, at(0), 2 * PAGE, 4 * PAGE, 0, 0));
	layout(c, "is joined from 6.1 on",
	       since(c, KERNEL_6_1, "0-6 rw-s 0", "0-4 rw-s 0, 4-6 rw-s 4"));
}

static void moving_several(struct checker *c)
{
	int fd = c->b->memfd(0, 8);

	map_shared(c, 0, 2, fd, 0);
	map(c, 2, 2, PROT_READ, MAP_SHARED, fd, 2);
	result(c, "two mappings at once", since(c, KERNEL_6_18, "ok", "EFAULT"),
	       move(c, 0, 4, 20));
	layout(c, "since 6.18", since(c, KERNEL_6_18, "20-22 rw-s 0, 22-24 r--s 2",
				      "0-2 rw-s 0, 2-4 r--s 2"));
}

/* ---- MM-245 to MM-248: punching and truncating ---- */

static void reach(struct checker *c)
{
	int fd = c->b->memfd(0, 8), dup = c->b->dup(0, fd), again = c->b->reopen(0, fd, O_RDWR);
	int child;

	map_shared(c, 0, 4, fd, 0);
	protect(c, 2, 2, PROT_READ);
	map_shared(c, 8, 4, fd, 0);
	move(c, 8, 4, 12);
	c->b->mremap(0, at(12), 0, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(20));
	map_shared(c, 24, 4, dup, 0);
	map(c, 28, 4, PROT_READ, MAP_PRIVATE, again, 0);
	for (unsigned int page = 0; page < 32; page++)
		read_page(c, 0, page);
	c->b->close(0, dup);
	c->b->close(0, again);
	child = c->b->fork(0);
	read_page(c, child, 1);
	read_page(c, child, 13);
	result(c, "punch the second page", "ok", c->b->punch(0, fd, PAGE, PAGE));
	pages(c, 0, "split by mprotect", "+-++");
	pages(c, 12, "moved", "+-++");
	pages(c, 20, "a second view", "+-++");
	pages(c, 24, "through a closed dup", "+-++");
	pages(c, 28, "private, through another open", "+-++");
	pages_of(c, child, 1, "in the child", "-");
	pages_of(c, child, 13, "moved, in the child", "-");
	layout(c, "no mapping changed", "0-2 rw-s 0, 2-4 r--s 2, 12-16 rw-s 0, 20-24 rw-s 0, "
	       "24-28 rw-s 0, 28-32 r--p 0");
	result(c, "cut the last two", "ok", c->b->truncate(0, fd, 2 * PAGE));
	pages(c, 12, "are gone as well", "+---");
}

static void private_copies(struct checker *c)
{
	int fd = c->b->memfd(0, 8);

	map_private(c, 0, 4, RW, fd, 0);
	write_page(c, 0, 1);
	read_page(c, 0, 2);
	c->b->punch(0, fd, PAGE, 2 * PAGE);
	pages(c, 1, "a punch leaves the copy, takes the file's page", "+-");
	load(c, 1, "with its data", "1001");
	c->b->truncate(0, fd, 0);
	pages(c, 1, "truncation takes copies", "--");
	load(c, 1, "which are beyond the end now", "SIGBUS.ADRERR");
	c->b->truncate(0, fd, 8 * PAGE);
	load(c, 1, "growing brings nothing back", "0");
}

static void punch_inwards(struct checker *c)
{
	int fd = c->b->memfd(0, 8);

	map_shared(c, 0, 4, fd, 0);
	for (unsigned int page = 0; page < 4; page++)
		write_page(c, 0, page);
	result(c, "from half of page 0 to half of page 2", "ok",
	       c->b->punch(0, fd, PAGE / 2, 2 * PAGE));
	pages(c, 0, "only page 1 is whole", "+-++");
	result(c, "inside one page", "ok", c->b->punch(0, fd, 3 * PAGE + 8, 16));
	pages(c, 0, "takes no entry", "+-++");
	result(c, "no length", "EINVAL", c->b->punch(0, fd, 0, 0));
}

static void refault(struct checker *c)
{
	int fd = c->b->memfd(0, 8);

	map_shared(c, 0, 4, fd, 0);
	write_page(c, 0, 1);
	write_page(c, 0, 2);
	c->b->punch(0, fd, PAGE, PAGE);
	load(c, 1, "a punched page is zero", "0");
	pages(c, 1, "and there again", "+");
	advise(c, 2, 1, MADV_DONTNEED);
	pages(c, 2, "a dropped page is absent", "-");
	load(c, 2, "but keeps its data", "1002");
}

/* ---- MM-249, MM-250: fork, and who counts as a writer ---- */

static void forking(struct checker *c)
{
	int fd = c->b->memfd(0, 16), child;

	map_shared(c, 0, 2, fd, 0);
	write_page(c, 0, 0);
	map_private(c, 4, 4, RW, fd, 4);
	read_page(c, 0, 4);
	write_page(c, 0, 5);
	map_private(c, 10, 2, RW, fd, 10);
	read_page(c, 0, 10);
	map_shared(c, 14, 2, fd, 0);
	advise(c, 14, 2, MADV_DONTFORK);
	map(c, 18, 2, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	write_page(c, 0, 18);
	child = c->b->fork(0);
	layout_of(c, child, "DONTFORK is left out",
		  "0-2 rw-s 0, 4-8 rw-p 4, 10-12 rw-p 10, 18-20 rw-p 0");
	pages_of(c, child, 0, "a shared file mapping starts empty", "--");
	pages_of(c, child, 4, "one with private pages is copied whole", "++");
	pages_of(c, child, 10, "one without starts empty", "--");
	pages_of(c, child, 18, "private memory is copied", "+-");
	write_page(c, child, 5);
	write_page(c, 0, 18);
	load(c, 5, "the copies part", "1005");
	load_in(c, child, 18, "on both sides", "1018");
	c->b->exit(child);
	load(c, 18, "the parent keeps its own", "1018");
}

/* Whether the file has a writable shared mapping anywhere. */
static void writers(struct checker *c, int fd, const char *what, const char *expected)
{
	result(c, what, expected, c->b->seal(0, fd, F_SEAL_WRITE));
}

static void count_after_splits(struct checker *c)
{
	int fd = c->b->memfd(0, 8);

	map_shared(c, 0, 4, fd, 0);
	protect(c, 1, 1, PROT_READ);
	unmap(c, 0, 1);
	unmap(c, 2, 2);
	writers(c, fd, "a read-only rest still counts", "EBUSY");
	protect(c, 1, 1, RW);
	map_shared(c, 0, 1, fd, 0);
	writers(c, fd, "joined again", "EBUSY");
	move(c, 0, 2, 20);
	writers(c, fd, "moved", "EBUSY");
	c->b->mremap(0, at(20), 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(30));
	unmap(c, 20, 2);
	writers(c, fd, "the second view is left", "EBUSY");
	unmap(c, 30, 1);
	writers(c, fd, "nothing is left", "ok");
	result(c, "a writable mapping of the sealed file", "EPERM", map_shared(c, 0, 1, fd, 0));
	result(c, "a readable one through the same descriptor",
	       since(c, KERNEL_6_1, "ok", "EPERM"), map(c, 0, 1, PROT_READ, MAP_SHARED, fd, 0));
}

static void count_after_forks(struct checker *c)
{
	int fd = c->b->memfd(0, 8), hidden = c->b->memfd(0, 8), child;

	unmap(c, 0, CHECK_PAGES);
	map_shared(c, 0, 4, fd, 0);
	map_shared(c, 8, 4, hidden, 0);
	advise(c, 8, 4, MADV_DONTFORK);
	child = c->b->fork(0);
	unmap(c, 0, 16);
	writers(c, hidden, "the child has no DONTFORK mapping", "ok");
	writers(c, fd, "the child's is left", "EBUSY");
	c->b->exit(child);
	writers(c, fd, "the child is gone", "ok");
}

static void count_after_failures(struct checker *c)
{
	int fd = c->b->memfd(0, 8), readonly = c->b->reopen(0, fd, O_RDONLY);

	map(c, 0, 4, PROT_READ, MAP_SHARED, readonly, 0);
	c->b->mmap(0, at(0), PAGE, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	map(c, 8, 1, RW, MAP_PRIVATE, fd, 0);
	writers(c, fd, "readers, private ones and failures do not count", "ok");
}

static void counting(struct checker *c)
{
	count_after_splits(c);
	count_after_forks(c);
	count_after_failures(c);
}

/* ---- MM-251 to MM-253, MM-257: touching ---- */

static void signals(struct checker *c)
{
	int fd = c->b->memfd(0, 2);

	map_shared(c, 0, 4, fd, 0);
	map(c, 8, 2, PROT_READ, MAP_SHARED, fd, 0);
	map(c, 12, 2, PROT_WRITE, MAP_SHARED, fd, 0);
	map(c, 16, 2, PROT_NONE, MAP_SHARED, fd, 0);
	map_private(c, 20, 4, RW, fd, 0);
	load(c, 5, "where nothing is", "SIGSEGV.MAPERR");
	store(c, 5, "a store there", "SIGSEGV.MAPERR");
	store(c, 8, "a store to a read-only mapping", "SIGSEGV.ACCERR");
	load(c, 8, "a load from it", "0");
	load(c, 12, "a load from a write-only one", "0");
	store(c, 12, "a store to it", "ok");
	load(c, 16, "a load without any right", "SIGSEGV.ACCERR");
	load(c, 2, "beyond the end of the file", "SIGBUS.ADRERR");
	load(c, 22, "beyond the end, private", "SIGBUS.ADRERR");
	store(c, 22, "a store there", "SIGBUS.ADRERR");
	store(c, 10, "where nothing is, behind a mapping", "SIGSEGV.MAPERR");
	c->b->truncate(0, fd, 4 * PAGE);
	load(c, 22, "once the file has grown", "0");
}

static void fault_around(struct checker *c)
{
	int fd = c->b->memfd(0, 40);

	c->b->fill(0, fd, 40);
	map_shared(c, 0, 40, fd, 0);
	read_page(c, 0, 5);
	pages(c, 0, "a load maps its group of 16", "++++++++++++++++--");
	write_page(c, 0, 20);
	pages(c, 16, "a store maps its page", "----+---");
	unmap(c, 0, 40);
	map_shared(c, 9, 30, fd, 9);
	read_page(c, 0, 11);
	pages(c, 9, "16 pages from the mapping's start", "++++++++++++++++-");
	unmap(c, 0, 40);
	map_private(c, 0, 8, RW, fd, 0);
	read_page(c, 0, 3);
	pages(c, 0, "private mappings too, up to their end", "++++++++");
}

static void advice(struct checker *c)
{
	int fd = c->b->memfd(0, 16), readonly = c->b->reopen(0, fd, O_RDONLY);

	map_shared(c, 0, 4, fd, 0);
	map_private(c, 8, 4, RW, fd, 0);
	write_page(c, 0, 0);
	write_page(c, 0, 8);
	result(c, "DONTNEED", "ok", advise(c, 0, 4, MADV_DONTNEED));
	pages(c, 0, "drops the entry", "-");
	load(c, 0, "the data stays", "1000");
	result(c, "DONTNEED, private", "ok", advise(c, 8, 4, MADV_DONTNEED));
	load(c, 8, "the copy is lost", "1000");
	result(c, "FREE of a file mapping", "EINVAL", advise(c, 0, 4, MADV_FREE));
	result(c, "DONTFORK", "ok", advise(c, 1, 1, MADV_DONTFORK));
	layout(c, "cuts", "0-1 rw-s 0, 1-2 rw-s 1, 2-4 rw-s 2, 8-12 rw-p 0");
	result(c, "DOFORK", "ok", advise(c, 1, 1, MADV_DOFORK));
	layout(c, "joins", "0-4 rw-s 0, 8-12 rw-p 0");
	result(c, "REMOVE", "ok", advise(c, 0, 1, MADV_REMOVE));
	load(c, 0, "punches", "0");
	result(c, "REMOVE, private", "EACCES", advise(c, 8, 1, MADV_REMOVE));
	map(c, 4, 2, PROT_READ, MAP_SHARED, readonly, 4);
	result(c, "REMOVE, read-only descriptor", "EACCES", advise(c, 4, 1, MADV_REMOVE));
	result(c, "unknown advice", "EINVAL", advise(c, 0, 1, 77));
	result(c, "unaligned", "EINVAL", c->b->madvise(0, at(0) + 1, PAGE, MADV_DONTNEED));
	result(c, "no length", "ok", c->b->madvise(0, at(50), 0, MADV_DONTNEED));
	result(c, "over a hole", "ENOMEM", advise(c, 0, 12, MADV_DONTNEED));
	pages(c, 8, "what is behind the hole is done too", "-");
}

static void hints(struct checker *c)
{
	int fd = c->b->memfd(0, 16);

	/* Without a length only the advice is looked at: is it compiled in? */
	if (c->b->madvise(0, at(0), 0, MADV_HUGEPAGE) || c->b->madvise(0, at(0), 0, MADV_MERGEABLE))
		return;
	map_shared(c, 0, 4, fd, 0);
	map_private(c, 8, 4, RW, fd, 0);
	result(c, "HUGEPAGE", "ok", advise(c, 1, 1, MADV_HUGEPAGE));
	result(c, "NOHUGEPAGE", "ok", advise(c, 2, 1, MADV_NOHUGEPAGE));
	layout(c, "cut", "0-1 rw-s 0, 1-2 rw-s 1, 2-3 rw-s 2, 3-4 rw-s 3, 8-12 rw-p 0");
	result(c, "NOHUGEPAGE", "ok", advise(c, 0, 4, MADV_NOHUGEPAGE));
	layout(c, "takes the place of HUGEPAGE", "0-4 rw-s 0, 8-12 rw-p 0");
	result(c, "MERGEABLE, shared", "ok", advise(c, 1, 2, MADV_MERGEABLE));
	result(c, "MERGEABLE, private", "ok", advise(c, 9, 2, MADV_MERGEABLE));
	layout(c, "cuts private memory", "0-4 rw-s 0, 8-9 rw-p 0, 9-11 rw-p 1, 11-12 rw-p 3");
	result(c, "UNMERGEABLE", "ok", advise(c, 8, 4, MADV_UNMERGEABLE));
	layout(c, "joins it again", "0-4 rw-s 0, 8-12 rw-p 0");
}

static void no_access(struct checker *c)
{
	int fd = c->b->memfd(0, 4);

	map_shared(c, 0, 4, fd, 0);
	write_page(c, 0, 1);
	pages(c, 0, "before", "-+--");
	protect(c, 0, 4, PROT_NONE);
	pages(c, 0, "entries stay", "-+--");
	load(c, 1, "but forbid", "SIGSEGV.ACCERR");
	c->b->punch(0, fd, PAGE, PAGE);
	pages(c, 0, "a punch finds them", "----");
	protect(c, 0, 4, RW);
	load(c, 1, "zero after it", "0");
}

/* ---- MM-254: the limit ---- */

/* Single pages with holes between, far above the window. */
static unsigned long limit_page(unsigned long n)
{
	return at(CHECK_PAGES + 1024) + 2 * n * PAGE;
}

static long map_one(struct checker *c, unsigned long n)
{
	return c->b->mmap(0, limit_page(n), PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
			  MAP_FIXED, -1, 0);
}

static void fill_up(struct checker *c)
{
	unsigned long n = 0;

	while (n < 200000 && map_one(c, n) >= 0)
		n++;
	result(c, "one more", "ENOMEM", map_one(c, n));
	result(c, "replacing one", "ENOMEM", map_one(c, 0));
}

static void map_limit(struct checker *c)
{
	int fd = c->b->memfd(0, 8);
	long before = c->b->map_count(0), room;

	map_shared(c, 0, 8, fd, 0);
	if (c->b->map_limit() > 70000)
		return;			/* not the default: too many to fill */
	room = c->b->map_limit() + 1 - before - 1;
	for (long n = 0; n < room - 1; n++)
		map_one(c, n);
	result(c, "the last one", "ok", map_one(c, room - 1));
	fill_up(c);
	result(c, "a hole in one", "ENOMEM", unmap(c, 2, 2));
	result(c, "protecting a part", "ENOMEM", protect(c, 2, 2, PROT_READ));
	result(c, "moving", "ENOMEM", move(c, 0, 8, 20));
	result(c, "advice for a part", since(c, KERNEL_6_1, "EAGAIN", "ENOMEM"),
	       advise(c, 2, 2, MADV_DONTFORK));
	result(c, "cutting off an edge", "ok", unmap(c, 6, 2));
	layout(c, "cuts", "0-6 rw-s 0");
}

/* ---- MM-255, MM-256: mappings of page frames ---- */

static const struct {
	const char *what;
	int advice;
	const char *expected;
} pfn_advice[] = {
	{ "DONTNEED", MADV_DONTNEED, "EINVAL" },
	{ "FREE", MADV_FREE, "EINVAL" },
	{ "DOFORK", MADV_DOFORK, "EINVAL" },
	{ "DODUMP", MADV_DODUMP, "EINVAL" },
	{ "DONTDUMP", MADV_DONTDUMP, "ok" },
	{ "HUGEPAGE", MADV_HUGEPAGE, "ok" },
	{ "MERGEABLE", MADV_MERGEABLE, "ok" },
};

static void whole_pfnmap(struct checker *c)
{
	unsigned long start, end, len;

	if (!c->b->pfnmap(0, &start, &end))
		return;
	len = end - start;
	for (unsigned int i = 0; i < G_N_ELEMENTS(pfn_advice); i++)
		result(c, pfn_advice[i].what, pfn_advice[i].expected,
		       c->b->madvise(0, start, len, pfn_advice[i].advice));
	result(c, "grow", "EFAULT", c->b->mremap(0, start, len, len + PAGE, MREMAP_MAYMOVE, 0));
	result(c, "DONTUNMAP", "EINVAL",
	       c->b->mremap(0, start, len, len, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0));
	result(c, "cut", "EINVAL", c->b->munmap(0, start, PAGE));
	result(c, "replace a part", since(c, KERNEL_6_12, "EINVAL", "ENOMEM"),
	       c->b->mmap(0, start, PAGE, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	result(c, "move the whole", "ok", c->b->mremap(0, start, len, len,
						       MREMAP_MAYMOVE | MREMAP_FIXED, at(30)));
	same(c, "is at the new place", c->b->pieces(0, at(30), at(31), &(struct piece){ 0 }, 1),
	     1);
}

static void filled_by_mmap(struct checker *c)
{
	unsigned long start, end, len;
	struct piece piece;
	uint64_t value;
	int child;

	if (!c->b->pfn_file(0, &start, &end))
		return;
	len = end - start;
	same(c, "a load works", c->b->touch(0, start, false, &value), MMOP_OK);
	result(c, "DONTNEED", "EINVAL", c->b->madvise(0, start, len, MADV_DONTNEED));
	result(c, "DOFORK", "EINVAL", c->b->madvise(0, start, len, MADV_DOFORK));
	result(c, "grow", "EFAULT", c->b->mremap(0, start, len, len + PAGE, MREMAP_MAYMOVE, 0));
	result(c, "a second view", "EFAULT", c->b->mremap(0, start, 0, len, MREMAP_MAYMOVE, 0));
	child = c->b->fork(0);
	same(c, "a child has none", c->b->pieces(child, start, end, &piece, 1), 0);
}

const struct check checks[] = {
	{ "MM-234", "errors of mmap", mmap_errors },
	{ "MM-235", "replacing fails early or late", failed_replacement },
	{ "MM-236", "the address-space limit and a half replaced mapping", limited_replacement },
	{ "MM-237", "placement", placement },
	{ "MM-238", "what merges", merging },
	{ "MM-239", "mprotect", protecting },
	{ "MM-240", "munmap", unmapping },
	{ "MM-241", "errors of mremap", remapping },
	{ "MM-242", "a move keeps entries and file pages", moving },
	{ "MM-243", "growing up to a neighbour", growing },
	{ "MM-244", "moving several mappings", moving_several },
	{ "MM-245", "whom a punch reaches", reach },
	{ "MM-246", "private copies", private_copies },
	{ "MM-247", "an unaligned punch", punch_inwards },
	{ "MM-248", "faults after a zap", refault },
	{ "MM-249", "what fork copies", forking },
	{ "MM-250", "who counts as a writer", counting },
	{ "MM-251", "signals", signals },
	{ "MM-252", "fault-around", fault_around },
	{ "MM-253", "advice", advice },
	{ "MM-253", "hints about huge pages and KSM", hints },
	{ "MM-254", "the limit of mappings", map_limit },
	{ "MM-255", "a mapping of page frames that cannot be cut", whole_pfnmap },
	{ "MM-256", "page frames mapped by ->mmap", filled_by_mmap },
	{ "MM-257", "no access keeps entries", no_access },
};
const unsigned int checks_count = G_N_ELEMENTS(checks);
