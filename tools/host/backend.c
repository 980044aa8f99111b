// SPDX-License-Identifier: GPL-2.0-only
/*
 * include/vfiosim.h on a real kernel: processes, files and memory.
 *
 * The scenario's tasks are threads of the coordinator; each call goes to the
 * child process that stands for the modelled one, one call at a time for each
 * child. What cannot be asked of a real kernel (vfiosim_peek) answers -ENOSYS.
 *
 * Locks: a process's lock spans one request and its reply. The table lock
 * guards the list of processes and nests inside nothing.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "rpc.h"

struct vfiosim_process {
	struct vfiosim_process *next;
	pthread_mutex_t lock;
	int socket;
	int pidfd;
	pid_t pid;
	int fork_error;
	bool ended;
	char name[32];
};

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct vfiosim_process *processes;
static struct vfiosim_process nursery = { .lock = PTHREAD_MUTEX_INITIALIZER, .name = "nursery" };
static struct vfiosim_process *init_process;
static int expectations_failed;

/* ---- calls ---- */

struct call {
	enum host_call call;
	int64_t arguments[HOST_ARGUMENTS];
	const void *in;
	size_t in_size;
	void *out;
	size_t out_size;
	int fd_in;		/* sent along; -1 for none */
	int fd_out;		/* came back, or -1 */
	int64_t extra;
};

static int64_t make_call(struct vfiosim_process *process, struct call *call)
{
	struct host_request request = { .call = call->call };
	struct host_reply reply;
	long size = -1;

	if (process->ended)
		return -ESRCH;
	memcpy(request.arguments, call->arguments, sizeof(request.arguments));
	call->fd_out = -1;
	pthread_mutex_lock(&process->lock);
	if (host_send(process->socket, &request, sizeof(request), call->in, call->in_size,
		      call->fd_in) == 0)
		size = host_receive(process->socket, &reply, sizeof(reply), call->out,
				    call->out_size, &call->fd_out);
	pthread_mutex_unlock(&process->lock);

	if (size < 0) {
		process->ended = true;
		return -ESRCH;
	}
	call->extra = reply.extra;
	return reply.result;
}

static struct vfiosim_process *who(struct vfiosim_process *process)
{
	return process ? process : init_process;
}

static int64_t simple(struct vfiosim_process *process, enum host_call what, int64_t a, int64_t b,
		      int64_t c)
{
	struct call call = { .call = what, .arguments = { a, b, c }, .fd_in = -1 };

	return make_call(who(process), &call);
}

int64_t backend_text_call(struct vfiosim_process *process, enum host_call what, int64_t a,
			  const char *text, size_t size)
{
	struct call call = {
		.call = what, .arguments = { a }, .in = text, .in_size = size, .fd_in = -1,
	};

	return make_call(who(process), &call);
}

/* ---- processes ---- */

static struct vfiosim_process *adopt(const char *name, struct call *call)
{
	struct vfiosim_process *process = calloc(1, sizeof(*process));

	pthread_mutex_init(&process->lock, NULL);
	process->socket = call->fd_out;
	process->pid = (pid_t)call->extra;
	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	snprintf(process->name, sizeof(process->name), "%s", name);
	pthread_mutex_lock(&table_lock);
	process->next = processes;
	processes = process;
	pthread_mutex_unlock(&table_lock);
	return process;
}

struct vfiosim_process *vfiosim_process(const char *name)
{
	struct call call = { .call = HOST_SPAWN, .fd_in = -1 };
	int64_t result = make_call(&nursery, &call);

	if (result < 0) {
		fprintf(stderr, "host backend: cannot fork %s: %s\n", name, strerror(-result));
		exit(1);
	}
	return adopt(name, &call);
}

struct vfiosim_process *vfiosim_fork(struct vfiosim_process *parent, const char *child_name)
{
	struct call call = { .call = HOST_FORK, .fd_in = -1 };

	parent = who(parent);
	parent->fork_error = (int)make_call(parent, &call);
	return parent->fork_error ? NULL : adopt(child_name, &call);
}

int vfiosim_fork_error(struct vfiosim_process *parent)
{
	return who(parent)->fork_error;
}

void vfiosim_threads(struct vfiosim_process *process, unsigned int count)
{
	/* Calls of one process go one after another here, in any number of threads. */
	(void)process;
	(void)count;
}

