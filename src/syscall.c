// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system-call layer: which process calls, and how it comes back. Follows
 * fs/open.c, fs/read_write.c, fs/fcntl.c and fs/ioctl.c for what they check
 * before they reach a file's own operations; the rest is called by its kernel
 * name where it lives.
 *
 * Pointers in arguments are the scenario's own memory, not addresses of the
 * modelled process: task->host_memory tells uaccess.c so.
 *
 * Lock order: takes none itself but files->file_lock in fcntl(F_SETFD).
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/memfd.h>

#include <vfiosim/kapi/eventfd.h>
#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/string.h>

#include "engine.h"
#include "process.h"
#include "syscall.h"
#include "vfs.h"

/* Which results traces show, besides errors. */
enum shown {
	QUIET,
	NONZERO,
	VALUE,
};

void (*syscall_observer)(void) KSTATE = NULL;

static struct task_struct *enter(struct process *p)
{
	struct process *process = p ? p : process_init();
	struct task_struct *task = process ? process_enter(process) : ERR_PTR(-ENOMEM);

	if (!IS_ERR(task))
		task->host_memory = true;
	return task;
}

static void observe(void)
{
	if (eng_tracing && syscall_observer)
		syscall_observer();
}

static long leave(struct task_struct *task, long result, enum shown shown)
{
	struct process *process = task->process;

	task->host_memory = false;
	files_check_reserved();
	result = exit_to_user_mode(task, result);
	if (result < 0 || shown == VALUE || (shown == NONZERO && result))
		eng_event("return", process, "%ld", result);
	observe();
	return result;
}

/*
 * One system call: @call is evaluated as @p. What follows names it in traces,
 * as eng_event() wants it.
 */
#define SYSCALL(p, shown, call, what, ...)				\
	({								\
		struct task_struct *task_ = enter(p);			\
		long result_ = PTR_ERR(task_);				\
									\
		if (!IS_ERR(task_)) {					\
			eng_event(what, task_->process, __VA_ARGS__);	\
			result_ = leave(task_, call, shown);		\
		}							\
		result_;						\
	})

/* ---- processes ---- */

static long do_fork(const char *name, struct process **child)
{
	*child = copy_process(name);
	return IS_ERR(*child) ? PTR_ERR(*child) : 0;
}

struct process *sys_fork(struct process *p, const char *name)
{
	struct process *parent = p ? p : process_init();
	struct process *child = NULL;
	long ret = SYSCALL(p, QUIET, do_fork(name, &child), "sys_fork", "%s", name);

	parent->fork_error = ret;
	return ret ? NULL : child;
}

int sys_exec(struct process *p)
{
	return SYSCALL(p, QUIET, begin_new_exec(), "sys_exec", "");
}

void sys_exit(struct process *p)
{
	struct task_struct *task = enter(p);

	if (IS_ERR(task))
		return;
	eng_event("sys_exit", task->process, "");
	do_group_exit();
	observe();
}

void sys_wait_exit(struct process *p)
{
	wait_for_completion(&p->exited);
}

void sys_rlimit_nofile(struct process *p, unsigned long limit)
{
	struct process *process = p ? p : process_init();

	for (unsigned int i = 0; i < process->nr_threads; i++)
		process->thread[i]->rlimit_nofile = limit;
}

void sys_rlimit_as(struct process *p, unsigned long bytes)
{
	struct process *process = p ? p : process_init();

	for (unsigned int i = 0; i < process->nr_threads; i++)
		process->thread[i]->rlimit_as = bytes;
}

/* ---- open, close, descriptors ---- */

