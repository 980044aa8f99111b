// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buses, drivers, and binding them to devices.
 * Kernel originals: drivers/base/bus.c, dd.c, driver.c.
 *
 * Lock order (outer first):
 *
 *   device_lock(dev->parent)		(only where the bus demands it)
 *     device_lock(dev)
 *       bus_notifier.rwsem (read)	(BIND, BOUND, UNBIND, UNBOUND, NOT_BOUND)
 *
 * ADD, DEL and REMOVED are sent without the device lock. dev->driver changes
 * under the device lock only, but is read without it by many (VF-53, VF-204).
 */
#include <vfiosim/kapi/device.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>

#include "base.h"
#include "engine.h"

static struct device *bus_device(struct klist_node *node)
{
	return container_of(node, struct device, knode_bus);
}

static struct device_driver *bus_driver(struct klist_node *node)
{
	return container_of(node, struct driver_private, knode_bus)->driver;
}

/* The list of a bus owns a reference on each of its devices. */
static void klist_devices_get(struct klist_node *node)
{
	get_device(bus_device(node));
}

static void klist_devices_put(struct klist_node *node)
{
	put_device(bus_device(node));
}

int bus_register(struct bus_type *bus)
{
	struct subsys_private *priv = kzalloc(sizeof(struct subsys_private), GFP_KERNEL);

	if (!priv)
		return -ENOMEM;
	klist_init(&priv->klist_devices, klist_devices_get, klist_devices_put);
	klist_init(&priv->klist_drivers, NULL, NULL);
	BLOCKING_INIT_NOTIFIER_HEAD(&priv->bus_notifier);
	priv->drivers_autoprobe = true;
	bus->p = priv;
	return 0;
}

void bus_unregister(struct bus_type *bus)
{
	WARN_ON(!list_empty(&bus->p->klist_devices.k_list));
	kfree(bus->p);
	bus->p = NULL;
}

int bus_register_notifier(struct bus_type *bus, struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&bus->p->bus_notifier, nb);
}

int bus_unregister_notifier(struct bus_type *bus, struct notifier_block *nb)
{
	return blocking_notifier_chain_unregister(&bus->p->bus_notifier, nb);
}

static const char *bus_event_name(unsigned long event)
{
	static const char *const names[] = {
		[BUS_NOTIFY_ADD_DEVICE] = "ADD_DEVICE",
		[BUS_NOTIFY_DEL_DEVICE] = "DEL_DEVICE",
		[BUS_NOTIFY_REMOVED_DEVICE] = "REMOVED_DEVICE",
		[BUS_NOTIFY_BIND_DRIVER] = "BIND_DRIVER",
		[BUS_NOTIFY_BOUND_DRIVER] = "BOUND_DRIVER",
		[BUS_NOTIFY_UNBIND_DRIVER] = "UNBIND_DRIVER",
		[BUS_NOTIFY_UNBOUND_DRIVER] = "UNBOUND_DRIVER",
		[BUS_NOTIFY_DRIVER_NOT_BOUND] = "DRIVER_NOT_BOUND",
	};

	return names[event];
}

/* Context: may sleep. Locks: the chain is held for reading while the callbacks run. */
void bus_notify(struct device *dev, unsigned long event)
{
	if (!dev->bus)
		return;
	eng_event("bus_notify", dev, "%s", bus_event_name(event));
	blocking_notifier_call_chain(&dev->bus->p->bus_notifier, event, dev);
}

int bus_for_each_dev(struct bus_type *bus, struct device *start, void *data,
		     int (*fn)(struct device *dev, void *data))
{
	struct klist_iter iter;
	struct klist_node *node;
	int ret = 0;

	klist_iter_init_node(&bus->p->klist_devices, &iter, start ? &start->knode_bus : NULL);
	while (!ret && (node = klist_next(&iter)))
		ret = fn(bus_device(node), data);
	klist_iter_exit(&iter);
	return ret;
}

/* Refs: +1 on the device that is returned. */
struct device *bus_find_device_by_name(struct bus_type *bus, struct device *start,
				       const char *name)
{
	struct klist_iter iter;
	struct klist_node *node;
	struct device *dev = NULL;

	klist_iter_init_node(&bus->p->klist_devices, &iter, start ? &start->knode_bus : NULL);
	while ((node = klist_next(&iter))) {
		if (!sysfs_streq(dev_name(bus_device(node)), name))
			continue;
		dev = get_device(bus_device(node));
		break;
	}
	klist_iter_exit(&iter);
	return dev;
}

