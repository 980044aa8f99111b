// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptor tables: the lowest free number, reserved descriptors, dup, fork,
 * exec and exit. Follows fs/file.c.
 *
 * Lock order: file_lock (one per table) is a leaf. flush and release run after
 * it is dropped, when the number may already be used again.
 *
 * A table that only one task uses can change under nobody: accesses to it are
 * choice points only while the count is above one, and only that task can
 * raise it.
 */
#include <vfiosim/kapi/slab.h>

#include "vfs.h"

#define BITS_PER_LONG 64
#define NR_OPEN_MAX (~0U)

static void release_fdtable_rcu(struct callback_head *head);

/* ---- bits and slots ---- */

static bool files_shared(const struct files_struct *files)
{
	return files->count.counter > 1;
}

static bool test_bit_in(const unsigned long *bits, unsigned int n)
{
	return bits[n / BITS_PER_LONG] >> n % BITS_PER_LONG & 1;
}

static void assign_bit_in(unsigned long *bits, unsigned int n, bool value)
{
	unsigned long mask = 1UL << n % BITS_PER_LONG;

	if (value)
		bits[n / BITS_PER_LONG] |= mask;
	else
		bits[n / BITS_PER_LONG] &= ~mask;
}

bool fd_is_open(unsigned int fd, const struct fdtable *fdt)
{
	return fd < fdt->slots && test_bit_in(fdt->open_fds, fd);
}

bool close_on_exec(unsigned int fd, const struct fdtable *fdt)
{
	return fd < fdt->slots && test_bit_in(fdt->close_on_exec, fd);
}

static struct file *fdt_load(const struct fdtable *fdt, unsigned int fd)
{
	return fd < fdt->slots ? fdt->fd[fd] : NULL;
}

/* What names slot @fd in choice points: fixed, while the slots' memory may move. */
static const void *fdt_key(const struct fdtable *fdt, unsigned int fd)
{
	return &fdt->keys[fd % FD_SLOTS_FIRST];
}

struct file *files_peek(const struct files_struct *files, unsigned int fd)
{
	return fdt_load(files->fdt, fd);
}

/*
 * Memory for slot @fd, which lies inside the table. No step of the kernel's,
 * so it does not fail and is not seen.
 */
static void fdt_back(struct fdtable *fdt, unsigned int fd)
{
	unsigned int slots = (fd | (BITS_PER_LONG - 1)) + 1;
	unsigned int words = slots / BITS_PER_LONG;
	unsigned int old_words = (fdt->slots + BITS_PER_LONG - 1) / BITS_PER_LONG;
	const gfp_t flags = GFP_ATOMIC | __GFP_NOFAIL | __GFP_ZERO;
	unsigned long *bits;
	struct file **slot;

	if (fd < fdt->slots)
		return;
	slot = __kmalloc_named(slots * sizeof(*slot), flags, "fd_slots");
	bits = __kmalloc_named(2 * words * sizeof(*bits), flags, "fd_bits");
	if (fdt->slots) {
		memcpy(slot, fdt->fd, fdt->slots * sizeof(*slot));
		memcpy(bits, fdt->open_fds, old_words * sizeof(*bits));
		memcpy(bits + words, fdt->close_on_exec, old_words * sizeof(*bits));
	}
	if (fdt->slots > FD_SLOTS_FIRST) {
		kfree(fdt->fd);
		kfree(fdt->open_fds);
	}
	fdt->fd = slot;
	fdt->open_fds = bits;
	fdt->close_on_exec = bits + words;
	fdt->slots = slots;
}

static void fdt_free_memory(struct fdtable *fdt)
{
	if (fdt->slots > FD_SLOTS_FIRST) {
		kfree(fdt->fd);
		kfree(fdt->open_fds);
	}
}

static unsigned int fdt_find_free(const struct fdtable *fdt, unsigned int from)
{
	while (fd_is_open(from, fdt))
		from++;
	return from;
}

static unsigned int fdt_find_open(const struct fdtable *fdt, unsigned int from)
{
	while (from < fdt->slots && !test_bit_in(fdt->open_fds, from))
		from++;
	return from;
}