static long do_sys_open(const char *path, int flags)
{
	struct file *file;
	int fd = get_unused_fd_flags(flags);

	if (fd < 0)
		return fd;
	file = filp_open(path, flags, 0);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

int sys_open(struct process *p, const char *path, int flags)
{
	return SYSCALL(p, VALUE, do_sys_open(path, flags), "sys_open", "%s", path);
}

int sys_close(struct process *p, int fd)
{
	return SYSCALL(p, QUIET, ksys_close(fd), "sys_close", "%d", fd);
}

int sys_close_range(struct process *p, unsigned int first, unsigned int last, unsigned int flags)
{
	return SYSCALL(p, QUIET, ksys_close_range(first, last, flags), "sys_close_range",
		       "%u to %u", first, last);
}

int sys_dup(struct process *p, int fd)
{
	return SYSCALL(p, VALUE, ksys_dup(fd), "sys_dup", "%d", fd);
}

int sys_dup2(struct process *p, int fd, int new_fd)
{
	return SYSCALL(p, VALUE, ksys_dup2(fd, new_fd), "sys_dup2", "%d, %d", fd, new_fd);
}

int sys_dup3(struct process *p, int fd, int new_fd, int flags)
{
	return SYSCALL(p, VALUE, ksys_dup3(fd, new_fd, flags), "sys_dup3", "%d, %d", fd, new_fd);
}

/* F_GETFD and F_SETFD look at the table, not at the file; -EBADF was settled before. */
static long fcntl_cloexec(unsigned int fd, int command, long argument)
{
	struct files_struct *files = get_current()->files;
	long ret = 0;

	spin_lock(&files->file_lock);
	if (command == F_GETFD)
		ret = close_on_exec(fd, files->fdt) ? FD_CLOEXEC : 0;
	else if (argument & FD_CLOEXEC)
		files->fdt->close_on_exec[fd / 64] |= 1UL << (fd % 64);
	else
		files->fdt->close_on_exec[fd / 64] &= ~(1UL << (fd % 64));
	spin_unlock(&files->file_lock);
	return ret;
}

static long do_fcntl(unsigned int fd, int command, long argument)
{
	struct fd f = fdget(fd);
	long ret = -EINVAL;

	if (!f.file)
		return -EBADF;
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		ret = ksys_fcntl_dupfd(fd, argument, command == F_DUPFD ? 0 : O_CLOEXEC);
		break;
	case F_GETFD:
	case F_SETFD:
		ret = fcntl_cloexec(fd, command, argument);
		break;
	case F_GETFL:
		ret = f.file->f_flags;
		break;
	}
	fdput(f);
	return ret;
}

int sys_fcntl(struct process *p, int fd, int command, long argument)
{
	return SYSCALL(p, VALUE, do_fcntl(fd, command, argument), "sys_fcntl", "%d, %d", fd,
		       command);
}

/* ---- read, write, ioctl ---- */

/* No byte may lie beyond LLONG_MAX. */
static bool rw_fits(loff_t pos, size_t size)
{
	return size <= (size_t)(LLONG_MAX - pos);
}

static ssize_t vfs_read(struct file *file, void *buffer, size_t size, loff_t *pos)
{
	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	if (!(file->f_mode & FMODE_CAN_READ) || !rw_fits(*pos, size))
		return -EINVAL;
	return file->f_op->read(file, buffer, size, pos);
}

static ssize_t vfs_write(struct file *file, const void *buffer, size_t size, loff_t *pos)
{
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!(file->f_mode & FMODE_CAN_WRITE) || !rw_fits(*pos, size))
		return -EINVAL;
	return file->f_op->write(file, buffer, size, pos);
}

/* read(2) and write(2): at the file's position, which moves along. */
static ssize_t rw_at_pos(unsigned int fd, bool write, void *buffer, size_t size)
{
	struct fd f = fdget_pos(fd);
	ssize_t ret;
	loff_t pos;

	if (!f.file)
		return -EBADF;
	pos = file_pos_read(f.file);
	ret = write ? vfs_write(f.file, buffer, size, &pos) :
		      vfs_read(f.file, buffer, size, &pos);
	if (ret >= 0)
		file_pos_write(f.file, pos);
	fdput_pos(f);
	return ret;
}

/* pread(2) and pwrite(2): files that cannot be positioned give -ESPIPE (FS-116). */
static ssize_t rw_at(unsigned int fd, bool write, void *buffer, size_t size, loff_t pos)
{
	unsigned int mode = write ? FMODE_PWRITE : FMODE_PREAD;
	ssize_t ret = -ESPIPE;
	struct fd f;

	if (pos < 0)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	if (f.file->f_mode & mode)
		ret = write ? vfs_write(f.file, buffer, size, &pos) :
			      vfs_read(f.file, buffer, size, &pos);
	fdput(f);
	return ret;
}

ssize_t sys_read(struct process *p, int fd, void *buffer, size_t size)
{
	return SYSCALL(p, VALUE, rw_at_pos(fd, false, buffer, size), "sys_read", "%d", fd);
}