struct device_driver *driver_find(const char *name, struct bus_type *bus)
{
	struct device_driver *drv = NULL;
	struct klist_iter iter;
	struct klist_node *node;

	klist_iter_init_node(&bus->p->klist_drivers, &iter, NULL);
	while ((node = klist_next(&iter))) {
		if (strcmp(bus_driver(node)->name, name))
			continue;
		drv = bus_driver(node);
		break;
	}
	klist_iter_exit(&iter);
	return drv;
}

/* Put @dev on its bus. -EEXIST stands for the kernel's duplicate sysfs directory. */
int bus_add_device(struct device *dev)
{
	struct device *twin;

	if (!dev->bus)
		return 0;
	twin = bus_find_device_by_name(dev->bus, NULL, dev_name(dev));
	if (twin) {
		put_device(twin);
		return -EEXIST;
	}
	if (eng_fail_here("bus_add_device"))
		return -ENOMEM;
	klist_add_tail(&dev->knode_bus, &dev->bus->p->klist_devices);
	return 0;
}

/* Context: may sleep without bound, in the driver's remove. */
void bus_remove_device(struct device *dev)
{
	if (!dev->bus)
		return;
	if (klist_node_attached(&dev->knode_bus))
		klist_del(&dev->knode_bus);
	device_release_driver(dev);
}

/* ---- binding ---- */

static bool driver_match_device(struct device_driver *drv, struct device *dev)
{
	return drv->bus->match ? drv->bus->match(dev, drv) : true;
}

static bool locks_parent(const struct device *dev)
{
	return dev->parent && dev->bus->need_parent_lock;
}

/* Locks: returns holding the device lock, and the parent's where the bus wants it. */
static void __device_driver_lock(struct device *dev)
{
	if (locks_parent(dev))
		device_lock(dev->parent);
	device_lock(dev);
}

static void __device_driver_unlock(struct device *dev)
{
	device_unlock(dev);
	if (locks_parent(dev))
		device_unlock(dev->parent);
}

/* Announced, since the vfio core and sysfs read the field without the lock. */
static void set_driver(struct device *dev, struct device_driver *drv)
{
	eng_point(ENG_OP_WRITE_ONCE, &dev->driver, ENG_WRITE);
	dev->driver = drv;
}

/* BIND goes out first, then the links in sysfs are made; they can fail. */
static int driver_sysfs_add(struct device *dev)
{
	bus_notify(dev, BUS_NOTIFY_BIND_DRIVER);
	return eng_fail_here("driver_sysfs_add") ? -ENOMEM : 0;
}

static int device_add_groups(struct device *dev)
{
	return eng_fail_here("device_add_groups") ? -ENOMEM : 0;
}

static void call_driver_remove(struct device *dev, struct device_driver *drv)
{
	eng_event("driver_remove", dev, "%s", drv->name);
	if (dev->bus->remove)
		dev->bus->remove(dev);
	else if (drv->remove)
		drv->remove(dev);
}

static int call_driver_probe(struct device *dev, struct device_driver *drv)
{
	int ret = 0;

	eng_event("driver_probe", dev, "%s", drv->name);
	if (dev->bus->probe)
		ret = dev->bus->probe(dev);
	else if (drv->probe)
		ret = drv->probe(dev);
	if (ret && ret != -EPROBE_DEFER && ret != -ENODEV && ret != -ENXIO)
		dev_warn(dev, "probe failed with error %d", ret);
	return ret;
}

static void driver_bound(struct device *dev)
{
	klist_add_tail(&dev->knode_driver, &dev->driver->p->klist_devices);
	bus_notify(dev, BUS_NOTIFY_BOUND_DRIVER);
}

/* A probe that failed after DMA was configured (VF-201): no UNBIND, no UNBOUND. */
static void probe_failed(struct device *dev)
{
	bus_notify(dev, BUS_NOTIFY_DRIVER_NOT_BOUND);
	if (dev->bus->dma_cleanup)
		dev->bus->dma_cleanup(dev);
}

