/* SPDX-License-Identifier: GPL-2.0-only */
/* Dentries: only roots and pseudo dentries exist, never hashed, on no LRU (FS-204). */
#ifndef VFIOSIM_KAPI_DCACHE_H
#define VFIOSIM_KAPI_DCACHE_H

#include <vfiosim/kapi/fs.h>

#define DCACHE_NORCU 0x40000000		/* freed at once, no grace period */

#define DNAME_INLINE_LEN 32

struct dentry_operations {
	int (*d_delete)(const struct dentry *dentry);
	char *(*d_dname)(struct dentry *dentry, char *buffer, int size);
};

struct dentry {
	unsigned int d_flags;
	atomic_t d_count;		/* d_lockref in the kernel */
	struct dentry *d_parent;
	struct inode *d_inode;
	struct super_block *d_sb;
	const struct dentry_operations *d_op;
	char *d_name;			/* d_iname, or memory of its own if longer */
	union {
		char d_iname[DNAME_INLINE_LEN];
		struct callback_head d_rcu;
	};
};

/*
 * dput(): the last one drops the inode; may sleep. d_make_root() takes over @root's reference,
 * also when it fails (NULL); d_instantiate() takes it over; d_alloc_pseudo(): NULL without memory.
 */
struct dentry *dget(struct dentry *dentry) KAPI(dget);
void dput(struct dentry *dentry) KAPI(dput);
struct dentry *d_make_root(struct inode *root) KAPI(d_make_root);
struct dentry *d_alloc_pseudo(struct super_block *sb, const char *name) KAPI(d_alloc_pseudo);
void d_instantiate(struct dentry *dentry, struct inode *inode) KAPI(d_instantiate);
void shrink_dcache_for_umount(struct super_block *sb) KAPI(shrink_dcache_for_umount);

#endif
