// SPDX-License-Identifier: GPL-2.0-only
/*
 * Misc devices: many drivers, one major number. Follows drivers/char/misc.c of
 * 6.1 and 6.12.
 *
 * Lock order (outer first):
 *
 *   misc_mtx			the list and the minors; held across ->open
 *     (the driver core's locks)
 */
#include <vfiosim/kapi/device.h>
#include <vfiosim/kapi/idr.h>
#include <vfiosim/kapi/slab.h>

#include "vfs.h"

#define DYNAMIC_MINORS 128

static KSTATE DEFINE_MUTEX(misc_mtx);
static KSTATE LIST_HEAD(misc_list);
static unsigned long misc_minors[DYNAMIC_MINORS / 64] KSTATE;
static KSTATE DEFINE_IDA(misc_minors_ida);	/* since 6.6, above 255 */

static int misc_open(struct inode *inode, struct file *file);

static const struct file_operations misc_fops = { .open = misc_open };

/* It belongs to the core and never goes away (FS-170). */
struct cdev misc_cdev KSTATE = {
	.kobj.count = ATOMIC_INIT(1),
	.ops = &misc_fops,
	.list = LIST_HEAD_INIT(misc_cdev.list),
	.dev = MKDEV(MISC_MAJOR, 0),
	.count = MINORMASK + 1,
};

static char *misc_devnode(struct device *dev, umode_t *mode)
{
	const struct miscdevice *misc = dev_get_drvdata(dev);

	if (mode && misc->mode)
		*mode = misc->mode;
	return misc->nodename ? kstrdup(misc->nodename, GFP_KERNEL) : NULL;
}

static struct class misc_class KSTATE = {
	.name = "misc",
	.devnode = misc_devnode,
	.klist_devices.k_list = LIST_HEAD_INIT(misc_class.klist_devices.k_list),
};

/* ---- minors: misc_mtx is held ---- */

static int misc_minor_alloc_old(void)
{
	int i;

	for (i = 0; i < DYNAMIC_MINORS; i++) {
		if (misc_minors[i / 64] >> i % 64 & 1)
			continue;
		misc_minors[i / 64] |= 1UL << i % 64;
		return DYNAMIC_MINORS - i - 1;
	}
	return -EBUSY;
}

static int misc_minor_alloc(void)
{
	int minor;

	if (eng_fail_here("misc_minor"))
		return -EBUSY;
	if (kernel_version < KERNEL_6_12)
		return misc_minor_alloc_old();
	minor = ida_alloc_range(&misc_minors_ida, MISC_DYNAMIC_MINOR + 1, MINORMASK, GFP_KERNEL);
	return minor < 0 ? -EBUSY : minor;
}

static void misc_minor_free(int minor)
{
	int i = DYNAMIC_MINORS - minor - 1;

	if (minor > MISC_DYNAMIC_MINOR)
		ida_free(&misc_minors_ida, minor);
	else if (i >= 0 && i < DYNAMIC_MINORS)
		misc_minors[i / 64] &= ~(1UL << i % 64);
}

static struct miscdevice *misc_find(int minor)
{
	struct miscdevice *misc;

	list_for_each_entry(misc, &misc_list, list) {
		if (misc->minor == minor)
			return misc;
	}
	return NULL;
}

/* ---- registration ---- */

/* Locks: misc_mtx is held. */
static int misc_take_minor(struct miscdevice *misc, bool dynamic)
{
	int minor;

	if (!dynamic)
		return misc_find(misc->minor) ? -EBUSY : 0;
	minor = misc_minor_alloc();
	if (minor < 0)
		return minor;
	misc->minor = minor;
	return 0;
}

/* Locks: misc_mtx is held. */
static int __misc_register(struct miscdevice *misc)
{
	bool dynamic = misc->minor == MISC_DYNAMIC_MINOR;
	struct device *dev;
	int ret;

	ret = misc_take_minor(misc, dynamic);
	if (ret)
		return ret;
	dev = device_create(&misc_class, misc->parent, MKDEV(MISC_MAJOR, misc->minor), misc,
			    "%s", misc->name);
	if (IS_ERR(dev)) {
		if (dynamic) {
			misc_minor_free(misc->minor);
			misc->minor = MISC_DYNAMIC_MINOR;
		}
		return PTR_ERR(dev);
	}
	misc->this_device = dev;
	list_add(&misc->list, &misc_list);
	return 0;
}

/*
 * Context: may sleep; not from an open callback (it runs under misc_mtx).
 * Locks:   takes and drops misc_mtx.
 */
int misc_register(struct miscdevice *misc)
{
	int ret;

	might_sleep();
	INIT_LIST_HEAD(&misc->list);
	mutex_lock(&misc_mtx);
	ret = __misc_register(misc);
	mutex_unlock(&misc_mtx);
	return ret;
}

/* Open files survive on the module reference of their operations. */
void misc_deregister(struct miscdevice *misc)
{
	might_sleep();
	if (WARN_ON(list_empty(&misc->list)))
		return;
	mutex_lock(&misc_mtx);
	list_del_init(&misc->list);
	device_destroy(&misc_class, MKDEV(MISC_MAJOR, misc->minor));
	misc_minor_free(misc->minor);
	mutex_unlock(&misc_mtx);
}

/*
 * Context: may sleep.
 * Locks:   holds misc_mtx across ->open, so that two never run in parallel.
 * Refs:    on success the file owns +1 on the module of its operations.
 */
static int misc_open(struct inode *inode, struct file *file)
{
	const struct file_operations *fops = NULL;
	struct miscdevice *misc;
	int ret = -ENODEV;

	mutex_lock(&misc_mtx);
	misc = misc_find(iminor(inode));
	if (misc)
		fops = fops_get(misc->fops);
	/* No module is found by its device number here, so there is no second look. */
	if (fops) {
		file->private_data = misc;
		replace_fops(file, fops);
		ret = fops->open ? fops->open(inode, file) : 0;
	}
	mutex_unlock(&misc_mtx);
	return ret;
}