/* The same before that: since 6.1 the listeners hear nothing of it. */
static void dma_configure_failed(struct device *dev)
{
	if (kernel_version < KERNEL_6_1)
		bus_notify(dev, BUS_NOTIFY_DRIVER_NOT_BOUND);
}

static void device_unbind_cleanup(struct device *dev)
{
	devres_release_all(dev);
	set_driver(dev, NULL);
	dev_set_drvdata(dev, NULL);
}

/*
 * Until 6.1, failing links or attribute groups make this return 0 with the
 * device unbound (VF-202).
 */
static int quiet_failure(int ret)
{
	return kernel_version < KERNEL_6_1 ? 0 : ret;
}

/*
 * 0 when bound; > 0 is the driver's own probe error, so that an automatic probe
 * can go on to the next driver; < 0 any other error.
 *
 * Context: may sleep. Locks: holds the device lock.
 */
static int really_probe(struct device *dev, struct device_driver *drv)
{
	int ret;

	lockdep_assert_held(&dev->mutex);
	set_driver(dev, drv);
	if (dev->bus->dma_configure) {
		ret = dev->bus->dma_configure(dev);
		if (ret) {
			dma_configure_failed(dev);
			goto err_unbound;
		}
	}
	ret = driver_sysfs_add(dev);
	if (ret) {
		ret = quiet_failure(ret);
		goto err;
	}
	ret = call_driver_probe(dev, drv);
	if (ret) {
		ret = -ret;
		goto err;
	}
	ret = device_add_groups(dev);
	if (ret) {
		call_driver_remove(dev, drv);
		ret = quiet_failure(ret);
		goto err;
	}
	driver_bound(dev);
	return 0;

err:
	probe_failed(dev);
err_unbound:
	device_unbind_cleanup(dev);
	return ret;
}

static int driver_probe_device(struct device_driver *drv, struct device *dev)
{
	if (dev->dead || !device_is_registered(dev))
		return -ENODEV;
	if (dev->driver)
		return -EBUSY;
	return really_probe(dev, drv);
}

/* Bind @dev to @drv. Locks: takes and drops the device lock. */
int device_driver_attach(struct device_driver *drv, struct device *dev)
{
	int ret;

	__device_driver_lock(dev);
	ret = driver_probe_device(drv, dev);
	__device_driver_unlock(dev);

	if (ret > 0)
		ret = -ret;
	return ret == -EPROBE_DEFER ? -EAGAIN : ret;
}

/* One step of "try all drivers": > 0 bound, 0 go on, < 0 give up. */
static int __device_attach_driver(struct device_driver *drv, struct device *dev)
{
	int ret;

	if (!driver_match_device(drv, dev))
		return 0;
	ret = driver_probe_device(drv, dev);
	return ret < 0 ? ret : ret == 0;
}

/*
 * Offer @dev to every driver of its bus: 1 if it is bound now, 0 if nobody took
 * it, -errno. Locks: takes and drops the device lock.
 */
int device_attach(struct device *dev)
{
	struct klist_iter iter;
	struct klist_node *node;
	int ret = 0;

	__device_driver_lock(dev);
	if (dev->dead) {
		ret = 0;
	} else if (dev->driver) {
		ret = 1;
	} else {
		klist_iter_init_node(&dev->bus->p->klist_drivers, &iter, NULL);
		while (!ret && (node = klist_next(&iter)))
			ret = __device_attach_driver(bus_driver(node), dev);
		klist_iter_exit(&iter);
	}
	__device_driver_unlock(dev);
	return ret;
}

void bus_probe_device(struct device *dev)
{
	if (dev->bus && dev->bus->p->drivers_autoprobe)
		device_attach(dev);
}

static int __driver_attach(struct device *dev, void *data)
{
	struct device_driver *drv = data;

	if (!driver_match_device(drv, dev))
		return 0;
	__device_driver_lock(dev);
	driver_probe_device(drv, dev);
	__device_driver_unlock(dev);
	return 0;
}

/* Offer @drv every device of its bus; what a single probe says does not matter. */
int driver_attach(struct device_driver *drv)
{
	return bus_for_each_dev(drv->bus, NULL, drv, __driver_attach);
}

/*
 * Context: may sleep without bound: the driver's remove waits for users.
 * Locks:   holds the device lock throughout.
 */
