/* SPDX-License-Identifier: GPL-2.0-only */
/* Superblocks, mounts, inodes, address spaces, files and descriptor tables. */
#ifndef VFIOSIM_KAPI_FS_H
#define VFIOSIM_KAPI_FS_H

#include <vfiosim/kapi/atomic.h>
#include <vfiosim/kapi/list.h>
#include <vfiosim/kapi/lock.h>
#include <vfiosim/kapi/rbtree.h>
#include <vfiosim/kapi/sched.h>

struct address_space;
struct cdev;
struct dentry;
struct file;
struct fs_context;
struct inode;
struct module;
struct super_block;
struct vfsmount;
struct vm_area_struct;
struct user_namespace;
struct net;

typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;

struct cred {
	atomic_t usage;
	kuid_t fsuid;
	kgid_t fsgid;
	unsigned long capabilities;	/* bit per CAP_* */
	struct user_namespace *user_ns;
};

struct user_namespace {
	atomic_t count;
};

struct net {
	atomic_t count;
};

/* A task loses its nsproxy late in exit; it cannot mount from then on (FS-40). */
struct nsproxy {
	struct net *net_ns;
};

extern struct user_namespace init_user_ns KAPI(init_user_ns);
extern struct net init_net KAPI(init_net);
extern struct nsproxy init_nsproxy KAPI(init_nsproxy);
extern struct cred init_cred KAPI(init_cred);

/* f_mode */
#define FMODE_READ 0x1
#define FMODE_WRITE 0x2
#define FMODE_LSEEK 0x4
#define FMODE_PREAD 0x8
#define FMODE_PWRITE 0x10
#define FMODE_PATH 0x4000
#define FMODE_ATOMIC_POS 0x8000
#define FMODE_WRITER 0x10000
#define FMODE_CAN_READ 0x20000
#define FMODE_CAN_WRITE 0x40000
#define FMODE_OPENED 0x80000
#define FMODE_NEED_UNMOUNT 0x10000000
#define FMODE_NOACCOUNT 0x20000000

/* i_state, 5.14 values */
#define I_DIRTY 0x7
#define I_NEW (1 << 3)
#define I_WILL_FREE (1 << 4)
#define I_FREEING (1 << 5)
#define I_CLEAR (1 << 6)

#define S_PRIVATE (1 << 9)

/* i_mode; a host program may have these from its C library already. */
#ifndef S_IFMT
#define S_IFMT 00170000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#endif
#ifndef S_ISREG
#define S_ISREG(mode) (((mode) & S_IFMT) == S_IFREG)
#define S_ISDIR(mode) (((mode) & S_IFMT) == S_IFDIR)
#define S_ISCHR(mode) (((mode) & S_IFMT) == S_IFCHR)
#endif

/* f_flags and the flags of open(2), x86-64 values */
#ifndef O_ACCMODE
#define O_ACCMODE 00000003
#define O_RDONLY 00000000
#define O_WRONLY 00000001
#define O_RDWR 00000002
#define O_CREAT 00000100
#define O_EXCL 00000200
#define O_NOCTTY 00000400
#define O_TRUNC 00001000
#define O_NONBLOCK 00004000
#define O_DIRECT 00040000
#define O_CLOEXEC 02000000
#define O_PATH 010000000
#endif
#ifndef FASYNC
#define FASYNC 00020000
#endif

#define SB_KERNMOUNT (1UL << 22)
#define SB_BORN (1UL << 29)
#define SB_ACTIVE (1UL << 30)
#define SB_NOUSER (1UL << 31)

#define MNT_INTERNAL 0x4000
#define MNT_DOOMED 0x1000000

struct page;

struct address_space_operations {
	int (*set_page_dirty)(struct page *page);
	ssize_t (*direct_IO)(struct file *file, loff_t offset, size_t count);
};

/* address_space.flags */
#define AS_EXITING (1UL << 4)	/* final truncation has begun */

/* address_space.flags, not the kernel's: F_SEAL_WRITE holds i_mmap_writable at -1. */
#define AS_WRITE_SEALED (1UL << 16)

/* What an i_mmap is here (mapping_tree.c). */
struct mapping_tree {
	struct mapping_node *root;
	struct mapping_node *last;	/* leaf */
};

struct address_space {
	struct inode *host;
	const struct address_space_operations *a_ops;
	struct xarray_pages *i_pages;	/* page cache, NULL while empty (shmem.c) */
	unsigned long nrpages;
	struct mapping_tree i_mmap;	/* VMAs by file page */
	struct rw_semaphore i_mmap_rwsem;
	int i_mmap_writable;		/* atomic_t in the kernel */
	unsigned long flags;
	gfp_t gfp_mask;
	u32 wb_err;
	struct list_head private_list;
};

