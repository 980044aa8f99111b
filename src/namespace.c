// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts. Follows fs/namespace.c. There is no tree of mounts: the ones here are
 * the kernel's own, reached by pointer only.
 *
 * Lock order (outer first):
 *
 *   s_umount			(super.c; never held when mount_lock is taken here)
 *   mount_lock			s_mounts, MNT_DOOMED, the sum of a mount's counters
 *
 * The kernel counts per cpu and adds up under mount_lock. Here is one integer,
 * which therefore means something only under mount_lock (FS-62).
 */
#include <vfiosim/kapi/idr.h>

#include "vfs.h"

static KSTATE DEFINE_SPINLOCK(mount_lock);
static KSTATE DEFINE_IDA(mnt_id_ida);

static void delayed_mntput(struct work_struct *work);
static struct mount *delayed_mntput_list KSTATE;
static KSTATE DECLARE_DELAYED_WORK(delayed_mntput_work, delayed_mntput);

void lock_mount_hash(void)
{
	spin_lock(&mount_lock);
}

void unlock_mount_hash(void)
{
	spin_unlock(&mount_lock);
}

int mnt_get_count(struct mount *mnt)
{
	lockdep_assert_held(&mount_lock);
	return mnt->mnt_count;
}

/* One cpu's counter: needs no lock, and no look at the others. */
static void mnt_add_count(struct mount *mnt, int n)
{
	if (!mnt->mnt_boot)
		eng_point(ENG_OP_ATOMIC_RMW, &mnt->mnt_count, ENG_WRITE);
	mnt->mnt_count += n;
}

/* ---- birth ---- */

static void free_vfsmnt(struct mount *mnt)
{
	eng_event("mnt_freed", mnt, "");
	fs_free(mnt->mnt_devname);
	fs_free(mnt);
}

static void delayed_free_vfsmnt(struct callback_head *head)
{
	free_vfsmnt(container_of(head, struct mount, mnt_rcu));
}

/* Refs: on success the mount's count is 1, the caller's. */
static struct mount *alloc_vfsmnt(const char *name)
{
	struct mount *mnt = fs_alloc(struct mount, "mount");

	if (!mnt)
		return NULL;
	mnt->mnt_id = ida_alloc(&mnt_id_ida, GFP_KERNEL);
	if (mnt->mnt_id < 0)
		goto err_free;
	mnt->mnt_devname = fs_strdup(name, "mnt_devname");
	if (!mnt->mnt_devname)
		goto err_id;
	if (eng_fail_here("mnt_percpu"))
		goto err_name;
	mnt->mnt_count = 1;
	INIT_LIST_HEAD(&mnt->mnt_instance);
	return mnt;

err_name:
	fs_free(mnt->mnt_devname);
err_id:
	ida_free(&mnt_id_ida, mnt->mnt_id);
err_free:
	fs_free(mnt);
	return NULL;
}

/*
 * Context: may sleep.
 * Locks:   takes and drops mount_lock; s_umount must be free.
 * Refs:    on success +1 mount for the caller, which owns one s_active and one
 *	    reference on the root dentry. Every failure is -ENOMEM (FS-59).
 */
struct vfsmount *vfs_create_mount(struct fs_context *fc)
{
	struct super_block *sb;
	struct mount *mnt;

	might_sleep();
	if (!fc->root)
		return ERR_PTR(-EINVAL);
	mnt = alloc_vfsmnt(fc->source ? fc->source : "none");
	if (!mnt)
		return ERR_PTR(-ENOMEM);
	sb = fc->root->d_sb;
	if (fc->sb_flags & SB_KERNMOUNT)
		mnt->mnt.mnt_flags = MNT_INTERNAL;
	atomic_inc(&sb->s_active);
	mnt->mnt.mnt_sb = sb;
	mnt->mnt.mnt_root = dget(fc->root);
	mnt->mnt_mountpoint = mnt->mnt.mnt_root;
	mnt->mnt_parent = mnt;
	lock_mount_hash();
	list_add_tail(&mnt->mnt_instance, &sb->s_mounts);
	unlock_mount_hash();
	eng_event("mnt_new", mnt, "id %d sb %O internal %d", mnt->mnt_id, sb,
		  !!(mnt->mnt.mnt_flags & MNT_INTERNAL));
	return &mnt->mnt;
}

struct vfsmount *fc_mount(struct fs_context *fc)
{
	int ret = vfs_get_tree(fc);

	if (ret)
		return ERR_PTR(ret);
	up_write(&fc->root->d_sb->s_umount);
	return vfs_create_mount(fc);
}

/*
 * Parameter "source". A security module may refuse it with its own errno, or
 * swallow it, and then the mount is called "none" (FS-45).
 */
static int vfs_parse_fs_source(struct fs_context *fc, const char *name)
{
	char *source = fs_strdup(name, "fc_source");

	if (!source)
		return -ENOMEM;
	if (eng_fail_here("fs_context_parse_param")) {
		fs_free(source);
		return -EACCES;
	}
	if (fc->source) {
		fs_free(source);
		return -EINVAL;
	}
	fc->source = source;
	return 0;
}

