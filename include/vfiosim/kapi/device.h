/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver core: devices, drivers, buses, classes, and binding them. */
#ifndef VFIOSIM_KAPI_DEVICE_H
#define VFIOSIM_KAPI_DEVICE_H

#include <vfiosim/kapi/atomic.h>
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/klist.h>
#include <vfiosim/kapi/list.h>
#include <vfiosim/kapi/lock.h>
#include <vfiosim/kapi/module.h>
#include <vfiosim/kapi/notifier.h>

struct attribute_group;
struct bus_type;
struct class;
struct device;
struct device_driver;
struct dev_iommu;
struct driver_private;
struct iommu_group;
struct iommu_ops;
struct subsys_private;

/* What the bus chain is told, in the kernel's numbers of 5.14. */
#define BUS_NOTIFY_ADD_DEVICE 0x00000001	/* added, before any probe */
#define BUS_NOTIFY_DEL_DEVICE 0x00000002	/* about to be deleted, still bound */
#define BUS_NOTIFY_REMOVED_DEVICE 0x00000003	/* gone from the bus */
#define BUS_NOTIFY_BIND_DRIVER 0x00000004	/* about to probe; dev->driver is set */
#define BUS_NOTIFY_BOUND_DRIVER 0x00000005	/* probe succeeded */
#define BUS_NOTIFY_UNBIND_DRIVER 0x00000006	/* about to remove */
#define BUS_NOTIFY_UNBOUND_DRIVER 0x00000007	/* removed; dev->driver is NULL */
#define BUS_NOTIFY_DRIVER_NOT_BOUND 0x00000008	/* probe failed */

struct bus_type {
	const char *name;
	int (*match)(struct device *dev, struct device_driver *drv);
	int (*probe)(struct device *dev);
	void (*remove)(struct device *dev);
	int (*dma_configure)(struct device *dev);
	void (*dma_cleanup)(struct device *dev);
	const struct iommu_ops *iommu_ops;
	bool need_parent_lock;
	struct subsys_private *p;	/* NULL until bus_register() */
};

struct device_driver {
	const char *name;
	const struct dev_pm_ops *pm;	/* runtime PM: NULL in every modelled driver */
	struct bus_type *bus;
	struct module *owner;
	bool suppress_bind_attrs;
	int (*probe)(struct device *dev);
	int (*remove)(struct device *dev);
	const struct attribute_group **dev_groups;
	struct driver_private *p;	/* NULL until driver_register() */
};

struct class {
	const char *name;
	struct module *owner;
	char *(*devnode)(struct device *dev, umode_t *mode);
	void (*dev_release)(struct device *dev);
	struct klist klist_devices;
};

struct device {
	struct kref kref;
	const char *init_name;
	char *name;
	struct device *parent;
	struct bus_type *bus;
	struct device_driver *driver;
	void *driver_data;
	struct mutex mutex;		/* device_lock() */
	bool dead;			/* device_del() ran; under the lock */
	bool registered;
	u8 lock_depth;			/* device locks that may be held outside this one */
	struct klist_node knode_bus;
	struct klist_node knode_driver;
	struct klist_node knode_class;
	struct list_head devres_head;
	spinlock_t devres_lock;
	struct class *class;
	dev_t devt;
	char *node_name;		/* under /dev; NULL: the device's own name */
	void (*release)(struct device *dev);
	struct iommu_group *iommu_group;
	struct dev_iommu *iommu;
};

const char *dev_name(const struct device *dev) KAPI(dev_name);
/* -ENOMEM keeps the old name. Not while the device is registered. */
int dev_set_name(struct device *dev, const char *format, ...)
	KAPI(dev_set_name) __printf(2, 3);

#define dev_err(dev, ...) printk_at(LEVEL_ERR, dev_name(dev), __VA_ARGS__)
#define dev_warn(dev, ...) printk_at(LEVEL_WARNING, dev_name(dev), __VA_ARGS__)
#define dev_notice(dev, ...) printk_at(LEVEL_NOTICE, dev_name(dev), __VA_ARGS__)
#define dev_info(dev, ...) printk_at(LEVEL_INFO, dev_name(dev), __VA_ARGS__)
#define dev_dbg(dev, ...) printk_at(LEVEL_DEBUG, dev_name(dev), __VA_ARGS__)
#define dev_WARN(dev, format, ...) WARN(1, "%s: " format, dev_name(dev), ##__VA_ARGS__)

