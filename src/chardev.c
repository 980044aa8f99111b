// SPDX-License-Identifier: GPL-2.0-only
/*
 * Character devices: ranges of numbers, the map from number to cdev, and the
 * open that goes through it. Follows fs/char_dev.c and drivers/base/map.c.
 *
 * Lock order (outer first):
 *
 *   chrdevs_lock		number ranges and the map
 *   cdev_lock			i_cdev, the inodes on a cdev's list
 *
 * The two do not nest. cdev_put() is never called under cdev_lock: the last one
 * takes it to clear the inodes that still cache the cdev.
 */
#include <vfiosim/kapi/device.h>

#include "vfs.h"

#define CHRDEV_MAJOR_MAX 512
#define CHRDEV_MAJOR_HASH_SIZE 255
#define CHRDEV_MAJOR_DYN_END 234
#define CHRDEV_MAJOR_DYN_EXT_START 511
#define CHRDEV_MAJOR_DYN_EXT_END 384

struct char_device_struct {
	struct char_device_struct *next;	/* by rising major, then minor */
	unsigned int major;
	unsigned int baseminor;
	unsigned int minorct;
	const char *name;
};

/* One entry of the map, by rising size of the range: the narrowest match wins. */
struct cdev_probe {
	struct cdev_probe *next;
	dev_t dev;
	unsigned int range;
	struct cdev *cdev;
};

/* What misc.c has from boot on. */
static struct char_device_struct misc_numbers KSTATE = {
	.major = MISC_MAJOR,
	.minorct = MINORMASK + 1,
	.name = "misc",
};
static struct cdev_probe misc_probe KSTATE = {
	.dev = MKDEV(MISC_MAJOR, 0),
	.range = MINORMASK + 1,
	.cdev = &misc_cdev,
};

static KSTATE DEFINE_MUTEX(chrdevs_lock);
static struct char_device_struct *chrdevs KSTATE = &misc_numbers;
static struct cdev_probe *cdev_map KSTATE = &misc_probe;
static KSTATE DEFINE_SPINLOCK(cdev_lock);

/* ---- numbers ---- */

static bool major_slot_empty(unsigned int slot)
{
	const struct char_device_struct *cd;

	for (cd = chrdevs; cd; cd = cd->next) {
		if (cd->major % CHRDEV_MAJOR_HASH_SIZE == slot)
			return false;
	}
	return true;
}

static bool major_unused(unsigned int major)
{
	const struct char_device_struct *cd;

	for (cd = chrdevs; cd; cd = cd->next) {
		if (cd->major == major)
			return false;
	}
	return true;
}

/* Locks: chrdevs_lock is held. */
static int find_dynamic_major(void)
{
	int major;

	for (major = CHRDEV_MAJOR_HASH_SIZE - 1; major >= CHRDEV_MAJOR_DYN_END; major--) {
		if (major_slot_empty(major))
			return major;
	}
	for (major = CHRDEV_MAJOR_DYN_EXT_START; major >= CHRDEV_MAJOR_DYN_EXT_END; major--) {
		if (major_unused(major))
			return major;
	}
	return -EBUSY;
}

/*
 * Where the range belongs in the list, or NULL if it overlaps one of its major.
 *
 * Locks: chrdevs_lock is held.
 */
static struct char_device_struct **chrdev_place(const struct char_device_struct *fresh)
{
	struct char_device_struct **link = &chrdevs;
	unsigned int end = fresh->baseminor + fresh->minorct;

	for (; *link; link = &(*link)->next) {
		const struct char_device_struct *cd = *link;

		if (cd->major > fresh->major)
			break;
		if (cd->major < fresh->major || cd->baseminor + cd->minorct <= fresh->baseminor)
			continue;
		return cd->baseminor >= end ? link : NULL;
	}
	return link;
}

/* Locks: chrdevs_lock is held. */
static int insert_chrdev(struct char_device_struct *fresh)
{
	struct char_device_struct **link;

	if (!fresh->major) {
		int major = find_dynamic_major();

		if (major < 0)
			return major;
		fresh->major = major;
	}
	link = eng_fail_here("chrdev_region") ? NULL : chrdev_place(fresh);
	if (!link)
		return -EBUSY;
	fresh->next = *link;
	*link = fresh;
	return 0;
}

/*
 * Context: may sleep.
 * Locks:   takes and drops chrdevs_lock.
 * Return:  the major number, or -errno.
 */
static int __register_chrdev_region(unsigned int major, unsigned int baseminor,
				    unsigned int count, const char *name)
{
	struct char_device_struct *fresh;
	int ret;

	might_sleep();
	if (major >= CHRDEV_MAJOR_MAX || count > MINORMASK + 1 - baseminor)
		return -EINVAL;
	fresh = fs_alloc(struct char_device_struct, "chrdev_region");
	if (!fresh)
		return -ENOMEM;
	fresh->major = major;
	fresh->baseminor = baseminor;
	fresh->minorct = count;
	fresh->name = name;
	mutex_lock(&chrdevs_lock);
	ret = insert_chrdev(fresh);
	mutex_unlock(&chrdevs_lock);
	if (ret) {
		fs_free(fresh);
		return ret;
	}
	return fresh->major;
}

