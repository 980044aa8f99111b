// SPDX-License-Identifier: GPL-2.0-only
/*
 * Superblocks: building, sharing, tearing down; anonymous device numbers.
 * Follows fs/super.c. s_active counts the users of a live filesystem, s_count
 * the memory: all active references together own one s_count.
 *
 * Lock order (outer first):
 *
 *   s_umount			a superblock's life; W to build and to kill
 *     sb_lock			super_blocks, fs_supers, s_count
 *     shrinker_rwsem		the list of shrinkers
 *     s_inode_list_lock	inode.c
 *
 * sb_lock is never held while s_umount is acquired: s_count goes up, sb_lock is
 * dropped, then s_umount is taken.
 */
#include <vfiosim/kapi/idr.h>

#include "vfs.h"

static KSTATE DEFINE_SPINLOCK(sb_lock);
static KSTATE LIST_HEAD(super_blocks);
static KSTATE DECLARE_RWSEM(shrinker_rwsem);
static KSTATE DEFINE_IDA(unnamed_dev_ida);

unsigned int anon_bdev_minor_max KSTATE = (1 << MINORBITS) - 1;

static const struct super_operations no_super_operations;

/* Proof that a constant is enough: it says "no writeback", and only that is asked. */
static const char noop_backing_dev_info;

/*
 * Context: any; the number comes from a GFP_ATOMIC pool.
 * Return:  0, -EMFILE when no number is left, -ENOMEM.
 */
int get_anon_bdev(dev_t *dev)
{
	int minor = -ENOSPC;

	if (!eng_fail_here("anon_bdev_space"))
		minor = ida_alloc_range(&unnamed_dev_ida, BOOT_MINOR_MAX + 1,
					anon_bdev_minor_max, GFP_ATOMIC);
	eng_event("anon_dev_get", dev, "minor %d", minor);
	if (minor == -ENOSPC)
		return -EMFILE;
	if (minor < 0)
		return minor;
	*dev = MKDEV(0, minor);
	return 0;
}

void free_anon_bdev(dev_t dev)
{
	eng_event("anon_dev_put", NULL, "minor %u", MINOR(dev));
	ida_free(&unnamed_dev_ida, MINOR(dev));
}

static int set_anon_super_fc(struct super_block *sb, struct fs_context *fc)
{
	return get_anon_bdev(&sb->s_dev);
}

/* ---- memory ---- */

static void destroy_super_work(struct work_struct *work)
{
	struct super_block *sb = container_of(work, struct super_block, destroy_work);

	eng_event("sb_freed", sb, "");
	if (kernel_version >= KERNEL_6_12)
		put_user_ns(sb->s_user_ns);
	fs_free(sb);
}

static void destroy_super_rcu(struct callback_head *head)
{
	struct super_block *sb = container_of(head, struct super_block, rcu);

	/* The freeze semaphores need a context that can sleep. */
	INIT_WORK(&sb->destroy_work, destroy_super_work);
	schedule_work(&sb->destroy_work);
}

/*
 * A superblock that nobody has seen goes at once.
 *
 * Context: may sleep (the shrinker's lock).
 * Locks:   enters with s_umount held for write, drops it.
 */
static void destroy_unused_super(struct super_block *sb)
{
	might_sleep();
	up_write(&sb->s_umount);
	sb->s_lru = false;
	put_user_ns(sb->s_user_ns);
	fs_free(sb);
}

/* The steps that can fail once the memory is there; all end in -ENOMEM (FS-173). */
static bool super_parts_fail(void)
{
	return eng_fail_here("sb_security") || eng_fail_here("sb_freeze_rwsem") ||
	       eng_fail_here("sb_shrinker") || eng_fail_here("sb_lru");
}

/*
 * @flags is an int: SB_NOUSER, bit 31, sets the upper half of s_flags too.
 *
 * Context: may sleep.
 * Locks:   returns holding s_umount for write.
 * Refs:    s_active and s_count are 1, and the caller's.
 */
static struct super_block *alloc_super(struct file_system_type *type, int flags,
				       struct user_namespace *user_ns)
{
	struct super_block *sb = fs_alloc(struct super_block, "super_block");

	if (!sb)
		return NULL;
	INIT_LIST_HEAD(&sb->s_mounts);
	sb->s_user_ns = get_user_ns(user_ns);
	init_rwsem(&sb->s_umount);
	down_write_nested(&sb->s_umount, SINGLE_DEPTH_NESTING);
	if (super_parts_fail()) {
		destroy_unused_super(sb);
		return NULL;
	}
	sb->s_bdi = &noop_backing_dev_info;
	sb->s_flags = flags;
	sb->s_instances = (struct hlist_node){ 0 };
	INIT_LIST_HEAD(&sb->s_list);
	INIT_LIST_HEAD(&sb->s_inodes);
	spin_lock_init(&sb->s_inode_list_lock);
	sb->s_count = 1;
	sb->s_active.counter = 1;
	sb->s_op = &no_super_operations;
	sb->s_time_gran = 1000000000;
	sb->s_lru = true;
	return sb;
}

