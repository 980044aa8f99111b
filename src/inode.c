// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes: allocation, references, eviction, and the slab that reuses their
 * memory. Follows fs/inode.c, mm/truncate.c (the empty page cache) of 5.14.
 *
 * Lock order (outer first):
 *
 *   s_umount
 *     s_inode_list_lock		s_inodes, i_sb_list
 *       i_lock			i_state, the last step of i_count
 *
 * An inode from alloc_anon_inode() is on no list, hash or LRU. Nothing finds it
 * when its superblock goes: the kernel is silent (FS-86), the detectors are not.
 */
#include "vfs.h"

#define I_DIRTY_TIME (1 << 11)
#define I_DONTCACHE (1 << 16)

/*
 * Freed inodes whose constructor's fields are not back in their empty state,
 * linked by i_private. A clean one goes back to the arena, which poisons it; there is no
 * difference to see between its reuse and new memory. A dirty one must be
 * reused as it is, since the next owner inherits what it holds (FS-83, FS-100).
 */
static struct inode *inodes_dirty KSTATE;

static unsigned int last_ino KSTATE;

static const struct inode_operations empty_iops;

static int no_open(struct inode *inode, struct file *file)
{
	return -ENXIO;
}

static const struct file_operations no_open_fops = { .open = no_open };

/* The bits that a kernel of the modelled version would show. */
unsigned int inode_state_shown(const struct inode *inode)
{
	unsigned int state = inode->i_state;

	if (kernel_version < KERNEL_6_12)
		return state;
	return (state & I_DIRTY) << 3 | !!(state & I_NEW) | (state & I_WILL_FREE) << 2 |
	       (state & (I_FREEING | I_CLEAR)) << 2;
}

bool inode_on_no_list(const struct inode *inode)
{
	return hlist_unhashed(&inode->i_hash) && list_empty(&inode->i_lru) &&
	       list_empty(&inode->i_io_list) && list_empty(&inode->i_wb_list) &&
	       list_empty(&inode->i_sb_list);
}

/* The slab's constructor: runs once per piece of memory, not once per inode. */
static void inode_init_once(struct inode *inode)
{
	struct address_space *mapping = &inode->i_data;

	mapping->i_mmap = (struct mapping_tree){ NULL };
	init_rwsem(&mapping->i_mmap_rwsem);
	mapping->i_pages = NULL;
	mapping->nrpages = 0;
	INIT_LIST_HEAD(&mapping->private_list);
	inode->i_hash = (struct hlist_node){ 0 };
	INIT_LIST_HEAD(&inode->i_lru);
	INIT_LIST_HEAD(&inode->i_io_list);
	INIT_LIST_HEAD(&inode->i_wb_list);
	INIT_LIST_HEAD(&inode->i_devices);
	INIT_LIST_HEAD(&inode->i_sb_list);
}

static bool inode_is_constructed(const struct inode *inode)
{
	const struct address_space *mapping = &inode->i_data;

	return !mapping_mapped(mapping) && !mapping->nrpages &&
	       list_empty(&mapping->private_list) && list_empty(&inode->i_devices);
}

/* Context: may sleep. */
static struct inode *inode_slab_alloc(void)
{
	struct inode *inode = inodes_dirty;

	if (inode) {
		if (eng_fail_here("inode"))
			return NULL;
		inodes_dirty = inode->i_private;
		return inode;
	}
	inode = fs_alloc(struct inode, "inode");
	if (inode)
		inode_init_once(inode);
	return inode;
}

static void inode_slab_free(struct inode *inode)
{
	if (inode_is_constructed(inode)) {
		fs_free(inode);
		return;
	}
	eng_not_leak(inode);
	inode->i_private = inodes_dirty;
	inodes_dirty = inode;
}

static void free_inode_memory(struct inode *inode)
{
	void (*free_inode)(struct inode *inode) = inode->free_inode;

	if (free_inode)
		free_inode(inode);
	else
		inode_slab_free(inode);
}

