/* SPDX-License-Identifier: GPL-2.0-only */
/* Eventfds: a counter behind a file, signalled by the kernel. */
#ifndef VFIOSIM_KAPI_EVENTFD_H
#define VFIOSIM_KAPI_EVENTFD_H

#include <vfiosim/kapi/fs.h>
#include <vfiosim/kapi/wait.h>

struct eventfd_ctx;

/* A new eventfd file and its descriptor, or -errno. Fault points of its steps. */
int do_eventfd(unsigned int count, int flags) SIM(do_eventfd);

/* The context behind a descriptor or file (+1 reference), or ERR_PTR: -EBADF, -EINVAL. */
struct eventfd_ctx *eventfd_ctx_fdget(int fd) KAPI(eventfd_ctx_fdget);
struct eventfd_ctx *eventfd_ctx_fileget(struct file *file) KAPI(eventfd_ctx_fileget);
void eventfd_ctx_put(struct eventfd_ctx *ctx) KAPI(eventfd_ctx_put);

/* Adds @n (saturating) and wakes readers; returns what was added. Context: any. */
u64 eventfd_signal(struct eventfd_ctx *ctx, u64 n) KAPI(eventfd_signal);
/* The count as a reader would get it; resets it. Context: the queue's lock is held. */
void eventfd_ctx_do_read(struct eventfd_ctx *ctx, u64 *count) KAPI(eventfd_ctx_do_read);
/*
 * Takes @wait off the queue, and the count with it, so that no signal is lost
 * between the two. 0, or -EAGAIN if the count was 0. Context: any.
 */
int eventfd_ctx_remove_wait_queue(struct eventfd_ctx *ctx, wait_queue_entry_t *wait, u64 *count)
	KAPI(eventfd_ctx_remove_wait_queue);
/* The count, untouched; no choice point, for checkers. */
u64 eventfd_ctx_peek(const struct eventfd_ctx *ctx) SIM(eventfd_ctx_peek);

#endif
