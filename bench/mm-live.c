// SPDX-License-Identifier: GPL-2.0-only
/* The live kernel's side of bench/mm. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm-side.h"

#define PAGE 4096UL

static int fd = -1;
static pid_t child;

static void check(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(EXIT_FAILURE);
}

static void new_file(unsigned long pages)
{
	if (fd >= 0)
		close(fd);
	fd = memfd_create("bench", MFD_CLOEXEC);
	check(fd >= 0 && !ftruncate(fd, pages * PAGE), "memfd");
}

static void map(unsigned long addr, unsigned long pages, unsigned long pgoff)
{
	check(mmap((void *)addr, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		   pgoff * PAGE) == (void *)addr, "mmap");
}

static void unmap(unsigned long addr, unsigned long pages)
{
	check(!munmap((void *)addr, pages * PAGE), "munmap");
}

static void protect(unsigned long addr, unsigned long pages, bool write)
{
	check(!mprotect((void *)addr, pages * PAGE, PROT_READ | (write ? PROT_WRITE : 0)),
	      "mprotect");
}

static void move(unsigned long addr, unsigned long pages, unsigned long to)
{
	check(mremap((void *)addr, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     (void *)to) == (void *)to, "mremap");
}

static void store(unsigned long addr)
{
	*(volatile unsigned long *)addr = addr;
}

static void drop(unsigned long addr, unsigned long pages)
{
	check(!madvise((void *)addr, pages * PAGE, MADV_DONTNEED), "madvise");
}

static void punch(unsigned long pgoff)
{
	check(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pgoff * PAGE, PAGE),
	      "fallocate");
}

static void fork_space(void)
{
	child = fork();
	check(child >= 0, "fork");
	if (!child)
		_exit(0);
}

static void end_child(void)
{
	waitpid(child, NULL, 0);
}

static void do_nothing(void)
{
	syscall(SYS_getppid);
}

const struct side live_side = {
	.name = "live",
	.file = new_file,
	.map = map,
	.unmap = unmap,
	.protect = protect,
	.move = move,
	.store = store,
	.drop = drop,
	.punch = punch,
	.fork = fork_space,
	.end_child = end_child,
	.call = do_nothing,
};
