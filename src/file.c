// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files: allocation, references, opening, the deferred last put and what it
 * does; positions. Follows fs/file_table.c, fs/open.c and fs/read_write.c of 5.14.
 *
 * Lock order: none is taken here, except by what release and dput() call.
 *
 * The last fput() never releases inline: the file waits, count zero, on the
 * task that dropped it or on the list of a work item. Both come out newest first.
 */
#include <linux/fs.h>

#include "vfs.h"

#define FILES_MAX_DEFAULT 8192

struct files_stat files_stat KSTATE = {
	.max_files = FILES_MAX_DEFAULT,
	.nr_open = 1024 * 1024,
};

static void delayed_fput(struct work_struct *work);
static struct callback_head *delayed_fput_list KSTATE;
static KSTATE DECLARE_DELAYED_WORK(delayed_fput_work, delayed_fput);

static const struct file_operations empty_fops;

/* ---- operations tables and their modules ---- */

/* Refs: on success +1 on the table's module. */
const struct file_operations *fops_get(const struct file_operations *fops)
{
	return fops && try_module_get(fops->owner) ? fops : NULL;
}

void fops_put(const struct file_operations *fops)
{
	if (fops)
		module_put(fops->owner);
}

/* Refs: the file takes over the caller's reference, and drops the old table's. */
void replace_fops(struct file *file, const struct file_operations *fops)
{
	BUG_ON(!fops);
	fops_put(file->f_op);
	file->f_op = fops;
}

void path_get(const struct path *path)
{
	mntget(path->mnt);
	dget(path->dentry);
}

void path_put(const struct path *path)
{
	dput(path->dentry);
	mntput(path->mnt);
}

/* ---- allocation ---- */

/*
 * The count is the kernel's per-cpu one: increments commute. Only a scenario
 * that lowers the limit can tell in which order they came, so only there is
 * each of them a choice point.
 */
static void nr_files_announce(void)
{
	if (files_stat.max_files != FILES_MAX_DEFAULT)
		eng_point(ENG_OP_ATOMIC_RMW, &files_stat.nr_files, ENG_WRITE);
}

static bool file_limit_reached(void)
{
	if (eng_fail_here("file_max"))
		return true;
	nr_files_announce();
	if (files_stat.nr_files < files_stat.max_files || capable(CAP_SYS_ADMIN))
		return false;
	if (files_stat.nr_files > files_stat.nr_max_seen) {
		pr_info("VFS: the limit of %ld open files is reached\n", files_stat.max_files);
		files_stat.nr_max_seen = files_stat.nr_files;
	}
	return true;
}

/* Refs: on success f_count is 1, the caller's, and +1 on @cred. */
static struct file *file_alloc(int flags, const struct cred *cred)
{
	struct file *file = fs_alloc(struct file, "file");

	if (!file)
		return ERR_PTR(-ENOMEM);
	if (eng_fail_here("file_security")) {
		fs_free(file);
		return ERR_PTR(-EACCES);
	}
	file->f_cred = get_cred(cred);
	eng_learn_field(&file->f_count, "file->f_count");
	file->f_count.counter = 1;
	spin_lock_init(&file->f_lock);
	mutex_init(&file->f_pos_lock);
	file->f_flags = flags;
	file->f_mode = file_mode_bits(flags);
	file->f_uncounted = true;
	return file;
}

/* Context: may sleep. */
struct file *alloc_empty_file(int flags, const struct cred *cred)
{
	struct file *file;

	might_sleep();
	if (file_limit_reached())
		return ERR_PTR(-ENFILE);
	file = file_alloc(flags, cred);
	if (!IS_ERR(file)) {
		nr_files_announce();
		files_stat.nr_files++;
		file->f_uncounted = false;
		eng_event("file_new", file, "flags 0%o", flags);
	}
	return file;
}

/* For files that no limit counts. */
struct file *alloc_empty_file_noaccount(int flags, const struct cred *cred)
{
	struct file *file = file_alloc(flags, cred);

