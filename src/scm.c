// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that travel through a socket (SCM_RIGHTS) and are in nobody's table
 * meanwhile. Follows net/core/scm.c; the socket is a pair of queues and nothing
 * more: no data, no names, no blocking, and no search for cycles of sockets
 * that are in flight through each other.
 *
 * Lock order: the pair's lock is a leaf; files are put after it is dropped.
 */
#include "vfs.h"

#define SCM_MAX_FD 253

/* struct scm_fp_list: each entry owns one reference. */
struct scm_message {
	struct list_head list;
	unsigned int count;
	struct file *fp[];
};

struct scm_pair {
	atomic_t ends;		/* that are still open */
	spinlock_t lock;
	struct scm_end {
		struct scm_pair *pair;
		struct list_head queue;		/* what this end will receive */
		bool closed;
	} end[2];
};

static struct scm_end *scm_peer(struct scm_end *end)
{
	return &end->pair->end[end == &end->pair->end[0]];
}

/* Refs: drops each file of @message, the last one first. */
static void scm_destroy(struct scm_message *message)
{
	while (message->count)
		fput(message->fp[--message->count]);
	fs_free(message);
}

static void scm_destroy_queue(struct list_head *queue)
{
	while (!list_empty(queue)) {
		struct scm_message *message;

		message = list_first_entry(queue, struct scm_message, list);
		list_del(&message->list);
		scm_destroy(message);
	}
}

static int scm_release(struct inode *inode, struct file *file)
{
	struct scm_end *end = file->private_data;
	struct scm_pair *pair = end->pair;
	LIST_HEAD(unread);

	spin_lock(&pair->lock);
	end->closed = true;
	list_splice_init(&end->queue, &unread);
	spin_unlock(&pair->lock);
	scm_destroy_queue(&unread);
	if (atomic_dec_and_test(&pair->ends))
		fs_free(pair);
	return 0;
}

static const struct file_operations scm_fops = { .release = scm_release };

static struct scm_pair *scm_pair_alloc(void)
{
	struct scm_pair *pair = fs_alloc(struct scm_pair, "socket_pair");
	unsigned int i;

	if (!pair)
		return NULL;
	pair->ends.counter = 2;
	spin_lock_init(&pair->lock);
	for (i = 0; i < 2; i++) {
		pair->end[i].pair = pair;
		INIT_LIST_HEAD(&pair->end[i].queue);
	}
	return pair;
}

/*
 * Context: may sleep.
 * Refs:    on success both files are the caller's. On failure, none.
 */
int scm_socket_files(struct file *files[2])
{
	struct scm_pair *pair = scm_pair_alloc();

	if (!pair)
		return -ENOMEM;
	files[0] = anon_inode_getfile("[socket]", &scm_fops, &pair->end[0], O_RDWR);
	if (IS_ERR(files[0])) {
		fs_free(pair);
		return PTR_ERR(files[0]);
	}
	files[1] = anon_inode_getfile("[socket]", &scm_fops, &pair->end[1], O_RDWR);
	if (IS_ERR(files[1])) {
		/* The first one's release frees the pair: it is the only end left. */
		pair->end[1].closed = true;
		pair->ends.counter = 1;
		fput(files[0]);
		return PTR_ERR(files[1]);
	}
	return 0;
}

/* Return: 0 with both descriptors reserved, or -errno with none. */
static int reserve_two(int fds[2])
{
	fds[0] = get_unused_fd_flags(0);
	if (fds[0] < 0)
		return fds[0];
	fds[1] = get_unused_fd_flags(0);
	if (fds[1] < 0) {
		put_unused_fd(fds[0]);
		return fds[1];
	}
	return 0;
}

int ksys_socketpair(int fds[2])
{
	struct file *files[2];
	int ret;

	ret = reserve_two(fds);
	if (ret)
		return ret;
	ret = scm_socket_files(files);
	if (ret) {
		put_unused_fd(fds[0]);
		put_unused_fd(fds[1]);
		return ret;
	}
	fd_install(fds[0], files[0]);
	fd_install(fds[1], files[1]);
	return 0;
}