static inline bool mapping_mapped(const struct address_space *mapping)
{
	return mapping->i_mmap.root;
}

struct inode_operations {
	struct dentry *(*lookup)(struct inode *dir, struct dentry *dentry, unsigned int flags);
};

/*
 * The fields from i_data's tree and lists to i_devices marked "ctor" are set by
 * the slab's constructor only: reused memory inherits them (FS-83).
 */
struct inode {
	umode_t i_mode;
	unsigned int i_flags;		/* S_* */
	unsigned int i_state;
	kuid_t i_uid;
	kgid_t i_gid;
	const struct inode_operations *i_op;
	union {
		const struct file_operations *i_fop;
		void (*free_inode)(struct inode *inode);
	};
	struct super_block *i_sb;
	struct address_space *i_mapping;
	struct address_space i_data;	/* ctor: i_mmap, its lock, pages, private list */
	unsigned long i_ino;
	unsigned int i_nlink;
	dev_t i_rdev;
	loff_t i_size;
	u64 i_ctime;			/* birth; stands for all three times */
	unsigned int i_blkbits;
	spinlock_t i_lock;
	atomic_t i_count;
	int i_writecount;
	int i_readcount;
	struct hlist_node i_hash;	/* ctor */
	struct list_head i_lru;		/* ctor */
	struct list_head i_io_list;	/* ctor */
	struct list_head i_wb_list;	/* ctor */
	struct list_head i_sb_list;
	struct list_head i_devices;	/* ctor */
	struct rw_semaphore i_rwsem;
	struct cdev *i_cdev;
	void *i_private;
	union {
		struct hlist_head i_dentry;
		struct callback_head i_rcu;
	};
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	const struct file_operations *f_op;
	spinlock_t f_lock;
	atomic_long_t f_count;
	unsigned int f_flags;
	unsigned int f_mode;
	struct mutex f_pos_lock;
	loff_t f_pos;
	const struct cred *f_cred;
	void *private_data;
	struct address_space *f_mapping;
	u32 f_wb_err;
	bool f_released;		/* the checkers': ->release has returned */
	bool f_uncounted;		/* theirs: it has left nr_files */
	struct address_space *f_installed_mapping;	/* theirs: as fd_install() saw it */
	struct callback_head f_rcu;	/* task work or RCU */
};

/* Stands where f_mapping and private_data were once ->release has returned (FS-194). */
#define FILE_TRAP ((void *)0xdead4ead00000000UL)

struct poll_table_struct;
typedef struct poll_table_struct poll_table;
typedef void *fl_owner_t;

#ifndef __user
#define __user
#endif