	if (!IS_ERR(file))
		file->f_mode |= FMODE_NOACCOUNT;
	return file;
}

static void file_free_rcu(struct callback_head *head)
{
	struct file *file = container_of(head, struct file, f_rcu);

	eng_event("file_rcu_free", file, "");
	put_cred(file->f_cred);
	fs_free(file);
}

/* The file stops counting before its memory goes (FS-130). */
void file_free(struct file *file)
{
	if (!(file->f_mode & FMODE_NOACCOUNT)) {
		nr_files_announce();
		files_stat.nr_files--;
	}
	file->f_uncounted = true;
	if (kernel_version >= KERNEL_6_12)
		file_free_rcu(&file->f_rcu);
	else
		call_rcu(&file->f_rcu, file_free_rcu);
}

static unsigned int file_method_bits(const struct file *file)
{
	unsigned int bits = 0;

	if ((file->f_mode & FMODE_READ) && file->f_op->read)
		bits |= FMODE_CAN_READ;
	if ((file->f_mode & FMODE_WRITE) && file->f_op->write)
		bits |= FMODE_CAN_WRITE;
	return bits;
}

static void file_set_inode(struct file *file, struct inode *inode)
{
	file->f_inode = inode;
	file->f_mapping = inode->i_mapping;
	file->f_wb_err = inode->i_mapping->wb_err;
}

/* Refs: on success the file owns the caller's references on @path; no module's. */
static struct file *alloc_file(const struct path *path, int flags,
			       const struct file_operations *fops)
{
	struct file *file = alloc_empty_file(flags, current_cred());

	if (IS_ERR(file))
		return file;
	file->f_path = *path;
	file_set_inode(file, path->dentry->d_inode);
	file->f_op = fops;
	file->f_mode |= FMODE_OPENED | file_method_bits(file);
	if (kernel_version >= KERNEL_6_12 && fops->llseek)
		file->f_mode |= FMODE_LSEEK;
	if ((file->f_mode & (FMODE_READ | FMODE_WRITE)) == FMODE_READ)
		file->f_inode->i_readcount++;
	return file;
}

/*
 * Context: may sleep.
 * Refs:    on success the file owns +1 on @mnt, a dentry, and the caller's
 *	    reference on @inode. On failure that one is still the caller's.
 */
struct file *alloc_file_pseudo(struct inode *inode, struct vfsmount *mnt, const char *name,
			       int flags, const struct file_operations *fops)
{
	static const struct dentry_operations anon_ops;
	struct path path;
	struct file *file;

	might_sleep();
	path.dentry = d_alloc_pseudo(mnt->mnt_sb, name);
	if (!path.dentry)
		return ERR_PTR(-ENOMEM);
	if (!mnt->mnt_sb->s_d_op)
		path.dentry->d_op = &anon_ops;
	path.mnt = mntget(mnt);
	d_instantiate(path.dentry, inode);
	file = alloc_file(&path, flags, fops);
	if (IS_ERR(file)) {
		ihold(inode);
		path_put(&path);
	}
	return file;
}

/* ---- references ---- */

long file_count(const struct file *file)
{
	return file->f_count.counter;
}

/* Refs: +1; the caller must own one. */
struct file *get_file(struct file *file)
{
	long count = atomic_long_inc_return(&file->f_count);

	eng_event("file_get", file, "count %ld", count);
	if (count <= 1) {
		WARN_ON(kernel_version >= KERNEL_6_12);
		eng_report(FILE_COUNT, file, "a reference is taken after the last one went");
	}
	return file;
}

static void ____fput(struct callback_head *work)
{
	__fput(container_of(work, struct file, f_rcu));
}

/* Newest first, as the kernel's lock-free list comes out. */
static void delayed_fput(struct work_struct *unused)
{
	struct callback_head *head, *next;

	eng_point(ENG_OP_ATOMIC_RMW, &delayed_fput_list, ENG_WRITE);
	head = delayed_fput_list;
	delayed_fput_list = NULL;
	for (; head; head = next) {
		next = head->next;
		____fput(head);
	}
}