static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev->driver_data;
}

static inline void dev_set_drvdata(struct device *dev, void *data)
{
	dev->driver_data = data;
}

static inline bool device_is_registered(const struct device *dev)
{
	return dev->registered;
}

/* Life of a device. device_add() does not consume the reference on failure. */
void device_initialize(struct device *dev) KAPI(device_initialize);
int device_add(struct device *dev) KAPI(device_add);
int device_register(struct device *dev) KAPI(device_register);
void device_del(struct device *dev) KAPI(device_del);
void device_unregister(struct device *dev) KAPI(device_unregister);
struct device *get_device(struct device *dev) KAPI(get_device);
void put_device(struct device *dev) KAPI(put_device);

/*
 * One mutex a device, held for all of probe and remove; may sleep, trylock not (1: taken).
 * The order among devices is not checked: see lockdep_no_validate.
 */
void device_lock(struct device *dev) KAPI(device_lock);
int device_trylock(struct device *dev) KAPI(device_trylock);
void device_unlock(struct device *dev) KAPI(device_unlock);

/* Managed resources: run newest first after remove, or after a failed probe. */
int devm_add_action(struct device *dev, void (*action)(void *data), void *data)
	KAPI(devm_add_action);

/* Classes and their devices with a node under /dev. */
struct class *class_create(struct module *owner, const char *name) KAPI(class_create);
void class_destroy(struct class *class) KAPI(class_destroy);
struct device *device_create(struct class *class, struct device *parent, dev_t devt,
			     void *drvdata, const char *format, ...)
	KAPI(device_create) __printf(5, 6);
void device_destroy(struct class *class, dev_t devt) KAPI(device_destroy);
struct device *class_find_device_by_devt(struct class *class, dev_t devt)
	KAPI(class_find_device_by_devt);

/* Buses. */
int bus_register(struct bus_type *bus) KAPI(bus_register);
void bus_unregister(struct bus_type *bus) KAPI(bus_unregister);
int bus_register_notifier(struct bus_type *bus, struct notifier_block *nb)
	KAPI(bus_register_notifier);
int bus_unregister_notifier(struct bus_type *bus, struct notifier_block *nb)
	KAPI(bus_unregister_notifier);
int bus_for_each_dev(struct bus_type *bus, struct device *start, void *data,
		     int (*fn)(struct device *dev, void *data)) KAPI(bus_for_each_dev);
struct device *bus_find_device_by_name(struct bus_type *bus, struct device *start,
				       const char *name) KAPI(bus_find_device_by_name);
struct device_driver *driver_find(const char *name, struct bus_type *bus) KAPI(driver_find);

/* Drivers. driver_register() probes every matching device of the bus. */
int driver_register(struct device_driver *drv) KAPI(driver_register);
void driver_unregister(struct device_driver *drv) KAPI(driver_unregister);

/* Binding. */
int device_attach(struct device *dev) KAPI(device_attach);
int driver_attach(struct device_driver *drv) KAPI(driver_attach);
int device_driver_attach(struct device_driver *drv, struct device *dev)
	KAPI(device_driver_attach);
void device_driver_detach(struct device *dev) KAPI(device_driver_detach);
void device_release_driver(struct device *dev) KAPI(device_release_driver);

/* What a write to these sysfs files does: 0, or the errno of the write. */
int driver_bind_store(struct device_driver *drv, const char *name) SIM(driver_bind_store);
int driver_unbind_store(struct device_driver *drv, const char *name) SIM(driver_unbind_store);
int bus_drivers_probe_store(struct bus_type *bus, const char *name)
	SIM(bus_drivers_probe_store);
void bus_set_drivers_autoprobe(struct bus_type *bus, bool on) SIM(bus_set_drivers_autoprobe);

#endif
