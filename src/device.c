// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices and classes: their life, their nodes, their managed resources.
 * Kernel originals: drivers/base/core.c, class.c, devres.c. Buses and binding
 * are in bus.c.
 *
 * Lock order (outer first):
 *
 *   device_lock(parent)
 *     device_lock(dev)		(whole probe and remove, unbounded waits included)
 *       everything that a driver takes
 *
 * The kernel's sysfs is left out; what of it can fail is a fault point here.
 */
#include <vfiosim/kapi/device.h>
#include <vfiosim/kapi/fs.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>

#include "base.h"
#include "engine.h"

const char *dev_name(const struct device *dev)
{
	return dev->init_name ? dev->init_name : dev->name;
}

/* Refs: the old name, if any, is freed only when the new one could be allocated. */
static int device_set_name(struct device *dev, const char *format, va_list args)
{
	char *name = kvasprintf(GFP_KERNEL, format, args);

	if (!name)
		return -ENOMEM;
	kfree(dev->name);
	dev->name = name;
	eng_name(dev, name);
	return 0;
}

int dev_set_name(struct device *dev, const char *format, ...)
{
	va_list args;
	int ret;

	va_start(args, format);
	ret = device_set_name(dev, format, args);
	va_end(args);
	return ret;
}

struct devres {
	struct list_head entry;
	void (*action)(void *data);
	void *data;
};

/* Refs: the action runs once, when the driver is gone or its probe failed. */
int devm_add_action(struct device *dev, void (*action)(void *data), void *data)
{
	struct devres *res = kzalloc(sizeof(struct devres), GFP_KERNEL);

	if (!res)
		return -ENOMEM;
	res->action = action;
	res->data = data;
	list_add_tail(&res->entry, &dev->devres_head);
	return 0;
}

/* Newest first. Context: may sleep; the device lock, or the last reference, is held. */
void devres_release_all(struct device *dev)
{
	while (!list_empty(&dev->devres_head)) {
		struct devres *res = list_last_entry(&dev->devres_head, struct devres, entry);

		list_del(&res->entry);
		res->action(res->data);
		kfree(res);
	}
}

void device_lock(struct device *dev)
{
	mutex_lock_nested(&dev->mutex, dev->lock_depth);
}

int device_trylock(struct device *dev)
{
	return mutex_trylock(&dev->mutex);
}

void device_unlock(struct device *dev)
{
	mutex_unlock(&dev->mutex);
}

/* Context: any. Refs: one, the caller's; put_device() is the only way to free from here. */
void device_initialize(struct device *dev)
{
	kref_init(&dev->kref);
	mutex_init(&dev->mutex);
	lockdep_set_novalidate_class(&dev->mutex);
	INIT_LIST_HEAD(&dev->devres_head);
}

struct device *get_device(struct device *dev)
{
	if (dev)
		kref_get(&dev->kref);
	return dev;
}

static void device_release(struct kref *kref)
{
	struct device *dev = container_of(kref, struct device, kref);
	char *name = dev->name;

	devres_release_all(dev);
	if (dev->release)
		dev->release(dev);
	else if (dev->class && dev->class->dev_release)
		dev->class->dev_release(dev);
	else
		WARN_ON(1);	/* the object leaks, since nobody knows how to free it */
	kfree(name);
}

/* Context: may sleep, when this is the last reference. */
void put_device(struct device *dev)
{
	if (dev)
		kref_put(&dev->kref, device_release);
}

static struct klist_node *class_first(struct class *class, struct klist_iter *iter)
{
	klist_iter_init_node(&class->klist_devices, iter, NULL);
	return klist_next(iter);
}

static struct device *class_device(struct klist_node *node)
{
	return container_of(node, struct device, knode_class);
}

/* A walker of the class may stand on a device that is being deleted. */
static void klist_class_dev_get(struct klist_node *node)
{
	get_device(class_device(node));
}

static void klist_class_dev_put(struct klist_node *node)
{
	put_device(class_device(node));
}

static bool class_has_name(struct class *class, const char *name)
{
	struct klist_iter iter;
	struct klist_node *node;

	for (node = class_first(class, &iter); node; node = klist_next(&iter))
		if (!strcmp(dev_name(class_device(node)), name))
			break;
	klist_iter_exit(&iter);
	return node;
}

/* Appear in the device tree: -EEXIST for a name that is taken, -ENOMEM. */
static int device_publish_name(struct device *dev)
{
	if (!dev_name(dev))
		return -EINVAL;
	if (eng_fail_here("kobject_add"))
		return -ENOMEM;
	if (dev->class && class_has_name(dev->class, dev_name(dev)))
		return -EEXIST;
	return 0;
}

/*
 * The node's name: what the class says, or the device's own when the class says
 * nothing or could not allocate. The kernel asks again at deletion, and leaves the
 * node behind when that fails; here the name is kept.
 *
 * Context: may sleep. The kernel asks a thread of devtmpfs and ignores its answer.
 */
