/* SPDX-License-Identifier: GPL-2.0-only */
/* Mediated devices: made on demand below a parent, each in an IOMMU group of its own. */
#ifndef VFIOSIM_KAPI_MDEV_H
#define VFIOSIM_KAPI_MDEV_H

#include <vfiosim/kapi/device.h>

struct mdev_parent;

struct mdev_device {
	struct device dev;
	struct mdev_parent *parent;
	struct list_head next;		/* all of them; mdev_list_lock */
	bool active;			/* made, and nobody is removing it yet */
};

struct mdev_driver {
	int (*probe)(struct mdev_device *mdev);
	void (*remove)(struct mdev_device *mdev);
	struct device_driver driver;
};

/* @create and @remove are optional: most of the work is the driver's. */
struct mdev_parent_ops {
	struct module *owner;
	struct mdev_driver *device_driver;
	int (*create)(struct mdev_device *mdev);
	void (*remove)(struct mdev_device *mdev);
};

extern struct bus_type mdev_bus_type SIM(mdev_bus_type);

static inline struct mdev_device *to_mdev_device(struct device *dev)
{
	return container_of(dev, struct mdev_device, dev);
}

/*
 * The bus comes and goes with the module; 0, or the errno of what failed (all is undone then).
 * Drivers probe each device of the bus as they register, and lose them as they go: may sleep
 * without bound. Follow drivers/vfio/mdev/.
 */
int mdev_init(void) KAPI(mdev_init);
void mdev_exit(void) KAPI(mdev_exit);
int mdev_register_driver(struct mdev_driver *drv) KAPI(mdev_register_driver);
void mdev_unregister_driver(struct mdev_driver *drv) KAPI(mdev_unregister_driver);
/* From here on, devices can be made below @dev. -EEXIST, -ENOMEM. */
int mdev_register_device(struct device *dev, const struct mdev_parent_ops *ops)
	KAPI(mdev_register_device);
/* Removes all devices below @dev. Context: may sleep without bound. */
void mdev_unregister_device(struct device *dev) KAPI(mdev_unregister_device);

/* What writes to "create" and to a device's "remove" do; @uuid is its name. */
int mdev_device_create(struct device *parent, const char *uuid) KAPI(mdev_device_create);
int mdev_device_remove(struct mdev_device *mdev) KAPI(mdev_device_remove);
/* Refs: +1 on the device that is returned, or NULL. */
struct mdev_device *mdev_find(const char *uuid) SIM(mdev_find);

/* mtty: the sample parent "mtty" with 4 KiB of registers for each device. */
struct device *mtty_init(void) SIM(mtty_init);
void mtty_exit(void) SIM(mtty_exit);

#endif