/* ---- tables ---- */

static void files_use_embedded_table(struct files_struct *files)
{
	struct fdtable *fdt = &files->fdtab;

	fdt->max_fds = NR_OPEN_DEFAULT;
	fdt->slots = FD_SLOTS_FIRST;
	fdt->fd = files->fd_array;
	fdt->open_fds = &files->open_fds_init;
	fdt->close_on_exec = &files->close_on_exec_init;
	files->fdt = fdt;
}

/* Context: may sleep. Return: a table of its own, owned by one task; or NULL. */
struct files_struct *alloc_files(void)
{
	struct files_struct *files = fs_alloc(struct files_struct, "files_struct");

	if (!files)
		return NULL;
	files->count.counter = 1;
	spin_lock_init(&files->file_lock);
	init_waitqueue_head(&files->resize_wait);
	files_use_embedded_table(files);
	return files;
}

/* The size of a table that has room for @nr (FS-136). */
static unsigned int fdtable_size(unsigned int nr)
{
	unsigned int limit = files_stat.nr_open;
	unsigned int size = 128;

	while (size <= nr)
		size *= 2;
	if (size <= limit)
		return size;
	return kernel_version >= KERNEL_6_12 ? limit & ~(BITS_PER_LONG - 1) :
					       ((limit - 1) | (BITS_PER_LONG - 1)) + 1;
}

/* Room for descriptor @nr. Refs: the table is the caller's alone. */
static struct fdtable *alloc_fdtable(unsigned int nr)
{
	struct fdtable *fdt = fs_alloc(struct fdtable, "fdtable");

	if (!fdt)
		return NULL;
	fdt->max_fds = fdtable_size(nr);
	if (eng_fail_here("fdtable_arrays")) {
		fs_free(fdt);
		return NULL;
	}
	return fdt;
}

static void free_fdtable(struct fdtable *fdt)
{
	fdt_free_memory(fdt);
	fs_free(fdt);
}

static void release_fdtable_rcu(struct callback_head *head)
{
	free_fdtable(container_of(head, struct fdtable, rcu));
}

static void copy_slots(struct fdtable *to, const struct fdtable *from)
{
	unsigned int fd;

	for (fd = fdt_find_open(from, 0); fd < from->slots; fd = fdt_find_open(from, fd + 1)) {
		fdt_back(to, fd);
		to->fd[fd] = from->fd[fd];
		assign_bit_in(to->open_fds, fd, true);
		assign_bit_in(to->close_on_exec, fd, test_bit_in(from->close_on_exec, fd));
	}
}

/*
 * Context: may sleep.
 * Locks:   enters and returns with file_lock held; drops it in between.
 * Return:  1 if the table grew, -errno.
 */
static int expand_fdtable(struct files_struct *files, unsigned int nr)
{
	struct fdtable *old, *fresh;

	spin_unlock(&files->file_lock);
	fresh = alloc_fdtable(nr);
	/* fd_install() writes without the lock: let those that began come to an end. */
	if (files_shared(files))
		synchronize_rcu();
	spin_lock(&files->file_lock);
	if (!fresh)
		return -ENOMEM;
	if (fresh->max_fds <= nr) {
		free_fdtable(fresh);
		return -EMFILE;
	}
	/* Read again: other threads have used the table meanwhile. */
	old = files->fdt;
	copy_slots(fresh, old);
	shared_WRITE_ONCE(files->fdt, fresh);
	eng_event("table_grow", files, "max_fds %u", fresh->max_fds);
	if (old != &files->fdtab)
		call_rcu(&old->rcu, release_fdtable_rcu);
	return 1;
}

/*
 * Make the table large enough for @nr. One thread resizes, others wait for it.
 *
 * Context: may sleep.
 * Locks:   enters and returns with file_lock held; may drop it in between.
 * Return:  0: nothing to do; 1: the lock was dropped, look again; or -errno.
 */
