/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the filesystem model share and nobody else needs (the
 * kernel's fs/internal.h), and the names of the model's own detectors.
 */
#ifndef VFIOSIM_VFS_H
#define VFIOSIM_VFS_H

#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/dcache.h>
#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/fs_context.h>
#include <vfiosim/kapi/module.h>
#include <vfiosim/kapi/mount.h>
#include <vfiosim/kapi/rcu.h>
#include <vfiosim/kapi/string.h>

#include "engine.h"

/* Detectors of section X of the specification: the kernel stays silent. */
#define STALE_MAPPING "stale-mapping"			/* FS-189 */
#define INODE_OUTLIVES_SUPER "inode-outlives-super"	/* FS-190 */
#define PIN_COUNT "pin-count"				/* FS-191 */
#define MOUNT_PUBLISHED "mount-published"		/* FS-192 */
#define INODE_COUNT "inode-count"			/* FS-193 */
#define FILE_COUNT "file-count"				/* FS-193 */
#define ERROR_POINTER "error-pointer"			/* FS-193 */
#define RELEASED_FILE "released-file"			/* FS-194 */
#define F_MAPPING_CHANGED "f-mapping-changed"		/* FS-195 */
#define NO_NSPROXY "no-nsproxy"				/* FS-196 */
#define MODULE_GONE "module-gone"			/* FS-197 */
#define FD_RESERVED "fd-reserved"			/* FS-198 */

/* Zeroed memory whose fault site and reports bear @tag's name. */
#define fs_alloc(type, tag) \
	((type *)eng_alloc(sizeof(type), (tag), true, __builtin_return_address(0)))
#define fs_free(object) eng_free((object), __builtin_return_address(0))

/* A copy of @text, or NULL when the allocation called @tag fails. */
char *fs_strdup(const char *text, const char *tag) SIM(fs_strdup);

/*
 * References to credentials and namespaces. They never get near zero here and
 * nothing waits for them, so that their order is no choice point.
 */
const struct cred *get_cred(const struct cred *cred) KAPI(get_cred);
void put_cred(const struct cred *cred) KAPI(put_cred);
const struct cred *current_cred(void) KAPI(current_cred);
struct user_namespace *get_user_ns(struct user_namespace *ns) KAPI(get_user_ns);
void put_user_ns(struct user_namespace *ns) KAPI(put_user_ns);
struct net *get_net(struct net *net) KAPI(get_net);
void put_net(struct net *net) KAPI(put_net);

/*
 * A filesystem that the kernel mounts at boot and never unmounts. Its parts are
 * static, since a run that had to build it first would pay for it each time.
 * They are on no list: walkers of superblocks would find nothing to do there.
 */
struct boot_fs {
	bool ready;
	struct super_block sb;
	struct mount mount;
	struct dentry root;
};

struct boot_fs_type {
	const char *name;
	unsigned long magic;
	unsigned int minor;	/* anonymous device number, taken at boot */
	const struct super_operations *s_op;
};

/* Idempotent; the mount of @fs, alive for the whole run. */
struct vfsmount *boot_fs_mount(struct boot_fs *fs, const struct boot_fs_type *type)
	SIM(boot_fs_mount);

/* The minors that boot_fs_type.minor may use; get_anon_bdev() starts above. */
#define BOOT_MINOR_ANON_INODEFS 1
#define BOOT_MINOR_DEVTMPFS 2
#define BOOT_MINOR_SHMEM 3
#define BOOT_MINOR_MAX 3

/*
 * In i_flags, and not the kernel's: an inode of boot, whose count can never fall
 * to zero. The order of its references is nothing that anybody could observe,
 * so they are no choice points.
 */
#define S_ETERNAL (1U << 31)

/* inode.c */
void inode_init_owner_current(struct inode *inode) SIM(inode_init_owner_current);
void init_special_inode(struct inode *inode, umode_t mode, dev_t rdev) KAPI(init_special_inode);
unsigned int inode_state_shown(const struct inode *inode) SIM(inode_state_shown);
bool inode_on_no_list(const struct inode *inode) SIM(inode_on_no_list);
/* Static inodes of boot filesystems: what the slab and new_inode_pseudo() would do. */
void inode_init_static(struct inode *inode, struct super_block *sb) SIM(inode_init_static);

/* pseudofs.c */
void anon_inode_fields(struct inode *inode) SIM(anon_inode_fields);

/* file.c */
struct file *alloc_empty_file_noaccount(int flags, const struct cred *cred)
	KAPI(alloc_empty_file_noaccount);
int do_dentry_open(struct file *file, struct inode *inode) KAPI(do_dentry_open);
void __fput(struct file *file) KAPI(__fput);
void __fput_sync(struct file *file) KAPI(__fput_sync);
void file_free(struct file *file) KAPI(file_free);
/* Where several may move the position these are choice points. */
loff_t file_pos_read(struct file *file) SIM(file_pos_read);
void file_pos_write(struct file *file, loff_t pos) SIM(file_pos_write);
/* The new position, or -EINVAL beyond [0, @maxsize]. Context: any. */
loff_t vfs_setpos(struct file *file, loff_t offset, loff_t maxsize) KAPI(vfs_setpos);
loff_t generic_file_llseek_size(struct file *file, loff_t offset, int whence, loff_t maxsize,
				loff_t eof) KAPI(generic_file_llseek_size);
loff_t noop_llseek(struct file *file, loff_t offset, int whence) KAPI(noop_llseek);
const struct file_operations *fops_get(const struct file_operations *fops) KAPI(fops_get);
void fops_put(const struct file_operations *fops) KAPI(fops_put);
void replace_fops(struct file *file, const struct file_operations *fops) KAPI(replace_fops);
void path_get(const struct path *path) KAPI(path_get);
void path_put(const struct path *path) KAPI(path_put);

/* chardev.c */
extern const struct file_operations def_chr_fops KAPI(def_chr_fops);
void cd_forget(struct inode *inode) KAPI(cd_forget);
struct cdev *cdev_get(struct cdev *cdev) KAPI(cdev_get);
extern struct cdev misc_cdev SIM(misc_cdev);
void cdev_put(struct cdev *cdev) KAPI(cdev_put);

#endif