int alloc_chrdev_region(dev_t *dev, unsigned int baseminor, unsigned int count,
			const char *name)
{
	int major = __register_chrdev_region(0, baseminor, count, name);

	if (major < 0)
		return major;
	*dev = MKDEV(major, baseminor);
	return 0;
}

int register_chrdev_region(dev_t from, unsigned int count, const char *name)
{
	int major = __register_chrdev_region(MAJOR(from), MINOR(from), count, name);

	return major < 0 ? major : 0;
}

/* A range that was not registered exactly so is silently left alone. */
void unregister_chrdev_region(dev_t from, unsigned int count)
{
	struct char_device_struct **link, *found;

	might_sleep();
	mutex_lock(&chrdevs_lock);
	for (link = &chrdevs; *link; link = &(*link)->next) {
		if ((*link)->major == MAJOR(from) && (*link)->baseminor == MINOR(from) &&
		    (*link)->minorct == count)
			break;
	}
	found = *link;
	if (found)
		*link = found->next;
	mutex_unlock(&chrdevs_lock);
	if (found)
		fs_free(found);
}

/* ---- references ---- */

/*
 * Context: atomic.
 * Refs:    on success +1 on the cdev and on its owner.
 */
struct cdev *cdev_get(struct cdev *cdev)
{
	struct module *owner = cdev->owner;

	if (!try_module_get(owner))
		return NULL;
	if (!atomic_inc_not_zero(&cdev->kobj.count)) {
		module_put(owner);
		return NULL;
	}
	return cdev;
}

/* The last reference went: nobody may find it through an inode any more. */
static void cdev_purge(struct cdev *cdev)
{
	spin_lock(&cdev_lock);
	while (!list_empty(&cdev->list)) {
		struct inode *inode = list_first_entry(&cdev->list, struct inode, i_devices);

		list_del_init(&inode->i_devices);
		inode->i_cdev = NULL;
		eng_event("cdev_purge", inode, "");
	}
	spin_unlock(&cdev_lock);
}

static void cdev_kobject_put(struct cdev *cdev)
{
	struct device *parent = cdev->kobj.parent;

	if (!atomic_dec_and_test(&cdev->kobj.count))
		return;
	cdev_purge(cdev);
	if (cdev->kobj.dynamic)
		fs_free(cdev);
	if (parent)
		put_device(parent);
}

/*
 * Context: may sleep (if it is the last one). Not under cdev_lock.
 * Refs:    -1 on the cdev and on its owner.
 */
void cdev_put(struct cdev *cdev)
{
	struct module *owner;

	if (!cdev)
		return;
	owner = cdev->owner;
	cdev_kobject_put(cdev);
	module_put(owner);
}

/* ---- life ---- */

void cdev_init(struct cdev *cdev, const struct file_operations *fops)
{
	memset(cdev, 0, sizeof(*cdev));
	INIT_LIST_HEAD(&cdev->list);
	cdev->kobj.count.counter = 1;
	cdev->ops = fops;
}

struct cdev *cdev_alloc(void)
{
	struct cdev *cdev = fs_alloc(struct cdev, "cdev");

	if (!cdev)
		return NULL;
	cdev_init(cdev, NULL);
	cdev->kobj.dynamic = true;
	return cdev;
}

/*
 * Live at once: an open may succeed before this returns.
 *
 * Context: may sleep.
 * Locks:   takes and drops chrdevs_lock.
 * Refs:    +1 on the parent. On failure none; the cdev's own stays the caller's.
 */
int cdev_add(struct cdev *cdev, dev_t dev, unsigned int count)
{
	struct cdev_probe *probe, **link;

	might_sleep();
	cdev->dev = dev;
	cdev->count = count;
	if (WARN_ON(!dev))
		return -EBUSY;
	probe = fs_alloc(struct cdev_probe, "cdev_probe");
	if (!probe)
		return -ENOMEM;
	*probe = (struct cdev_probe){ .dev = dev, .range = count, .cdev = cdev };
	if (cdev->kobj.parent)
		get_device(cdev->kobj.parent);
	mutex_lock(&chrdevs_lock);
	for (link = &cdev_map; *link && (*link)->range < count; link = &(*link)->next)
		;
	probe->next = *link;
	*link = probe;
	eng_event("cdev_add", cdev, "dev %u:%u count %u", MAJOR(dev), MINOR(dev), count);
	mutex_unlock(&chrdevs_lock);
	return 0;
}

