// SPDX-License-Identifier: GPL-2.0-only
/*
 * Worker processes on the live kernel. Every worker holds one end of a socket
 * pair; the pairs of all processes that can ever be are made before the first
 * fork, since a worker's children are forks of it and of nobody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#include "live.h"

#define SHARED_SIZE 65536
#define SMAPS_SIZE (4UL << 20)
#define EXIT_WAIT_MS 10000

enum order { ORDER_CALL, ORDER_LOAD, ORDER_STORE, ORDER_FORK, ORDER_EXIT };

struct request {
	enum order order;
	unsigned int child;
	long number;
	long args[LIVE_ARGS];
	uint64_t value;
};

struct reply {
	long result;		/* of a call, or the child's pid */
	int signal;
	int code;
	uint64_t value;
};

struct worker {
	pid_t pid;
	int smaps;
	int pagemap;
	int pidfd;
};

struct live {
	int channel[MMOP_PROCS_MAX][2];	/* ours, the worker's */
	struct worker worker[MMOP_PROCS_MAX];	/* pid 0: not alive */
	unsigned int procs;
	void *shared;
	char *text;		/* of smaps */
};

void live_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

/* ---- in the worker ---- */

static sigjmp_buf touch_failed;
static volatile sig_atomic_t touch_signal, touch_code;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	touch_signal = signal;
	touch_code = info->si_code;
	siglongjmp(touch_failed, 1);
}

static void touch(const struct request *request, struct reply *reply)
{
	volatile uint64_t *address = (volatile uint64_t *)request->args[0];

	if (sigsetjmp(touch_failed, 1)) {
		reply->signal = touch_signal;
		reply->code = touch_code;
	} else if (request->order == ORDER_STORE) {
		*address = request->value;
	} else {
		reply->value = *address;
	}
}

static void call(const struct request *request, struct reply *reply)
{
	const long *a = request->args;

	reply->result = syscall(request->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (reply->result == -1)
		reply->result = -errno;
}

/* In the child: *id becomes its own. */
static void split(const struct request *request, struct reply *reply, unsigned int *id)
{
	pid_t pid = fork();

	reply->result = pid < 0 ? -errno : pid;
	if (pid == 0) {
		*id = request->child;
		reply->result = getpid();
	}
}

static void obey(struct live *live, unsigned int id)
{
	struct request request;

	for (;;) {
		struct reply reply = { 0 };

		if (recv(live->channel[id][1], &request, sizeof(request), 0) != sizeof(request) ||
		    request.order == ORDER_EXIT)
			_exit(0);
		if (request.order == ORDER_CALL)
			call(&request, &reply);
		else if (request.order == ORDER_FORK)
			split(&request, &reply, &id);
		else
			touch(&request, &reply);
		if (send(live->channel[id][1], &reply, sizeof(reply), 0) != sizeof(reply))
			_exit(1);
	}
}

/* Shared mappings of a file that nothing else maps: no neighbour joins them. */
static bool map_guards(unsigned long base, unsigned int window)
{
	unsigned long size = MMOP_GUARD * MMOP_PAGE;
	unsigned long at[2] = { base - size, base + window * MMOP_PAGE };
	int fd = memfd_create("guard", 0);

	if (fd < 0 || ftruncate(fd, size))
		return false;
	for (int i = 0; i < 2; i++)
		if (mmap((void *)at[i], size, PROT_NONE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd,
			 0) != (void *)at[i])
			return false;
	close(fd);
	return true;
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	signal(SIGCHLD, SIG_IGN);
}

static void __attribute__((noreturn)) be_first(struct live *live, unsigned long base,
					       unsigned int window)
{
	struct reply reply = { 0 };

	catch_faults();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0; i < MMOP_PROCS_MAX; i++)
		close(live->channel[i][0]);	/* so that the end of the controller shows */
	if (base && !map_guards(base, window))
		reply.result = -errno;
	if (send(live->channel[0][1], &reply, sizeof(reply), 0) != sizeof(reply))
		_exit(1);
	obey(live, 0);
	_exit(0);
}

/* ---- in the controller ---- */

static int open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool adopt(struct live *live, unsigned int proc, pid_t pid)
{
	live->worker[proc] = (struct worker){
		.pid = pid,
		.smaps = open_proc(pid, "smaps"),
		.pagemap = open_proc(pid, "pagemap"),
		.pidfd = syscall(SYS_pidfd_open, pid, 0),
	};
	live->procs = proc + 1;
	return live->worker[proc].smaps >= 0 && live->worker[proc].pagemap >= 0 &&
	       live->worker[proc].pidfd >= 0;
}