ssize_t sys_write(struct process *p, int fd, const void *buffer, size_t size)
{
	return SYSCALL(p, VALUE, rw_at_pos(fd, true, (void *)buffer, size), "sys_write", "%d",
		       fd);
}

ssize_t sys_pread(struct process *p, int fd, void *buffer, size_t size, loff_t offset)
{
	return SYSCALL(p, VALUE, rw_at(fd, false, buffer, size, offset), "sys_pread",
		       "%d at %llx", fd, (u64)offset);
}

ssize_t sys_pwrite(struct process *p, int fd, const void *buffer, size_t size, loff_t offset)
{
	return SYSCALL(p, VALUE, rw_at(fd, true, (void *)buffer, size, offset), "sys_pwrite",
		       "%d at %llx", fd, (u64)offset);
}

static loff_t vfs_llseek(struct file *file, loff_t offset, int whence)
{
	if (!(file->f_mode & FMODE_LSEEK) || !file->f_op->llseek)
		return -ESPIPE;
	return file->f_op->llseek(file, offset, whence);
}

static loff_t do_lseek(unsigned int fd, loff_t offset, int whence)
{
	struct fd f = fdget_pos(fd);
	loff_t ret = -EINVAL;

	if (!f.file)
		return -EBADF;
	if (whence >= SEEK_SET && whence <= SEEK_MAX)
		ret = vfs_llseek(f.file, offset, whence);
	fdput_pos(f);
	return ret;
}

loff_t sys_lseek(struct process *p, int fd, loff_t offset, int whence)
{
	return SYSCALL(p, VALUE, do_lseek(fd, offset, whence), "sys_lseek", "%d", fd);
}

static long do_ioctl(unsigned int fd, unsigned int request, unsigned long argument)
{
	struct fd f = fdget(fd);
	long ret = -ENOTTY;

	if (!f.file)
		return -EBADF;
	if (f.file->f_op->unlocked_ioctl)
		ret = f.file->f_op->unlocked_ioctl(f.file, request, argument);
	fdput(f);
	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}

long sys_ioctl(struct process *p, int fd, unsigned long request, unsigned long argument)
{
	return SYSCALL(p, NONZERO, do_ioctl(fd, request, argument), "sys_ioctl", "%d, %x", fd,
		       (unsigned int)request);
}

/* ---- files of other kinds ---- */

/* Gives @file, if it is one, the lowest free number. */
static long install_new(struct file *file, int flags)
{
	int fd;

	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(flags);
	if (fd < 0)
		fput(file);
	else
		fd_install(fd, file);
	return fd;
}

int sys_eventfd(struct process *p, unsigned int count, int flags)
{
	return SYSCALL(p, VALUE, do_eventfd(count, flags), "sys_eventfd", "%u", count);
}

int sys_memfd(struct process *p, const char *name, unsigned int flags)
{
	int fd_flags = O_RDWR | (flags & MFD_CLOEXEC ? O_CLOEXEC : 0);

	return SYSCALL(p, VALUE, install_new(memfd_file(name, flags), fd_flags), "sys_memfd",
		       "%s", name);
}

static long do_truncate(unsigned int fd, loff_t length)
{
	struct fd f = fdget(fd);
	long ret = -EINVAL;

	if (!f.file)
		return -EBADF;
	if (S_ISREG(file_inode(f.file)->i_mode))
		ret = memfd_truncate(f.file, length);
	fdput(f);
	return ret;
}

int sys_ftruncate(struct process *p, int fd, loff_t length)
{
	return SYSCALL(p, QUIET, do_truncate(fd, length), "sys_ftruncate", "%d, %lld", fd,
		       (s64)length);
}

static long do_punch(unsigned int fd, loff_t offset, loff_t length)
{
	struct fd f = fdget(fd);
	long ret = -ENODEV;

	if (!f.file)
		return -EBADF;
	if (S_ISREG(file_inode(f.file)->i_mode))
		ret = memfd_punch(f.file, offset, length);
	fdput(f);
	return ret;
}

int sys_punch(struct process *p, int fd, loff_t offset, loff_t length)
{
	return SYSCALL(p, QUIET, do_punch(fd, offset, length), "sys_punch", "%d", fd);
}

/* ---- sockets that carry files ---- */

/* Marks *file as taken: a process that is gone never gets here. */
static long install_end(struct file **file)
{
	struct file *end = *file;

	*file = NULL;
	return install_new(end, O_RDWR);
}

