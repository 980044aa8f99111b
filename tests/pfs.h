/* SPDX-License-Identifier: GPL-2.0-only */
/* A pseudo filesystem of a module, as small as one can be, and its pins. */
#ifndef VFIOSIM_PFS_H
#define VFIOSIM_PFS_H

#include "vfs.h"

#include <vfiosim/kapi/pin.h>

#define PFS_MAGIC 0x70667321

static struct module pfs_module KSTATE = {
	.state = MODULE_STATE_LIVE, .refcnt = ATOMIC_INIT(1), .name = "pfs",
};

static int pfs_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, PFS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type pfs_type KSTATE = {
	.name = "pfs",
	.owner = &pfs_module,
	.init_fs_context = pfs_init_fs_context,
	.kill_sb = kill_anon_super,
};

static struct vfsmount *pfs_mnt KSTATE;
static int pfs_count KSTATE;

static inline int pfs_pin(void)
{
	return simple_pin_fs(&pfs_type, &pfs_mnt, &pfs_count);
}

static inline void pfs_unpin(void)
{
	simple_release_fs(&pfs_mnt, &pfs_count);
}

/* As a driver does it: a pin, and an inode on what is pinned. */
static inline struct inode *pfs_inode_new(void)
{
	struct inode *inode;
	int ret = pfs_pin();

	if (ret)
		return ERR_PTR(ret);
	inode = alloc_anon_inode(pfs_mnt->mnt_sb);
	if (IS_ERR(inode))
		pfs_unpin();
	return inode;
}

static inline void pfs_inode_put(struct inode *inode)
{
	iput(inode);
	pfs_unpin();
}

static inline int pfs_supers(void)
{
	struct hlist_node *node = pfs_type.fs_supers.first;
	int count = 0;

	for (; node; node = node->next)
		count++;
	return count;
}

/* Nothing of the type is left, on any list, in any count (FS-172). */
static inline bool pfs_is_gone(void)
{
	return !pfs_mnt && !pfs_count && !pfs_supers() && pfs_module.refcnt.counter == 1 &&
	       init_cred.usage.counter == 1 && init_net.count.counter == 1 &&
	       init_user_ns.count.counter == 1;
}

#endif