struct file_operations {
	struct module *owner;
	loff_t (*llseek)(struct file *file, loff_t offset, int whence);
	ssize_t (*read)(struct file *file, char __user *buf, size_t count, loff_t *ppos);
	ssize_t (*write)(struct file *file, const char __user *buf, size_t count, loff_t *ppos);
	__poll_t (*poll)(struct file *file, poll_table *wait);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	long (*compat_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	int (*open)(struct inode *inode, struct file *file);
	int (*flush)(struct file *file, fl_owner_t id);
	int (*release)(struct inode *inode, struct file *file);
	int (*fsync)(struct file *file, loff_t start, loff_t end, int datasync);
	int (*fasync)(int fd, struct file *file, int on);
	unsigned long (*get_unmapped_area)(struct file *file, unsigned long addr,
					   unsigned long len, unsigned long pgoff,
					   unsigned long flags);
	long (*fallocate)(struct file *file, int mode, loff_t offset, loff_t len);
};

struct file_system_type {
	const char *name;
	int fs_flags;
	int (*init_fs_context)(struct fs_context *fc);
	void (*kill_sb)(struct super_block *sb);
	struct module *owner;
	struct file_system_type *next;
	struct hlist_head fs_supers;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};

static inline u32 file_mode_bits(unsigned int open_flags)
{
	return (open_flags + 1) & O_ACCMODE;
}

/* libfs.c, namespace.c */
struct pseudo_fs_context;
/*
 * Pins and internal mounts; all may sleep. simple_pin_fs(): 0 and +1 on *@count and on the
 * mount, which is made when there is none; on failure neither. simple_release_fs() gives that
 * back: the last one unmounts. vfs_kern_mount(), kern_mount(): a mount with a reference of
 * the caller's, or an error pointer. The contracts stand in pseudofs.c and namespace.c.
 */
struct pseudo_fs_context *init_pseudo(struct fs_context *fc, unsigned long magic)
	KAPI(init_pseudo);
int simple_pin_fs(struct file_system_type *type, struct vfsmount **mount, int *count)
	KAPI(simple_pin_fs);
void simple_release_fs(struct vfsmount **mount, int *count) KAPI(simple_release_fs);
struct vfsmount *vfs_kern_mount(struct file_system_type *type, int flags, const char *name,
				void *data) KAPI(vfs_kern_mount);
struct vfsmount *kern_mount(struct file_system_type *type) KAPI(kern_mount);
void kern_unmount(struct vfsmount *mnt) KAPI(kern_unmount);
struct vfsmount *mntget(struct vfsmount *mnt) KAPI(mntget);
void mntput(struct vfsmount *mnt) KAPI(mntput);
void kill_anon_super(struct super_block *sb) KAPI(kill_anon_super);

/* inode.c */
/*
 * NULL (alloc_anon_inode(): an error pointer) without memory, else a reference of the
 * caller's. ihold(): the caller has one already. iput(): the last one evicts; may sleep.
 */
struct inode *new_inode(struct super_block *sb) KAPI(new_inode);
struct inode *new_inode_pseudo(struct super_block *sb) KAPI(new_inode_pseudo);
struct inode *alloc_anon_inode(struct super_block *sb) KAPI(alloc_anon_inode);
void ihold(struct inode *inode) KAPI(ihold);
void iput(struct inode *inode) KAPI(iput);
void clear_inode(struct inode *inode) KAPI(clear_inode);
unsigned int get_next_ino(void) KAPI(get_next_ino);

static inline unsigned int iminor(const struct inode *inode)
{
	return MINOR(inode->i_rdev);
}

static inline unsigned int imajor(const struct inode *inode)
{
	return MAJOR(inode->i_rdev);
}

static inline struct inode *file_inode(const struct file *file)
{
	return file->f_inode;
}

/* file_table.c, file.c, anon_inodes.c */
struct fd {
	struct file *file;
	unsigned int flags;
};
#define FDPUT_FPUT 1
#define FDPUT_POS_UNLOCK 2

/*
 * Files come with a reference of the caller's, or as an error pointer: -ENFILE, -ENOMEM; all
 * of these may sleep. alloc_file_pseudo() takes over @inode's reference on success only.
 * anon_inode_getfd(): a descriptor that owns the file, or -errno.
 */
struct file *alloc_empty_file(int flags, const struct cred *cred) KAPI(alloc_empty_file);
struct file *alloc_file_pseudo(struct inode *inode, struct vfsmount *mnt, const char *name,
			       int flags, const struct file_operations *fops)
	KAPI(alloc_file_pseudo);
struct file *anon_inode_getfile(const char *name, const struct file_operations *fops,
				void *priv, int flags) KAPI(anon_inode_getfile);
int anon_inode_getfd(const char *name, const struct file_operations *fops, void *priv, int flags)
	KAPI(anon_inode_getfd);
struct inode *anon_inode_shared(void) SIM(anon_inode_shared);
unsigned int anon_inode_in_flight(void) SIM(anon_inode_in_flight);
/*
 * References of files. fput(): any context; the last one is released on the way to user mode,
 * or by a worker (flush_delayed_fput(): by the caller, now). fget(): NULL for no file; fdget() may
 * borrow the table's reference where nobody else has the table, which fdput() knows.
 */
struct file *get_file(struct file *file) KAPI(get_file);
void fput(struct file *file) KAPI(fput);
void flush_delayed_fput(void) KAPI(flush_delayed_fput);
struct file *fget(unsigned int fd) KAPI(fget);
struct file *fget_raw(unsigned int fd) KAPI(fget_raw);
struct fd fdget(unsigned int fd) KAPI(fdget);
struct fd fdget_pos(unsigned int fd) KAPI(fdget_pos);
void fdput_pos(struct fd fd) KAPI(fdput_pos);
void fdput(struct fd fd) KAPI(fdput);
/*
 * A reserved number, -EMFILE or -ENOMEM; it ends in put_unused_fd(), or in fd_install(), which
 * takes over the caller's reference on @file and cannot fail. close_fd(): 0 or -EBADF.
 */
int get_unused_fd_flags(unsigned int flags) KAPI(get_unused_fd_flags);
void put_unused_fd(unsigned int fd) KAPI(put_unused_fd);
void fd_install(unsigned int fd, struct file *file) KAPI(fd_install);
int close_fd(unsigned int fd) KAPI(close_fd);
int ksys_close(unsigned int fd) SIM(ksys_close);
/* FS-195: a file whose mapping changed once others could use it. */
void file_check_mapping(struct file *file) SIM(file_check_mapping);
int filp_close(struct file *file, fl_owner_t id) KAPI(filp_close);
long file_count(const struct file *file) KAPI(file_count);

/* Descriptor tables and their life with a process (fork, exec, exit). */
struct files_struct *alloc_files(void) SIM(alloc_files);
struct files_struct *dup_fd(struct files_struct *old, int *error) KAPI(dup_fd);
void exit_files(struct task_struct *task) KAPI(exit_files);
void put_files_struct(struct files_struct *files) KAPI(put_files_struct);
int unshare_files(void) KAPI(unshare_files);
/* FS-198: to be called when a system call has ended. */
void files_check_reserved(void) SIM(files_check_reserved);
void do_close_on_exec(struct files_struct *files) KAPI(do_close_on_exec);
int ksys_dup(unsigned int fd) SIM(ksys_dup);
int ksys_dup2(unsigned int oldfd, unsigned int newfd) SIM(ksys_dup2);
int ksys_dup3(unsigned int oldfd, unsigned int newfd, int flags) KAPI(ksys_dup3);
int ksys_fcntl_dupfd(unsigned int fd, unsigned int from, int flags) SIM(ksys_fcntl_dupfd);
int ksys_close_range(unsigned int first, unsigned int last, unsigned int flags)
	SIM(ksys_close_range);

/*
 * Open by path. The modelled name space is flat: device nodes ("/dev/vfio/7",
 * made by device_create), "/dev/null" and whatever a scenario registers.
 */
struct file *filp_open(const char *path, int flags, umode_t mode) KAPI(filp_open);

/* chardev.c */
struct device;

struct cdev {
	struct {
		atomic_t count;
		struct device *parent;		/* kept while the count is above zero */
		bool dynamic;			/* cdev_alloc(): freed with the last one */
	} kobj;
	struct module *owner;
	const struct file_operations *ops;
	struct list_head list;			/* inodes that cache it; cdev_lock */
	dev_t dev;
	unsigned int count;
};

/*
 * Numbers: 0, -EBUSY or -ENOMEM. cdev_add() lets openers in, cdev_del() no more of them: those
 * who have it open keep the cdev, and what holds it (cdev_set_parent()), until they close.
 * cdev_device_add() does both with @dev, which becomes the parent. All may sleep.
 */
int alloc_chrdev_region(dev_t *dev, unsigned int baseminor, unsigned int count,
			const char *name) KAPI(alloc_chrdev_region);
int register_chrdev_region(dev_t from, unsigned int count, const char *name)
	KAPI(register_chrdev_region);
void unregister_chrdev_region(dev_t from, unsigned int count) KAPI(unregister_chrdev_region);
void cdev_init(struct cdev *cdev, const struct file_operations *fops) KAPI(cdev_init);
struct cdev *cdev_alloc(void) KAPI(cdev_alloc);
int cdev_add(struct cdev *cdev, dev_t dev, unsigned int count) KAPI(cdev_add);
void cdev_del(struct cdev *cdev) KAPI(cdev_del);
void cdev_set_parent(struct cdev *cdev, struct device *parent) KAPI(cdev_set_parent);
int cdev_device_add(struct cdev *cdev, struct device *dev) KAPI(cdev_device_add);
void cdev_device_del(struct cdev *cdev, struct device *dev) KAPI(cdev_device_del);

struct miscdevice {
	int minor;
	const char *name;
	const struct file_operations *fops;
	struct list_head list;
	struct device *parent;
	struct device *this_device;
	const char *nodename;
	umode_t mode;
};
#define MISC_DYNAMIC_MINOR 255
#define MISC_MAJOR 10
#define VFIO_MINOR 196

int misc_register(struct miscdevice *misc) KAPI(misc_register);
void misc_deregister(struct miscdevice *misc) KAPI(misc_deregister);

/* Nodes under /dev; device_add() and device_del() call these. */
int devtmpfs_create_node(const char *name, umode_t mode, dev_t dev) KAPI(devtmpfs_create_node);
void devtmpfs_delete_node(const char *name) KAPI(devtmpfs_delete_node);

/*
 * Sockets, as far as files travel through them: what is queued is held by
 * nobody's table (scm.c).
 */
int ksys_socketpair(int fds[2]) SIM(ksys_socketpair);
/* All or none of @count descriptors travel in one message; 0 or -errno. */
int ksys_send_fds(unsigned int socket, const int *fds, unsigned int count) SIM(ksys_send_fds);
/* The oldest message: the number of descriptors stored in @fds, or -errno. */
int ksys_recv_fds(unsigned int socket, int *fds, unsigned int max, unsigned int flags)
	SIM(ksys_recv_fds);
/* The two ends as files of their own, for processes that do not share a table. */
int scm_socket_files(struct file *files[2]) SIM(scm_socket_files);

#endif