static int expand_files(struct files_struct *files, unsigned int nr)
{
	int expanded = 0;

	while (nr >= files->fdt->max_fds) {
		if (nr >= files_stat.nr_open)
			return -EMFILE;
		if (!files->resize_in_progress) {
			shared_WRITE_ONCE(files->resize_in_progress, true);
			expanded = expand_fdtable(files, nr);
			shared_WRITE_ONCE(files->resize_in_progress, false);
			wake_up_all(&files->resize_wait);
			return expanded;
		}
		spin_unlock(&files->file_lock);
		expanded = 1;
		wait_event(files->resize_wait, !shared_READ_ONCE(files->resize_in_progress));
		spin_lock(&files->file_lock);
	}
	return expanded;
}

/* ---- reserving ---- */

/* Locks: file_lock is held. */
static void set_open_fd(struct files_struct *files, unsigned int fd, bool cloexec)
{
	struct fdtable *fdt = files->fdt;

	fdt_back(fdt, fd);
	assign_bit_in(fdt->open_fds, fd, true);
	assign_bit_in(fdt->close_on_exec, fd, cloexec);
}

/* Locks: file_lock is held. */
static void clear_open_fd(struct files_struct *files, unsigned int fd)
{
	assign_bit_in(files->fdt->open_fds, fd, false);
	if (fd < files->next_fd)
		files->next_fd = fd;
}

/*
 * Reserve the lowest free descriptor in [start, end).
 *
 * Context: may sleep.
 * Locks:   takes and drops file_lock.
 */
static int alloc_fd(unsigned int start, unsigned int end, unsigned int flags)
{
	struct files_struct *files = get_current()->files;
	unsigned int fd;
	int ret;

	might_sleep();
	spin_lock(&files->file_lock);
	do {
		fd = start > files->next_fd ? start : files->next_fd;
		fd = fdt_find_free(files->fdt, fd);
		ret = fd >= end || eng_fail_here("fd_limit") ? -EMFILE :
							      expand_files(files, fd);
	} while (ret > 0);
	if (!ret) {
		if (start <= files->next_fd)
			files->next_fd = fd + 1;
		set_open_fd(files, fd, flags & O_CLOEXEC);
		WARN_ON(fdt_load(files->fdt, fd));
		get_current()->fds_reserved++;
		ret = fd;
	}
	eng_event("fd_reserve", files, "fd %d", ret);
	spin_unlock(&files->file_lock);
	return ret;
}

int get_unused_fd_flags(unsigned int flags)
{
	return alloc_fd(0, get_current()->rlimit_nofile, flags);
}

/*
 * Context: atomic.
 * Locks:   takes and drops file_lock.
 */
void put_unused_fd(unsigned int fd)
{
	struct files_struct *files = get_current()->files;

	spin_lock(&files->file_lock);
	clear_open_fd(files, fd);
	get_current()->fds_reserved--;
	eng_event("fd_unreserve", files, "fd %u", fd);
	spin_unlock(&files->file_lock);
}

/* FS-198: a system call ended and left a number that nobody can use or close. */
void files_check_reserved(void)
{
	struct task_struct *task = get_current();

	if (task->fds_reserved > 0)
		eng_report(FD_RESERVED, task->files, "%s leaves its system call with %d "
			   "descriptor(s) reserved, neither installed nor given back",
			   task->comm, task->fds_reserved);
	task->fds_reserved = 0;
}

/* ---- installing ---- */

/* Store-release: from here on other threads can use the file. */
static void fdt_publish(struct files_struct *files, struct fdtable *fdt, unsigned int fd,
			struct file *file)
{
	if (files_shared(files))
		shared_write(fdt_key(fdt, fd));
	BUG_ON(!fd_is_open(fd, fdt));
	BUG_ON(fdt->fd[fd]);
	fdt->fd[fd] = file;
	file->f_installed_mapping = file->f_mapping;
	get_current()->fds_reserved--;
	eng_event("fd_install", files, "fd %u file %O", fd, file);
}

/*
 * Context: atomic.
 * Locks:   file_lock only while the table is being resized.
 * Refs:    the slot takes over the caller's reference on @file.
 */
