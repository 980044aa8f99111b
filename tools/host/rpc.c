// SPDX-License-Identifier: GPL-2.0-only
/* Packets between the coordinator and the processes that it speaks for. */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "rpc.h"

int host_send(int socket, const void *head, size_t head_size, const void *payload,
	      size_t payload_size, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec parts[2] = {
		{ (void *)head, head_size },
		{ (void *)payload, payload_size },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	if (fd >= 0) {
		struct cmsghdr *header;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}

	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

long host_receive(int socket, void *head, size_t head_size, void *payload,
		  size_t payload_size, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec parts[2] = { { head, head_size }, { payload, payload_size } };
	struct msghdr message = {
		.msg_iov = parts, .msg_iovlen = 2,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);

	if (fd)
		*fd = -1;
	if (size < (ssize_t)head_size)
		return -1;

	header = CMSG_FIRSTHDR(&message);
	if (fd && header && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return size - (ssize_t)head_size;
}