static void __device_release_driver(struct device *dev)
{
	struct device_driver *drv = dev->driver;

	lockdep_assert_held(&dev->mutex);
	if (!drv)
		return;
	bus_notify(dev, BUS_NOTIFY_UNBIND_DRIVER);
	call_driver_remove(dev, drv);
	devres_release_all(dev);
	if (dev->bus->dma_cleanup)
		dev->bus->dma_cleanup(dev);
	set_driver(dev, NULL);
	dev_set_drvdata(dev, NULL);
	klist_remove(&dev->knode_driver);
	bus_notify(dev, BUS_NOTIFY_UNBOUND_DRIVER);
}

/* Unbind @dev: from any driver, or only if it is @drv when that is not NULL. */
static void device_release_driver_internal(struct device *dev, struct device_driver *drv)
{
	__device_driver_lock(dev);
	if (!drv || drv == dev->driver)
		__device_release_driver(dev);
	__device_driver_unlock(dev);
}

void device_release_driver(struct device *dev)
{
	device_release_driver_internal(dev, NULL);
}

void device_driver_detach(struct device *dev)
{
	device_release_driver_internal(dev, NULL);
}

/* The newest bound device of @drv with a reference, or NULL. */
static struct device *driver_last_device(struct device_driver *drv)
{
	struct list_head *list = &drv->p->klist_devices.k_list;
	struct klist_node *node;

	eng_point(ENG_OP_READ_ONCE, &drv->p->klist_devices, ENG_READ);
	if (list_empty(list))
		return NULL;
	node = list_last_entry(list, struct klist_node, n_node);
	return get_device(container_of(node, struct device, knode_driver));
}

/* Unbind everything from @drv, last bound first. Context: may sleep without bound. */
static void driver_detach(struct device_driver *drv)
{
	struct device *dev;

	while ((dev = driver_last_device(drv))) {
		device_release_driver_internal(dev, drv);
		put_device(dev);
	}
}

/*
 * Context: may sleep; probes devices. Refs: on failure, none.
 */
int driver_register(struct device_driver *drv)
{
	struct driver_private *priv;

	if (!drv->bus->p)
		return -EINVAL;
	if (driver_find(drv->name, drv->bus))
		return -EBUSY;
	priv = kzalloc(sizeof(struct driver_private), GFP_KERNEL);
	if (!priv)
		return -ENOMEM;
	priv->driver = drv;
	klist_init(&priv->klist_devices, NULL, NULL);
	drv->p = priv;
	klist_add_tail(&priv->knode_bus, &drv->bus->p->klist_drivers);

	if (drv->bus->p->drivers_autoprobe)
		driver_attach(drv);
	return 0;
}

void driver_unregister(struct device_driver *drv)
{
	if (WARN_ON(!drv->p))
		return;
	klist_remove(&drv->p->knode_bus);
	driver_detach(drv);
	kfree(drv->p);
	drv->p = NULL;
}

/* ---- what user space writes to sysfs ---- */

int driver_bind_store(struct device_driver *drv, const char *name)
{
	struct device *dev = bus_find_device_by_name(drv->bus, NULL, name);
	int ret = -ENODEV;

	if (dev && driver_match_device(drv, dev))
		ret = device_driver_attach(drv, dev);
	put_device(dev);
	return ret;
}

/*
 * The comparison is made without the device lock and not repeated under it:
 * whatever is bound by then is released (VF-204).
 */
int driver_unbind_store(struct device_driver *drv, const char *name)
{
	struct device *dev = bus_find_device_by_name(drv->bus, NULL, name);
	int ret = -ENODEV;

	if (dev && shared_READ_ONCE(dev->driver) == drv) {
		device_driver_detach(dev);
		ret = 0;
	}
	put_device(dev);
	return ret;
}

/* 0 even when no driver took the device; -EINVAL is what a refused probe becomes. */
int bus_drivers_probe_store(struct bus_type *bus, const char *name)
{
	struct device *dev = bus_find_device_by_name(bus, NULL, name);
	int ret;

	if (!dev)
		return -ENODEV;
	ret = shared_READ_ONCE(dev->driver) ? 0 : device_attach(dev);
	put_device(dev);
	return ret < 0 ? -EINVAL : 0;
}

void bus_set_drivers_autoprobe(struct bus_type *bus, bool on)
{
	bus->p->drivers_autoprobe = on;
}
