/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One real process for each modelled one: the scenario runs in a coordinator,
 * which asks children over sequenced-packet sockets to make the system calls.
 *
 * All children descend from a nursery that was forked before anything was
 * opened or mapped. A process that writes "unbind" while it holds a mapping of
 * the device, even by inheritance, waits for itself for ever.
 */
#ifndef VFIOSIM_HOST_RPC_H
#define VFIOSIM_HOST_RPC_H

#include <stddef.h>
#include <stdint.h>

enum host_call {
	HOST_SPAWN,		/* nursery only: a new process; its socket comes back */
	HOST_FORK,		/* the same, as a child of the process asked */
	HOST_EXEC,
	HOST_EXIT,
	HOST_OPEN,
	HOST_CLOSE,
	HOST_CLOSE_RANGE,
	HOST_DUP,
	HOST_DUP3,
	HOST_DUP2,
	HOST_FCNTL,
	HOST_READ,
	HOST_WRITE,
	HOST_PREAD,
	HOST_PWRITE,
	HOST_LSEEK,
	HOST_IOCTL,
	HOST_EVENTFD,
	HOST_MEMFD,
	HOST_FTRUNCATE,
	HOST_PUNCH,
	HOST_SOCKETPAIR,
	HOST_ADOPT_SOCKET,	/* take the descriptor that comes with the request */
	HOST_SEND_FD,
	HOST_RECV_FD,
	HOST_MMAP,
	HOST_MUNMAP,
	HOST_MPROTECT,
	HOST_MREMAP,
	HOST_MADVISE,
	HOST_LOAD,
	HOST_STORE,
	HOST_PRESENT,
	HOST_SIGACTION,
	HOST_RLIMIT,
	HOST_CAPABILITY,
	HOST_SYSFS_WRITE,	/* payload: path NUL text */
	HOST_MODULE,		/* payload: name; argument 0: load (1) or unload (0) */
};

#define HOST_PAYLOAD_MAX 65536
#define HOST_ARGUMENTS 6

struct host_request {
	uint32_t call;
	uint32_t payload_size;
	int64_t arguments[HOST_ARGUMENTS];
};

struct host_reply {
	int64_t result;		/* value or -errno */
	int64_t extra;		/* a second result: a pid, a loaded value, a second fd */
	uint32_t payload_size;
	uint32_t reserved;
};

/* One packet with @fd (-1: none) beside it. Return: 0, or -1 when the peer is gone. */
int host_send(int socket, const void *head, size_t head_size, const void *payload,
	      size_t payload_size, int fd);
/* Return: bytes of payload, or -1. *@fd is the descriptor that came along, or -1. */
long host_receive(int socket, void *head, size_t head_size, void *payload,
		  size_t payload_size, int *fd);

/* The child's side: answers requests until the socket closes. */
void host_serve(int socket) __attribute__((noreturn));

#endif
