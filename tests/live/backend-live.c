// SPDX-License-Identifier: GPL-2.0-only
/* The calls of the checks on this machine's kernel, through worker processes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "backend.h"
#include "live.h"

#define PIECES_MAX 512

static struct live *live;

static bool start(const char **why)
{
	live = live_start(CHECK_BASE, CHECK_PAGES, why);
	return live != NULL;
}

static void stop(void)
{
	live_stop(live);
	live = NULL;
}

static long map(unsigned int proc, unsigned long addr, unsigned long len, int prot, int flags,
		int fd, unsigned long offset)
{
	return live_syscall(live, proc, SYS_mmap, addr, len, prot, flags, fd, offset);
}

static long unmap(unsigned int proc, unsigned long addr, unsigned long len)
{
	return live_syscall(live, proc, SYS_munmap, addr, len);
}

static long protect(unsigned int proc, unsigned long addr, unsigned long len, int prot)
{
	return live_syscall(live, proc, SYS_mprotect, addr, len, prot);
}

static long remap(unsigned int proc, unsigned long addr, unsigned long old_len,
		  unsigned long new_len, int flags, unsigned long new_addr)
{
	return live_syscall(live, proc, SYS_mremap, addr, old_len, new_len, flags, new_addr);
}

static long advise(unsigned int proc, unsigned long addr, unsigned long len, int advice)
{
	return live_syscall(live, proc, SYS_madvise, addr, len, advice);
}

static enum mmop_outcome touch(unsigned int proc, unsigned long addr, bool write,
			       uint64_t *value)
{
	return live_touch(live, proc, addr, write, value);
}

static long memfd(unsigned int proc, unsigned int pages)
{
	char *name = strcpy(live_shared(live), "check");
	long fd = live_syscall(live, proc, SYS_memfd_create, (long)name, MFD_ALLOW_SEALING);

	if (fd >= 0)
		live_syscall(live, proc, SYS_ftruncate, fd, pages * MMOP_PAGE);
	return fd;
}

static long reopen(unsigned int proc, int fd, int flags)
{
	char *path = live_shared(live);

	sprintf(path, "/proc/self/fd/%d", fd);
	return live_syscall(live, proc, SYS_openat, AT_FDCWD, (long)path, flags);
}

static long unmappable(unsigned int proc)
{
	return live_syscall(live, proc, SYS_eventfd2, 0, 0);
}

static long duplicate(unsigned int proc, int fd)
{
	return live_syscall(live, proc, SYS_dup, fd);
}

static long close_fd(unsigned int proc, int fd)
{
	return live_syscall(live, proc, SYS_close, fd);
}

static long truncate_file(unsigned int proc, int fd, unsigned long size)
{
	return live_syscall(live, proc, SYS_ftruncate, fd, size);
}

static long punch(unsigned int proc, int fd, unsigned long offset, unsigned long len)
{
	return live_syscall(live, proc, SYS_fallocate, fd,
			    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len);
}

static long fill(unsigned int proc, int fd, unsigned int pages)
{
	long page = (long)memset(live_shared(live), 1, MMOP_PAGE), result = 0;

	for (unsigned int i = 0; i < pages && result >= 0; i++)
		result = live_syscall(live, proc, SYS_pwrite64, fd, page, MMOP_PAGE,
				      i * MMOP_PAGE);
	return result < 0 ? result : 0;
}

static long seal(unsigned int proc, int fd, unsigned int seals)
{
	return live_syscall(live, proc, SYS_fcntl, fd, F_ADD_SEALS, seals);
}

static int fork_process(unsigned int proc)
{
	return live_fork(live, proc);
}

static void exit_process(unsigned int proc)
{
	live_exit(live, proc);
}

static unsigned int pieces(unsigned int proc, unsigned long from, unsigned long to,
			   struct piece *pieces, unsigned int max)
{
	static struct live_vma vmas[PIECES_MAX];
	unsigned int count = live_maps(live, proc, from, to, vmas,
				       max < PIECES_MAX ? max : PIECES_MAX);

	for (unsigned int i = 0; i < count; i++) {
		pieces[i] = (struct piece){ vmas[i].start, vmas[i].end,
					    vmas[i].offset / MMOP_PAGE, "" };
		memcpy(pieces[i].perm, vmas[i].perm, 4);
	}
	return count;
}

static bool present(unsigned int proc, unsigned long addr)
{
	uint64_t entry;

	live_pagemap(live, proc, addr, 1, &entry);
	return entry & LIVE_PRESENT;
}

/* Address space in pages, as the limit counts it. */
static unsigned long total_pages(unsigned int proc)
{
	char *text = live_shared(live);
	long fd;

	strcpy(text, "/proc/self/statm");
	fd = live_syscall(live, proc, SYS_openat, AT_FDCWD, (long)text, O_RDONLY);
	memset(text, 0, 64);
	live_syscall(live, proc, SYS_read, fd, (long)text, 63);
	live_syscall(live, proc, SYS_close, fd);
	return strtoul(text, NULL, 10);
}

