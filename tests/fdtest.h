/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that note their flushes and releases, and tasks with descriptor tables. */
#ifndef VFIOSIM_FDTEST_H
#define VFIOSIM_FDTEST_H

#include "vfs.h"

#define NOTES_MAX 16

/* Tags in the order in which it happened. */
struct notes {
	unsigned int count;
	long tag[NOTES_MAX];
};

static struct notes released KSTATE;
static struct notes flushed KSTATE;
static int flush_result KSTATE;

static void note(struct notes *notes, long tag)
{
	BUG_ON(notes->count == NOTES_MAX);
	notes->tag[notes->count++] = tag;
}

static int note_flush(struct file *file, fl_owner_t id)
{
	note(&flushed, (long)file->private_data);
	return flush_result;
}

static int note_release(struct inode *inode, struct file *file)
{
	note(&released, (long)file->private_data);
	return 0;
}

static ssize_t note_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	return 0;
}

static ssize_t note_write(struct file *file, const char __user *buf, size_t count, loff_t *ppos)
{
	return count;
}

static struct module note_module KSTATE = {
	.state = MODULE_STATE_LIVE, .refcnt = ATOMIC_INIT(1), .name = "note",
};

static const struct file_operations note_fops = {
	.owner = &note_module,
	.flush = note_flush,
	.release = note_release,
	.read = note_read,
	.write = note_write,
};

static inline struct file *note_file(long tag)
{
	return anon_inode_getfile("[note]", &note_fops, (void *)tag, O_RDWR);
}

/* Opens a file called @tag at the lowest free descriptor. */
static inline int note_fd(long tag)
{
	return anon_inode_getfd("[note]", &note_fops, (void *)tag, O_RDWR);
}

/* @notes are @count tags, in this order: true if so. */
static inline bool noted(const struct notes *notes, unsigned int count, const long *tags)
{
	return notes->count == count && !memcmp(notes->tag, tags, count * sizeof(*tags));
}
#define NOTED(notes, ...) \
	noted(&(notes), sizeof((long[]){ __VA_ARGS__ }) / sizeof(long), (long[]){ __VA_ARGS__ })

/* The current task becomes a process with an empty table. */
static inline void process_begin(void)
{
	struct task_struct *task = get_current();

	/* Once more, if the first one is the fault of this run. */
	task->files = alloc_files();
	if (!task->files)
		task->files = alloc_files();
	task->rlimit_nofile = 1024;
	task->flags &= ~PF_KTHREAD;
}

/* It exits: files, then what they left to task work. */
static inline void process_end(void)
{
	get_current()->flags |= PF_EXITING;
	exit_files(get_current());
	task_work_run();
}

/* A table that tasks of one process share. */
static struct files_struct *shared_table KSTATE;

static inline void thread_begin(void)
{
	struct task_struct *task = get_current();

	if (!shared_table)
		shared_table = alloc_files();
	else
		shared_table->count.counter++;
	task->files = shared_table;
	task->rlimit_nofile = 1024;
	task->flags &= ~PF_KTHREAD;
}

#endif