static void register_shrinker(struct super_block *sb)
{
	down_write(&shrinker_rwsem);
	sb->s_shrinker = true;
	up_write(&shrinker_rwsem);
}

static void unregister_shrinker(struct super_block *sb)
{
	down_write(&shrinker_rwsem);
	sb->s_shrinker = false;
	up_write(&shrinker_rwsem);
}

/* ---- building ---- */

/*
 * A superblock of @fc's type, always a new one: pseudo filesystems match none.
 *
 * Context: may sleep.
 * Locks:   returns holding s_umount for write; takes and drops sb_lock.
 * Refs:    on success +1 on the type's module, +1 s_active, +1 s_count.
 */
static struct super_block *sget_fc(struct fs_context *fc)
{
	struct user_namespace *ns = fc->global ? &init_user_ns : fc->user_ns;
	struct super_block *sb;
	int ret;

	/* The kernel looks for a match first, drops the lock to allocate, looks again. */
	spin_lock(&sb_lock);
	spin_unlock(&sb_lock);
	sb = alloc_super(fc->fs_type, fc->sb_flags, ns);
	if (!sb)
		return ERR_PTR(-ENOMEM);
	sb->s_fs_info = fc->fs_private;
	spin_lock(&sb_lock);
	ret = set_anon_super_fc(sb, fc);
	if (ret) {
		spin_unlock(&sb_lock);
		destroy_unused_super(sb);
		return ERR_PTR(ret);
	}
	sb->s_type = fc->fs_type;
	sb->s_iflags |= fc->s_iflags;
	strscpy(sb->s_id, sb->s_type->name, sizeof(sb->s_id));
	list_add_tail(&sb->s_list, &super_blocks);
	hlist_add_head(&sb->s_instances, &sb->s_type->fs_supers);
	eng_event("sb_new", sb, "s_dev 0:%u s_active %d s_count %d", MINOR(sb->s_dev),
		  sb->s_active.counter, sb->s_count);
	spin_unlock(&sb_lock);
	get_filesystem(sb->s_type);
	register_shrinker(sb);
	return sb;
}

/*
 * Context: may sleep.
 * Locks:   on success returns holding s_umount for write.
 * Refs:    on success fc->root owns one root dentry reference and one s_active.
 *	    On failure the new superblock has been killed.
 */
int get_tree_nodev(struct fs_context *fc,
		   int (*fill_super)(struct super_block *sb, struct fs_context *fc))
{
	struct super_block *sb = sget_fc(fc);
	int ret;

	if (IS_ERR(sb))
		return PTR_ERR(sb);
	ret = fill_super(sb, fc);
	if (ret) {
		deactivate_locked_super(sb);
		return ret;
	}
	sb->s_flags |= SB_ACTIVE;
	eng_event("sb_active", sb, "flags 0x%x", (unsigned int)sb->s_flags);
	fc->root = dget(sb->s_root);
	return 0;
}

/* ---- tearing down ---- */

/* Locks: the caller holds sb_lock. */
static void __put_super(struct super_block *sb)
{
	if (--sb->s_count)
		return;
	eng_event("sb_last_count", sb, "");
	list_del_init(&sb->s_list);
	WARN_ON(sb->s_lru);
	WARN_ON(!list_empty(&sb->s_mounts));
	if (kernel_version >= KERNEL_6_12) {
		hlist_del_init(&sb->s_instances);
		eng_event("sb_unlist", sb, "");
		call_rcu(&sb->rcu, destroy_super_rcu);
		put_filesystem(sb->s_type);
		return;
	}
	put_user_ns(sb->s_user_ns);
	call_rcu(&sb->rcu, destroy_super_rcu);
}

/*
 * Context: atomic.
 * Locks:   takes and drops sb_lock.
 * Refs:    -1 s_count; the last one gives the memory to RCU.
 */
void put_super(struct super_block *sb)
{
	spin_lock(&sb_lock);
	__put_super(sb);
	spin_unlock(&sb_lock);
}

/* Proof that nothing is right: no filesystem here has a page to write back. */
int sync_filesystem(struct super_block *sb)
{
	return 0;
}

/* 6.12 also poisons what is left, so that a late iput() oopses at once (FS-75). */
static void report_busy_inodes(struct super_block *sb)
{
	struct inode *inode, *next;

	if (list_empty(&sb->s_inodes))
		return;
	eng_event("busy_report", sb, "%s", sb->s_id);
	pr_err("VFS: inodes of %s are still busy after its unmount\n", sb->s_id);
	if (kernel_version < KERNEL_6_12)
		return;
	WARN_ON(!list_empty(&sb->s_inodes));
	list_for_each_entry_safe(inode, next, &sb->s_inodes, i_sb_list) {
		inode->i_op = ERR_PTR(-EINVAL);
		inode->i_sb = ERR_PTR(-EINVAL);
		inode->i_mapping = ERR_PTR(-EINVAL);
	}
}

