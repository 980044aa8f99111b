// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files without a path of their own, all on one shared inode. Follows
 * fs/anon_inodes.c. Its mount is made at boot and never goes.
 *
 * Lock order: none is taken here.
 */
#include "vfs.h"

#define ANON_INODE_FS_MAGIC 0x09041934

static struct boot_fs anon_inode_fs KSTATE;
static struct inode anon_inode_inode KSTATE;
static unsigned int anon_inodes_in_flight KSTATE;	/* the checkers' (INV-13) */

static const struct boot_fs_type anon_inode_fs_type = {
	.name = "anon_inodefs",
	.magic = ANON_INODE_FS_MAGIC,
	.minor = BOOT_MINOR_ANON_INODEFS,
};

static struct vfsmount *anon_inode_mnt(void)
{
	bool first = !anon_inode_fs.ready;
	struct vfsmount *mnt = boot_fs_mount(&anon_inode_fs, &anon_inode_fs_type);

	if (first) {
		inode_init_static(&anon_inode_inode, mnt->mnt_sb);
		anon_inode_fields(&anon_inode_inode);
	}
	return mnt;
}

/* The inode that all of them share, once there is one; for checkers (INV-13). */
struct inode *anon_inode_shared(void)
{
	return anon_inode_fs.ready ? &anon_inode_inode : NULL;
}

unsigned int anon_inode_in_flight(void)
{
	return anon_inodes_in_flight;
}

/* With the module, and the shared inode, held by the caller. */
static struct file *anon_inode_alloc(const char *name, const struct file_operations *fops,
				     void *priv, int flags)
{
	struct file *file;

	file = alloc_file_pseudo(&anon_inode_inode, anon_inode_mnt(), name,
				 flags & (O_ACCMODE | O_NONBLOCK), fops);
	if (!IS_ERR(file)) {
		file->f_mapping = anon_inode_inode.i_mapping;
		file->private_data = priv;
	}
	return file;
}

/*
 * Context: may sleep.
 * Refs:    on success the file is the caller's and owns +1 on fops->owner, on
 *	    the anonymous mount, and a dentry with +1 on the shared inode. On
 *	    failure, none.
 */
struct file *anon_inode_getfile(const char *name, const struct file_operations *fops,
				void *priv, int flags)
{
	struct vfsmount *mnt = anon_inode_mnt();
	struct file *file;

	might_sleep();
	if (eng_fail_here("module_going") || !try_module_get(fops->owner))
		return ERR_PTR(-ENOENT);
	if (!mnt || eng_fail_here("anon_inode_inode")) {
		module_put(fops->owner);
		return ERR_PTR(-ENODEV);
	}
	ihold(&anon_inode_inode);
	anon_inodes_in_flight++;
	file = anon_inode_alloc(name, fops, priv, flags);
	anon_inodes_in_flight--;
	if (IS_ERR(file)) {
		iput(&anon_inode_inode);
		module_put(fops->owner);
	}
	return file;
}

/* Refs: on success the new descriptor owns the file. */
int anon_inode_getfd(const char *name, const struct file_operations *fops, void *priv, int flags)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(flags);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, fops, priv, flags);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}