/*
 * Out of the map; files that are open stay open, and inodes that cache the cdev
 * can open it again as long as one of them is (FS-165).
 *
 * Context: may sleep.
 * Locks:   takes and drops chrdevs_lock.
 * Refs:    -1 on the cdev.
 */
void cdev_del(struct cdev *cdev)
{
	struct cdev_probe **link = &cdev_map, *probe;

	might_sleep();
	mutex_lock(&chrdevs_lock);
	while (*link && (*link)->cdev != cdev)
		link = &(*link)->next;
	probe = *link;
	if (probe)
		*link = probe->next;
	eng_event("cdev_del", cdev, "refs %d", cdev->kobj.count.counter);
	mutex_unlock(&chrdevs_lock);
	if (probe)
		fs_free(probe);
	cdev_kobject_put(cdev);
}

void cdev_set_parent(struct cdev *cdev, struct device *parent)
{
	cdev->kobj.parent = parent;
}

/* Context: may sleep. Userspace may have opened it before an error is returned. */
int cdev_device_add(struct cdev *cdev, struct device *dev)
{
	int ret;

	if (dev->devt) {
		cdev_set_parent(cdev, dev);
		ret = cdev_add(cdev, dev->devt, 1);
		if (ret)
			return ret;
	}
	ret = device_add(dev);
	/* 5.14 also deletes what it did not add. */
	if (ret && (dev->devt || kernel_version < KERNEL_6_12))
		cdev_del(cdev);
	return ret;
}

void cdev_device_del(struct cdev *cdev, struct device *dev)
{
	device_del(dev);
	if (dev->devt || kernel_version < KERNEL_6_12)
		cdev_del(cdev);
}

/* ---- opening ---- */

/*
 * The lookup holds chrdevs_lock across cdev_get(), so that it either has a
 * reference before cdev_del() or does not find the entry. A match whose
 * reference cannot be had ends it: no wider range is tried (FS-162).
 *
 * Refs: on success +1 on the cdev and its owner.
 */
static struct cdev *cdev_lookup(dev_t dev)
{
	struct cdev_probe *probe;
	struct cdev *cdev = NULL;

	mutex_lock(&chrdevs_lock);
	for (probe = cdev_map; probe; probe = probe->next) {
		if (probe->dev <= dev && dev - probe->dev < probe->range) {
			cdev = cdev_get(probe->cdev);
			break;
		}
	}
	mutex_unlock(&chrdevs_lock);
	return cdev;
}

/* Locks: cdev_lock is held. */
static void cdev_cache(struct inode *inode, struct cdev *cdev)
{
	inode->i_cdev = cdev;
	list_add(&inode->i_devices, &cdev->list);
	eng_event("cdev_cache", inode, "cdev %O", cdev);
}

/*
 * The cdev behind @inode: the one it caches, or the one of its number, which it
 * caches from then on. The cached pointer holds no reference.
 *
 * Context: may sleep.
 * Locks:   takes and drops cdev_lock, chrdevs_lock.
 * Refs:    on success +1 on the cdev and its owner, for the file.
 */
static struct cdev *inode_cdev_get(struct inode *inode)
{
	struct cdev *cdev, *found = NULL;

	spin_lock(&cdev_lock);
	if (!inode->i_cdev) {
		spin_unlock(&cdev_lock);
		found = cdev_lookup(inode->i_rdev);
		if (!found)
			return NULL;
		spin_lock(&cdev_lock);
		/* Another open may have been faster while the lock was away. */
		if (!inode->i_cdev) {
			cdev_cache(inode, found);
			spin_unlock(&cdev_lock);
			return found;
		}
	}
	cdev = cdev_get(inode->i_cdev);
	spin_unlock(&cdev_lock);
	cdev_put(found);
	return cdev;
}

/*
 * Context: may sleep.
 * Refs:    on success the file owns +1 on the cdev, its owner, and the module of
 *	    its operations. On failure none, but f_op stays replaced.
 */
static int chrdev_open(struct inode *inode, struct file *file)
{
	const struct file_operations *fops;
	struct cdev *cdev;
	int ret;

	might_sleep();
	cdev = inode_cdev_get(inode);
	if (!cdev)
		return -ENXIO;
	fops = fops_get(cdev->ops);
	if (!fops) {
		cdev_put(cdev);
		return -ENXIO;
	}
	replace_fops(file, fops);
	ret = fops->open ? fops->open(inode, file) : 0;
	eng_event("cdev_open", cdev, "inode %O errno %d", inode, ret);
	if (ret)
		cdev_put(cdev);
	return ret;
}

const struct file_operations def_chr_fops = { .open = chrdev_open };

/* @inode is being evicted. No reference goes: the cache never had one. */
void cd_forget(struct inode *inode)
{
	spin_lock(&cdev_lock);
	list_del_init(&inode->i_devices);
	inode->i_cdev = NULL;
	inode->i_mapping = &inode->i_data;
	eng_event("cdev_forget", inode, "");
	spin_unlock(&cdev_lock);
}