void fd_install(unsigned int fd, struct file *file)
{
	struct files_struct *files = get_current()->files;

	if (!files_shared(files)) {
		fdt_publish(files, files->fdt, fd, file);
		return;
	}
	rcu_read_lock();
	if (shared_READ_ONCE(files->resize_in_progress)) {
		rcu_read_unlock();
		spin_lock(&files->file_lock);
		fdt_publish(files, files->fdt, fd, file);
		spin_unlock(&files->file_lock);
		return;
	}
	fdt_publish(files, rcu_dereference(files->fdt), fd, file);
	rcu_read_unlock();
}

/* ---- looking up ---- */

/* FS-195: unlinking a VMA would edit another tree than linking it did. */
void file_check_mapping(struct file *file)
{
	if (file->f_installed_mapping && !file->f_released &&
	    file->f_installed_mapping != file->f_mapping)
		eng_report(F_MAPPING_CHANGED, file, "f_mapping changed after fd_install(): "
			   "another thread may have mapped the file meanwhile");
}

static bool file_in_slot(struct files_struct *files, struct fdtable *fdt, unsigned int fd,
			 struct file *file)
{
	return kernel_version < KERNEL_6_12 ||
	       (files->fdt == fdt && fdt_load(fdt, fd) == file);
}

/*
 * Context: atomic.
 * Refs:    on success +1 on the file. A count of zero means that the slot has
 *	    been replaced: load it again (FS-118).
 */
static struct file *__fget(struct files_struct *files, unsigned int fd, unsigned int unwanted)
{
	struct fdtable *fdt;
	struct file *file;

	rcu_read_lock();
	for (;;) {
		fdt = rcu_dereference(files->fdt);
		if (fd < fdt->max_fds)
			shared_read(fdt_key(fdt, fd));
		file = fdt_load(fdt, fd);
		if (!file || (file->f_mode & unwanted)) {
			file = NULL;
			break;
		}
		if (!atomic_long_inc_not_zero(&file->f_count))
			continue;
		if (file_in_slot(files, fdt, fd, file))
			break;
		fput(file);
	}
	rcu_read_unlock();
	if (file) {
		eng_event("file_get", file, "fd %u", fd);
		file_check_mapping(file);
	}
	return file;
}

struct file *fget(unsigned int fd)
{
	return __fget(get_current()->files, fd, FMODE_PATH);
}

struct file *fget_raw(unsigned int fd)
{
	return __fget(get_current()->files, fd, 0);
}

/*
 * The light lookup: a table of one's own lends the file without a reference.
 *
 * Context: atomic.
 * Refs:    +1 on the file if FDPUT_FPUT is set.
 */
struct fd fdget(unsigned int fd)
{
	struct files_struct *files = get_current()->files;
	struct fd result = { 0 };

	if (files_shared(files)) {
		result.file = __fget(files, fd, FMODE_PATH);
		result.flags = result.file ? FDPUT_FPUT : 0;
		return result;
	}
	result.file = fdt_load(files->fdt, fd);
	if (result.file && (result.file->f_mode & FMODE_PATH))
		result.file = NULL;
	if (result.file)
		file_check_mapping(result.file);
	return result;
}

void fdput(struct fd fd)
{
	if (fd.flags & FDPUT_FPUT)
		fput(fd.file);
}

/* Locks: takes f_pos_lock if the position is shared; fdput_pos() drops it. */
struct fd fdget_pos(unsigned int fd)
{
	struct fd result = fdget(fd);

	if (result.file && (result.file->f_mode & FMODE_ATOMIC_POS) &&
	    file_count(result.file) > 1) {
		mutex_lock(&result.file->f_pos_lock);
		result.flags |= FDPUT_POS_UNLOCK;
	}
	return result;
}

void fdput_pos(struct fd fd)
{
	if (fd.flags & FDPUT_POS_UNLOCK)
		mutex_unlock(&fd.file->f_pos_lock);
	fdput(fd);
}

/* ---- closing ---- */

static int filp_flush(struct file *file, fl_owner_t id)
{
	if (!file_count(file)) {
		pr_err("VFS: a file is closed that nobody holds\n");
		return 0;
	}
	return file->f_op->flush ? file->f_op->flush(file, id) : 0;
}

/*
 * Every close, not only the last one (FS-140).
 *
 * Context: may sleep.
 * Refs:    -1 on @file.
 */
