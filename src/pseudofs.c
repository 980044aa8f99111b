// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pseudo filesystems and their pins. Follows fs/libfs.c.
 *
 * Lock order: pin_fs_lock is a leaf. It guards all (mount, count) pairs of all
 * filesystems, and is dropped around everything that sleeps: the mount, and the
 * put that may be the last one.
 */
#include <vfiosim/kapi/pin.h>

#include "vfs.h"

static KSTATE DEFINE_SPINLOCK(pin_fs_lock);

/* ---- what the checkers remember of each pair ---- */

static struct pin_pair pin_pairs[PIN_PAIRS_MAX] KSTATE;

const struct pin_pair *pin_pair_peek(unsigned int n)
{
	return n < PIN_PAIRS_MAX && pin_pairs[n].count ? &pin_pairs[n] : NULL;
}

bool pin_fs_locked(void)
{
	return pin_fs_lock.owner;
}

/* The record of this pair; one more than PIN_PAIRS_MAX shares the last record. */
static struct pin_pair *pin_pair_of(struct vfsmount **mount, int *count)
{
	struct pin_pair *pair = pin_pairs;

	while (pair->count && pair->count != count && pair < pin_pairs + PIN_PAIRS_MAX - 1)
		pair++;
	if (!pair->count) {
		pair->mount = mount;
		pair->count = count;
	}
	return pair;
}

/* FS-191. Locks: the caller holds pin_fs_lock. */
static void check_pair(struct vfsmount **mount, int *count, const char *who)
{
	if (*count < 0)
		eng_report(PIN_COUNT, mount, "%s: the pin count fell to %d, one release too "
			   "many; the kernel is silent", who, *count);
	else if (!*count != !*mount)
		eng_report(PIN_COUNT, mount, "%s: the pin count is %d but the mount is %s; it "
			   "will be leaked or used after it is freed", who, *count,
			   *mount ? "published" : "not");
}

/* ---- pins ---- */

/* Locks: the caller holds pin_fs_lock. */
static void pin_publish(struct vfsmount **mount, struct vfsmount *fresh)
{
	real_mount(fresh)->mnt_published = mount;
	*mount = fresh;
	eng_event("pin_publish", real_mount(fresh), "");
}

/*
 * Make sure that @type is mounted at *@mount, and count one user more.
 *
 * Context: may sleep.
 * Locks:   takes and drops pin_fs_lock, twice if nothing is mounted yet.
 * Refs:    on success +1 on the published mount, until simple_release_fs(). On
 *	    failure none, and the pair is as it was, even if somebody else has
 *	    meanwhile published a mount that would have served (FS-18).
 */
int simple_pin_fs(struct file_system_type *type, struct vfsmount **mount, int *count)
{
	struct pin_pair *pair = pin_pair_of(mount, count);
	struct vfsmount *fresh = NULL;

	might_sleep();
	pair->in_flight++;
	spin_lock(&pin_fs_lock);
	eng_event("pin_enter", mount, "count %d", *count);
	if (!*mount) {
		/* Mounting sleeps, so the lock goes and *mount is read again after. */
		spin_unlock(&pin_fs_lock);
		pair->type = type;
		fresh = vfs_kern_mount(type, SB_KERNMOUNT, type->name, NULL);
		if (IS_ERR(fresh)) {
			eng_event("pin_fail", mount, "errno %d", (int)PTR_ERR(fresh));
			pair->in_flight--;
			return PTR_ERR(fresh);
		}
		real_mount(fresh)->mnt_in_flight++;
		spin_lock(&pin_fs_lock);
		if (!*mount)
			pin_publish(mount, fresh);
	}
	mnt_get_pinned(*mount);
	++*count;
	pair->balance++;
	check_pair(mount, count, "simple_pin_fs");
	eng_event("pin_done", real_mount(*mount), "count %d created %d lost %d", *count,
		  fresh != NULL, fresh && fresh != *mount);
	spin_unlock(&pin_fs_lock);
	/* The creator's birth reference; a mount that lost the race dies of it here. */
	mnt_put_pinned(fresh);
	pair->in_flight--;
	return 0;
}