/* Must not read i_sb: the superblock may be gone by now (I-13). */
static void inode_free_rcu(struct callback_head *head)
{
	struct inode *inode = container_of(head, struct inode, i_rcu);

	eng_event("inode_rcu_free", inode, "");
	free_inode_memory(inode);
}

/* The fields of each use. */
static void inode_init_always(struct super_block *sb, struct inode *inode)
{
	struct address_space *mapping = &inode->i_data;

	inode->i_sb = sb;
	inode->i_blkbits = sb->s_blocksize_bits;
	inode->i_flags = 0;
	inode->i_mode = 0;
	inode->i_uid.val = 0;
	inode->i_gid.val = 0;
	inode->i_count.counter = 1;
	inode->i_op = &empty_iops;
	inode->i_fop = &no_open_fops;
	inode->i_ino = 0;
	inode->i_nlink = 1;
	inode->i_writecount = 0;
	inode->i_readcount = 0;
	inode->i_size = 0;
	inode->i_rdev = 0;
	inode->i_cdev = NULL;
	inode->i_private = NULL;
	inode->i_dentry.first = NULL;
	spin_lock_init(&inode->i_lock);
	init_rwsem(&inode->i_rwsem);
	mapping->a_ops = NULL;
	mapping->host = inode;
	mapping->flags = 0;
	mapping->wb_err = 0;
	mapping->i_mmap_writable = 0;
	inode->i_mapping = mapping;
}

void inode_init_static(struct inode *inode, struct super_block *sb)
{
	inode_init_once(inode);
	inode_init_always(sb, inode);
	inode->i_flags = S_ETERNAL;
	inode->i_state = 0;
}

/*
 * Context: may sleep.
 * Refs:    on success +1 on the inode, owned by the caller; none on @sb (FS-86).
 */
struct inode *new_inode_pseudo(struct super_block *sb)
{
	struct inode *inode;

	might_sleep();
	inode = sb->s_op->alloc_inode ? sb->s_op->alloc_inode(sb) : inode_slab_alloc();
	if (!inode)
		return NULL;
	inode_init_always(sb, inode);
	if (eng_fail_here("inode_security")) {
		/* Nobody has seen it yet: no grace period. */
		inode->free_inode = sb->s_op->free_inode;
		free_inode_memory(inode);
		return NULL;
	}
	/* The kernel takes i_lock here; nobody else knows the inode yet. */
	inode->i_state = 0;
	INIT_LIST_HEAD(&inode->i_sb_list);
	sb->s_unlisted_inodes++;
	return inode;
}

/* As new_inode_pseudo(), and visible to all who walk @sb's inodes. */
struct inode *new_inode(struct super_block *sb)
{
	struct inode *inode = new_inode_pseudo(sb);

	if (!inode)
		return NULL;
	spin_lock(&sb->s_inode_list_lock);
	list_add(&inode->i_sb_list, &sb->s_inodes);
	sb->s_unlisted_inodes--;
	spin_unlock(&sb->s_inode_list_lock);
	eng_event("inode_new", inode, "sb %O listed", sb);
	return inode;
}

/*
 * Inode numbers are shared by all pseudo filesystems. The kernel hands out
 * batches to each cpu, here there is one cpu; no decision depends on a number.
 */
unsigned int get_next_ino(void)
{
	if (++last_ino == 0)
		last_ino = 1;
	return last_ino;
}

void inode_init_owner_current(struct inode *inode)
{
	inode->i_uid = current_cred()->fsuid;
	inode->i_gid = current_cred()->fsgid;
}

/* A node of a device; opening it goes through the character device's number. */
void init_special_inode(struct inode *inode, umode_t mode, dev_t rdev)
{
	inode->i_mode = mode;
	inode->i_rdev = rdev;
	if (S_ISCHR(mode))
		inode->i_fop = &def_chr_fops;
}

/* Refs: +1 on @inode; the caller must own one already. */
void ihold(struct inode *inode)
{
	bool eternal = inode->i_flags & S_ETERNAL;
	int count = eternal ? ++inode->i_count.counter : atomic_inc_return(&inode->i_count);

	eng_event("inode_get", inode, "count %d", count);
	if (count == 1)
		eng_report(INODE_COUNT, inode, "a reference is taken after the last one went");
	WARN_ON(count < 2);
}