int filp_close(struct file *file, fl_owner_t id)
{
	int ret;

	might_sleep();
	if (!file_count(file))
		return filp_flush(file, id);
	ret = filp_flush(file, id);
	fput(file);
	return ret;
}

/*
 * Locks: the caller holds file_lock.
 * Refs:  the slot's reference is the caller's now.
 */
static struct file *pick_file(struct files_struct *files, unsigned int fd)
{
	struct fdtable *fdt = files->fdt;
	struct file *file = fdt_load(fdt, fd);

	if (!file)
		return NULL;
	if (files_shared(files))
		shared_write(fdt_key(fdt, fd));
	file = fdt->fd[fd];
	fdt->fd[fd] = NULL;
	clear_open_fd(files, fd);
	eng_event("fd_clear", files, "fd %u file %O", fd, file);
	return file;
}

static struct file *pick_file_locked(struct files_struct *files, unsigned int fd)
{
	struct file *file;

	spin_lock(&files->file_lock);
	file = pick_file(files, fd);
	spin_unlock(&files->file_lock);
	return file;
}

/*
 * Context: may sleep.
 * Locks:   takes and drops file_lock.
 */
int close_fd(unsigned int fd)
{
	struct files_struct *files = get_current()->files;
	struct file *file = pick_file_locked(files, fd);

	return file ? filp_close(file, files) : -EBADF;
}

static bool is_restart_code(int error)
{
	return error == -ERESTARTSYS || error == -ERESTARTNOINTR;
}

/* close(2). Since 6.6 it releases inline (FS-126). */
int ksys_close(unsigned int fd)
{
	struct files_struct *files = get_current()->files;
	struct file *file;
	int ret;

	if (kernel_version < KERNEL_6_12) {
		ret = close_fd(fd);
	} else {
		file = pick_file_locked(files, fd);
		if (!file)
			return -EBADF;
		ret = filp_flush(file, files);
		__fput_sync(file);
	}
	return is_restart_code(ret) ? -EINTR : ret;
}

/* ---- dup ---- */

int ksys_dup(unsigned int fd)
{
	return ksys_fcntl_dupfd(fd, 0, 0);
}

/* @flags: O_CLOEXEC or 0. */
int ksys_fcntl_dupfd(unsigned int fd, unsigned int from, int flags)
{
	unsigned long limit = get_current()->rlimit_nofile;
	struct file *file;
	int ret;

	file = fget_raw(fd);
	if (!file)
		return -EBADF;
	ret = from && from >= limit ? -EINVAL : alloc_fd(from, limit, flags);
	if (ret < 0)
		fput(file);
	else
		fd_install(ret, file);
	return ret;
}

/*
 * Put @file into slot @fd. There is no instant at which @fd is closed; what was
 * there is closed after the new file can be seen.
 *
 * Context: may sleep.
 * Locks:   enters with file_lock held, drops it.
 * Refs:    +1 on @file for the slot, -1 on the file that was there.
 */
static int do_dup2(struct files_struct *files, struct file *file, unsigned int fd,
		   unsigned int flags)
{
	struct fdtable *fdt = files->fdt;
	struct file *displaced = fdt_load(fdt, fd);

	if (!displaced && fd_is_open(fd, fdt)) {
		spin_unlock(&files->file_lock);
		return -EBUSY;
	}
	get_file(file);
	if (files_shared(files))
		shared_write(fdt_key(fdt, fd));
	set_open_fd(files, fd, flags & O_CLOEXEC);
	fdt->fd[fd] = file;
	file->f_installed_mapping = file->f_mapping;
	eng_event("fd_replace", files, "fd %u file %O", fd, file);
	spin_unlock(&files->file_lock);
	if (displaced)
		filp_close(displaced, files);
	return fd;
}

/*
 * Context: may sleep.
 * Locks:   takes and drops file_lock.
 */