void flush_delayed_fput(void)
{
	delayed_fput(NULL);
}

static void queue_delayed_fput(struct file *file)
{
	struct callback_head *first;

	eng_point(ENG_OP_ATOMIC_RMW, &delayed_fput_list, ENG_WRITE);
	first = delayed_fput_list;
	file->f_rcu.next = first;
	delayed_fput_list = &file->f_rcu;
	eng_event("fput_queued", file, "route delayed");
	if (!first)
		schedule_delayed_work(&delayed_fput_work, 1);
}

/* Refs: -1. Return: true if it was the last one. */
static bool file_put_last(struct file *file)
{
	long count;

	if (IS_ERR(file))
		eng_fail(ERROR_POINTER, NULL, "fput() of an error pointer (%ld)", PTR_ERR(file));
	count = atomic_long_dec_return(&file->f_count);
	eng_event("file_put", file, "count %ld", count);
	if (count < 0)
		eng_report(FILE_COUNT, file, "f_count is %ld: one fput() too many", count);
	return count == 0;
}

/*
 * Context: any.
 * Refs:    -1. The last one leaves the file to the current task's way back to
 *	    user mode, or to a work item: this never releases inline.
 */
void fput(struct file *file)
{
	struct task_struct *task = get_current();

	if (!file_put_last(file))
		return;
	if (kernel_version >= KERNEL_6_12 && !(file->f_mode & FMODE_OPENED)) {
		file_free(file);
		return;
	}
	if (!task->in_interrupt && !(task->flags & PF_KTHREAD)) {
		file->f_rcu.func = ____fput;
		if (!task_work_add(task, &file->f_rcu, TWA_RESUME)) {
			eng_event("fput_queued", file, "route task_work");
			return;
		}
	}
	queue_delayed_fput(file);
}

/* Context: may sleep. For kernel threads; since 6.6 close(2) has it too. */
void __fput_sync(struct file *file)
{
	if (!file_put_last(file))
		return;
	BUG_ON(kernel_version < KERNEL_6_12 && !(get_current()->flags & PF_KTHREAD));
	__fput(file);
}

/* ---- the end of a file ---- */

/*
 * Steps 1 to 11 of FS-127, for a file that was opened.
 *
 * release gets f_inode, never the inode behind a redirected f_mapping. It may
 * drop what kept that one alive, so nothing after it reads f_mapping or
 * private_data: the checkers put a trap in their place (FS-194).
 */
static void file_release(struct file *file)
{
	struct inode *inode = file->f_inode;
	const struct file_operations *fops = file->f_op;

	if ((file->f_flags & FASYNC) && fops->fasync)
		fops->fasync(-1, file, 0);
	eng_event("release", file, "inode %O", inode);
	if (fops->release)
		fops->release(inode, file);
	file->f_released = true;
	file->f_mapping = FILE_TRAP;
	file->private_data = FILE_TRAP;
	if (S_ISCHR(inode->i_mode) && inode->i_cdev && !(file->f_mode & FMODE_PATH))
		cdev_put(inode->i_cdev);
	fops_put(fops);
	if ((file->f_mode & (FMODE_READ | FMODE_WRITE)) == FMODE_READ)
		inode->i_readcount--;
}

/*
 * Context: may sleep.
 * Refs:    gives back all that the file owns: module, cdev, dentry, mount; the
 *	    credentials and the memory after a grace period.
 */
void __fput(struct file *file)
{
	struct path path = file->f_path;

	might_sleep();
	eng_check(file);
	eng_event("fput_begin", file, "mode 0x%x", file->f_mode);
	if (file->f_mode & FMODE_OPENED) {
		file_release(file);
		path_put(&path);
	}
	eng_event("fput_end", file, "");
	file_free(file);
}

/* ---- opening ---- */

static int open_path_only(struct file *file)
{
	file->f_mode = FMODE_PATH | FMODE_OPENED;
	file->f_op = &empty_fops;
	return 0;
}

