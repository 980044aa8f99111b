/* SPDX-License-Identifier: GPL-2.0-only */
/* poll(): a file operation tells its wait queues to whoever asks. */
#ifndef VFIOSIM_KAPI_POLL_H
#define VFIOSIM_KAPI_POLL_H

#include <vfiosim/kapi/fs.h>
#include <vfiosim/kapi/wait.h>

#define EPOLLIN 0x00000001
#define EPOLLOUT 0x00000004
#define EPOLLERR 0x00000008
#define EPOLLHUP 0x00000010

/* What a wake-up says of the events that it is for. */
static inline __poll_t key_to_poll(const void *key)
{
	return (__poll_t)(unsigned long)key;
}

typedef void (*poll_queue_proc)(struct file *file, wait_queue_head_t *wq,
				struct poll_table_struct *table);

struct poll_table_struct {
	poll_queue_proc _qproc;
	__poll_t _key;
};

static inline void init_poll_funcptr(struct poll_table_struct *table, poll_queue_proc qproc)
{
	table->_qproc = qproc;
	table->_key = ~0U;
}

static inline void poll_wait(struct file *file, wait_queue_head_t *wq,
			     struct poll_table_struct *table)
{
	if (table && table->_qproc && wq)
		table->_qproc(file, wq, table);
}

/* A file without the operation is always ready for reading and writing. */
static inline __poll_t vfs_poll(struct file *file, struct poll_table_struct *table)
{
	if (!file->f_op->poll)
		return EPOLLIN | EPOLLOUT;
	return file->f_op->poll(file, table);
}

#endif
