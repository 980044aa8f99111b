/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: vfiosim
 *
 * vfiosim runs a scenario - a handful of tasks that make system calls to, or
 * call directly into, a model of the kernel under a vfio device - under every
 * schedule it can afford, and reports the first schedule that breaks something.
 *
 * Promises that hold for every function below:
 *
 *   - The same scenario, options and schedule give the same run, byte for byte.
 *   - Expected failures are returned. Misuse of the API is a bug in the caller:
 *     it prints one line and calls abort().
 *   - No call keeps a pointer to its arguments after it returns, except that
 *     scenarios and the strings in them must outlive their use.
 */
#ifndef VFIOSIM_H
#define VFIOSIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VFIOSIM_API __attribute__((visibility("default")))

/** enum vfiosim_verdict - how one run, or a whole exploration, ended */
enum vfiosim_verdict {
	VFIOSIM_OK = 0,		/**< every run finished, every detector was silent */
	VFIOSIM_VIOLATION,	/**< a detector or an expectation fired; see the report */
	VFIOSIM_DEADLOCK,	/**< no task could run, yet some had not finished */
	VFIOSIM_BUDGET,		/**< a budget was reached first: nothing proven */
};

#define VFIOSIM_TASKS_MAX 16

/** enum vfiosim_kernel - whose behaviour where kernel versions differ */
enum vfiosim_kernel {
	VFIOSIM_KERNEL_DEFAULT = 0,	/**< what the command line says, else 5.14 */
	VFIOSIM_KERNEL_5_14,
	VFIOSIM_KERNEL_6_1,
	VFIOSIM_KERNEL_6_12,
	VFIOSIM_KERNEL_6_18,
};

struct vfiosim_report;

/** struct vfiosim_task - one of the tasks that race */
struct vfiosim_task {
	const char *name;		/**< column heading in traces */
	void (*run)(void *fixture);
};

/**
 * struct vfiosim_call - one call of a run, as a sequential specification sees it
 * @name: "open", "close", "SET_CONTAINER", "UNSET_CONTAINER", "SET_IOMMU",
 *	"GET_DEVICE_FD", or what vfiosim_call_begin() said
 * @text: the path of open, else NULL
 * @process: who made it; only to be compared
 * @argument: the descriptor, then the number that is passed or pointed to; or that of
 *	vfiosim_call_begin()
 * @result: what it returned
 */
struct vfiosim_call {
	const char *name;
	const char *text;
	const void *process;
	long argument[2];
	long result;
};

/**
 * struct vfiosim_spec - what calls may return if one comes after the other
 * @name: for reports, as in "in no order does NAME allow"
 * @state_size: bytes of a state, all zero at first; compared byte for byte
 * @step: carry out @call; false if it cannot return its result in that state. Pure
 *	but for @state
 */
struct vfiosim_spec {
	const char *name;
	size_t state_size;
	bool (*step)(void *state, const struct vfiosim_call *call);
};

/** vfiosim_vfio_spec - groups and containers, where devices stay bound and fds are not shared */
VFIOSIM_API extern const struct vfiosim_spec vfiosim_vfio_spec;

/**
 * struct vfiosim_scenario - the unit of exploration; normally static const
 * @name: what the command line and the traces call it
 * @summary: one sentence for "list"
 * @fixture_size: bytes of zeroed state handed to every callback; part of the
 *	modelled state: it is reset between runs
 * @setup: runs alone before the tasks start; must not fail
 * @teardown: runs alone after the last task; the kernel must be idle after it
 * @check: asked after every step while no kernel code is between two halves of
 *	something; false is a violation ("expectation"). May be NULL
 * @tolerate: detectors that are findings and not failures here, a list such as
 *	"warn,hung-task"; NULL for none
 * @kernel: the kernel version whose behaviour is asked for
 * @core: the vfio core: NULL for the command line's, else "port" (5.14 with the
 *	patch), "merged" (6.12's lifetime), or the path of a core of one's own
 * @spec: what the calls of setup and tasks must be equivalent to, in some order that
 *	keeps one after the other where it began after the other's return; if not, that is
 *	"not-linearizable". At most 48 calls. NULL for none
 * @tasks: the tasks that race, ended by an entry without a name
 */
struct vfiosim_scenario {
	const char *name;
	const char *summary;
	size_t fixture_size;
	void (*setup)(void *fixture);
	void (*teardown)(void *fixture);
	bool (*check)(const void *fixture);
	const char *tolerate;
	enum vfiosim_kernel kernel;
	const char *core;
	const struct vfiosim_spec *spec;
	struct vfiosim_task tasks[VFIOSIM_TASKS_MAX + 1];
};

/**
 * vfiosim_expect() - a fact that must hold
 * @fact: evaluated once
 *
 * If it does not hold the run ends there as "expectation", and the call does not
 * return. Never blocks, and is no choice point.
 */
