// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds. Kernel original: fs/eventfd.c.
 *
 * Lock order: ctx->wqh.lock is innermost; it protects count. The context outlives
 * its file while a driver holds a reference.
 */
#include <linux/fcntl.h>

#include <vfiosim/kapi/eventfd.h>
#include <vfiosim/kapi/poll.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/uaccess.h>

#include "vfs.h"

#define EFD_SEMAPHORE 1	/* not in kapi: <sys/eventfd.h> has it as an enumerator */
#define EVENTFD_MAX (~0ULL)

struct eventfd_ctx {
	struct kref kref;
	wait_queue_head_t wqh;
	u64 count;
	unsigned int flags;
};

static void eventfd_free(struct kref *kref)
{
	kfree(container_of(kref, struct eventfd_ctx, kref));
}

void eventfd_ctx_put(struct eventfd_ctx *ctx)
{
	kref_put(&ctx->kref, eventfd_free);
}

u64 eventfd_signal(struct eventfd_ctx *ctx, u64 n)
{
	unsigned long flags;

	spin_lock_irqsave(&ctx->wqh.lock, flags);
	if (EVENTFD_MAX - ctx->count < n)
		n = EVENTFD_MAX - ctx->count;
	ctx->count += n;
	eng_event("eventfd_signal", ctx, "+%llu", n);
	wake_up_locked_poll(&ctx->wqh, EPOLLIN);
	spin_unlock_irqrestore(&ctx->wqh.lock, flags);
	return n;
}

void eventfd_ctx_do_read(struct eventfd_ctx *ctx, u64 *count)
{
	lockdep_assert_held(&ctx->wqh.lock);
	*count = (ctx->flags & EFD_SEMAPHORE) && ctx->count ? 1 : ctx->count;
	ctx->count -= *count;
}

int eventfd_ctx_remove_wait_queue(struct eventfd_ctx *ctx, wait_queue_entry_t *wait, u64 *count)
{
	unsigned long flags;

	spin_lock_irqsave(&ctx->wqh.lock, flags);
	eventfd_ctx_do_read(ctx, count);
	__remove_wait_queue(&ctx->wqh, wait);
	if (*count && waitqueue_active(&ctx->wqh))
		wake_up_locked_poll(&ctx->wqh, EPOLLOUT);
	spin_unlock_irqrestore(&ctx->wqh.lock, flags);
	return *count ? 0 : -EAGAIN;
}

u64 eventfd_ctx_peek(const struct eventfd_ctx *ctx)
{
	return ctx->count;
}

static int eventfd_release(struct inode *inode, struct file *file)
{
	struct eventfd_ctx *ctx = file->private_data;

	wake_up_poll(&ctx->wqh, EPOLLHUP);
	eventfd_ctx_put(ctx);
	return 0;
}

static __poll_t eventfd_poll(struct file *file, poll_table *wait)
{
	struct eventfd_ctx *ctx = file->private_data;
	u64 count;

	poll_wait(file, &ctx->wqh, wait);
	count = shared_READ_ONCE(ctx->count);
	return (count ? EPOLLIN : 0) | (count == EVENTFD_MAX ? EPOLLERR : 0) |
	       (count < EVENTFD_MAX - 1 ? EPOLLOUT : 0);
}

/* Try once; false when there is nothing. Locks: takes and drops the queue's lock. */
static bool eventfd_try_read(struct eventfd_ctx *ctx, u64 *count)
{
	bool any;

	spin_lock_irq(&ctx->wqh.lock);
	any = ctx->count;
	if (any) {
		eventfd_ctx_do_read(ctx, count);
		wake_up_locked_poll(&ctx->wqh, EPOLLOUT);
	}
	spin_unlock_irq(&ctx->wqh.lock);
	return any;
}

static ssize_t eventfd_read(struct file *file, char __user *buf, size_t size, loff_t *ppos)
{
	struct eventfd_ctx *ctx = file->private_data;
	u64 count;
	int ret;

	if (size < sizeof(count))
		return -EINVAL;
	while (!eventfd_try_read(ctx, &count)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(ctx->wqh, shared_READ_ONCE(ctx->count));
		if (ret)
			return ret;
	}
	return copy_to_user(buf, &count, sizeof(count)) ? -EFAULT : (ssize_t)sizeof(count);
}

static bool eventfd_try_write(struct eventfd_ctx *ctx, u64 count)
{
	bool room;

	spin_lock_irq(&ctx->wqh.lock);
	room = EVENTFD_MAX - ctx->count > count;
	if (room) {
		ctx->count += count;
		wake_up_locked_poll(&ctx->wqh, EPOLLIN);
	}
	spin_unlock_irq(&ctx->wqh.lock);
	return room;
}

static ssize_t eventfd_write(struct file *file, const char __user *buf, size_t size,
			     loff_t *ppos)
{
	struct eventfd_ctx *ctx = file->private_data;
	u64 count;
	int ret;

	if (size < sizeof(count))
		return -EINVAL;
	if (copy_from_user(&count, buf, sizeof(count)))
		return -EFAULT;
	if (count == EVENTFD_MAX)
		return -EINVAL;
	while (!eventfd_try_write(ctx, count)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(ctx->wqh, EVENTFD_MAX -
					       shared_READ_ONCE(ctx->count) > count);
		if (ret)
			return ret;
	}
	return sizeof(count);
}

static const struct file_operations eventfd_fops = {
	.llseek = noop_llseek,
	.release = eventfd_release,
	.poll = eventfd_poll,
	.read = eventfd_read,
	.write = eventfd_write,
};

struct eventfd_ctx *eventfd_ctx_fileget(struct file *file)
{
	struct eventfd_ctx *ctx = file->private_data;

	if (file->f_op != &eventfd_fops)
		return ERR_PTR(-EINVAL);
	kref_get(&ctx->kref);
	return ctx;
}

struct eventfd_ctx *eventfd_ctx_fdget(int fd)
{
	struct fd f = fdget(fd);
	struct eventfd_ctx *ctx;

	if (!f.file)
		return ERR_PTR(-EBADF);
	ctx = eventfd_ctx_fileget(f.file);
	fdput(f);
	return ctx;
}

static struct eventfd_ctx *eventfd_ctx_alloc(unsigned int count, int flags)
{
	struct eventfd_ctx *ctx = kmalloc(sizeof(struct eventfd_ctx), GFP_KERNEL);

	if (!ctx)
		return NULL;
	kref_init(&ctx->kref);
	init_waitqueue_head(&ctx->wqh);
	ctx->count = count;
	ctx->flags = flags;
	return ctx;
}

/* Refs: the file owns the context; on failure nothing is left. */
int do_eventfd(unsigned int count, int flags)
{
	struct eventfd_ctx *ctx;
	struct file *file;
	int fd;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | EFD_SEMAPHORE))
		return -EINVAL;
	ctx = eventfd_ctx_alloc(count, flags);
	if (!ctx)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_RDWR | (flags & O_CLOEXEC));
	if (fd < 0)
		goto err_put_ctx;
	file = anon_inode_getfile("[eventfd]", &eventfd_fops, ctx,
				  O_RDWR | (flags & O_NONBLOCK));
	if (IS_ERR(file))
		goto err_put_fd;
	fd_install(fd, file);
	return fd;

err_put_fd:
	put_unused_fd(fd);
	fd = PTR_ERR(file);
err_put_ctx:
	eventfd_ctx_put(ctx);
	return fd;
}