static void receive(struct live *live, unsigned int proc, struct reply *reply)
{
	if (recv(live->channel[proc][0], reply, sizeof(*reply), 0) != sizeof(*reply))
		live_die("worker process %u has died", proc);
}

static void ask(struct live *live, unsigned int proc, const struct request *request,
		struct reply *reply)
{
	if (!live_alive(live, proc))
		live_die("process %u is not alive", proc);
	if (send(live->channel[proc][0], request, sizeof(*request), MSG_NOSIGNAL) !=
	    sizeof(*request))
		live_die("cannot reach worker process %u: %s", proc, strerror(errno));
	receive(live, proc, reply);
}

static bool make_channels(struct live *live)
{
	for (unsigned int i = 0; i < MMOP_PROCS_MAX; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, live->channel[i]))
			return false;
	return true;
}

static const char *start_first(struct live *live, unsigned long base, unsigned int window)
{
	struct reply reply;
	uint64_t entry;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return "fork fails";
	if (pid == 0)
		be_first(live, base, window);
	if (!adopt(live, 0, pid))
		return "smaps, pagemap or pidfd_open of a child is not available";
	receive(live, 0, &reply);
	if (reply.result)
		return "memfd_create fails or the window's addresses are taken";
	if (pread(live->worker[0].pagemap, &entry, sizeof(entry),
		  (long)live->shared / MMOP_PAGE * sizeof(entry)) != sizeof(entry))
		return "pagemap of a child cannot be read";
	return NULL;
}

static void *map_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		live_die("no memory");
	return memory;
}

struct live *live_start(unsigned long base, unsigned int window, const char **why)
{
	struct live *live = calloc(1, sizeof(*live));

	*why = NULL;
	if (RUNNING_ON_VALGRIND)
		*why = "Valgrind stands between the program and the kernel";
	else if (sysconf(_SC_PAGESIZE) != MMOP_PAGE)
		*why = "pages are not of 4096 bytes";
	else if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		*why = "huge pages cannot be switched off";
	else if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		*why = "PR_SET_CHILD_SUBREAPER is not allowed";
	else if (!make_channels(live))
		*why = "socketpair fails";
	if (*why) {
		free(live);
		return NULL;
	}
	live->shared = map_shared(SHARED_SIZE);
	live->text = malloc(SMAPS_SIZE);
	*why = start_first(live, base, window);
	if (*why) {
		live_stop(live);
		return NULL;
	}
	return live;
}

void live_stop(struct live *live)
{
	for (unsigned int i = 0; i < live->procs; i++)
		if (live_alive(live, i))
			live_exit(live, i);
	for (unsigned int i = 0; i < MMOP_PROCS_MAX; i++) {
		close(live->channel[i][0]);
		close(live->channel[i][1]);
	}
	munmap(live->shared, SHARED_SIZE);
	free(live->text);
	free(live);
}

long live_call(struct live *live, unsigned int proc, long number, const long args[LIVE_ARGS])
{
	struct request request = { .order = ORDER_CALL, .number = number };
	struct reply reply;

	memcpy(request.args, args, sizeof(request.args));
	ask(live, proc, &request, &reply);
	return reply.result;
}

void *live_shared(const struct live *live)
{
	return live->shared;
}

static enum mmop_outcome signal_outcome(int signal, int code)
{
	if (signal == SIGSEGV && code == SEGV_MAPERR)
		return MMOP_MAPERR;
	if (signal == SIGSEGV && code == SEGV_ACCERR)
		return MMOP_ACCERR;
	if (signal == SIGBUS && code == BUS_ADRERR)
		return MMOP_ADRERR;
	live_die("a touch got signal %d with code %d", signal, code);
}

enum mmop_outcome live_touch(struct live *live, unsigned int proc, unsigned long addr,
			     bool write, uint64_t *value)
{
	struct request request = { .order = write ? ORDER_STORE : ORDER_LOAD };
	struct reply reply;

	request.args[0] = addr;
	request.value = write ? *value : 0;
	ask(live, proc, &request, &reply);
	if (reply.signal)
		return signal_outcome(reply.signal, reply.code);
	if (!write)
		*value = reply.value;
	return MMOP_OK;
}