#define vfiosim_expect(fact) \
	vfiosim_expect_at((fact), #fact, __FILE__, __LINE__)
/** vfiosim_expect_at() - what vfiosim_expect() calls, with the text and place of the fact */
VFIOSIM_API void vfiosim_expect_at(bool holds, const char *fact, const char *file, int line);

/**
 * vfiosim_call_begin() - a call of the scenario's own begins, for its specification
 * @name: a constant
 * @argument: whatever the specification wants to know
 *
 * For code that no call of this header reaches. A choice point if the scenario has a
 * specification, else nothing. One at a time in each task.
 */
VFIOSIM_API void vfiosim_call_begin(const char *name, long argument);
/** vfiosim_call_end() - the task's call returns @result */
VFIOSIM_API void vfiosim_call_end(long result);

/*
 * ---- result lines, time, order ----
 *
 * What follows can be carried out by the model as well as by real processes on
 * a real kernel, so that one scenario runs on both. A scenario that means to be
 * compared prints with vfiosim_say() only, and never prints an address, a time,
 * a process id or a device's real name.
 */

/**
 * vfiosim_say() - print one result line
 * @format: of printf(), without a newline
 *
 * Prints under "run --lines" and on a real kernel, is an event in traces, and is
 * silent while runs are explored. Never blocks, and is no choice point.
 */
VFIOSIM_API void vfiosim_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * vfiosim_error_name() - the name of an errno, for result lines
 * @result: what a call returned: a value, or -errno
 *
 * Return: "EBUSY" for -EBUSY and for EBUSY, "0" for 0 and for what is wider than an
 * int, "?" for what is no errno. A constant.
 */
VFIOSIM_API const char *vfiosim_error_name(long result);

/** vfiosim_yield() - let others run first, if the schedule wants that; cond_resched() */
VFIOSIM_API void vfiosim_yield(void);

/**
 * vfiosim_sleep_ms() - sleep in virtual time; msleep()
 * @milliseconds: how long; rounded up to jiffies of 10 ms, and one more, as the kernel does
 *
 * Time passes only when nobody can run, so everybody else gets as far as they can
 * first; with --timeouts-max, the sleep may also end before.
 */
VFIOSIM_API void vfiosim_sleep_ms(unsigned int milliseconds);

/** struct vfiosim_gate - lets one task wait for another; lies in the fixture, starts closed */
struct vfiosim_gate {
	int open;
};

/** vfiosim_gate_open() - let through everybody who waits at @gate, and all later ones */
VFIOSIM_API void vfiosim_gate_open(struct vfiosim_gate *gate);
/** vfiosim_gate_wait() - block until @gate is open; no signal and no timeout ends it */
VFIOSIM_API void vfiosim_gate_wait(struct vfiosim_gate *gate);

/*
 * ---- processes ----
 *
 * Every call names the process that makes it. Any task may call for any process;
 * a task that does so is, for the length of the call, a thread of that process.
 * A process has one thread unless vfiosim_threads() says so: two tasks that make
 * calls in one single-threaded process at the same time are a mistake in the
 * scenario, and end the run as "misuse".
 *
 * Results are values, or -errno. All calls give -ESRCH when the process is gone,
 * or is killed on the way. Where a call takes a process, NULL means init: root,
 * always there, never exits.
 *
 * Each call is one system call, and a choice point or many. Before it returns the
 * process has done what the kernel puts off until the return to user mode: signals,
 * and the release of files that were put. It may wait for locks (uninterruptibly),
 * and for what its comment names; an interruptible wait that a caught signal ends
 * gives -EINTR. -ENOMEM, where a call allocates, comes from fault injection only.
 */
struct vfiosim_process;

/**
 * vfiosim_process() - start a process
 * @name: its name in traces; must outlive the run
 *
 * It has one thread, no files, an empty address space and all capabilities. It ends
 * with vfiosim_exit(), by a signal, or when the machine is shut down.
 *
 * Return: the process, good until the end of the run; NULL when memory ran out.
 */
VFIOSIM_API struct vfiosim_process *vfiosim_process(const char *name);

/**
 * vfiosim_threads() - let several tasks be inside @process at once; clone(CLONE_THREAD)
 * @process: where; NULL for init
 * @count: how many; there are never fewer than before
 *
 * To be called before the threads are needed, in the setup at best: each one is +1
 * on the descriptor table and on the address space from then on.
 */
VFIOSIM_API void vfiosim_threads(struct vfiosim_process *process, unsigned int count);

/**
 * vfiosim_fork() - fork(); copy_process() of kernel/fork.c
 * @parent: who forks
 * @child_name: the child's name in traces; must outlive the run
 *
 * Descriptors are copied, then memory, in each kernel version's order: +1 on a file
 * for each descriptor and each mapping of it.
 *
 * Return: the child, with one thread; NULL on failure, when all is as before.
 */
VFIOSIM_API struct vfiosim_process *vfiosim_fork(struct vfiosim_process *parent,
						 const char *child_name);
/** vfiosim_fork_error() - why the last vfiosim_fork() of @parent gave NULL: -errno, or 0 */
VFIOSIM_API int vfiosim_fork_error(struct vfiosim_process *parent);

/**
 * vfiosim_exec() - execve(); begin_new_exec() of fs/exec.c
 * @process: whose other threads are killed, and waited for
 *
 * The old memory is unmapped, then the close-on-exec descriptors are closed; caught
 * signals are back at their default. On failure nothing has changed.
 *
 * Return: 0, -ENOMEM, or -ESRCH.
 */
VFIOSIM_API int vfiosim_exec(struct vfiosim_process *process);
/**
 * vfiosim_exit() - exit_group(); do_exit() of kernel/exit.c
 * @process: nothing happens if it is gone already
 *
 * Mappings go first, then descriptors, newest last; then the releases run. Threads
 * in other system calls leave at their next look at signals: see vfiosim_wait_exit().
 */
VFIOSIM_API void vfiosim_exit(struct vfiosim_process *process);

/** vfiosim_wait_exit() - block until @process (not init) has ended, its files released */
VFIOSIM_API void vfiosim_wait_exit(struct vfiosim_process *process);

/** vfiosim_is_alive() - false once @process has begun to exit */
VFIOSIM_API bool vfiosim_is_alive(struct vfiosim_process *process);

/** enum vfiosim_signal_action - what a process does about a signal */
enum vfiosim_signal_action {
	VFIOSIM_SIGNAL_DEFAULT,		/**< it kills the process */
	VFIOSIM_SIGNAL_IGNORE,
	VFIOSIM_SIGNAL_CATCH,		/**< a handler that does nothing */
};

/**
 * vfiosim_sigaction() - what @process does about @signal from now on
 * @signal: 1 to 64; SIGKILL kills whatever is said here
 */
VFIOSIM_API void vfiosim_sigaction(struct vfiosim_process *process, int signal,
				   enum vfiosim_signal_action action);
/**
 * vfiosim_kill() - send a signal; complete_signal() of kernel/signal.c
 * @process: to whom
 * @signal: 1 to 64; 0 only asks whether there is somebody
 *
 * A signal that kills ends every thread, those in system calls at their next
 * interruptible wait or at the end of the call. Does not wait for that.
 *
 * Return: 0, also when the signal is ignored; -EINVAL for no signal; -ESRCH.
 */
VFIOSIM_API int vfiosim_kill(struct vfiosim_process *process, int signal);

/** vfiosim_rlimit_nofile() - descriptors from @limit on give -EMFILE; open ones stay open */
VFIOSIM_API void vfiosim_rlimit_nofile(struct vfiosim_process *process, unsigned long limit);
/** vfiosim_rlimit_as() - address space beyond @bytes gives -ENOMEM; what is mapped stays */
VFIOSIM_API void vfiosim_rlimit_as(struct vfiosim_process *process, unsigned long bytes);

/** vfiosim_capability() - give or take one CAP_* of <linux/capability.h>; open files keep theirs */
VFIOSIM_API void vfiosim_capability(struct vfiosim_process *process, int capability, bool on);

/*
 * ---- files ----
 *
 * Flags and commands are those of <fcntl.h>, <sys/eventfd.h>, <linux/vfio.h>.
 * Buffers and arguments are the scenario's own memory. VFIOSIM_BAD_POINTER is an
 * address that the kernel cannot read or write (EFAULT).
 *
 * A descriptor owns one reference on its file, a call in progress another; with the
 * last one the file is released, before the call that dropped it returns. -EBADF
 * stands for a number without a file, or one that is not open for the purpose.
 */
#define VFIOSIM_BAD_POINTER ((void *)8)

/**
 * vfiosim_open() - open a device node; do_sys_openat2() of fs/open.c
 * @path: "/dev/vfio/vfio", or what vfiosim_group_path() says
 * @flags: O_* of <fcntl.h>
 *
 * Return: the lowest free descriptor; -EMFILE (the limit), -ENFILE, -ENOENT (no such
 * node), -ENXIO (a node without a driver), or what the driver's ->open says: -EBUSY for
 * a group that is open already, -ENODEV, -EPERM.
 */
VFIOSIM_API int vfiosim_open(struct vfiosim_process *process, const char *path, int flags);
/** vfiosim_close() - 0, or -EBADF; the number is free even where ->flush fails */
VFIOSIM_API int vfiosim_close(struct vfiosim_process *process, int fd);
/**
 * vfiosim_close_range() - close descriptors @first to @last, both included
 * @flags: CLOSE_RANGE_* of <linux/close_range.h>, or 0
 *
 * Return: 0; -EINVAL for @first above @last or an unknown flag; -ENOMEM or -EMFILE when
 * CLOSE_RANGE_UNSHARE cannot copy the table.
 */
VFIOSIM_API int vfiosim_close_range(struct vfiosim_process *process, unsigned int first,
				    unsigned int last, unsigned int flags);
/** vfiosim_dup() - the lowest free descriptor, now of the same file (+1); -EBADF, -EMFILE */
VFIOSIM_API int vfiosim_dup(struct vfiosim_process *process, int fd);
/**
 * vfiosim_dup2() - make @new_fd a descriptor of @fd's file (+1), closing what it was
 *
 * Return: @new_fd, also when it is @fd itself; -EBADF, also from the limit on; -EBUSY when
 * another thread has reserved @new_fd and not installed it yet.
 */
VFIOSIM_API int vfiosim_dup2(struct vfiosim_process *process, int fd, int new_fd);
/** vfiosim_dup3() - the same with @flags 0 or O_CLOEXEC; -EINVAL for others or @new_fd == @fd */
VFIOSIM_API int vfiosim_dup3(struct vfiosim_process *process, int fd, int new_fd, int flags);
/**
 * vfiosim_fcntl() - F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL
 * @argument: the lowest number for the first two, FD_CLOEXEC or 0 for F_SETFD
 *
 * Return: the new descriptor, FD_CLOEXEC or 0, 0, the flags of open; -EBADF; -EINVAL for
 * another command, or a lowest number beyond the limit; -EMFILE.
 */
VFIOSIM_API int vfiosim_fcntl(struct vfiosim_process *process, int fd, int command, long argument);
/**
 * vfiosim_read() - read(2) at the file's position, which moves along; fs/read_write.c
 * @buffer: the scenario's own memory, @size bytes
 *
 * Waits for what the file waits for: an eventfd for a count, unless O_NONBLOCK (-EAGAIN).
 * A memfd has its bytes, and 0 at its end.
 *
 * Return: the number of bytes; -EBADF; -EINVAL for a file that cannot be read, or an
 * eventfd and less than 8 bytes; -EFAULT; or the driver's error.
 */
VFIOSIM_API ssize_t vfiosim_read(struct vfiosim_process *process, int fd, void *buffer,
				 size_t size);
/** vfiosim_write() - write(2), likewise; an eventfd waits while its count would overflow */
VFIOSIM_API ssize_t vfiosim_write(struct vfiosim_process *process, int fd, const void *buffer,
				  size_t size);
/**
 * vfiosim_pread() - pread(2): at @offset bytes, the file's position stays
 *
 * Return: as vfiosim_read(); -EINVAL for a negative @offset; -ESPIPE for a file without
 * positions.
 */
VFIOSIM_API ssize_t vfiosim_pread(struct vfiosim_process *process, int fd, void *buffer,
				  size_t size, int64_t offset);
/** vfiosim_pwrite() - pwrite(2), likewise */
VFIOSIM_API ssize_t vfiosim_pwrite(struct vfiosim_process *process, int fd, const void *buffer,
				   size_t size, int64_t offset);
/**
 * vfiosim_lseek() - lseek(2), with SEEK_SET to SEEK_HOLE; fs/read_write.c, mm/shmem.c
 *
 * Return: the new position in bytes; -EBADF; -ESPIPE for a file without positions; -EINVAL
 * for a position before the beginning, or an unknown @whence; -ENXIO where a memfd has no
 * data or hole from @offset on.
 */
VFIOSIM_API int64_t vfiosim_lseek(struct vfiosim_process *process, int fd, int64_t offset,
				  int whence);

/**
 * vfiosim_ioctl() - ioctl(2); fs/ioctl.c
 * @request: VFIO_* of <linux/vfio.h>
 * @argument: a pointer to the scenario's own memory or an integer, as the request says
 *
 * GET_DEVICE_FD returns a new descriptor. Requests that reset, zap or unset take the
 * driver's locks and wait for them; no request waits for other users.
 *
 * Return: 0 or a value; -EBADF; -ENOTTY for a request that the file does not know;
 * -EFAULT; or the driver's error, as docs/spec/vfio.md lists them for each request.
 */
#define vfiosim_ioctl(process, fd, request, argument) \
	vfiosim_ioctl_word((process), (fd), (request), (uintptr_t)(argument))
/** vfiosim_ioctl_word() - what vfiosim_ioctl() calls, with @argument as a number */
VFIOSIM_API long vfiosim_ioctl_word(struct vfiosim_process *process, int fd,
				    unsigned long request, uintptr_t argument);

/**
 * vfiosim_eventfd() - eventfd2(2); do_eventfd() of fs/eventfd.c
 * @count: what it starts with
 * @flags: EFD_* of <sys/eventfd.h>
 *
 * Return: the lowest free descriptor; -EINVAL for an unknown flag; -EMFILE, -ENFILE.
 */
VFIOSIM_API int vfiosim_eventfd(struct vfiosim_process *process, unsigned int count, int flags);
/**
 * vfiosim_memfd() - memfd_create(2) of mm/memfd.c: an empty file in memory
 * @name: shown nowhere
 * @flags: MFD_CLOEXEC, MFD_ALLOW_SEALING
 *
 * Return: the lowest free descriptor; -EINVAL for another flag; -EMFILE, -ENFILE.
 */
VFIOSIM_API int vfiosim_memfd(struct vfiosim_process *process, const char *name,
			      unsigned int flags);
/**
 * vfiosim_ftruncate() - set the size of a memfd to @length bytes
 *
 * What lies behind is unmapped, whoever maps it: a later touch is SIGBUS.
 *
 * Return: 0; -EBADF; -EINVAL for a negative @length or another file; -EPERM by a seal.
 */
VFIOSIM_API int vfiosim_ftruncate(struct vfiosim_process *process, int fd, int64_t length);
/**
 * vfiosim_punch() - fallocate(PUNCH_HOLE | KEEP_SIZE) on a memfd; bytes
 *
 * Return: 0; -EBADF; -ENODEV for another file; -EINVAL for a negative @offset or no
 * @length; -EFBIG beyond the largest file; -EPERM by a seal.
 */
VFIOSIM_API int vfiosim_punch(struct vfiosim_process *process, int fd, int64_t offset,
			      int64_t length);

/**
 * vfiosim_socketpair() - a pair of sockets, one end in each process
 * @a: gets fds[0]
 * @b: gets fds[1]; may be @a
 *
 * A file that was sent and not received yet is in no descriptor table: the queue
 * keeps it open. Follows net/core/scm.c; nothing here blocks.
 *
 * Return: 0, or the first end's error (-EMFILE, -ENFILE); the other end may be open then.
 */
VFIOSIM_API int vfiosim_socketpair(struct vfiosim_process *a, struct vfiosim_process *b,
				   int fds[2]);
/**
 * vfiosim_send_fd() - send a file to the other end of @socket, SCM_RIGHTS
 * @fd: whose file the queue holds (+1) until it is received or the socket is released
 *
 * Return: 0; -EBADF; -ENOTSOCK; -EPIPE when the other end is closed.
 */
VFIOSIM_API int vfiosim_send_fd(struct vfiosim_process *process, int socket, int fd);
/**
 * vfiosim_recv_fd() - receive the file that was sent first
 *
 * Return: a new descriptor, which takes over the queue's reference; -EAGAIN when nothing
 * is queued or no descriptor is free (the file is put then); -EBADF; -ENOTSOCK.
 */
VFIOSIM_API int vfiosim_recv_fd(struct vfiosim_process *process, int socket);

/*
 * ---- memory ----
 *
 * Addresses are the process's own; never dereference one, never print one.
 */

/**
 * vfiosim_mmap() - mmap(2); do_mmap() of mm/mmap.c
 * @address: a hint in bytes, or the place itself with MAP_FIXED; 0: anywhere
 * @length: bytes, rounded up to pages
 * @protection: PROT_*, @flags: MAP_* of <sys/mman.h>
 * @fd: whose file each mapping holds (+1); -1 with MAP_ANONYMOUS
 * @offset: into the file, in bytes, a multiple of the page size
 *
 * Return: the address; -EINVAL, -EBADF, -EACCES (not open for that), -ENOMEM (limits,
 * or no gap), -EEXIST (MAP_FIXED_NOREPLACE), -EPERM, -EOVERFLOW, -EAGAIN (locked
 * memory), -ENODEV (a file without mmap), or the driver's error.
 */
VFIOSIM_API int64_t vfiosim_mmap(struct vfiosim_process *process, uint64_t address,
				 uint64_t length, int protection, int flags, int fd,
				 uint64_t offset);
/**
 * vfiosim_munmap() - unmap what lies in @length bytes from @address on; do_munmap()
 *
 * Files of mappings that are gone are put, which may release them. Mappings that stick
 * out are split.
 *
 * Return: 0, also for a range that is empty of mappings; -EINVAL for a range that is
 * unaligned, of no length or out of bounds; -ENOMEM when a split exceeds the limit.
 */
VFIOSIM_API int vfiosim_munmap(struct vfiosim_process *process, uint64_t address,
			       uint64_t length);
/**
 * vfiosim_mprotect() - change the protection of a range, in bytes; mm/mprotect.c
 *
 * Return: 0; -EINVAL; -ENOMEM for a hole in the range (what lies before it is changed),
 * or the limit of mappings; -EACCES for what the file does not allow.
 */
VFIOSIM_API int vfiosim_mprotect(struct vfiosim_process *process, uint64_t address,
				 uint64_t length, int protection);
/**
 * vfiosim_mremap() - move or resize a mapping, in bytes; mm/mremap.c
 * @flags: MREMAP_* of <sys/mman.h>
 * @new_address: where to, with MREMAP_FIXED
 *
 * Return: the new address; -EINVAL, -EFAULT (nothing mapped, or more than one mapping),
 * -ENOMEM, -EAGAIN (locked memory). On failure the old mapping stays.
 */
VFIOSIM_API int64_t vfiosim_mremap(struct vfiosim_process *process, uint64_t address,
				   uint64_t old_length, uint64_t new_length, int flags,
				   uint64_t new_address);
/**
 * vfiosim_madvise() - madvise(2) on a range, in bytes; mm/madvise.c
 * @advice: MADV_* of <sys/mman.h>
 *
 * Return: 0; -EINVAL for an unknown advice, or one that a device's mapping refuses;
 * -ENOMEM for a hole in the range (what else is there is done); -EAGAIN.
 */
VFIOSIM_API int vfiosim_madvise(struct vfiosim_process *process, uint64_t address,
				uint64_t length, int advice);

/**
 * enum vfiosim_touch - how a load or store ended: 0, signal | si_code << 8, or -ESRCH
 *
 * The signal is only told, not delivered: a scenario touches in order to know.
 */
enum vfiosim_touch {
	VFIOSIM_TOUCH_OK = 0,
	VFIOSIM_TOUCH_ESRCH = -3,		/**< the process is gone */
	VFIOSIM_SIGSEGV_MAPERR = 11 | 1 << 8,	/**< nothing is mapped there */
	VFIOSIM_SIGSEGV_ACCERR = 11 | 2 << 8,	/**< the mapping forbids it */
	VFIOSIM_SIGBUS_ADRERR = 7 | 2 << 8,	/**< the driver refused the fault */
};

/**
 * vfiosim_load() - a 32-bit load by @process; may fault, and wait for the fault's locks
 * @value: set to what was read; may be NULL
 *
 * Return: how it ended. Follows handle_mm_fault() of mm/memory.c.
 */
VFIOSIM_API enum vfiosim_touch vfiosim_load(struct vfiosim_process *process, uint64_t address,
					    uint32_t *value);
/** vfiosim_store() - a 32-bit store, likewise; a private page is copied first */
VFIOSIM_API enum vfiosim_touch vfiosim_store(struct vfiosim_process *process, uint64_t address,
					     uint32_t value);
/** vfiosim_touch_name() - "ok", "SIGBUS 2", "SIGSEGV 1" and so on; a constant */
VFIOSIM_API const char *vfiosim_touch_name(enum vfiosim_touch touch);

/**
 * vfiosim_present() - whether a touch of @address would find its page table entry
 *
 * The model looks. A real kernel can only be asked by touching, and counting the
 * faults, so there the question itself faults the page in.
 */
VFIOSIM_API bool vfiosim_present(struct vfiosim_process *process, uint64_t address);

/*
 * ---- machine ----
 */

/** enum vfiosim_bar_flags - what a BAR is; or-ed */
enum vfiosim_bar_flags {
	VFIOSIM_BAR_IO = 1,		/**< ports, not memory: cannot be mapped */
	VFIOSIM_BAR_64BIT = 2,		/**< takes the next BAR's place too */
	VFIOSIM_BAR_RAM = 4,		/**< keeps what is stored */
};

/** struct vfiosim_bar - one base address register */
struct vfiosim_bar {
	uint64_t size;			/**< bytes, a power of two; 0: absent */
	uint32_t flags;			/**< enum vfiosim_bar_flags */
};

/** enum vfiosim_reset - how a device can be reset; or-ed */
enum vfiosim_reset {
	VFIOSIM_RESET_FLR = 1,		/**< function level reset, PCIe */
	VFIOSIM_RESET_AF_FLR = 2,	/**< the conventional capability */
	VFIOSIM_RESET_PM = 4,		/**< D3hot and back */
	VFIOSIM_RESET_BUS = 8,		/**< shared with the rest of the bus */
	VFIOSIM_RESET_SLOT = 16,	/**< shared with the rest of the slot */
};

/** enum vfiosim_design - how the driver finds the mappings of its BARs */
enum vfiosim_design {
	VFIOSIM_DESIGN_DEFAULT = 0,	/**< what the kernel version has */
	VFIOSIM_VMA_LIST,		/**< it keeps a list of VMAs (5.14, 6.1) */
	VFIOSIM_ADDRESS_SPACE,		/**< through the device inode's mapping (merged) */
	VFIOSIM_ADDRESS_SPACE_WHOLE,	/**< as above; a fault fills the whole VMA (patch 3) */
};

/** enum vfiosim_bus - what a device is plugged into */
enum vfiosim_bus {
	VFIOSIM_BUS_PCI = 0,
	VFIOSIM_BUS_MDEV,		/**< a mediated device: a fresh group each */
};

/**
 * struct vfiosim_device_desc - a device to plug in; zero means the usual
 * @name: "0000:01:00.0": its bus and slot say what it shares a reset with; for a
 *	mediated device any uuid, and all but @bus is ignored: it is bound at once
 * @group: devices of one number share an IOMMU group; 0: a group of its own
 * @bars: BAR 0 to 5
 * @header_type: 0 an endpoint, 1 a bridge
 * @resets: enum vfiosim_reset, or-ed
 * @no_iommu: there is no IOMMU; the first device decides for the whole machine
 * @has_pm: has the power management capability
 */
struct vfiosim_device_desc {
	const char *name;
	unsigned int group;
	enum vfiosim_bus bus;
	enum vfiosim_design design;
	struct vfiosim_bar bars[6];
	uint8_t header_type;
	unsigned int resets;
	bool no_iommu;
	bool has_pm;
};

struct vfiosim_device;

/**
 * vfiosim_plug() - plug a device in
 * @desc: what it is; not needed afterwards
 *
 * The first one boots the machine: buses, drivers, the vfio modules. A PCI device has
 * no driver yet; a mediated one is bound. May wait for the driver core's locks.
 *
 * Return: the device, good until the end of the run, unplugged or not; NULL when the
 * kernel refused it, which takes fault injection or a second device of that name.
 */
VFIOSIM_API struct vfiosim_device *vfiosim_plug(const struct vfiosim_device_desc *desc);

/**
 * vfiosim_boot() - boot the machine without a device, for a scenario that brings its own
 *
 * vfiosim_plug() does it, and so does opening a node of /dev/vfio; code that calls the
 * modelled kernel's vfio functions itself has to, first.
 *
 * Return: 0, or the error of the module that could not be loaded.
 */
VFIOSIM_API int vfiosim_boot(void);

/** vfiosim_device_name() - what GET_DEVICE_FD wants to hear; on a real kernel not desc->name */
VFIOSIM_API const char *vfiosim_device_name(struct vfiosim_device *device);

/**
 * vfiosim_group_path() - the node of a device's group
 * @buffer: filled with "/dev/vfio/N", "/dev/vfio/noiommu-N", or a path that does not
 *	exist while the device is in no group
 *
 * Return: @buffer.
 */
#define VFIOSIM_PATH_MAX 32
VFIOSIM_API const char *vfiosim_group_path(struct vfiosim_device *device,
					   char buffer[VFIOSIM_PATH_MAX]);

/**
 * vfiosim_bind() - bind a device to a driver: driver_override, then "bind"
 * @process: who writes to sysfs; NULL for init
 * @driver: "vfio-pci", "vfio-mdev"; "pci-stub" and "pcieport", which leave a group
 *	viable; "host", which does not
 *
 * Takes the device lock for all of the probe. Follows bind_store() of drivers/base/bus.c.
 *
 * Return: 0; -ENOENT for no such driver; -ENODEV when the device is gone or does not
 * match; -EBUSY when it has a driver; or the probe's error (up to 6.1 a probe that
 * fails behind the driver's own returns 0: VF-202).
 */
VFIOSIM_API int vfiosim_bind(struct vfiosim_process *process, struct vfiosim_device *device,
			     const char *driver);
/**
 * vfiosim_unbind() - take its driver from a device; unbind_store()
 *
 * Takes the device lock, and may block for as long as anybody uses the device: the
 * wait asks the user at 0, 10, 20 ... seconds, and no signal ends it.
 *
 * Return: 0; -ENODEV when the device has no driver or is gone.
 */
VFIOSIM_API int vfiosim_unbind(struct vfiosim_process *process, struct vfiosim_device *device);
/**
 * vfiosim_unplug() - hot removal; pci_stop_and_remove_bus_device()
 *
 * Blocks as vfiosim_unbind() does. The device is gone when this returns.
 *
 * Return: 0, or -ENODEV when it was gone before.
 */
VFIOSIM_API int vfiosim_unplug(struct vfiosim_process *process, struct vfiosim_device *device);
/**
 * vfiosim_sysfs_reset() - echo 1 > reset; pci_reset_function()
 *
 * Takes the device lock, the driver's own reset preparations included.
 *
 * Return: 0; -ENOTTY for a device that knows no reset of its own; -ENODEV.
 */
VFIOSIM_API int vfiosim_sysfs_reset(struct vfiosim_process *process,
				    struct vfiosim_device *device);

/**
 * vfiosim_module_refs() - as /proc/modules tells, without the modules that depend on it
 *
 * Return: the count, or -ENOENT when @module is not loaded.
 */
VFIOSIM_API int vfiosim_module_refs(const char *module);
/**
 * vfiosim_rmmod() - unload a module; delete_module() of kernel/module.c
 *
 * Runs its exit function, which may wait. Return: 0; -ENOENT; -EWOULDBLOCK while it is
 * in use, by references or by a module; -EBUSY while it comes or goes.
 */
VFIOSIM_API int vfiosim_rmmod(struct vfiosim_process *process, const char *module);
/**
 * vfiosim_insmod() - load one of "vfio", "vfio_iommu_type1", "vfio_pci"
 *
 * All are loaded when the machine boots. Return: 0; -EEXIST; -ENOENT for no such module
 * or one that it depends on; or its init function's error.
 */
VFIOSIM_API int vfiosim_insmod(struct vfiosim_process *process, const char *module);

/**
 * vfiosim_peek() - look at kernel state that no system call shows
 * @what: "pins", "superblocks", "inodes" (those of the vfio filesystem), or for one
 *	device "mappings" (VMAs in its inode's tree), "ptes" (present in these),
 *	"inode-refs", "files"
 * @device: which, or NULL for a sum
 *
 * Takes no lock and is no choice point.
 *
 * Return: the number; -EINVAL for another word; -ENOSYS on a real kernel, and for all but
 * "files" with a core whose devices have no inode (6.1's).
 */
VFIOSIM_API long vfiosim_peek(const char *what, struct vfiosim_device *device);

/** vfiosim_peek_is() - whether vfiosim_peek() answers @value, or cannot answer */
VFIOSIM_API bool vfiosim_peek_is(const char *what, struct vfiosim_device *device, long value);

/** vfiosim_expect_peek() - expects it, wherever it can be seen */
#define vfiosim_expect_peek(what, device, value) \
	vfiosim_expect(vfiosim_peek_is((what), (device), (value)))

/*
 * ---- a user of vfio, in the usual five system calls ----
 *
 * Made of the calls above, whose errors they return.
 */
/** struct vfiosim_user - the descriptors of one that uses one device; -1: not open */
struct vfiosim_user {
	struct vfiosim_process *process;
	int container;
	int group;
	int device;
};

/**
 * vfiosim_user_open() - container, group, SET_CONTAINER, SET_IOMMU, GET_DEVICE_FD
 *
 * Return: 0, or the first call's error; what was opened by then is closed again.
 */
VFIOSIM_API int vfiosim_user_open(struct vfiosim_user *user, struct vfiosim_process *process,
				  struct vfiosim_device *device);
/** vfiosim_user_close() - device, group, container; entries that are -1 are skipped */
VFIOSIM_API void vfiosim_user_close(struct vfiosim_user *user);

/**
 * vfiosim_bar_map() - map all of a BAR, shared, readable and writable
 * @device_fd: the device's file, on which the mapping holds a reference
 * @bar: 0 to 5
 *
 * Return: the address, or the error of GET_REGION_INFO or mmap().
 */
VFIOSIM_API int64_t vfiosim_bar_map(struct vfiosim_process *process, int device_fd, int bar);
/** vfiosim_bar_size() - the size of a BAR in bytes as GET_REGION_INFO tells; 0 if it does not */
VFIOSIM_API uint64_t vfiosim_bar_size(struct vfiosim_process *process, int device_fd, int bar);

/**
 * vfiosim_memory_space() - set or clear the memory bit of the PCI command register
 *
 * A read and a write of config space. Clearing it zaps every mapping of the device, and
 * waits for the faults that are under way.
 *
 * Return: 0, or the first call's error.
 */
VFIOSIM_API int vfiosim_memory_space(struct vfiosim_process *process, int device_fd, bool on);

/*
 * ---- programs ----
 */

/**
 * vfiosim_main() - the command line over the scenarios of one program
 * @scenarios: ended by NULL; without arguments each one is run once
 *
 * Return: the exit status: 0 nothing found, 1 a failure or a difference, 2 bad input,
 * 3 a budget was used up, so nothing is proven.
 */
VFIOSIM_API int vfiosim_main(int argc, char **argv,
			     const struct vfiosim_scenario *const scenarios[]);

/**
 * VFIOSIM_PROGRAM() - at the end of a file: its scenarios, as pointers
 *
 * Makes the file a program of its own. Built with -DVFIOSIM_COLLECT it becomes a
 * part of a larger program instead, which finds all scenarios of its parts in
 * the linker section vfiosim_scenarios.
 */
#ifdef VFIOSIM_COLLECT
#define VFIOSIM_PROGRAM(...)							\
	static const struct vfiosim_scenario *const vfiosim_program_scenarios[]	\
	__attribute__((used, section("vfiosim_scenarios"))) = { __VA_ARGS__ }
#else
#define VFIOSIM_PROGRAM(...)							\
	int main(int argc, char **argv)						\
	{									\
		static const struct vfiosim_scenario *const scenarios[] = {	\
			__VA_ARGS__, NULL					\
		};								\
										\
		return vfiosim_main(argc, argv, scenarios);			\
	}									\
	extern int vfiosim_program_needs_semicolon
#endif

/* ---- exploration ---- */

/** enum vfiosim_strategy - how the next schedule is chosen */
enum vfiosim_strategy {
	VFIOSIM_EXHAUSTIVE = 0,	/**< depth first, one schedule of each trace (DPOR) */
	VFIOSIM_NAIVE,		/**< depth first, every schedule; to check the former */
	VFIOSIM_PCT,		/**< random priorities, depth-1 places where they change */
	VFIOSIM_RANDOM,		/**< uniform random walk */
	VFIOSIM_STATES,		/**< depth first over states; for scenarios that converge */
};

/** enum vfiosim_backtracking - how the explorer returns to a branch point */
enum vfiosim_backtracking {
	VFIOSIM_BACKTRACK_AUTO = 0,	/**< by the size of the live state */
	VFIOSIM_REEXECUTE,
	VFIOSIM_SNAPSHOT,
};

/**
 * struct vfiosim_options - zero in any field means its documented default
 * @strategy: how the next schedule is chosen
 * @backtracking: how the explorer returns to a branch point
 * @seed: for the random strategies; 0: 1
 * @runs_max: a budget; 0: 1,000,000, or 10,000 for the random strategies
 * @steps_max: steps of one run; 0: the engine's limit
 * @milliseconds_max: a budget of real time; 0: none
 * @depth: of the bugs that PCT looks for; 0: 3
 * @preemptions_bounded: @preemptions_max counts; else there is no bound
 * @preemptions_max: times in a run that a task that could go on is switched away
 * @faults_max: injected faults in a run; 0: nothing fails
 * @timeouts_max: timeouts in a run that pass while others could run; 0: none;
 *	UINT32_MAX: no bound, which takes fewer runs where it ends
 * @shard_index: which part of the schedules to run, below @shard_count
 * @shard_count: number of parts; 0: 1
 * @jobs: processes that share the work; 0: 1
 * @keep_going: go on after a failing run, and count what fails how often
 * @no_minimize: report the first failing schedule as it was found
 * @check_determinism: run each schedule twice and compare
 * @races: look for data races among plain accesses of code that was compiled
 *	with -fsanitize=thread; "data-race" is the detector
 * @plain_points: each plain access of such code is a choice point; implies @races
 * @progress: show on stderr how far it is
 * @checkpoint: file to save the state of the search to when it ends early
 * @resume: begin with what @checkpoint holds
 * @on_run: called after each run with a number that is the same for all
 *	schedules of one trace; NULL for none
 * @data: for @on_run
 */
struct vfiosim_options {
	enum vfiosim_strategy strategy;
	enum vfiosim_backtracking backtracking;
	uint64_t seed;
	uint64_t runs_max;
	uint64_t steps_max;
	uint64_t milliseconds_max;
	uint32_t depth;
	bool preemptions_bounded;
	uint32_t preemptions_max;
	uint32_t faults_max;
	uint32_t timeouts_max;
	uint32_t shard_index;
	uint32_t shard_count;
	uint32_t jobs;
	bool keep_going;
	bool no_minimize;
	bool check_determinism;
	bool races;
	bool plain_points;
	bool progress;
	const char *checkpoint;
	bool resume;
	void (*on_run)(void *data, enum vfiosim_verdict verdict, uint64_t trace);
	void *data;
};

/**
 * vfiosim_explore() - run @scenario under many schedules
 * @scenario: what to run
 * @options: limits, or NULL for all defaults
 * @report_out: set to a report that the caller frees, or NULL if not wanted
 *
 * Stops at the first run that does not end in VFIOSIM_OK, unless told to go on. One
 * exploration at a time in a process, and none from inside a scenario.
 *
 * Return: the verdict, also found in the report. VFIOSIM_BUDGET is no proof.
 */
VFIOSIM_API enum vfiosim_verdict
vfiosim_explore(const struct vfiosim_scenario *scenario, const struct vfiosim_options *options,
		struct vfiosim_report **report_out);

/** vfiosim_report_verdict() - what vfiosim_explore() returned */
VFIOSIM_API enum vfiosim_verdict vfiosim_report_verdict(const struct vfiosim_report *report);
/** vfiosim_report_runs() - runs that went to their end: with DPOR, distinct traces */
VFIOSIM_API uint64_t vfiosim_report_runs(const struct vfiosim_report *report);
/** vfiosim_report_cut() - runs dropped on the way, since another run covers them */
VFIOSIM_API uint64_t vfiosim_report_cut(const struct vfiosim_report *report);
/** vfiosim_report_states() - distinct states, of a search over states */
VFIOSIM_API uint64_t vfiosim_report_states(const struct vfiosim_report *report);
/** vfiosim_report_digest() - the set of traces as one number, whatever their order */
VFIOSIM_API uint64_t vfiosim_report_digest(const struct vfiosim_report *report);
/** vfiosim_report_detector() - what fired first, a name of docs/detectors.md, or NULL */
VFIOSIM_API const char *vfiosim_report_detector(const struct vfiosim_report *report);
/** vfiosim_report_text() - the whole report for a terminal; lives as long as @report */
VFIOSIM_API const char *vfiosim_report_text(const struct vfiosim_report *report);
/** vfiosim_report_free() - frees @report and all texts that it gave out; NULL is nothing */
VFIOSIM_API void vfiosim_report_free(struct vfiosim_report *report);

#ifdef __cplusplus
}
#endif

#endif