/*
 * Context: may sleep.
 * Refs:    on success +1 mount for the caller. On failure, none.
 */
struct vfsmount *vfs_kern_mount(struct file_system_type *type, int flags, const char *name,
				void *data)
{
	struct vfsmount *mnt;
	struct fs_context *fc;
	int ret = 0;

	might_sleep();
	if (!type)
		return ERR_PTR(-EINVAL);
	fc = fs_context_for_mount(type, flags);
	if (IS_ERR(fc))
		return ERR_CAST(fc);
	if (name)
		ret = vfs_parse_fs_source(fc, name);
	/* @data is NULL for all filesystems here: nothing is left to be parsed. */
	BUG_ON(data);
	mnt = ret ? ERR_PTR(ret) : fc_mount(fc);
	put_fs_context(fc);
	return mnt;
}

/* A mount for good: puts need no lock and are never final (FS-66). */
struct vfsmount *kern_mount(struct file_system_type *type)
{
	struct vfsmount *mnt = vfs_kern_mount(type, SB_KERNMOUNT, type->name, NULL);

	if (!IS_ERR(mnt))
		real_mount(mnt)->mnt_ns = MNT_NS_INTERNAL;
	return mnt;
}

/* Context: may sleep (waits for a grace period). */
void kern_unmount(struct vfsmount *mnt)
{
	if (IS_ERR_OR_NULL(mnt))
		return;
	shared_WRITE_ONCE(real_mount(mnt)->mnt_ns, NULL);
	synchronize_rcu();
	mntput(mnt);
}

int graft_tree(struct vfsmount *mnt)
{
	return mnt->mnt_sb->s_flags & SB_NOUSER ? -EINVAL : 0;
}

/* ---- death ---- */

/*
 * Context: may sleep.
 * Refs:    gives back the mount's root dentry and its s_active.
 */
static void cleanup_mnt(struct mount *mnt)
{
	eng_event("mnt_cleanup", mnt, "");
	WARN_ON(mnt->mnt_writers);
	dput(mnt->mnt.mnt_root);
	mnt->mnt_root_put = true;
	deactivate_super(mnt->mnt.mnt_sb);
	mnt->mnt_sb_put = true;
	/* The number may be used again before the memory is. */
	ida_free(&mnt_id_ida, mnt->mnt_id);
	call_rcu(&mnt->mnt_rcu, delayed_free_vfsmnt);
}

static void __cleanup_mnt(struct callback_head *head)
{
	cleanup_mnt(container_of(head, struct mount, mnt_rcu));
}

/* Newest first, as the kernel's lock-free list comes out. */
static void delayed_mntput(struct work_struct *work)
{
	struct mount *mnt, *next;

	eng_point(ENG_OP_ATOMIC_RMW, &delayed_mntput_list, ENG_WRITE);
	mnt = delayed_mntput_list;
	delayed_mntput_list = NULL;
	for (; mnt; mnt = next) {
		next = mnt->mnt_next_delayed;
		cleanup_mnt(mnt);
	}
}

static void queue_cleanup_mnt(struct mount *mnt)
{
	struct task_struct *task = get_current();
	struct mount *first;

	if (!(task->flags & PF_KTHREAD)) {
		mnt->mnt_rcu.func = __cleanup_mnt;
		eng_event("mnt_cleanup_queued", mnt, "route task_work");
		if (!task_work_add(task, &mnt->mnt_rcu, TWA_RESUME))
			return;
	}
	eng_point(ENG_OP_ATOMIC_RMW, &delayed_mntput_list, ENG_WRITE);
	first = delayed_mntput_list;
	mnt->mnt_next_delayed = first;
	delayed_mntput_list = mnt;
	eng_event("mnt_cleanup_queued", mnt, "route delayed");
	if (!first)
		schedule_delayed_work(&delayed_mntput_work, 1);
}

/* FS-192: the pair would keep a pointer to a mount that is being freed. */
static void report_published(struct mount *mnt)
{
	if (mnt->mnt_published && *mnt->mnt_published == &mnt->mnt)
		eng_report(MOUNT_PUBLISHED, mnt, "its last reference goes while a pin still "
			   "publishes it: the next pin will use freed memory");
}

/*
 * The put that may be the last one.
 *
 * Locks:   enters with mount_lock held, drops it.
 * Return:  true if the caller must dispose of the mount.
 */
static bool mnt_put_locked(struct mount *mnt, short *share)
{
	int count;

	mnt_add_count(mnt, -1);
	--*share;
	count = mnt_get_count(mnt);
	eng_event("mnt_put", mnt, "count %d", count);
	if (count) {
		WARN_ON(count < 0);
		unlock_mount_hash();
		return false;
	}
	if (mnt->mnt.mnt_flags & MNT_DOOMED) {
		unlock_mount_hash();
		return false;
	}
	report_published(mnt);
	mnt->mnt.mnt_flags |= MNT_DOOMED;
	list_del_init(&mnt->mnt_instance);
	eng_event("mnt_doomed", mnt, "");
	unlock_mount_hash();
	return true;
}