/* Step 5 of evict() for a filesystem without an own way: no page is left. */
static void truncate_inode_pages_final(struct address_space *mapping)
{
	mapping->flags |= AS_EXITING;
}

void clear_inode(struct inode *inode)
{
	BUG_ON(inode->i_data.nrpages);
	BUG_ON(!list_empty(&inode->i_data.private_list));
	BUG_ON(!(inode->i_state & I_FREEING));
	BUG_ON(inode->i_state & I_CLEAR);
	BUG_ON(!list_empty(&inode->i_wb_list));
	/* i_mmap is not looked at, in no version (FS-98, FS-101). */
	inode->i_state = I_FREEING | I_CLEAR;
	eng_event("inode_clear", inode, "state 0x%x", inode_state_shown(inode));
}

/* FS-189: what the kernel lets pass, and pays for when the memory is reused. */
static void report_stale_mapping(struct inode *inode)
{
	const struct address_space *mapping = &inode->i_data;

	if (mapping_mapped(mapping))
		eng_report(STALE_MAPPING, inode,
			   "evicted while a mapping is still in its tree: munmap will write "
			   "to freed memory, or to the tree of the memory's next owner");
	else if (mapping->i_mmap_writable != (mapping->flags & AS_WRITE_SEALED ? -1 : 0))
		eng_report(STALE_MAPPING, inode, "evicted with i_mmap_writable %d",
			   mapping->i_mmap_writable);
}

/*
 * Context: may sleep.
 * Locks:   takes and drops s_inode_list_lock.
 */
static void inode_sb_list_del(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	if (list_empty(&inode->i_sb_list)) {
		sb->s_unlisted_inodes--;
		return;
	}
	spin_lock(&sb->s_inode_list_lock);
	list_del_init(&inode->i_sb_list);
	spin_unlock(&sb->s_inode_list_lock);
}

static void destroy_inode(struct inode *inode)
{
	const struct super_operations *ops = inode->i_sb->s_op;

	BUG_ON(!list_empty(&inode->i_lru));
	inode->free_inode = ops->free_inode;
	call_rcu(&inode->i_rcu, inode_free_rcu);
}

/*
 * Context: may sleep.
 * Locks:   takes and drops s_inode_list_lock and i_lock.
 */
static void evict(struct inode *inode)
{
	const struct super_operations *op;

	BUG_ON(!(inode->i_state & I_FREEING));
	BUG_ON(!list_empty(&inode->i_lru));
	eng_check(inode->i_sb);
	op = inode->i_sb->s_op;
	eng_event("inode_evict", inode, "sb %O i_mmap_writable %d", inode->i_sb,
		  inode->i_data.i_mmap_writable);
	report_stale_mapping(inode);
	inode_sb_list_del(inode);
	if (op->evict_inode) {
		op->evict_inode(inode);
	} else {
		/* i_data, not i_mapping: a redirected mapping is not ours (FS-96). */
		truncate_inode_pages_final(&inode->i_data);
		clear_inode(inode);
	}
	if (S_ISCHR(inode->i_mode) && inode->i_cdev)
		cd_forget(inode);
	hlist_del_init(&inode->i_hash);
	spin_lock(&inode->i_lock);
	BUG_ON(inode->i_state != (I_FREEING | I_CLEAR));
	spin_unlock(&inode->i_lock);
	destroy_inode(inode);
}

static bool generic_drop_inode(const struct inode *inode)
{
	return !inode->i_nlink || hlist_unhashed(&inode->i_hash);
}

/*
 * The last reference is gone.
 *
 * Context: may sleep.
 * Locks:   enters with i_lock held, returns without.
 */
