// SPDX-License-Identifier: GPL-2.0-only
/*
 * What runs in each real process: carry out one request after another.
 *
 * The descriptor of the socket itself is kept out of the way, above every
 * number that a scenario can see, so that descriptor numbers agree with the
 * model's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rpc.h"

#define SOCKET_FD 1000		/* above what a scenario opens */

struct service {
	int socket;
	struct host_request request;
	struct host_reply reply;
	int fd_in;		/* came with the request */
	int fd_out;		/* goes with the reply */
	char payload[HOST_PAYLOAD_MAX];
};

static long or_errno(long result)
{
	return result < 0 ? -errno : result;
}

/* ---- touches ---- */

static sigjmp_buf touch_return;
static volatile int touch_outcome;

static void touch_failed(int signal, siginfo_t *info, void *context)
{
	(void)context;
	touch_outcome = signal | info->si_code << 8;
	siglongjmp(touch_return, 1);
}

static int touch(uint64_t address, uint32_t *value, int store)
{
	struct sigaction action = { .sa_sigaction = touch_failed, .sa_flags = SA_SIGINFO };
	volatile uint32_t *word = (volatile uint32_t *)address;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	touch_outcome = 0;
	if (sigsetjmp(touch_return, 1) == 0) {
		if (store)
			*word = *value;
		else
			*value = *word;
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return touch_outcome;
}

/* Whether a load finds the page there: it is there if the load took no fault. */
static int present(uint64_t address)
{
	struct rusage before, after;
	uint32_t value;
	int outcome;

	touch((uint64_t)&before, &value, 0);	/* the signal code itself is warm now */
	getrusage(RUSAGE_SELF, &before);
	getrusage(RUSAGE_SELF, &after);
	getrusage(RUSAGE_SELF, &before);
	outcome = touch(address, &value, 0);
	getrusage(RUSAGE_SELF, &after);
	return outcome == 0 && after.ru_minflt + after.ru_majflt ==
				       before.ru_minflt + before.ru_majflt;
}

/* ---- other processes ---- */

/* Moves @socket out of the way; a limit that the scenario has set is no obstacle. */
static int reserve_socket(int socket)
{
	struct rlimit limit, high;
	int fd;

	getrlimit(RLIMIT_NOFILE, &limit);
	high = limit;
	high.rlim_cur = high.rlim_max;
	setrlimit(RLIMIT_NOFILE, &high);
	fd = fcntl(socket, F_DUPFD_CLOEXEC, SOCKET_FD);
	setrlimit(RLIMIT_NOFILE, &limit);
	if (fd < 0)
		return socket;
	close(socket);
	return fd;
}

/* Fork; the child serves a socket of its own, whose other end goes with the reply. */
static long fork_child(struct service *service)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ends[0] = reserve_socket(ends[0]);
	ends[1] = reserve_socket(ends[1]);

	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return -errno;
	}
	if (pid == 0) {
		close(service->socket);
		close(ends[0]);
		host_serve(ends[1]);
	}

	close(ends[1]);
	service->fd_out = ends[0];
	service->reply.extra = pid;
	return 0;
}

/* exec of ourselves: everything that exec ends, ends; the socket survives. */
static long exec_self(struct service *service)
{
	char number[16];
	char *arguments[] = { "/proc/self/exe", "--serve", number, NULL };

	snprintf(number, sizeof(number), "%d", service->socket);
	fcntl(service->socket, F_SETFD, 0);
	execv("/proc/self/exe", arguments);
	return -errno;
}

static long send_fd(const struct service *service)
{
	char byte = 0;

	if (host_send((int)service->request.arguments[0], &byte, 1, NULL, 0,
		      (int)service->request.arguments[1]) < 0)
		return -errno;
	return 0;
}

static long receive_fd(const struct service *service)
{
	int socket = (int)service->request.arguments[0];
	int flags = fcntl(socket, F_GETFL);
	char byte;
	int fd = -1;

	if (flags < 0)
		return -errno;
	fcntl(socket, F_SETFL, flags | O_NONBLOCK);
	if (host_receive(socket, &byte, 1, NULL, 0, &fd) < 0)
		fd = -EAGAIN;
	fcntl(socket, F_SETFL, flags);
	return fd;
}

/* ---- the ioctl argument ---- */