/*
 * Undo one simple_pin_fs(). The pair is back at (NULL, 0) before the filesystem
 * is torn down, so that another pin may mount a second one meanwhile (FS-23).
 *
 * Context: may sleep (if it is the last one).
 * Locks:   takes and drops pin_fs_lock.
 * Refs:    -1 on the mount that was published.
 */
void simple_release_fs(struct vfsmount **mount, int *count)
{
	struct pin_pair *pair = pin_pair_of(mount, count);
	struct vfsmount *mnt;

	might_sleep();
	pair->in_flight++;
	spin_lock(&pin_fs_lock);
	mnt = *mount;
	--*count;
	pair->balance--;
	eng_event("release_enter", mount, "count %d", *count);
	if (!*count) {
		*mount = NULL;
		eng_event("pin_clear", mnt ? real_mount(mnt) : NULL, "");
	}
	check_pair(mount, count, "simple_release_fs");
	if (mnt)
		real_mount(mnt)->mnt_in_flight++;
	spin_unlock(&pin_fs_lock);
	mnt_put_pinned(mnt);
	eng_event("release_done", mount, "");
	pair->in_flight--;
}

/* ---- the context of a pseudo filesystem ---- */

static int simple_statfs(struct dentry *dentry, void *buf)
{
	return 0;
}

static const struct super_operations simple_super_operations = {
	.statfs = simple_statfs,
};

/*
 * Context: may sleep.
 * Locks:   the caller holds s_umount for write.
 */
static int pseudo_fs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	const struct pseudo_fs_context *ctx = fc->fs_private;
	struct inode *root;

	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_magic = ctx->magic;
	sb->s_op = ctx->ops ? ctx->ops : &simple_super_operations;
	sb->s_xattr = ctx->xattr;
	sb->s_time_gran = 1;
	root = new_inode(sb);
	if (!root)
		return -ENOMEM;
	root->i_ino = 1;
	root->i_mode = S_IFDIR | 0600;
	root->i_ctime = eng_now();
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	/* Only now: the root itself never carries them. */
	sb->s_d_op = ctx->dops;
	return 0;
}

static int pseudo_fs_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, pseudo_fs_fill_super);
}

static void pseudo_fs_free(struct fs_context *fc)
{
	fs_free(fc->fs_private);
}

static const struct fs_context_operations pseudo_fs_context_ops = {
	.free = pseudo_fs_free,
	.get_tree = pseudo_fs_get_tree,
};

/*
 * Context: may sleep.
 * Return:  the private context, owned by @fc; NULL if there is no memory, and
 *	    then @fc is untouched.
 */
struct pseudo_fs_context *init_pseudo(struct fs_context *fc, unsigned long magic)
{
	struct pseudo_fs_context *ctx = fs_alloc(struct pseudo_fs_context, "pseudo_fs_context");

	if (!ctx)
		return NULL;
	ctx->magic = magic;
	fc->fs_private = ctx;
	fc->ops = &pseudo_fs_context_ops;
	fc->sb_flags |= SB_NOUSER;
	fc->global = true;
	return ctx;
}

/* ---- anonymous inodes ---- */

/* Nothing is ever written back, so a page is never dirty. */
static int anon_set_page_dirty(struct page *page)
{
	return 0;
}

static const struct address_space_operations anon_aops = {
	.set_page_dirty = anon_set_page_dirty,
};

/* The fields that make an inode anonymous; the static ones of boot share this. */
void anon_inode_fields(struct inode *inode)
{
	inode->i_ino = get_next_ino();
	inode->i_mapping->a_ops = &anon_aops;
	/* Dirty from birth: nobody will ever queue it for writing (FS-87). */
	inode->i_state = I_DIRTY;
	inode->i_mode = 0600;
	inode_init_owner_current(inode);
	inode->i_flags |= S_PRIVATE;
	inode->i_ctime = eng_now();
}

/*
 * An inode that nothing lists and no path leads to.
 *
 * Context: may sleep.
 * Refs:    on success +1 on the inode, the caller's; none on @sb, which the
 *	    caller must keep alive until the last iput().
 */
struct inode *alloc_anon_inode(struct super_block *sb)
{
	struct inode *inode = new_inode_pseudo(sb);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	anon_inode_fields(inode);
	eng_event("inode_new", inode, "sb %O state 0x%x unlisted", sb,
		  inode_state_shown(inode));
	return inode;
}