static long limit_pages(unsigned int proc, unsigned long more)
{
	unsigned long bytes = (total_pages(proc) + more) * MMOP_PAGE;
	struct rlimit *limit = live_shared(live);

	limit->rlim_cur = bytes;
	limit->rlim_max = RLIM_INFINITY;
	return live_syscall(live, proc, SYS_prlimit64, 0, RLIMIT_AS, (long)limit, 0);
}

static long map_count(unsigned int proc)
{
	static struct live_vma vmas[PIECES_MAX];
	unsigned long user_end = 0x7ffffffff000;

	return live_maps(live, proc, 0, user_end, vmas, PIECES_MAX);
}

static long map_limit(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
	long limit = 0;

	if (file) {
		if (fscanf(file, "%ld", &limit) != 1)
			limit = 0;
		fclose(file);
	}
	return limit;
}

/* The kernel's own clock pages: nobody needs a privilege to have this one. */
static bool pfnmap(unsigned int proc, unsigned long *start_out, unsigned long *end_out)
{
	static struct live_vma vmas[PIECES_MAX];
	unsigned int count = live_maps(live, proc, 0, 0x7ffffffff000, vmas, PIECES_MAX);

	for (unsigned int i = 0; i < count; i++) {
		if (!strstr(vmas[i].flags, " pf ") || vmas[i].inode ||
		    vmas[i].end - vmas[i].start < 2 * MMOP_PAGE)
			continue;
		*start_out = vmas[i].start;
		*end_out = vmas[i].end;
		return true;
	}
	return false;
}

/* A perf ring: mapped from a file, filled by ->mmap; PFNMAP since 6.18 or so. */
static bool pfn_file(unsigned int proc, unsigned long *start_out, unsigned long *end_out)
{
	const unsigned long size = 3 * MMOP_PAGE;
	struct perf_event_attr *attr = live_shared(live);
	struct live_vma vma;
	long fd, addr;

	*attr = (struct perf_event_attr){
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(*attr),
		.config = PERF_COUNT_SW_DUMMY, .exclude_kernel = 1, .exclude_hv = 1,
	};
	fd = live_syscall(live, proc, SYS_perf_event_open, (long)attr, 0, -1, -1, 0);
	if (fd < 0)
		return false;
	addr = live_syscall(live, proc, SYS_mmap, CHECK_BASE, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_FIXED, fd, 0);
	if (addr < 0 || live_maps(live, proc, addr, addr + size, &vma, 1) != 1 ||
	    !strstr(vma.flags, " pf "))
		return false;
	*start_out = addr;
	*end_out = addr + size;
	return true;
}

const struct backend live_backend = {
	.name = "live",
	.start = start,
	.stop = stop,
	.mmap = map,
	.munmap = unmap,
	.mprotect = protect,
	.mremap = remap,
	.madvise = advise,
	.touch = touch,
	.memfd = memfd,
	.reopen = reopen,
	.unmappable = unmappable,
	.dup = duplicate,
	.close = close_fd,
	.truncate = truncate_file,
	.punch = punch,
	.fill = fill,
	.seal = seal,
	.fork = fork_process,
	.exit = exit_process,
	.pieces = pieces,
	.present = present,
	.limit_pages = limit_pages,
	.map_count = map_count,
	.map_limit = map_limit,
	.pfnmap = pfnmap,
	.pfn_file = pfn_file,
};
