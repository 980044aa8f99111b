/* SPDX-License-Identifier: GPL-2.0-only */
/* A mount as namespace.c sees it; others hold the struct vfsmount inside. */
#ifndef VFIOSIM_KAPI_MOUNT_H
#define VFIOSIM_KAPI_MOUNT_H

#include <vfiosim/kapi/fs_context.h>

struct mnt_namespace;

/* The mark of kern_mount(): puts are lock-free and never final (FS-66). */
#define MNT_NS_INTERNAL ((struct mnt_namespace *)ERR_PTR(-EINVAL))

struct mount {
	struct vfsmount mnt;
	int mnt_count;			/* the sum over cpus; read under mount_lock */
	int mnt_writers;
	bool mnt_boot;			/* never goes, so its count orders nothing */
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct mnt_namespace *mnt_ns;
	char *mnt_devname;
	int mnt_id;
	/* The checkers': who published it, and what INV-2 adds up. */
	short mnt_external;		/* mntget() minus mntput() from outside pins */
	short mnt_in_flight;		/* creators' before step 9, releasers' before 6 */
	bool mnt_root_put, mnt_sb_put;	/* cleanup_mnt() is past step 5, step 6 */
	struct vfsmount **mnt_published;
	struct list_head mnt_instance;	/* on s_mounts; mount_lock */
	union {
		struct callback_head mnt_rcu;	/* task work, then RCU */
		struct mount *mnt_next_delayed;
	};
};

static inline struct mount *real_mount(struct vfsmount *mnt)
{
	return container_of(mnt, struct mount, mnt);
}

/*
 * Context: may sleep. fc_mount() makes the tree first, and drops s_umount.
 * Refs:    one on the mount, the caller's, or an error pointer; the mount has its own on
 *	 root and superblock, besides @fc's.
 */
struct vfsmount *vfs_create_mount(struct fs_context *fc) KAPI(vfs_create_mount);
struct vfsmount *fc_mount(struct fs_context *fc) KAPI(fc_mount);
/* For a user-visible tree: -EINVAL for a superblock with SB_NOUSER (FS-57). */
int graft_tree(struct vfsmount *mnt) KAPI(graft_tree);
void lock_mount_hash(void) KAPI(lock_mount_hash);
void unlock_mount_hash(void) KAPI(unlock_mount_hash);
/* The sum of the counters; mount_lock must be held (FS-62). */
int mnt_get_count(struct mount *mnt) KAPI(mnt_get_count);

/* Counted apart from mntget() and mntput(), so that INV-2 can be asked. */
void mnt_get_pinned(struct vfsmount *mnt) SIM(mnt_get_pinned);
void mnt_put_pinned(struct vfsmount *mnt) SIM(mnt_put_pinned);

#endif
