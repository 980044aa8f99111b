/* SPDX-License-Identifier: GPL-2.0-only */
/* Superblocks, the context that builds them, and the types of filesystems. */
#ifndef VFIOSIM_KAPI_FS_CONTEXT_H
#define VFIOSIM_KAPI_FS_CONTEXT_H

#include <vfiosim/kapi/fs.h>
#include <vfiosim/kapi/work.h>

struct block_device;
struct dentry_operations;
struct xattr_handler;

#define SB_DEAD (1UL << 21)	/* since 6.6: kill_sb has run */
#define SB_DYING (1UL << 24)	/* since 6.6: shutdown has begun */

#define MAX_LFS_FILESIZE ((loff_t)LONG_MAX)

struct super_operations {
	struct inode *(*alloc_inode)(struct super_block *sb);
	void (*free_inode)(struct inode *inode);
	void (*evict_inode)(struct inode *inode);
	int (*drop_inode)(struct inode *inode);
	void (*put_super)(struct super_block *sb);
	int (*statfs)(struct dentry *dentry, void *buf);
};

struct super_block {
	struct list_head s_list;
	dev_t s_dev;
	unsigned char s_blocksize_bits;
	bool s_shrinker;		/* registered */
	bool s_lru;			/* the two LRUs exist */
	unsigned long s_blocksize;
	loff_t s_maxbytes;
	struct file_system_type *s_type;
	const struct super_operations *s_op;
	unsigned long s_flags;
	unsigned long s_iflags;
	unsigned long s_magic;
	struct dentry *s_root;
	struct rw_semaphore s_umount;
	int s_count;			/* sb_lock */
	atomic_t s_active;
	const struct xattr_handler **s_xattr;
	struct list_head s_mounts;	/* mount_lock */
	struct block_device *s_bdev;
	const void *s_bdi;
	struct hlist_node s_instances;
	char s_id[32];
	void *s_fs_info;
	u32 s_time_gran;
	unsigned int s_unlisted_inodes;	/* the checkers': live, on no list (FS-190) */
	struct user_namespace *s_user_ns;
	const struct dentry_operations *s_d_op;
	spinlock_t s_inode_list_lock;
	struct list_head s_inodes;
	union {
		struct callback_head rcu;
		struct work_struct destroy_work;
	};
};

struct fs_context_operations {
	void (*free)(struct fs_context *fc);
	int (*get_tree)(struct fs_context *fc);
};

enum fs_context_purpose {
	FS_CONTEXT_FOR_MOUNT,
};

struct fs_context {
	const struct fs_context_operations *ops;
	struct file_system_type *fs_type;
	void *fs_private;
	struct dentry *root;
	struct user_namespace *user_ns;
	struct net *net_ns;
	const struct cred *cred;
	char *source;
	unsigned int sb_flags;
	unsigned int sb_flags_mask;
	unsigned int s_iflags;
	enum fs_context_purpose purpose;
	bool need_free;
	bool global;
	bool root_put;			/* the checkers': root is set, but its reference gone */
};

struct pseudo_fs_context {
	const struct super_operations *ops;
	const struct xattr_handler **xattr;
	const struct dentry_operations *dops;
	unsigned long magic;
};

/* filesystems.c */
int register_filesystem(struct file_system_type *type) KAPI(register_filesystem);
int unregister_filesystem(struct file_system_type *type) KAPI(unregister_filesystem);
struct file_system_type *get_fs_type(const char *name) KAPI(get_fs_type);
void get_filesystem(struct file_system_type *type) KAPI(get_filesystem);
void put_filesystem(struct file_system_type *type) KAPI(put_filesystem);

/* fs_context.c */
struct fs_context *fs_context_for_mount(struct file_system_type *type, unsigned int flags)
	KAPI(fs_context_for_mount);
void put_fs_context(struct fs_context *fc) KAPI(put_fs_context);
int vfs_get_tree(struct fs_context *fc) KAPI(vfs_get_tree);

/* super.c */
int get_tree_nodev(struct fs_context *fc,
		   int (*fill_super)(struct super_block *sb, struct fs_context *fc))
	KAPI(get_tree_nodev);
int get_anon_bdev(dev_t *dev) KAPI(get_anon_bdev);
void free_anon_bdev(dev_t dev) KAPI(free_anon_bdev);
void deactivate_super(struct super_block *sb) KAPI(deactivate_super);
void deactivate_locked_super(struct super_block *sb) KAPI(deactivate_locked_super);
void generic_shutdown_super(struct super_block *sb) KAPI(generic_shutdown_super);
void put_super(struct super_block *sb) KAPI(put_super);
/* Calls @visit with s_umount held shared for each live superblock, as sync(2) does. */
void iterate_supers(void (*visit)(struct super_block *sb, void *arg), void *arg)
	KAPI(iterate_supers);
/* What memory pressure does to one superblock; false: it could not be locked (I-11). */
bool super_cache_scan(struct super_block *sb) KAPI(super_cache_scan);
int sync_filesystem(struct super_block *sb) KAPI(sync_filesystem);

/* The highest minor that get_anon_bdev() gives out; a scenario may lower it. */
extern unsigned int anon_bdev_minor_max SIM(anon_bdev_minor_max);

/* inode.c, for super.c */
void evict_inodes(struct super_block *sb) KAPI(evict_inodes);

#endif