int live_fork(struct live *live, unsigned int proc)
{
	struct request request = { .order = ORDER_FORK, .child = live->procs };
	struct reply reply;

	if (live->procs == MMOP_PROCS_MAX)
		return -EAGAIN;
	ask(live, proc, &request, &reply);
	if (reply.result < 0)
		return reply.result;
	receive(live, request.child, &reply);
	if (!adopt(live, request.child, reply.result))
		live_die("the proc files of process %u cannot be opened", request.child);
	return request.child;
}

void live_exit(struct live *live, unsigned int proc)
{
	struct worker *worker = &live->worker[proc];
	struct request request = { .order = ORDER_EXIT };
	struct pollfd ended = { .fd = worker->pidfd, .events = POLLIN };

	send(live->channel[proc][0], &request, sizeof(request), MSG_NOSIGNAL);
	if (worker->pidfd >= 0 && poll(&ended, 1, EXIT_WAIT_MS) != 1)
		live_die("process %u does not end", proc);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	close(worker->smaps);
	close(worker->pagemap);
	close(worker->pidfd);
	worker->pid = 0;
}

bool live_alive(const struct live *live, unsigned int proc)
{
	return proc < live->procs && live->worker[proc].pid;
}

static void read_smaps(struct live *live, unsigned int proc)
{
	size_t length = 0;
	ssize_t done;

	do {
		done = pread(live->worker[proc].smaps, live->text + length,
			     SMAPS_SIZE - 1 - length, length);
		if (done < 0)
			live_die("smaps of process %u: %s", proc, strerror(errno));
		length += done;
	} while (done);
	live->text[length] = '\0';
}

/* "VmFlags: rd wr sh \n" as " rd wr sh ". */
static void copy_flags(const char *line, struct live_vma *vma)
{
	size_t length = strcspn(line, "\n");

	if (length >= sizeof(vma->flags))
		live_die("VmFlags are longer than expected");
	memcpy(vma->flags, line, length);
	vma->flags[length] = '\0';
}

/* True if @line starts a mapping; fills @vma. */
static bool parse_mapping(const char *line, struct live_vma *vma)
{
	memset(vma, 0, sizeof(*vma));
	return sscanf(line, "%lx-%lx %7s %lx %*x:%*x %lu", &vma->start, &vma->end, vma->perm,
		      &vma->offset, &vma->inode) == 5;
}

unsigned int live_maps(struct live *live, unsigned int proc, unsigned long start,
		       unsigned long end, struct live_vma *vmas, unsigned int max)
{
	struct live_vma *last = NULL, vma;
	unsigned int count = 0;

	read_smaps(live, proc);
	for (char *line = live->text; *line; line = strchr(line, '\n') + 1) {
		if (!strncmp(line, "VmFlags:", 8)) {
			if (last)
				copy_flags(line + 8, last);
			last = NULL;
		} else if (strspn(line, "0123456789abcdef") >= 8 && parse_mapping(line, &vma)) {
			if (vma.start >= end || count == max)
				break;
			if (vma.end > start) {
				last = &vmas[count++];
				*last = vma;
			}
		}
	}
	return count;
}

void live_pagemap(struct live *live, unsigned int proc, unsigned long addr, unsigned int pages,
		  uint64_t *entries)
{
	ssize_t size = pages * sizeof(*entries);

	if (pread(live->worker[proc].pagemap, entries, size,
		  addr / MMOP_PAGE * sizeof(*entries)) != size)
		live_die("pagemap of process %u: %s", proc, strerror(errno));
}

/* KiB of private pages in the mapping of this process that holds @addr; -1: unknown. */
static long anonymous_kb(unsigned long addr)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	struct live_vma vma = { 0 }, next;
	long kb = -1;
	char line[512];

	while (smaps && kb < 0 && fgets(line, sizeof(line), smaps)) {
		if (parse_mapping(line, &next))
			vma = next;
		else if (vma.start <= addr && addr < vma.end)
			sscanf(line, "Anonymous: %ld", &kb);
	}
	if (smaps)
		fclose(smaps);
	return kb;
}

bool live_zeropage(void)
{
	/* One page between two that are no part of its mapping: too small for a huge one. */
	char *memory = mmap(NULL, 3 * MMOP_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *page = memory + MMOP_PAGE;
	long kb;

	if (memory == MAP_FAILED || mprotect(page, MMOP_PAGE, PROT_READ | PROT_WRITE))
		live_die("no memory");
	(void)*(volatile char *)page;
	kb = anonymous_kb((unsigned long)page);
	munmap(memory, 3 * MMOP_PAGE);
	return kb <= 0;
}