static void device_create_node(struct device *dev)
{
	umode_t mode = 0600;

	if (!MAJOR(dev->devt))
		return;
	if (dev->class && dev->class->devnode)
		dev->node_name = dev->class->devnode(dev, &mode);
	eng_event("node_create", dev, "%s", dev->node_name ? dev->node_name : dev_name(dev));
	devtmpfs_create_node(dev->node_name ? dev->node_name : dev_name(dev), mode, dev->devt);
}

static void device_delete_node(struct device *dev)
{
	if (!MAJOR(dev->devt))
		return;
	eng_event("node_delete", dev, "%s", dev->node_name ? dev->node_name : dev_name(dev));
	devtmpfs_delete_node(dev->node_name ? dev->node_name : dev_name(dev));
	kfree(dev->node_name);
	dev->node_name = NULL;
}

/*
 * The kernel tells lockdep not to look at device locks, since they nest with
 * whatever a bus does. Here they are told apart instead: by depth in the tree,
 * and those of class devices, which are destroyed under their owner's locks, from
 * those that a driver is bound under.
 */
static void set_lock_class(struct device *dev)
{
	if (dev->parent)
		dev->lock_depth = dev->parent->lock_depth + 1;
	if (!dev->bus)
		dev->mutex.name = "&class_device->mutex";
}

/*
 * Context: may sleep; probes drivers, so takes and drops the device lock.
 * Refs:    +1 on @dev until device_del(), +1 on its parent. On failure, none: the
 *          caller still owns the device and must put it.
 */
int device_add(struct device *dev)
{
	int ret;

	ret = device_publish_name(dev);
	if (ret)
		return ret;
	set_lock_class(dev);
	get_device(dev);
	get_device(dev->parent);

	ret = bus_add_device(dev);
	if (ret)
		goto err_put;
	WRITE_ONCE(dev->registered, true);
	device_create_node(dev);

	bus_notify(dev, BUS_NOTIFY_ADD_DEVICE);
	bus_probe_device(dev);
	if (dev->class)
		klist_add_tail(&dev->knode_class, &dev->class->klist_devices);
	return 0;

err_put:
	put_device(dev->parent);
	put_device(dev);
	return ret;
}

/*
 * Context: may sleep without bound: the driver's remove runs in here.
 * Locks:   takes and drops the device lock, twice.
 */
void device_del(struct device *dev)
{
	struct device *parent = dev->parent;

	device_lock(dev);
	dev->dead = true;
	device_unlock(dev);

	bus_notify(dev, BUS_NOTIFY_DEL_DEVICE);
	device_delete_node(dev);
	if (dev->class)
		klist_del(&dev->knode_class);
	bus_remove_device(dev);
	WRITE_ONCE(dev->registered, false);
	bus_notify(dev, BUS_NOTIFY_REMOVED_DEVICE);
	put_device(dev);
	put_device(parent);
}

int device_register(struct device *dev)
{
	device_initialize(dev);
	return device_add(dev);
}

void device_unregister(struct device *dev)
{
	device_del(dev);
	put_device(dev);
}

/* Refs: a class belongs to its creator; class_destroy() frees it. */
struct class *class_create(struct module *owner, const char *name)
{
	struct class *class = kzalloc(sizeof(struct class), GFP_KERNEL);

	if (!class)
		return ERR_PTR(-ENOMEM);
	class->name = name;
	class->owner = owner;
	klist_init(&class->klist_devices, klist_class_dev_get, klist_class_dev_put);
	return class;
}

void class_destroy(struct class *class)
{
	if (IS_ERR_OR_NULL(class))
		return;
	WARN_ON(!list_empty(&class->klist_devices.k_list));
	kfree(class);
}

static void device_create_release(struct device *dev)
{
	kfree(dev);
}

/* Refs: the returned device is owned by the class, until device_destroy(). */
struct device *device_create(struct class *class, struct device *parent, dev_t devt,
			     void *drvdata, const char *format, ...)
{
	struct device *dev;
	va_list args;
	int ret;

	dev = kzalloc(sizeof(struct device), GFP_KERNEL);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	device_initialize(dev);
	dev->devt = devt;
	dev->class = class;
	dev->parent = parent;
	dev->release = device_create_release;
	dev_set_drvdata(dev, drvdata);

	va_start(args, format);
	ret = device_set_name(dev, format, args);
	va_end(args);
	if (!ret)
		ret = device_add(dev);
	if (!ret)
		return dev;
	put_device(dev);
	return ERR_PTR(ret);
}

/* Refs: +1 on the device that is returned. */
struct device *class_find_device_by_devt(struct class *class, dev_t devt)
{
	struct device *found = NULL;
	struct klist_iter iter;
	struct klist_node *node;

	for (node = class_first(class, &iter); node; node = klist_next(&iter)) {
		if (class_device(node)->devt != devt)
			continue;
		found = get_device(class_device(node));
		break;
	}
	klist_iter_exit(&iter);
	return found;
}

void device_destroy(struct class *class, dev_t devt)
{
	struct device *dev = class_find_device_by_devt(class, devt);

	if (!dev)
		return;
	put_device(dev);
	device_unregister(dev);
}