int sys_socketpair(struct process *a, struct process *b, int fds[2])
{
	struct file *ends[2];
	int ret = scm_socket_files(ends);

	if (ret)
		return ret;
	fds[0] = SYSCALL(a, VALUE, install_end(&ends[0]), "sys_socketpair", "");
	fds[1] = SYSCALL(b, VALUE, install_end(&ends[1]), "sys_socketpair", "");
	for (unsigned int i = 0; i < 2; i++) {
		if (ends[i])
			fput(ends[i]);
	}
	return fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : 0;
}

int sys_send_fd(struct process *p, int socket, int fd)
{
	return SYSCALL(p, QUIET, ksys_send_fds(socket, &fd, 1), "sys_send_fd", "%d", fd);
}

static long do_recv_fd(unsigned int socket)
{
	int fd;
	int ret = ksys_recv_fds(socket, &fd, 1, 0);

	return ret < 0 ? ret : ret == 0 ? -EAGAIN : fd;
}

int sys_recv_fd(struct process *p, int socket)
{
	return SYSCALL(p, VALUE, do_recv_fd(socket), "sys_recv_fd", "%d", socket);
}

/* ---- memory ---- */

/* The mapping at @addr of the current thread, to be named in traces. */
static const void *mapping_at(unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(get_current()->mm, addr);

	return vma && vma->vm_start <= addr ? vma : NULL;
}

static long quiet_if_mapped(long addr)
{
	if (addr >= 0)
		eng_event("mapped", mapping_at(addr), "");
	return addr;
}

long sys_mmap(struct process *p, unsigned long addr, unsigned long len, int prot, int flags,
	      int fd, unsigned long offset)
{
	return SYSCALL(p, QUIET, quiet_if_mapped(ksys_mmap(addr, len, prot, flags, fd, offset)),
		       "sys_mmap", "%d at %lx, %lu pages", fd, offset, len >> PAGE_SHIFT);
}

int sys_munmap(struct process *p, unsigned long addr, unsigned long len)
{
	return SYSCALL(p, QUIET, ksys_munmap(addr, len), "sys_munmap", "%O, %lu pages",
		       mapping_at(addr), len >> PAGE_SHIFT);
}

int sys_mprotect(struct process *p, unsigned long addr, unsigned long len, int prot)
{
	return SYSCALL(p, QUIET, ksys_mprotect(addr, len, prot), "sys_mprotect", "%O, %d",
		       mapping_at(addr), prot);
}

long sys_mremap(struct process *p, unsigned long addr, unsigned long old_len,
		unsigned long new_len, int flags, unsigned long new_addr)
{
	return SYSCALL(p, QUIET,
		       quiet_if_mapped(ksys_mremap(addr, old_len, new_len, flags, new_addr)),
		       "sys_mremap", "%O", mapping_at(addr));
}

int sys_madvise(struct process *p, unsigned long addr, unsigned long len, int advice)
{
	return SYSCALL(p, QUIET, ksys_madvise(addr, len, advice), "sys_madvise", "%O, %d",
		       mapping_at(addr), advice);
}

/*
 * The signal of a bad access is only told: what it would do to the process is
 * not what a scenario touches for. Positive, so that it passes for no errno.
 */
static long do_touch(unsigned long addr, bool write, u32 *value)
{
	u64 word = *value;
	int code = 0;
	int signal = user_access(addr, write, &word, sizeof(*value), &code);

	*value = word;
	if (signal)
		eng_event("signal", get_current()->process, "%d, code %d", signal, code);
	return signal ? signal | code << 8 : 0;
}

int sys_touch(struct process *p, unsigned long addr, bool write, u32 *value)
{
	return SYSCALL(p, QUIET, do_touch(addr, write, value), write ? "store" : "load",
		       mapping_at(addr) ? "%O" : "no mapping", mapping_at(addr));
}

bool sys_present(struct process *p, unsigned long addr)
{
	struct mm_struct *mm = (p ? p : process_init())->thread[0]->mm;

	return mm && user_page_present(mm, addr);
}

/* ---- sysfs ---- */

int sys_store(struct process *p, const char *what, const char *text, int (*action)(void *arg),
	      void *arg)
{
	return SYSCALL(p, QUIET, action(arg), what, "%s", text);
}