int ksys_dup3(unsigned int oldfd, unsigned int newfd, int flags)
{
	struct files_struct *files = get_current()->files;
	struct file *file;
	int ret;

	if ((flags & ~O_CLOEXEC) || oldfd == newfd)
		return -EINVAL;
	if (newfd >= get_current()->rlimit_nofile)
		return -EBADF;
	spin_lock(&files->file_lock);
	ret = expand_files(files, newfd);
	file = fdt_load(files->fdt, oldfd);
	if (!file || ret == -EMFILE)
		ret = -EBADF;
	if (ret < 0) {
		spin_unlock(&files->file_lock);
		return ret;
	}
	return do_dup2(files, file, newfd, flags);
}

int ksys_dup2(unsigned int oldfd, unsigned int newfd)
{
	struct file *file;

	if (oldfd != newfd)
		return ksys_dup3(oldfd, newfd, 0);
	file = fget_raw(oldfd);
	if (!file)
		return -EBADF;
	fput(file);
	return oldfd;
}

/* ---- sharing and copying ---- */

/* How much of @fdt a copy needs, rounded up to whole words. */
static unsigned int table_size_used(const struct fdtable *fdt, unsigned int max)
{
	unsigned int used = 0;
	unsigned int fd;

	for (fd = fdt_find_open(fdt, 0); fd < fdt->slots; fd = fdt_find_open(fdt, fd + 1))
		used = fd + 1;
	if (used > max)
		used = max;
	used = (used + BITS_PER_LONG - 1) & ~(BITS_PER_LONG - 1);
	return used > NR_OPEN_DEFAULT ? used : NR_OPEN_DEFAULT;
}

/* Locks: the old table's file_lock. Refs: +1 on each file that is copied. */
static void copy_files_below(struct fdtable *to, const struct fdtable *from, unsigned int max)
{
	unsigned int fd;

	for (fd = fdt_find_open(from, 0); fd < from->slots && fd < max;
	     fd = fdt_find_open(from, fd + 1)) {
		/* Reserved in the old one: the new owner knows nothing of it, so free. */
		if (!from->fd[fd])
			continue;
		fdt_back(to, fd);
		to->fd[fd] = get_file(from->fd[fd]);
		assign_bit_in(to->open_fds, fd, true);
		assign_bit_in(to->close_on_exec, fd, test_bit_in(from->close_on_exec, fd));
	}
}

/* Return: 0 with @files ready for @used slots, or -errno. */
static int files_make_room(struct files_struct *files, unsigned int used)
{
	struct fdtable *fdt;

	if (used <= files->fdt->max_fds)
		return 0;
	if (files->fdt != &files->fdtab)
		free_fdtable(files->fdt);
	files_use_embedded_table(files);
	fdt = alloc_fdtable(used - 1);
	if (!fdt)
		return -ENOMEM;
	if (fdt->max_fds < used) {
		free_fdtable(fdt);
		return -EMFILE;
	}
	files->fdt = fdt;
	return 0;
}

static void free_files_memory(struct files_struct *files)
{
	struct fdtable *fdt = files->fdt;

	fdt_free_memory(fdt);
	if (fdt != &files->fdtab)
		fs_free(fdt);
	fs_free(files);
}

/*
 * A copy of the slots below @max.
 *
 * Context: may sleep.
 * Locks:   takes and drops the old table's file_lock.
 * Refs:    on success the copy is the caller's and owns +1 on each of its files.
 */
static struct files_struct *dup_fd_below(struct files_struct *old, unsigned int max, int *error)
{
	struct files_struct *files;
	unsigned int used;
	int ret;

	might_sleep();
	*error = -ENOMEM;
	files = alloc_files();
	if (!files)
		return NULL;
	spin_lock(&old->file_lock);
	/* The lock goes to allocate; the old table may have grown when it is back. */
	while ((used = table_size_used(old->fdt, max)) > files->fdt->max_fds) {
		spin_unlock(&old->file_lock);
		ret = files_make_room(files, used);
		if (ret) {
			*error = ret;
			free_files_memory(files);
			return NULL;
		}
		spin_lock(&old->file_lock);
	}
	copy_files_below(files->fdt, old->fdt, used < max ? max : used);
	spin_unlock(&old->file_lock);
	eng_event("table_copy", files, "from %O", old);
	*error = 0;
	return files;
}

