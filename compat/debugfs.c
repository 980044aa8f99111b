// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs, for a core that is built with CONFIG_VFIO_DEBUGFS. Kernel original:
 * fs/debugfs/inode.c.
 *
 * The directories are real as far as their life goes: each pins the filesystem,
 * has an inode, and must be removed by whoever made it. There is no way to it
 * from user space, so files in it are never read.
 *
 * Lock order: debugfs_lock is outermost here. It guards the tree, as the parents'
 * inode locks do in the kernel.
 */
#include "words.h"

#include <vfiosim/kapi/dcache.h>

#define DEBUGFS_MAGIC 0x64626720

static struct vfsmount *debugfs_mount;
static int debugfs_mount_count;
static DEFINE_MUTEX(debugfs_lock);
static LIST_HEAD(debugfs_entries);	/* parents before their children */

struct debugfs_entry {
	struct list_head list;
	struct dentry *dentry;
	struct dentry *parent;		/* NULL: the filesystem's root */
};

static int debugfs_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, DEBUGFS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type debugfs_type = {
	.name = "debugfs",
	.init_fs_context = debugfs_init_fs_context,
	.kill_sb = kill_anon_super,
};

/* Locks: the caller holds debugfs_lock. */
static struct debugfs_entry *debugfs_find(const char *name, struct dentry *parent)
{
	struct debugfs_entry *entry;

	lockdep_assert_held(&debugfs_lock);
	list_for_each_entry(entry, &debugfs_entries, list)
		if (entry->parent == parent && !strcmp(entry->dentry->d_name, name))
			return entry;
	return NULL;
}

/* Refs: the entry owns its dentry, which owns the inode; nothing is left on failure. */
static struct debugfs_entry *debugfs_make(const char *name, struct dentry *parent)
{
	struct super_block *sb = debugfs_mount->mnt_sb;
	struct debugfs_entry *entry;
	struct inode *inode;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return NULL;
	inode = alloc_anon_inode(sb);
	if (IS_ERR(inode))
		goto err_free;
	entry->dentry = d_alloc_pseudo(sb, name);
	if (!entry->dentry)
		goto err_iput;
	d_instantiate(entry->dentry, inode);
	entry->parent = parent;
	list_add_tail(&entry->list, &debugfs_entries);
	return entry;

err_iput:
	iput(inode);
err_free:
	kfree(entry);
	return NULL;
}

/*
 * Context: may sleep. Locks: takes and drops debugfs_lock.
 * Refs:    one pin of the filesystem for each directory; on failure none.
 *          An error as @parent is handed back, as callers count on.
 */
struct dentry *debugfs_create_dir(const char *name, struct dentry *parent)
{
	struct debugfs_entry *entry;
	int ret;

	if (IS_ERR(parent))
		return parent;
	ret = simple_pin_fs(&debugfs_type, &debugfs_mount, &debugfs_mount_count);
	if (ret)
		return ERR_PTR(ret);

	mutex_lock(&debugfs_lock);
	if (debugfs_find(name, parent)) {
		pr_err("debugfs: Directory '%s' is there already\n", name);
		ret = -EEXIST;
	} else {
		entry = debugfs_make(name, parent);
		ret = entry ? 0 : -ENOMEM;
	}
	mutex_unlock(&debugfs_lock);
	if (ret) {
		simple_release_fs(&debugfs_mount, &debugfs_mount_count);
		return ERR_PTR(ret);
	}
	return entry->dentry;
}

/* The last entry at or below @dentry, or NULL. Locks: the caller holds debugfs_lock. */
static struct debugfs_entry *debugfs_last_below(struct dentry *dentry)
{
	struct debugfs_entry *entry, *last = NULL;

	list_for_each_entry(entry, &debugfs_entries, list)
		if (entry->dentry == dentry || (last && entry->parent == last->dentry) ||
		    entry->parent == dentry)
			last = entry;
	return last;
}

/*
 * With all below it. NULL and errors are ignored.
 * Context: may sleep. Locks: takes and drops debugfs_lock.
 * Refs:    drops each one's dentry, and its pin.
 */
void debugfs_remove_recursive(struct dentry *dentry)
{
	struct debugfs_entry *entry;
	bool top;

	if (IS_ERR_OR_NULL(dentry))
		return;
	do {
		mutex_lock(&debugfs_lock);
		entry = debugfs_last_below(dentry);
		BUG_ON(!entry);		/* removed twice */
		list_del(&entry->list);
		mutex_unlock(&debugfs_lock);

		top = entry->dentry == dentry;
		dput(entry->dentry);
		kfree(entry);
		simple_release_fs(&debugfs_mount, &debugfs_mount_count);
	} while (!top);
}

/* Only devices that can migrate have such files, and no modelled one can. */
void debugfs_create_devm_seqfile(struct device *dev, const char *name, struct dentry *parent,
				 int (*read)(struct seq_file *seq, void *data))
{
	BUG();
}