static int call_open(struct file *file, struct inode *inode)
{
	int ret;

	if (eng_fail_here("file_open_security"))
		return -EACCES;
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	ret = file->f_op->open ? file->f_op->open(inode, file) : 0;
	if (ret)
		return ret;
	file->f_mode |= FMODE_OPENED;
	if (kernel_version >= KERNEL_6_12 && !file->f_op->llseek)
		file->f_mode &= ~FMODE_LSEEK;
	file->f_mode |= file_method_bits(file);
	file->f_flags &= ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
	/* Whatever mapping ->open installed (FS-158). */
	if ((file->f_flags & O_DIRECT) &&
	    !(file->f_mapping->a_ops && file->f_mapping->a_ops->direct_IO))
		return -EINVAL;
	return 0;
}

/*
 * Context: may sleep.
 * Refs:    on success the file owns +1 on its path and on the module of its
 *	    operations. On failure none, and release will not run, except for
 *	    O_DIRECT, which is refused after the open (FS-159).
 */
int do_dentry_open(struct file *file, struct inode *inode)
{
	int ret;

	path_get(&file->f_path);
	file_set_inode(file, inode);
	if (file->f_flags & O_PATH)
		return open_path_only(file);
	if ((file->f_mode & (FMODE_READ | FMODE_WRITE)) == FMODE_READ)
		inode->i_readcount++;
	file->f_op = fops_get(inode->i_fop);
	ret = -ENODEV;
	if (WARN_ON(!file->f_op))
		goto err_path;
	ret = call_open(file, inode);
	if (!ret || (file->f_mode & FMODE_OPENED))
		return ret;
	fops_put(file->f_op);
err_path:
	if ((file->f_mode & (FMODE_READ | FMODE_WRITE)) == FMODE_READ)
		inode->i_readcount--;
	path_put(&file->f_path);
	file->f_path = (struct path){ 0 };
	file->f_inode = NULL;
	return ret;
}

/* ---- positions ---- */

/* Of a file that others can reach as well; f_pos_lock covers only some files. */
static void announce_pos(struct file *file, enum eng_access access)
{
	if (file_count(file) > 1)
		eng_point(access == ENG_READ ? ENG_OP_PLAIN_READ : ENG_OP_PLAIN_WRITE,
			  &file->f_pos, access);
}

loff_t file_pos_read(struct file *file)
{
	announce_pos(file, ENG_READ);
	return file->f_pos;
}

void file_pos_write(struct file *file, loff_t pos)
{
	if (file->f_pos == pos)
		return;
	announce_pos(file, ENG_WRITE);
	file->f_pos = pos;
}

loff_t vfs_setpos(struct file *file, loff_t offset, loff_t maxsize)
{
	if (offset < 0 || offset > maxsize)
		return -EINVAL;
	file_pos_write(file, offset);
	return offset;
}

/* The kernel holds f_lock while SEEK_CUR reads and writes: one step here. */
static loff_t seek_from_here(struct file *file, loff_t offset, loff_t maxsize)
{
	loff_t pos;

	if (!offset)
		return file_pos_read(file);
	announce_pos(file, ENG_WRITE);
	if (__builtin_add_overflow(file->f_pos, offset, &pos) || pos < 0 ||
	    pos > maxsize)
		return -EINVAL;
	file->f_pos = pos;
	return pos;
}

loff_t generic_file_llseek_size(struct file *file, loff_t offset, int whence, loff_t maxsize,
				loff_t eof)
{
	if (whence == SEEK_CUR)
		return seek_from_here(file, offset, maxsize);
	if (whence == SEEK_END && __builtin_add_overflow(offset, eof, &offset))
		return -EINVAL;
	return vfs_setpos(file, offset, maxsize);
}

/* For files whose position means nothing: whatever is asked for, it stays. */
loff_t noop_llseek(struct file *file, loff_t offset, int whence)
{
	return file_pos_read(file);
}
