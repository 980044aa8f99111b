/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor tables. */
#ifndef VFIOSIM_KAPI_FDTABLE_H
#define VFIOSIM_KAPI_FDTABLE_H

#include <vfiosim/kapi/fs.h>
#include <vfiosim/kapi/wait.h>

#define NR_OPEN_DEFAULT 64	/* size of the first table: BITS_PER_LONG */
#define FD_SLOTS_FIRST 16	/* of which so many have memory from the start */

#define CLOSE_RANGE_UNSHARE (1U << 1)
#define CLOSE_RANGE_CLOEXEC (1U << 2)

/*
 * max_fds is the kernel's size of the table; memory behind it grows to the
 * highest descriptor ever used, so that a table of 64 costs a scenario with
 * three files 128 bytes. Bit n of open_fds and slot n make three states: free,
 * reserved (bit, NULL), installed (bit, pointer); see FS-133.
 */
struct fdtable {
	unsigned int max_fds;
	unsigned int slots;		/* that have memory */
	struct file **fd;
	unsigned long *open_fds;
	unsigned long *close_on_exec;
	char keys[FD_SLOTS_FIRST];	/* name slots, modulo, in choice points */
	struct callback_head rcu;
};

struct files_struct {
	atomic_t count;
	bool resize_in_progress;
	unsigned int next_fd;		/* a lower bound, no more (FS-135) */
	wait_queue_head_t resize_wait;
	spinlock_t file_lock;
	struct fdtable *fdt;
	struct fdtable fdtab;
	unsigned long open_fds_init;
	unsigned long close_on_exec_init;
	struct file *fd_array[FD_SLOTS_FIRST];
};

/* /proc/sys/fs: nr_open and file-max. */
struct files_stat {
	long nr_files;
	long max_files;
	long nr_max_seen;
	unsigned int nr_open;
};
extern struct files_stat files_stat KAPI(files_stat);

/* Bits of @fdt. Locks: file_lock, or the table is the caller's alone. */
bool fd_is_open(unsigned int fd, const struct fdtable *fdt) KAPI(fd_is_open);
bool close_on_exec(unsigned int fd, const struct fdtable *fdt) KAPI(close_on_exec);
/* The slot's file; no choice point, for checkers and tests. */
struct file *files_peek(const struct files_struct *files, unsigned int fd) SIM(files_peek);

#endif