/*
 * A mount without a namespace cannot get one back, and the RCU section of the
 * kernel only guards the look at it against kern_unmount(): so it is entered
 * for those that have one.
 */
static bool mnt_put_in_namespace(struct mount *mnt, short *share)
{
	bool done = false;

	if (!mnt->mnt_ns)
		return false;
	if (mnt->mnt_boot) {
		mnt_add_count(mnt, -1);
		--*share;
		eng_event("mnt_put", mnt, "never final");
		return true;
	}
	rcu_read_lock();
	if (shared_READ_ONCE(mnt->mnt_ns)) {
		mnt_add_count(mnt, -1);
		--*share;
		done = true;
	}
	rcu_read_unlock();
	return done;
}

/* @share: which of the checkers' shares of the count goes down with it. */
static void mntput_no_expire(struct mount *mnt, short *share)
{
	if (mnt_put_in_namespace(mnt, share))
		return;
	lock_mount_hash();
	if (!mnt_put_locked(mnt, share))
		return;
	/* An internal mount goes here and now, whoever the caller is (FS-64). */
	if (mnt->mnt.mnt_flags & MNT_INTERNAL)
		cleanup_mnt(mnt);
	else
		queue_cleanup_mnt(mnt);
}

/*
 * Context: atomic.
 * Refs:    +1; the caller must own one, or hold pin_fs_lock over a published one.
 */
struct vfsmount *mntget(struct vfsmount *mnt)
{
	if (mnt) {
		mnt_add_count(real_mount(mnt), 1);
		real_mount(mnt)->mnt_external++;
		eng_event("mnt_get", real_mount(mnt), "");
	}
	return mnt;
}

/*
 * Context: may sleep (if it is the last one of an internal mount).
 * Locks:   takes and drops mount_lock; pin_fs_lock must not be held (FS-22).
 * Refs:    -1.
 */
void mntput(struct vfsmount *mnt)
{
	if (!mnt)
		return;
	might_sleep();
	eng_check(mnt);
	mntput_no_expire(real_mount(mnt), &real_mount(mnt)->mnt_external);
}

/* Locks: the caller holds pin_fs_lock, and counts the reference in the pair. */
void mnt_get_pinned(struct vfsmount *mnt)
{
	mnt_add_count(real_mount(mnt), 1);
	eng_event("mnt_get", real_mount(mnt), "pinned");
}

/* Gives back a reference that mnt_in_flight counts. */
void mnt_put_pinned(struct vfsmount *mnt)
{
	if (!mnt)
		return;
	might_sleep();
	eng_check(mnt);
	mntput_no_expire(real_mount(mnt), &real_mount(mnt)->mnt_in_flight);
}

/* ---- what the kernel mounts at boot ---- */

static const struct super_operations boot_super_operations;

static void boot_super_init(struct super_block *sb, const struct boot_fs_type *type)
{
	INIT_LIST_HEAD(&sb->s_list);
	INIT_LIST_HEAD(&sb->s_mounts);
	INIT_LIST_HEAD(&sb->s_inodes);
	init_rwsem(&sb->s_umount);
	spin_lock_init(&sb->s_inode_list_lock);
	sb->s_op = type->s_op ? type->s_op : &boot_super_operations;
	sb->s_dev = MKDEV(0, type->minor);
	sb->s_magic = type->magic;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_time_gran = 1;
	sb->s_flags = SB_KERNMOUNT | SB_BORN | SB_ACTIVE | SB_NOUSER;
	sb->s_user_ns = &init_user_ns;
	sb->s_count = 1;
	sb->s_active.counter = 1;
	strscpy(sb->s_id, type->name, sizeof(sb->s_id));
}

struct vfsmount *boot_fs_mount(struct boot_fs *fs, const struct boot_fs_type *type)
{
	struct mount *mnt = &fs->mount;

	if (fs->ready)
		return &mnt->mnt;
	fs->ready = true;
	boot_super_init(&fs->sb, type);
	fs->root.d_count.counter = 1;
	fs->root.d_parent = &fs->root;
	fs->root.d_sb = &fs->sb;
	fs->root.d_name = fs->root.d_iname;
	fs->root.d_iname[0] = '/';
	fs->sb.s_root = &fs->root;
	mnt->mnt_count = 1;
	mnt->mnt_boot = true;
	mnt->mnt_ns = MNT_NS_INTERNAL;
	mnt->mnt_parent = mnt;
	mnt->mnt_mountpoint = &fs->root;
	mnt->mnt.mnt_root = &fs->root;
	mnt->mnt.mnt_sb = &fs->sb;
	mnt->mnt.mnt_flags = MNT_INTERNAL;
	list_add_tail(&mnt->mnt_instance, &fs->sb.s_mounts);
	return &mnt->mnt;
}