/* Refs: on success the message owns +1 on each of the files. */
static struct scm_message *scm_fp_copy(const int *fds, unsigned int count)
{
	struct scm_message *message;

	message = eng_alloc(sizeof(*message) + count * sizeof(message->fp[0]), "scm_fp_list",
			    true, __builtin_return_address(0));
	if (!message)
		return ERR_PTR(-ENOMEM);
	while (message->count < count) {
		struct file *file = fget_raw(fds[message->count]);

		if (!file) {
			scm_destroy(message);
			return ERR_PTR(-EBADF);
		}
		message->fp[message->count++] = file;
	}
	return message;
}

/* Refs: the peer's queue takes over @message. On failure, the caller keeps it. */
static int scm_enqueue(struct scm_end *end, struct scm_message *message)
{
	struct scm_end *peer = scm_peer(end);
	int ret = -EPIPE;

	spin_lock(&end->pair->lock);
	if (!peer->closed) {
		list_add_tail(&message->list, &peer->queue);
		eng_event("scm_send", end->pair, "files %u", message->count);
		ret = 0;
	}
	spin_unlock(&end->pair->lock);
	return ret;
}

/* Refs: on success +1 on the socket's file, in *@fd. */
static struct scm_end *scm_end_get(unsigned int socket, struct fd *fd)
{
	*fd = fdget(socket);
	if (!fd->file)
		return ERR_PTR(-EBADF);
	if (fd->file->f_op != &scm_fops) {
		fdput(*fd);
		return ERR_PTR(-ENOTSOCK);
	}
	return fd->file->private_data;
}

/* Context: may sleep. */
int ksys_send_fds(unsigned int socket, const int *fds, unsigned int count)
{
	struct scm_message *message;
	struct scm_end *end;
	struct fd fd;
	int ret;

	if (!count || count > SCM_MAX_FD)
		return -EINVAL;
	end = scm_end_get(socket, &fd);
	if (IS_ERR(end))
		return PTR_ERR(end);
	message = scm_fp_copy(fds, count);
	ret = IS_ERR(message) ? PTR_ERR(message) : scm_enqueue(end, message);
	if (ret && !IS_ERR(message))
		scm_destroy(message);
	fdput(fd);
	return ret;
}

/* Return: the oldest message; NULL: the peer is closed; or an error pointer. */
static struct scm_message *scm_dequeue(struct scm_end *end)
{
	struct scm_message *message = ERR_PTR(-EAGAIN);

	spin_lock(&end->pair->lock);
	if (!list_empty(&end->queue)) {
		message = list_first_entry(&end->queue, struct scm_message, list);
		list_del(&message->list);
	} else if (scm_peer(end)->closed) {
		message = NULL;
	}
	spin_unlock(&end->pair->lock);
	return message;
}

/* What finds no descriptor is dropped, and the receiver told how many came. */
static int scm_detach_fds(struct scm_message *message, int *fds, unsigned int max,
			  unsigned int flags)
{
	unsigned int i;

	for (i = 0; i < message->count && i < max; i++) {
		int fd = get_unused_fd_flags(flags);

		if (fd < 0)
			break;
		fd_install(fd, get_file(message->fp[i]));
		fds[i] = fd;
	}
	scm_destroy(message);
	return i;
}

int ksys_recv_fds(unsigned int socket, int *fds, unsigned int max, unsigned int flags)
{
	struct scm_message *message;
	struct scm_end *end;
	struct fd fd;
	int ret;

	end = scm_end_get(socket, &fd);
	if (IS_ERR(end))
		return PTR_ERR(end);
	message = scm_dequeue(end);
	ret = IS_ERR_OR_NULL(message) ? PTR_ERR(message) :
					scm_detach_fds(message, fds, max, flags);
	fdput(fd);
	return ret;
}
