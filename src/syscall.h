/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls by explicit process: what include/vfiosim.h offers, on the kernel
 * side. Each acts for a thread of @p, makes the call, and comes back the way a
 * system call does. Values, or -errno; -ESRCH when the process is gone.
 */
#ifndef VFIOSIM_SYSCALL_H
#define VFIOSIM_SYSCALL_H

#include <vfiosim/kapi/types.h>

struct process;

/* Processes. */
struct process *sys_fork(struct process *p, const char *name) SIM(sys_fork);
int sys_exec(struct process *p) SIM(sys_exec);
void sys_exit(struct process *p) SIM(sys_exit);
void sys_wait_exit(struct process *p) SIM(sys_wait_exit);
void sys_rlimit_nofile(struct process *p, unsigned long limit) SIM(sys_rlimit_nofile);
void sys_rlimit_as(struct process *p, unsigned long bytes) SIM(sys_rlimit_as);

/* Files. */
int sys_open(struct process *p, const char *path, int flags) SIM(sys_open);
int sys_close(struct process *p, int fd) SIM(sys_close);
int sys_close_range(struct process *p, unsigned int first, unsigned int last,
		    unsigned int flags) SIM(sys_close_range);
int sys_dup(struct process *p, int fd) SIM(sys_dup);
int sys_dup2(struct process *p, int fd, int new_fd) SIM(sys_dup2);
int sys_dup3(struct process *p, int fd, int new_fd, int flags) SIM(sys_dup3);
int sys_fcntl(struct process *p, int fd, int command, long argument) SIM(sys_fcntl);
ssize_t sys_read(struct process *p, int fd, void *buffer, size_t size) SIM(sys_read);
ssize_t sys_write(struct process *p, int fd, const void *buffer, size_t size) SIM(sys_write);
ssize_t sys_pread(struct process *p, int fd, void *buffer, size_t size, loff_t offset)
	SIM(sys_pread);
ssize_t sys_pwrite(struct process *p, int fd, const void *buffer, size_t size, loff_t offset)
	SIM(sys_pwrite);
loff_t sys_lseek(struct process *p, int fd, loff_t offset, int whence) SIM(sys_lseek);
long sys_ioctl(struct process *p, int fd, unsigned long request, unsigned long argument)
	SIM(sys_ioctl);
int sys_eventfd(struct process *p, unsigned int count, int flags) SIM(sys_eventfd);
int sys_memfd(struct process *p, const char *name, unsigned int flags) SIM(sys_memfd);
int sys_ftruncate(struct process *p, int fd, loff_t length) SIM(sys_ftruncate);
int sys_punch(struct process *p, int fd, loff_t offset, loff_t length) SIM(sys_punch);

/* Sockets that carry files. */
int sys_socketpair(struct process *a, struct process *b, int fds[2]) SIM(sys_socketpair);
int sys_send_fd(struct process *p, int socket, int fd) SIM(sys_send_fd);
int sys_recv_fd(struct process *p, int socket) SIM(sys_recv_fd);

/* Memory. */
long sys_mmap(struct process *p, unsigned long addr, unsigned long len, int prot, int flags,
	      int fd, unsigned long offset) SIM(sys_mmap);
int sys_munmap(struct process *p, unsigned long addr, unsigned long len) SIM(sys_munmap);
int sys_mprotect(struct process *p, unsigned long addr, unsigned long len, int prot)
	SIM(sys_mprotect);
long sys_mremap(struct process *p, unsigned long addr, unsigned long old_len,
		unsigned long new_len, int flags, unsigned long new_addr) SIM(sys_mremap);
int sys_madvise(struct process *p, unsigned long addr, unsigned long len, int advice)
	SIM(sys_madvise);
/* A 32-bit load or store: 0, or signal | si_code << 8. */
int sys_touch(struct process *p, unsigned long addr, bool write, u32 *value) SIM(sys_touch);
bool sys_present(struct process *p, unsigned long addr) SIM(sys_present);

/*
 * A write to sysfs by @p: carries out action(arg) as a system call of that
 * process, which traces know as @what and @text. For bind, unbind and the like.
 */
int sys_store(struct process *p, const char *what, const char *text, int (*action)(void *arg),
	      void *arg) SIM(sys_store);

/* Called after each system call while events are recorded; NULL: nobody looks. */
extern void (*syscall_observer)(void) SIM(syscall_observer);

#endif