int vfiosim_exec(struct vfiosim_process *process)
{
	struct call call = { .call = HOST_EXEC, .fd_in = -1 };
	struct host_request request = { .call = HOST_EXEC };
	struct host_reply reply;

	/* No reply to exec itself: the new image answers the next request. */
	process = who(process);
	pthread_mutex_lock(&process->lock);
	host_send(process->socket, &request, sizeof(request), NULL, 0, -1);
	host_receive(process->socket, &reply, sizeof(reply), NULL, 0, &call.fd_out);
	pthread_mutex_unlock(&process->lock);
	return (int)reply.result;
}

void vfiosim_exit(struct vfiosim_process *process)
{
	simple(process, HOST_EXIT, 0, 0, 0);
	vfiosim_wait_exit(process);
}

/* A pidfd becomes readable when the task has released its files. */
void vfiosim_wait_exit(struct vfiosim_process *process)
{
	struct pollfd poller = { .fd = process->pidfd, .events = POLLIN };

	while (poll(&poller, 1, -1) < 0 && errno == EINTR)
		;
	process->ended = true;
}

bool vfiosim_is_alive(struct vfiosim_process *process)
{
	struct pollfd poller = { .fd = process->pidfd, .events = POLLIN };

	return !process->ended && poll(&poller, 1, 0) == 0;
}

void vfiosim_sigaction(struct vfiosim_process *process, int signal,
		       enum vfiosim_signal_action action)
{
	simple(process, HOST_SIGACTION, signal, action, 0);
}

int vfiosim_kill(struct vfiosim_process *process, int signal)
{
	return kill(process->pid, signal) < 0 ? -errno : 0;
}

void vfiosim_rlimit_nofile(struct vfiosim_process *process, unsigned long limit)
{
	simple(process, HOST_RLIMIT, RLIMIT_NOFILE, (int64_t)limit, 0);
}

void vfiosim_rlimit_as(struct vfiosim_process *process, unsigned long bytes)
{
	simple(process, HOST_RLIMIT, RLIMIT_AS, (int64_t)bytes, 0);
}

void vfiosim_capability(struct vfiosim_process *process, int capability, bool on)
{
	simple(process, HOST_CAPABILITY, capability, on, 0);
}

/* ---- files ---- */

int vfiosim_open(struct vfiosim_process *process, const char *path, int flags)
{
	return (int)backend_text_call(process, HOST_OPEN, flags, path, strlen(path) + 1);
}

int vfiosim_close(struct vfiosim_process *process, int fd)
{
	return (int)simple(process, HOST_CLOSE, fd, 0, 0);
}

int vfiosim_close_range(struct vfiosim_process *process, unsigned int first, unsigned int last,
			unsigned int flags)
{
	return (int)simple(process, HOST_CLOSE_RANGE, first, last, flags);
}

int vfiosim_dup(struct vfiosim_process *process, int fd)
{
	return (int)simple(process, HOST_DUP, fd, 0, 0);
}

int vfiosim_dup2(struct vfiosim_process *process, int fd, int new_fd)
{
	return (int)simple(process, HOST_DUP2, fd, new_fd, 0);
}

int vfiosim_dup3(struct vfiosim_process *process, int fd, int new_fd, int flags)
{
	return (int)simple(process, HOST_DUP3, fd, new_fd, flags);
}

int vfiosim_fcntl(struct vfiosim_process *process, int fd, int command, long argument)
{
	return (int)simple(process, HOST_FCNTL, fd, command, argument);
}

/* Bad and process-own pointers go as they are; the scenario's memory is shipped. */
static bool is_own_memory(const void *pointer)
{
	return (uintptr_t)pointer >= 65536;
}

static ssize_t transfer(struct vfiosim_process *process, enum host_call what, int fd,
			const void *in, void *out, size_t size, int64_t offset)
{
	const void *pointer = in ? in : out;
	bool own = is_own_memory(pointer);
	struct call call = {
		.call = what, .fd_in = -1,
		.arguments = { fd, (int64_t)size, offset, own ? 0 : (int64_t)(uintptr_t)pointer },
		.in = own ? in : NULL, .in_size = own && in ? size : 0,
		.out = own ? out : NULL, .out_size = own && out ? size : 0,
	};

	return make_call(who(process), &call);
}

ssize_t vfiosim_read(struct vfiosim_process *process, int fd, void *buffer, size_t size)
{
	return transfer(process, HOST_READ, fd, NULL, buffer, size, 0);
}

ssize_t vfiosim_write(struct vfiosim_process *process, int fd, const void *buffer, size_t size)
{
	return transfer(process, HOST_WRITE, fd, buffer, NULL, size, 0);
}

