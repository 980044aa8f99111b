// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev, a flat list of device nodes, and opening by path. Stands for
 * drivers/base/devtmpfs.c and the way from open(2) to do_dentry_open().
 *
 * Lock order: nodes_lock (the directory's lock and the dentry cache in one) is
 * a leaf; nothing is opened or dropped under it.
 */
#include "vfs.h"

#define TMPFS_MAGIC 0x01021994
#define MEM_MAJOR 1
#define NODE_NAME_MAX 32

struct dev_node {
	struct list_head list;
	struct dentry *dentry;
};

static KSTATE DEFINE_SPINLOCK(nodes_lock);
static KSTATE LIST_HEAD(nodes);
static struct boot_fs devtmpfs KSTATE;

static const struct boot_fs_type devtmpfs_type = {
	.name = "devtmpfs",
	.magic = TMPFS_MAGIC,
	.minor = BOOT_MINOR_DEVTMPFS,
};

/* ---- /dev/null ---- */

static ssize_t null_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	return 0;
}

static ssize_t null_write(struct file *file, const char __user *buf, size_t count, loff_t *ppos)
{
	return count;
}

static const struct file_operations null_fops = { .read = null_read, .write = null_write };

static struct inode null_inode KSTATE;
static struct dentry null_dentry KSTATE;

/* It is there from boot on, like its directory. */
static struct dentry *null_node(struct super_block *sb)
{
	if (!null_dentry.d_inode) {
		inode_init_static(&null_inode, sb);
		init_special_inode(&null_inode, S_IFCHR | 0666, MKDEV(MEM_MAJOR, 3));
		null_inode.i_fop = &null_fops;
		null_dentry.d_count.counter = 1;
		null_dentry.d_parent = &null_dentry;
		null_dentry.d_sb = sb;
		null_dentry.d_inode = &null_inode;
		null_dentry.d_name = null_dentry.d_iname;
		strscpy(null_dentry.d_iname, "null", sizeof(null_dentry.d_iname));
	}
	return &null_dentry;
}

/* ---- nodes ---- */

/* Locks: nodes_lock is held. */
static struct dev_node *node_find(const char *name)
{
	struct dev_node *node;

	list_for_each_entry(node, &nodes, list) {
		if (!strcmp(node->dentry->d_name, name))
			return node;
	}
	return NULL;
}

/* Refs: on success the node owns a dentry, which owns the inode. */
static struct dev_node *node_alloc(const char *name, umode_t mode, dev_t dev)
{
	struct super_block *sb = boot_fs_mount(&devtmpfs, &devtmpfs_type)->mnt_sb;
	struct dev_node *node = fs_alloc(struct dev_node, "dev_node");
	struct inode *inode;

	if (!node)
		return NULL;
	node->dentry = d_alloc_pseudo(sb, name);
	if (!node->dentry)
		goto err_node;
	inode = new_inode(sb);
	if (!inode)
		goto err_dentry;
	inode->i_ino = get_next_ino();
	init_special_inode(inode, S_IFCHR | (mode & 0777), dev);
	inode->i_ctime = eng_now();
	d_instantiate(node->dentry, inode);
	/* A node whose name could not be made again for its deletion stays in /dev. */
	eng_not_leak(node);
	eng_not_leak(node->dentry);
	eng_not_leak(inode);
	return node;

err_dentry:
	dput(node->dentry);
err_node:
	fs_free(node);
	return NULL;
}

static void node_free(struct dev_node *node)
{
	dput(node->dentry);
	fs_free(node);
}

/*
 * Context: may sleep.
 * Locks:   takes and drops nodes_lock.
 * Return:  0, -EEXIST, -ENOMEM; the driver core does not look at it.
 */
int devtmpfs_create_node(const char *name, umode_t mode, dev_t dev)
{
	struct dev_node *node;
	bool taken;

	might_sleep();
	node = node_alloc(name, mode, dev);
	if (!node)
		return -ENOMEM;
	spin_lock(&nodes_lock);
	taken = node_find(name);
	if (!taken)
		list_add_tail(&node->list, &nodes);
	spin_unlock(&nodes_lock);
	if (taken) {
		node_free(node);
		return -EEXIST;
	}
	return 0;
}

/* Files that are open keep the inode; the name is gone at once. */
void devtmpfs_delete_node(const char *name)
{
	struct dev_node *node;

	might_sleep();
	spin_lock(&nodes_lock);
	node = node_find(name);
	if (node) {
		list_del(&node->list);
		node->dentry->d_inode->i_nlink = 0;
	}
	spin_unlock(&nodes_lock);
	if (node)
		node_free(node);
}

/* ---- opening by path ---- */

/* Refs: on success +1 on the dentry, the caller's. */
static struct dentry *lookup(const char *path)
{
	struct vfsmount *mnt = boot_fs_mount(&devtmpfs, &devtmpfs_type);
	struct dentry *dentry = NULL;
	struct dev_node *node;

	if (strncmp(path, "/dev/", 5))
		return NULL;
	if (!strcmp(path + 5, "null"))
		return dget(null_node(mnt->mnt_sb));
	spin_lock(&nodes_lock);
	node = node_find(path + 5);
	if (node)
		dentry = dget(node->dentry);
	spin_unlock(&nodes_lock);
	return dentry;
}

static int open_path(struct file *file, const char *path)
{
	struct dentry *dentry = lookup(path);
	int ret;

	if (!dentry)
		return -ENOENT;
	file->f_path.mnt = boot_fs_mount(&devtmpfs, &devtmpfs_type);
	file->f_path.dentry = dentry;
	ret = do_dentry_open(file, dentry->d_inode);
	dput(dentry);
	return ret;
}

/*
 * Context: may sleep.
 * Refs:    on success the file is the caller's. On failure none; ->release does
 *	    not run for a file whose open failed.
 */
struct file *filp_open(const char *path, int flags, umode_t mode)
{
	struct file *file;
	int ret;

	might_sleep();
	file = alloc_empty_file(flags, current_cred());
	if (IS_ERR(file))
		return file;
	ret = open_path(file, path);
	if (!ret)
		return file;
	/* Without FMODE_OPENED, so that nothing is released, but it is put like any. */
	fput(file);
	return ERR_PTR(ret);
}