/* FS-190: what the kernel cannot see, since pseudo inodes are on no list. */
static void report_living_inodes(struct super_block *sb)
{
	if (sb->s_unlisted_inodes || !list_empty(&sb->s_inodes))
		eng_report(INODE_OUTLIVES_SUPER, sb, "%s is shut down while inodes of it live: "
			   "%u unlisted, %s listed; their i_sb will dangle", sb->s_id,
			   sb->s_unlisted_inodes, list_empty(&sb->s_inodes) ? "none" : "some");
}

/* Steps 1 to 9 of FS-71: only for a superblock that got its root. */
static void shutdown_rooted_super(struct super_block *sb)
{
	shrink_dcache_for_umount(sb);
	sync_filesystem(sb);
	sb->s_flags &= ~SB_ACTIVE;
	eng_event("sb_inactive", sb, "flags 0x%x", (unsigned int)sb->s_flags);
	evict_inodes(sb);
	if (sb->s_op->put_super)
		sb->s_op->put_super(sb);
	report_busy_inodes(sb);
	report_living_inodes(sb);
}

/*
 * Context: may sleep.
 * Locks:   enters with s_umount held for write and drops it; takes sb_lock.
 * Refs:    -1 on the root dentry.
 */
void generic_shutdown_super(struct super_block *sb)
{
	lockdep_assert_held_write(&sb->s_umount);
	if (sb->s_root)
		shutdown_rooted_super(sb);
	if (kernel_version < KERNEL_6_12) {
		spin_lock(&sb_lock);
		hlist_del_init(&sb->s_instances);
		eng_event("sb_unlist", sb, "");
		spin_unlock(&sb_lock);
	} else {
		sb->s_flags |= SB_DYING;
	}
	up_write(&sb->s_umount);
}

void kill_anon_super(struct super_block *sb)
{
	dev_t dev = sb->s_dev;

	generic_shutdown_super(sb);
	if (kernel_version >= KERNEL_6_12)
		sb->s_flags |= SB_DEAD;
	free_anon_bdev(dev);
}

/*
 * Context: may sleep.
 * Locks:   enters with s_umount held for write, always drops it.
 * Refs:    -1 s_active; the last one also gives back the module and one s_count.
 */
void deactivate_locked_super(struct super_block *sb)
{
	struct file_system_type *type = sb->s_type;

	might_sleep();
	if (!atomic_dec_and_test(&sb->s_active)) {
		up_write(&sb->s_umount);
		return;
	}
	eng_event("sb_killed", sb, "s_active 0");
	unregister_shrinker(sb);
	type->kill_sb(sb);
	sb->s_lru = false;
	/* From here on nothing may touch s_type: its module may go (FS-78). */
	if (kernel_version < KERNEL_6_12)
		put_filesystem(type);
	put_super(sb);
}

/*
 * Context: may sleep (if it drops the last reference).
 * Locks:   s_umount must not be held; takes and drops it.
 * Refs:    -1 s_active.
 */
void deactivate_super(struct super_block *sb)
{
	might_sleep();
	if (atomic_add_unless(&sb->s_active, -1, 1))
		return;
	down_write(&sb->s_umount);
	deactivate_locked_super(sb);
}

/* ---- walkers ---- */

static bool super_is_on_its_way_out(const struct super_block *sb)
{
	if (kernel_version >= KERNEL_6_12)
		return sb->s_flags & SB_DYING;
	return hlist_unhashed(&sb->s_instances);
}

/*
 * Visit each superblock that lives, s_umount held shared. The reference on one
 * is given back only after the next one has been visited (FS-77).
 *
 * Context: may sleep.
 * Locks:   takes and drops sb_lock and s_umount (R).
 */
void iterate_supers(void (*visit)(struct super_block *sb, void *arg), void *arg)
{
	struct super_block *sb, *last = NULL;

	might_sleep();
	spin_lock(&sb_lock);
	list_for_each_entry(sb, &super_blocks, s_list) {
		if (super_is_on_its_way_out(sb))
			continue;
		sb->s_count++;
		spin_unlock(&sb_lock);

		down_read(&sb->s_umount);
		if (sb->s_root && (sb->s_flags & SB_BORN))
			visit(sb, arg);
		up_read(&sb->s_umount);

		/* The list may have changed; @sb itself is kept on it by its s_count. */
		spin_lock(&sb_lock);
		if (last)
			__put_super(last);
		last = sb;
	}
	if (last)
		__put_super(last);
	spin_unlock(&sb_lock);
}

/*
 * What a shrinker does under memory pressure. It only tries the lock: waiting
 * for a superblock that is being killed would deadlock with
 * unregister_shrinker() (I-11).
 *
 * Locks:   takes and drops shrinker_rwsem (R), tries s_umount (R).
 */
bool super_cache_scan(struct super_block *sb)
{
	bool scanned = false;

	down_read(&shrinker_rwsem);
	if (sb->s_shrinker && down_read_trylock(&sb->s_umount)) {
		/* No dentry and no inode of the model is ever on an LRU. */
		scanned = sb->s_root != NULL;
		up_read(&sb->s_umount);
	}
	up_read(&shrinker_rwsem);
	return scanned;
}