ssize_t vfiosim_pread(struct vfiosim_process *process, int fd, void *buffer, size_t size,
		      int64_t offset)
{
	return transfer(process, HOST_PREAD, fd, NULL, buffer, size, offset);
}

ssize_t vfiosim_pwrite(struct vfiosim_process *process, int fd, const void *buffer, size_t size,
		       int64_t offset)
{
	return transfer(process, HOST_PWRITE, fd, buffer, NULL, size, offset);
}

int64_t vfiosim_lseek(struct vfiosim_process *process, int fd, int64_t offset, int whence)
{
	return simple(process, HOST_LSEEK, fd, offset, whence);
}

/* As much as can be read from @pointer on, up to a page: nobody says how long it is. */
static size_t window_read(const void *pointer, void *buffer, size_t size)
{
	struct iovec here = { buffer, size };
	struct iovec there = { (void *)pointer, size };
	uintptr_t to_page_end = 4096 - ((uintptr_t)pointer & 4095);
	ssize_t got = process_vm_readv(getpid(), &here, 1, &there, 1, 0);

	if (got < 0) {
		here.iov_len = there.iov_len = to_page_end < size ? to_page_end : size;
		got = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
	}
	return got < 0 ? 0 : (size_t)got;
}

long vfiosim_ioctl_word(struct vfiosim_process *process, int fd, unsigned long request,
			uintptr_t argument)
{
	char before[4096], after[4096];
	struct call call = {
		.call = HOST_IOCTL, .fd_in = -1,
		.arguments = { fd, (int64_t)request, (int64_t)argument },
		.in = before, .out = after, .out_size = sizeof(after),
	};
	long result;

	if (is_own_memory((void *)argument))
		call.in_size = window_read((void *)argument, before, sizeof(before));
	memcpy(after, before, call.in_size);
	result = make_call(who(process), &call);
	for (size_t i = 0; i < call.in_size; i++)	/* touch only what changed */
		if (after[i] != before[i])
			((char *)argument)[i] = after[i];
	return result;
}

int vfiosim_eventfd(struct vfiosim_process *process, unsigned int count, int flags)
{
	return (int)simple(process, HOST_EVENTFD, count, flags, 0);
}

int vfiosim_memfd(struct vfiosim_process *process, const char *name, unsigned int flags)
{
	return (int)backend_text_call(process, HOST_MEMFD, flags, name, strlen(name) + 1);
}

int vfiosim_ftruncate(struct vfiosim_process *process, int fd, int64_t length)
{
	return (int)simple(process, HOST_FTRUNCATE, fd, length, 0);
}

int vfiosim_punch(struct vfiosim_process *process, int fd, int64_t offset, int64_t length)
{
	return (int)simple(process, HOST_PUNCH, fd, offset, length);
}

int vfiosim_socketpair(struct vfiosim_process *a, struct vfiosim_process *b, int fds[2])
{
	struct call pair = { .call = HOST_SOCKETPAIR, .arguments = { a != b }, .fd_in = -1 };
	struct call adopt_end = { .call = HOST_ADOPT_SOCKET, .fd_in = -1 };
	int64_t result = make_call(who(a), &pair);

	if (result < 0)
		return (int)result;
	fds[0] = (int)result;
	fds[1] = (int)pair.extra;
	if (a == b)
		return 0;

	adopt_end.fd_in = pair.fd_out;
	result = make_call(who(b), &adopt_end);
	close(pair.fd_out);
	fds[1] = (int)result;
	return result < 0 ? (int)result : 0;
}

int vfiosim_send_fd(struct vfiosim_process *process, int socket, int fd)
{
	return (int)simple(process, HOST_SEND_FD, socket, fd, 0);
}

int vfiosim_recv_fd(struct vfiosim_process *process, int socket)
{
	return (int)simple(process, HOST_RECV_FD, socket, 0, 0);
}

/* ---- memory ---- */

int64_t vfiosim_mmap(struct vfiosim_process *process, uint64_t address, uint64_t length,
		     int protection, int flags, int fd, uint64_t offset)
{
	struct call call = {
		.call = HOST_MMAP, .fd_in = -1,
		.arguments = { (int64_t)address, (int64_t)length, protection, flags, fd,
			       (int64_t)offset },
	};

	return make_call(who(process), &call);
}

int vfiosim_munmap(struct vfiosim_process *process, uint64_t address, uint64_t length)
{
	return (int)simple(process, HOST_MUNMAP, (int64_t)address, (int64_t)length, 0);
}

