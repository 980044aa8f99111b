/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel API that only tree cores use, beside kapi. What has real behaviour
 * (the interval tree, cdev_device_add) is in support.c, which becomes a part of
 * each core; what does nothing says why that is right.
 */
#ifndef VFIOSIM_COMPAT_SUPPORT_H
#define VFIOSIM_COMPAT_SUPPORT_H

#include <stdint.h>
#include <vfiosim/kapi/panic.h>

/* uapi values that linux/fcntl.h and linux/stat.h give the kernel. */
#define O_CLOEXEC 02000000
#define S_IRUGO 0444
#define S_IWUGO 0222
#define S_IWUSR 0200
#define S_IRUSR 0400

/* ---- interval trees: first and last are inclusive ---- */
struct interval_tree_node {
	struct rb_node rb;
	unsigned long start;
	unsigned long last;
	unsigned long __subtree_last;
};
#ifndef RB_ROOT_CACHED
#define RB_ROOT_CACHED (struct rb_root_cached) { 0 }
#endif
void interval_tree_insert(struct interval_tree_node *node, struct rb_root_cached *root);
void interval_tree_remove(struct interval_tree_node *node, struct rb_root_cached *root);
struct interval_tree_node *interval_tree_iter_first(struct rb_root_cached *root,
						    unsigned long start, unsigned long last);
struct interval_tree_node *interval_tree_iter_next(struct interval_tree_node *node,
						   unsigned long start, unsigned long last);

/* ---- dirty page bitmaps: no modelled driver logs DMA, so nobody asks for one ---- */
struct iova_bitmap;
typedef int (*iova_bitmap_fn_t)(struct iova_bitmap *bitmap, unsigned long iova, size_t length,
				void *opaque);
struct iova_bitmap *iova_bitmap_alloc(unsigned long iova, size_t length,
				      unsigned long page_size, u64 __user *data);
void iova_bitmap_free(struct iova_bitmap *bitmap);
int iova_bitmap_for_each(struct iova_bitmap *bitmap, void *opaque, iova_bitmap_fn_t fn);
void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova, size_t length);

/* ---- iommufd, as the kernel answers where it is built without ---- */
struct iommufd_ctx;
struct iommufd_access;
static inline struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
}

static inline int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	return 0;
}

/* 6.2's name for it */
static inline int iommufd_vfio_compat_ioas_id(struct iommufd_ctx *ictx, u32 *id)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
					   unsigned long length, struct page **pages,
					   unsigned int flags)
{
	return -EOPNOTSUPP;
}

static inline void iommufd_access_unpin_pages(struct iommufd_access *access, unsigned long iova,
					      unsigned long length)
{
}

static inline int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
				    void *data, size_t length, unsigned int flags)
{
	return -EOPNOTSUPP;
}
#define IOMMUFD_ACCESS_RW_READ 0
#define IOMMUFD_ACCESS_RW_WRITE 1
#define IOMMUFD_ACCESS_RW_KTHREAD 2

/* ---- debugfs: directories are made, pinned and removed (debugfs.c); no file is read ---- */
struct seq_file {
	void *private;
};

struct dentry *debugfs_create_dir(const char *name, struct dentry *parent);
void debugfs_remove_recursive(struct dentry *dentry);
void debugfs_create_devm_seqfile(struct device *dev, const char *name, struct dentry *parent,
				 int (*read)(struct seq_file *seq, void *data));

static inline void seq_puts(struct seq_file *seq, const char *text)
{
	BUG();
}

/* ---- runtime PM: no modelled driver has dev_pm_ops, so the core never calls these ---- */
static inline int pm_runtime_resume_and_get(struct device *dev)
{
	return 0;
}

static inline int pm_runtime_put(struct device *dev)
{
	return 0;
}

/* 32-bit callers are not modelled; the entry only has to exist. */
#define compat_ptr_ioctl ((long (*)(struct file *, unsigned int, unsigned long))NULL)

/* ---- char devices that carry a struct device ---- */
int cdev_device_add(struct cdev *cdev, struct device *dev);
void cdev_device_del(struct cdev *cdev, struct device *dev);

typedef unsigned int fmode_t;

/* ---- files: 6.10's accessors, 6.13's and 6.19's scoped forms ---- */
static inline struct file *fd_file(struct fd fd)
{
	return fd.file;
}

static inline bool fd_empty(struct fd fd)
{
	return !fd.file;
}

typedef struct fd class_fd_t;

static inline struct fd class_fd_constructor(int fd)
{
	return fdget(fd);
}

static inline void class_fd_destructor(struct fd *fd)
{
	fdput(*fd);
}

/* CLASS(fd, f)(number): f is put where its scope ends. */
#define CLASS(name, variable)								\
	class_##name##_t variable __attribute__((cleanup(class_##name##_destructor))) =	\
		class_##name##_constructor

static inline struct file *anon_inode_getfile_fmode(const char *name,
						    const struct file_operations *fops,
						    void *priv, int flags, fmode_t f_mode)
{
	struct file *file = anon_inode_getfile(name, fops, priv, flags);

	if (!IS_ERR(file))
		file->f_mode |= f_mode;
	return file;
}

/* A number first, then the file: @open is not even tried when numbers have run out. */
#define FD_ADD(flags, open)								\
	({										\
		int added_ = get_unused_fd_flags(flags);				\
											\
		if (added_ >= 0) {							\
			struct file *file_ = (open);					\
											\
			if (IS_ERR(file_)) {						\
				put_unused_fd(added_);					\
				added_ = PTR_ERR(file_);				\
			} else {							\
				fd_install(added_, file_);				\
			}								\
		}									\
		added_;									\
	})

/* Tokens of virtual functions; no modelled caller passes one in this form. */
typedef struct {
	u8 b[16];
} uuid_t;

/* ---- messages ---- */
#ifndef dev_warn
#define dev_emerg(dev, format, ...) printk_at(LEVEL_EMERG, dev_name(dev), format, ##__VA_ARGS__)
#define dev_err(dev, format, ...) printk_at(LEVEL_ERR, dev_name(dev), format, ##__VA_ARGS__)
#define dev_warn(dev, format, ...) printk_at(LEVEL_WARNING, dev_name(dev), format, ##__VA_ARGS__)
#define dev_notice(dev, format, ...) printk_at(LEVEL_NOTICE, dev_name(dev), format, ##__VA_ARGS__)
#define dev_info(dev, format, ...) printk_at(LEVEL_INFO, dev_name(dev), format, ##__VA_ARGS__)
#define dev_dbg(dev, format, ...) printk_at(LEVEL_DEBUG, dev_name(dev), format, ##__VA_ARGS__)
#endif
#ifndef dev_WARN
#define dev_WARN(dev, format, ...) \
	WARN(1, "%s: " format, dev_name(dev), ##__VA_ARGS__)
#endif
#ifndef dev_info_ratelimited
#define dev_info_ratelimited dev_info
#endif
#ifndef dev_warn_ratelimited
#define dev_warn_ratelimited dev_warn
#endif

#endif