static void iput_final(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	bool drop;

	WARN_ON(inode->i_state & I_NEW);
	eng_check(sb);
	drop = sb->s_op->drop_inode ? sb->s_op->drop_inode(inode) : generic_drop_inode(inode);
	if (!drop && !(inode->i_state & I_DONTCACHE) && (sb->s_flags & SB_ACTIVE)) {
		spin_unlock(&inode->i_lock);
		return;
	}
	if (!drop) {
		inode->i_state |= I_WILL_FREE;
		spin_unlock(&inode->i_lock);
		/* Written back here; no filesystem of the model has anything to write. */
		might_sleep();
		spin_lock(&inode->i_lock);
		inode->i_state &= ~I_WILL_FREE;
	}
	inode->i_state |= I_FREEING;
	eng_event("inode_final", inode, "state 0x%x", inode_state_shown(inode));
	list_del_init(&inode->i_lru);
	spin_unlock(&inode->i_lock);
	evict(inode);
}

/*
 * True when @inode's count reached zero, and then i_lock is held
 * (atomic_dec_and_lock). A count that is not one goes down without the lock,
 * whatever it is: zero becomes -1 and nobody in the kernel notices (FS-91).
 */
static bool inode_dec_and_lock(struct inode *inode)
{
	if (inode->i_flags & S_ETERNAL) {
		inode->i_count.counter--;
		BUG_ON(inode->i_count.counter < 1);
		return false;
	}
	if (atomic_add_unless(&inode->i_count, -1, 1)) {
		int count = inode->i_count.counter;

		eng_event("inode_put", inode, "count %d", count);
		if (count < 0)
			eng_report(INODE_COUNT, inode, "i_count is %d: one iput() too many", count);
		return false;
	}
	spin_lock(&inode->i_lock);
	if (atomic_dec_and_test(&inode->i_count)) {
		eng_event("inode_put", inode, "count 0");
		return true;
	}
	spin_unlock(&inode->i_lock);
	return false;
}

/*
 * Context: may sleep.
 * Locks:   takes and drops i_lock.
 * Refs:    -1 on @inode; its superblock must be alive.
 */
void iput(struct inode *inode)
{
	if (!inode)
		return;
	might_sleep();
	if (IS_ERR(inode))
		eng_fail(ERROR_POINTER, NULL, "iput() of an error pointer (%ld): a failed "
			 "registration was undone twice", PTR_ERR(inode));
	BUG_ON(inode->i_state & I_CLEAR);
	while (inode_dec_and_lock(inode)) {
		if (!inode->i_nlink || !(inode->i_state & I_DIRTY_TIME)) {
			iput_final(inode);
			return;
		}
		/* A lazy timestamp is written first; the inode lives on meanwhile. */
		atomic_inc(&inode->i_count);
		inode->i_state &= ~I_DIRTY_TIME;
		spin_unlock(&inode->i_lock);
	}
}

static bool inode_can_be_evicted(struct inode *inode)
{
	bool yes;

	if (atomic_read(&inode->i_count))
		return false;
	spin_lock(&inode->i_lock);
	yes = !(inode->i_state & (I_NEW | I_FREEING | I_WILL_FREE));
	if (yes && kernel_version >= KERNEL_6_12)
		yes = !inode->i_count.counter;
	if (yes)
		inode->i_state |= I_FREEING;
	spin_unlock(&inode->i_lock);
	return yes;
}

/*
 * Evict what nobody holds; what is held stays listed, for the busy report.
 *
 * Context: may sleep.
 * Locks:   the caller holds s_umount for write; takes and drops s_inode_list_lock.
 */
void evict_inodes(struct super_block *sb)
{
	struct inode *inode, *next;
	LIST_HEAD(dispose);

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry_safe(inode, next, &sb->s_inodes, i_sb_list) {
		if (!inode_can_be_evicted(inode))
			continue;
		list_del_init(&inode->i_lru);
		list_add(&inode->i_lru, &dispose);
	}
	spin_unlock(&sb->s_inode_list_lock);

	while (!list_empty(&dispose)) {
		inode = list_first_entry(&dispose, struct inode, i_lru);
		list_del_init(&inode->i_lru);
		evict(inode);
	}
}