int vfiosim_mprotect(struct vfiosim_process *process, uint64_t address, uint64_t length,
		     int protection)
{
	return (int)simple(process, HOST_MPROTECT, (int64_t)address, (int64_t)length, protection);
}

int64_t vfiosim_mremap(struct vfiosim_process *process, uint64_t address, uint64_t old_length,
		       uint64_t new_length, int flags, uint64_t new_address)
{
	struct call call = {
		.call = HOST_MREMAP, .fd_in = -1,
		.arguments = { (int64_t)address, (int64_t)old_length, (int64_t)new_length, flags,
			       (int64_t)new_address },
	};

	return make_call(who(process), &call);
}

int vfiosim_madvise(struct vfiosim_process *process, uint64_t address, uint64_t length, int advice)
{
	return (int)simple(process, HOST_MADVISE, (int64_t)address, (int64_t)length, advice);
}

enum vfiosim_touch vfiosim_load(struct vfiosim_process *process, uint64_t address, uint32_t *value)
{
	struct call call = { .call = HOST_LOAD, .arguments = { (int64_t)address }, .fd_in = -1 };
	int64_t result = make_call(who(process), &call);

	if (value && result == 0)
		*value = (uint32_t)call.extra;
	return (enum vfiosim_touch)result;
}

enum vfiosim_touch vfiosim_store(struct vfiosim_process *process, uint64_t address, uint32_t value)
{
	return (enum vfiosim_touch)simple(process, HOST_STORE, (int64_t)address, value, 0);
}

bool vfiosim_present(struct vfiosim_process *process, uint64_t address)
{
	return simple(process, HOST_PRESENT, (int64_t)address, 0, 0) == 1;
}

long vfiosim_peek(const char *what, struct vfiosim_device *device)
{
	(void)what;
	(void)device;
	return -ENOSYS;
}

bool vfiosim_peek_is(const char *what, struct vfiosim_device *device, long value)
{
	(void)value;
	return vfiosim_peek(what, device) == -ENOSYS;
}

/* ---- result lines, time, order ---- */

void vfiosim_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	flockfile(stdout);
	vprintf(format, arguments);
	putchar('\n');
	fflush(stdout);
	funlockfile(stdout);
	va_end(arguments);
}

void vfiosim_expect_at(bool holds, const char *fact, const char *file, int line)
{
	const char *slash = strrchr(file, '/');

	if (holds)
		return;
	__atomic_add_fetch(&expectations_failed, 1, __ATOMIC_RELAXED);
	vfiosim_say("EXPECTED %s at %s:%d", fact, slash ? slash + 1 : file, line);
}

int backend_expectations_failed(void)
{
	return __atomic_load_n(&expectations_failed, __ATOMIC_RELAXED);
}

void vfiosim_yield(void)
{
	/* Long enough for a call that another task is about to make, or to block in. */
	vfiosim_sleep_ms(50);
}

void vfiosim_sleep_ms(unsigned int milliseconds)
{
	struct timespec left = { milliseconds / 1000, (milliseconds % 1000) * 1000000L };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_opened = PTHREAD_COND_INITIALIZER;

void vfiosim_gate_open(struct vfiosim_gate *gate)
{
	pthread_mutex_lock(&gate_lock);
	gate->open = 1;
	pthread_cond_broadcast(&gate_opened);
	pthread_mutex_unlock(&gate_lock);
}

void vfiosim_gate_wait(struct vfiosim_gate *gate)
{
	pthread_mutex_lock(&gate_lock);
	while (!gate->open)
		pthread_cond_wait(&gate_opened, &gate_lock);
	pthread_mutex_unlock(&gate_lock);
}

/* ---- life of the backend ---- */

void backend_start(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		perror("host backend: socketpair");
		exit(1);
	}
	nursery.pid = fork();
	if (nursery.pid == 0) {
		close(ends[0]);
		for (int fd = 0; fd < 3; fd++)	/* numbers start at 0, as in the model */
			close(fd);
		host_serve(ends[1]);
	}
	close(ends[1]);
	nursery.socket = ends[0];
	init_process = vfiosim_process("init");
}

/* Ends every process of the scenario that ran last; init stays. */
void backend_end_scenario(void)
{
	for (struct vfiosim_process *p = processes; p; p = p->next)
		if (p != init_process && vfiosim_is_alive(p)) {
			kill(p->pid, SIGKILL);
			vfiosim_wait_exit(p);
		}
}
