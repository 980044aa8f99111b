// SPDX-License-Identifier: GPL-2.0-only
/*
 * The context in which a superblock is built, and freed again right after.
 * Follows fs/fs_context.c and vfs_get_tree() of fs/super.c.
 *
 * Lock order: none is taken here; vfs_get_tree() returns holding s_umount.
 */
#include "vfs.h"

/* FS-196: the kernel would dereference NULL. */
static struct net *current_net(void)
{
	const struct task_struct *task = get_current();

	/* A task that never had one stands for the kernel's own. */
	if (!task->nsproxy && (task->flags & PF_EXITING))
		eng_fail(NO_NSPROXY, NULL, "a filesystem is mounted by a task that is past "
			 "dropping its namespaces in exit (FS-40): the kernel oopses here");
	return task->nsproxy ? task->nsproxy->net_ns : &init_net;
}

/*
 * Context: may sleep.
 * Refs:    on success the context owns +1 on the type's module, the caller's
 *	    credentials, its user and its network namespace. On failure, none.
 */
struct fs_context *fs_context_for_mount(struct file_system_type *type, unsigned int flags)
{
	struct fs_context *fc;
	int ret;

	might_sleep();
	fc = fs_alloc(struct fs_context, "fs_context");
	if (!fc)
		return ERR_PTR(-ENOMEM);
	fc->purpose = FS_CONTEXT_FOR_MOUNT;
	fc->sb_flags = flags;
	fc->fs_type = type;
	eng_event("fc_alloc", fc, "type %s", type->name);
	get_filesystem(type);
	fc->cred = get_cred(current_cred());
	fc->net_ns = get_net(current_net());
	fc->user_ns = get_user_ns(fc->cred->user_ns);
	ret = type->init_fs_context(fc);
	if (ret) {
		/* need_free is still false: the init callback cleans up after itself. */
		put_fs_context(fc);
		return ERR_PTR(ret);
	}
	fc->need_free = true;
	return fc;
}

/*
 * Context: may sleep (if fc->root owns the last s_active).
 * Refs:    gives back all that the context owns.
 */
void put_fs_context(struct fs_context *fc)
{
	might_sleep();
	if (fc->root) {
		struct super_block *sb = fc->root->d_sb;

		dput(fc->root);
		fc->root_put = true;
		deactivate_super(sb);
		fc->root = NULL;
	}
	if (fc->need_free && fc->ops && fc->ops->free)
		fc->ops->free(fc);
	put_net(fc->net_ns);
	put_user_ns(fc->user_ns);
	put_cred(fc->cred);
	put_filesystem(fc->fs_type);
	eng_event("fc_free", fc, "need_free %d", fc->need_free);
	if (fc->source)
		fs_free(fc->source);
	fs_free(fc);
}

/* The hooks of security modules, which end it all with their own errno (ERR-9). */
static int security_sb_set_mnt_opts(void)
{
	return eng_fail_here("sb_set_mnt_opts") ? -EACCES : 0;
}

/*
 * Context: may sleep.
 * Locks:   on success returns holding s_umount for write.
 * Refs:    as get_tree_nodev().
 */
int vfs_get_tree(struct fs_context *fc)
{
	struct super_block *sb;
	int ret;

	if (fc->root)
		return -EBUSY;
	ret = fc->ops->get_tree(fc);
	if (ret < 0)
		return ret;
	BUG_ON(!fc->root);
	sb = fc->root->d_sb;
	WARN_ON(!sb->s_bdi);
	/* Walkers that see SB_BORN must see all that was written before it. */
	smp_wmb();
	sb->s_flags |= SB_BORN;
	eng_event("sb_born", sb, "flags 0x%x", (unsigned int)sb->s_flags);
	ret = security_sb_set_mnt_opts();
	if (ret) {
		dput(fc->root);
		fc->root_put = true;
		deactivate_locked_super(sb);
		fc->root = NULL;
		return ret;
	}
	WARN(sb->s_maxbytes < 0, "%s left a negative s_maxbytes (%ld)\n",
	     fc->fs_type->name, (long)sb->s_maxbytes);
	return 0;
}