/*
 * A small argument is a number (or a bad pointer on purpose). A larger one was a
 * pointer in the scenario: what lay there came as the payload, and goes back.
 */
static long do_ioctl(struct service *service)
{
	const int64_t *a = service->request.arguments;
	size_t size = service->request.payload_size;
	long result;

	if (size == 0)
		return or_errno(ioctl((int)a[0], (unsigned long)a[1], (unsigned long)a[2]));

	result = or_errno(ioctl((int)a[0], (unsigned long)a[1], service->payload));
	service->reply.payload_size = size;
	return result;
}

static long sysfs_write(const struct service *service)
{
	const char *path = service->payload;
	const char *text = path + strlen(path) + 1;
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long result;

	if (fd < 0)
		return -errno;
	result = or_errno(write(fd, text, strlen(text)));
	close(fd);
	return result < 0 ? result : 0;
}

static long load_or_unload(const struct service *service)
{
	char path[300];
	long result;
	int fd;

	if (!service->request.arguments[0])
		return or_errno(syscall(SYS_delete_module, service->payload, O_NONBLOCK));

	snprintf(path, sizeof(path), "/modules/%.200s.ko", service->payload);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ENOENT;
	result = or_errno(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	return result;
}

static void caught(int signal)
{
	(void)signal;
}

static long set_action(const struct service *service)
{
	struct sigaction action = { 0 };
	int what = (int)service->request.arguments[1];

	action.sa_handler = what == 0 ? SIG_DFL : what == 1 ? SIG_IGN : caught;
	return or_errno(sigaction((int)service->request.arguments[0], &action, NULL));
}

static long set_rlimit(const struct service *service)
{
	int which = (int)service->request.arguments[0];
	struct rlimit limit;

	getrlimit(which, &limit);
	limit.rlim_cur = (rlim_t)service->request.arguments[1];
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	return or_errno(setrlimit(which, &limit));
}

static long set_capability(const struct service *service)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	unsigned int capability = (unsigned int)service->request.arguments[0];
	uint32_t bit = 1U << (capability % 32);

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	if (service->request.arguments[1])
		data[capability / 32].effective |= bit;
	else
		data[capability / 32].effective &= ~bit;
	return or_errno(syscall(SYS_capset, &header, data));
}

/* ---- dispatch ---- */

static long file_call(struct service *s)
{
	const int64_t *a = s->request.arguments;

	switch (s->request.call) {
	case HOST_OPEN:
		return or_errno(open(s->payload, (int)a[0], 0600));
	case HOST_CLOSE:
		return or_errno(close((int)a[0]));
	case HOST_CLOSE_RANGE:
		return or_errno(syscall(SYS_close_range, (unsigned int)a[0],
					a[1] >= SOCKET_FD ? SOCKET_FD - 1 : (unsigned int)a[1],
					(unsigned int)a[2]));
	case HOST_DUP:
		return or_errno(dup((int)a[0]));
	case HOST_DUP2:
		return or_errno(dup2((int)a[0], (int)a[1]));
	case HOST_DUP3:
		return or_errno(dup3((int)a[0], (int)a[1], (int)a[2]));
	case HOST_FCNTL:
		return or_errno(fcntl((int)a[0], (int)a[1], (long)a[2]));
	case HOST_LSEEK:
		return or_errno(lseek((int)a[0], a[1], (int)a[2]));
	case HOST_IOCTL:
		return do_ioctl(s);
	case HOST_EVENTFD:
		return or_errno(eventfd((unsigned int)a[0], (int)a[1]));
	case HOST_MEMFD:
		return or_errno(memfd_create(s->payload, (unsigned int)a[0]));
	case HOST_FTRUNCATE:
		return or_errno(ftruncate((int)a[0], a[1]));
	case HOST_PUNCH:
		return or_errno(fallocate((int)a[0], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					  a[1], a[2]));
	case HOST_SEND_FD:
		return send_fd(s);
	case HOST_RECV_FD:
		return receive_fd(s);
	default:
		return -ENOSYS;
	}
}

