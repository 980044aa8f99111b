// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dentries: roots and pseudo dentries, never hashed, on no LRU. Follows
 * fs/dcache.c. A dentry owns one reference on its inode; the count is the
 * kernel's lockref, whose lock nobody needs here.
 *
 * Lock order: none is taken here; dput() may end in iput().
 */
#include "vfs.h"

static struct dentry *d_alloc(struct super_block *sb, const char *name)
{
	struct dentry *dentry = fs_alloc(struct dentry, "dentry");

	if (!dentry)
		return NULL;
	dentry->d_name = dentry->d_iname;
	if (strlen(name) >= DNAME_INLINE_LEN) {
		dentry->d_name = fs_strdup(name, "dentry_name");
		if (!dentry->d_name) {
			fs_free(dentry);
			return NULL;
		}
	} else {
		memcpy(dentry->d_iname, name, strlen(name) + 1);
	}
	dentry->d_count.counter = 1;
	dentry->d_parent = dentry;
	dentry->d_sb = sb;
	dentry->d_op = sb->s_d_op;
	eng_event("dentry_new", dentry, "name %s", dentry->d_name);
	return dentry;
}

static void dentry_free_memory(struct dentry *dentry)
{
	if (dentry->d_name != dentry->d_iname)
		fs_free(dentry->d_name);
	fs_free(dentry);
}

static void dentry_free_rcu(struct callback_head *head)
{
	struct dentry *dentry = container_of(head, struct dentry, d_rcu);

	/* The head shares storage with the inline name; only the address matters. */
	eng_event("dentry_rcu_free", dentry, "");
	fs_free(dentry);
}

/*
 * Context: may sleep (iput).
 * Refs:    drops the inode's reference that the dentry owned.
 */
static void dentry_kill(struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	dentry->d_inode = NULL;
	iput(inode);
	if (dentry->d_flags & DCACHE_NORCU) {
		dentry_free_memory(dentry);
		return;
	}
	if (dentry->d_name != dentry->d_iname)
		fs_free(dentry->d_name);
	call_rcu(&dentry->d_rcu, dentry_free_rcu);
}

/* Refs: +1 on @dentry, owned by the caller. */
struct dentry *dget(struct dentry *dentry)
{
	if (dentry) {
		atomic_inc(&dentry->d_count);
		eng_event("dentry_get", dentry, "count %d", dentry->d_count.counter);
	}
	return dentry;
}

/*
 * Context: may sleep.
 * Refs:    -1 on @dentry; the last one drops its inode.
 */
void dput(struct dentry *dentry)
{
	int count;

	if (!dentry)
		return;
	might_sleep();
	eng_check(dentry);
	count = atomic_dec_return(&dentry->d_count);
	eng_event("dentry_put", dentry, "count %d", count);
	if (!count)
		dentry_kill(dentry);
}

/*
 * Context: may sleep.
 * Refs:    consumes the caller's reference on @root, also on failure.
 */
struct dentry *d_make_root(struct inode *root)
{
	struct dentry *dentry = NULL;

	if (root) {
		dentry = d_alloc(root->i_sb, "/");
		if (dentry)
			d_instantiate(dentry, root);
		else
			iput(root);
	}
	return dentry;
}

struct dentry *d_alloc_pseudo(struct super_block *sb, const char *name)
{
	struct dentry *dentry = d_alloc(sb, name);

	if (dentry)
		dentry->d_flags |= DCACHE_NORCU;
	return dentry;
}

/* Refs: the caller's reference on @inode now belongs to @dentry. */
void d_instantiate(struct dentry *dentry, struct inode *inode)
{
	dentry->d_inode = inode;
}

/*
 * The root of @sb goes, and with it the root inode. Somebody else's reference
 * on it is complained about and dropped over, as the kernel does (FS-73).
 *
 * Context: may sleep.
 * Locks:   the caller holds s_umount for write.
 */
void shrink_dcache_for_umount(struct super_block *sb)
{
	struct dentry *root = sb->s_root;
	int count = root->d_count.counter;

	WARN_ON(down_read_trylock(&sb->s_umount));
	sb->s_root = NULL;
	if (count != 1) {
		eng_event("dentry_busy", root, "count %d ino %lu sb %O", count,
			  root->d_inode->i_ino, sb);
		WARN(1, "root dentry has %d references at the unmount of %s\n", count, sb->s_id);
	}
	dput(root);
}