struct files_struct *dup_fd(struct files_struct *old, int *error)
{
	return dup_fd_below(old, NR_OPEN_MAX, error);
}

/* The last task leaves: close everything, lowest first; releases come out last first. */
static void close_files(struct files_struct *files)
{
	struct fdtable *fdt = files->fdt;
	unsigned int fd;

	for (fd = fdt_find_open(fdt, 0); fd < fdt->slots; fd = fdt_find_open(fdt, fd + 1)) {
		struct file *file = fdt->fd[fd];

		fdt->fd[fd] = NULL;
		if (file)
			filp_close(file, files);
	}
}

/*
 * Context: may sleep (if it is the last one).
 * Refs:    -1 on @files; the last one drops each slot's reference.
 */
void put_files_struct(struct files_struct *files)
{
	if (!atomic_dec_and_test(&files->count))
		return;
	eng_event("table_put", files, "last");
	close_files(files);
	free_files_memory(files);
}

void exit_files(struct task_struct *task)
{
	struct files_struct *files = task->files;

	if (!files)
		return;
	eng_event("exit_stage", files, "exit_files");
	if (task == get_current())
		files_check_reserved();
	task->files = NULL;
	put_files_struct(files);
}

/* A table of one's own, as exec needs it. Return: 0 or -errno. */
int unshare_files(void)
{
	struct task_struct *task = get_current();
	struct files_struct *old = task->files, *copy;
	int error;

	if (!files_shared(old))
		return 0;
	copy = dup_fd(old, &error);
	if (!copy)
		return error;
	task->files = copy;
	put_files_struct(old);
	return 0;
}

void do_close_on_exec(struct files_struct *files)
{
	unsigned int fd;

	spin_lock(&files->file_lock);
	for (fd = 0; (fd = fdt_find_open(files->fdt, fd)) < files->fdt->slots; fd++) {
		struct file *file;

		if (!close_on_exec(fd, files->fdt))
			continue;
		file = pick_file(files, fd);
		if (!file)
			continue;
		spin_unlock(&files->file_lock);
		filp_close(file, files);
		spin_lock(&files->file_lock);
	}
	spin_unlock(&files->file_lock);
}

/* ---- close_range ---- */

static void range_cloexec(struct files_struct *files, unsigned int first, unsigned int last)
{
	unsigned int fd;

	spin_lock(&files->file_lock);
	for (fd = first; fd < files->fdt->slots && fd <= last; fd++)
		assign_bit_in(files->fdt->close_on_exec, fd, true);
	spin_unlock(&files->file_lock);
}

/* One lock hold for each descriptor; nobody else can fill a gap of a table of one's own. */
static void range_close(struct files_struct *files, unsigned int first, unsigned int last)
{
	unsigned int fd;

	for (fd = first; fd < files->fdt->max_fds && fd <= last; fd++) {
		struct file *file;

		if (!files_shared(files)) {
			fd = fdt_find_open(files->fdt, fd);
			if (fd >= files->fdt->slots || fd > last)
				return;
		}
		file = pick_file_locked(files, fd);
		if (file)
			filp_close(file, files);
	}
}

/* What CLOSE_RANGE_UNSHARE copies: not what it would close again at once. */
static unsigned int unshare_below(const struct files_struct *files, unsigned int first,
				  unsigned int last, unsigned int flags)
{
	if ((flags & CLOSE_RANGE_CLOEXEC) || last < files->fdt->max_fds - 1)
		return NR_OPEN_MAX;
	return first;
}

/*
 * Context: may sleep.
 * Refs:    the copy takes the table's place only after the range is closed in it.
 */
int ksys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	struct task_struct *task = get_current();
	struct files_struct *old = task->files, *files = old;
	int error;

	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	if ((flags & CLOSE_RANGE_UNSHARE) && files_shared(old)) {
		files = dup_fd_below(old, unshare_below(old, first, last, flags), &error);
		if (!files)
			return error;
	}
	if (flags & CLOSE_RANGE_CLOEXEC)
		range_cloexec(files, first, last);
	else
		range_close(files, first, last);
	if (files != old) {
		task->files = files;
		put_files_struct(old);
	}
	return 0;
}