static long transfer_call(struct service *s)
{
	const int64_t *a = s->request.arguments;
	size_t size = a[1] < HOST_PAYLOAD_MAX ? (size_t)a[1] : HOST_PAYLOAD_MAX;
	long result;

	switch (s->request.call) {
	case HOST_READ:
		result = or_errno(read((int)a[0], a[3] ? (void *)a[3] : s->payload, size));
		break;
	case HOST_PREAD:
		result = or_errno(pread((int)a[0], a[3] ? (void *)a[3] : s->payload, size, a[2]));
		break;
	case HOST_WRITE:
		return or_errno(write((int)a[0], a[3] ? (void *)a[3] : s->payload, size));
	default:
		return or_errno(pwrite((int)a[0], a[3] ? (void *)a[3] : s->payload, size, a[2]));
	}
	s->reply.payload_size = result > 0 && !a[3] ? result : 0;
	return result;
}

static long memory_call(struct service *s)
{
	const int64_t *a = s->request.arguments;
	uint32_t value;
	void *address;
	int outcome;

	switch (s->request.call) {
	case HOST_MMAP:
		address = mmap((void *)a[0], (size_t)a[1], (int)a[2], (int)a[3], (int)a[4], a[5]);
		return address == MAP_FAILED ? -errno : (long)address;
	case HOST_MUNMAP:
		return or_errno(munmap((void *)a[0], (size_t)a[1]));
	case HOST_MPROTECT:
		return or_errno(mprotect((void *)a[0], (size_t)a[1], (int)a[2]));
	case HOST_MREMAP:
		address = mremap((void *)a[0], (size_t)a[1], (size_t)a[2], (int)a[3], (void *)a[4]);
		return address == MAP_FAILED ? -errno : (long)address;
	case HOST_MADVISE:
		return or_errno(madvise((void *)a[0], (size_t)a[1], (int)a[2]));
	case HOST_PRESENT:
		return present((uint64_t)a[0]);
	case HOST_LOAD:
	case HOST_STORE:
		value = (uint32_t)a[1];
		outcome = touch((uint64_t)a[0], &value, s->request.call == HOST_STORE);
		s->reply.extra = value;
		return outcome;
	default:
		return -ENOSYS;
	}
}

static long process_call(struct service *s)
{
	int ends[2];

	switch (s->request.call) {
	case HOST_SPAWN:
	case HOST_FORK:
		return fork_child(s);
	case HOST_EXEC:
		return exec_self(s);
	case HOST_EXIT:
		_exit(0);
	case HOST_SOCKETPAIR:
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
			return -errno;
		s->reply.extra = ends[1];
		if (s->request.arguments[0]) {		/* the other end is somebody else's */
			s->fd_out = reserve_socket(ends[1]);
			s->reply.extra = -1;
		}
		return ends[0];
	case HOST_ADOPT_SOCKET:
		return or_errno(fcntl(s->fd_in, F_DUPFD, 0));
	case HOST_SIGACTION:
		return set_action(s);
	case HOST_RLIMIT:
		return set_rlimit(s);
	case HOST_CAPABILITY:
		return set_capability(s);
	case HOST_SYSFS_WRITE:
		return sysfs_write(s);
	case HOST_MODULE:
		return load_or_unload(s);
	default:
		return -ENOSYS;
	}
}

static long carry_out(struct service *service)
{
	switch (service->request.call) {
	case HOST_OPEN ... HOST_FCNTL:
	case HOST_LSEEK ... HOST_PUNCH:
	case HOST_SEND_FD:
	case HOST_RECV_FD:
		return file_call(service);
	case HOST_READ ... HOST_PWRITE:
		return transfer_call(service);
	case HOST_MMAP ... HOST_PRESENT:
		return memory_call(service);
	default:
		return process_call(service);
	}
}

void host_serve(int socket)
{
	static struct service service;

	service.socket = reserve_socket(socket);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);

	for (;;) {
		long size = host_receive(service.socket, &service.request, sizeof(service.request),
					 service.payload, sizeof(service.payload), &service.fd_in);

		if (size < 0)
			_exit(0);
		service.fd_out = -1;
		service.reply = (struct host_reply){ 0 };
		service.request.payload_size = (uint32_t)size;
		service.reply.result = carry_out(&service);
		if (host_send(service.socket, &service.reply, sizeof(service.reply),
			      service.payload, service.reply.payload_size, service.fd_out) < 0)
			_exit(0);
		if (service.fd_out >= 0)
			close(service.fd_out);
		if (service.fd_in >= 0)
			close(service.fd_in);
	}
}
