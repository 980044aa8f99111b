/* SPDX-License-Identifier: GPL-2.0-only */
/* What device.c and bus.c tell each other; drivers/base/base.h in the kernel. */
#ifndef VFIOSIM_BASE_H
#define VFIOSIM_BASE_H

#include <vfiosim/kapi/device.h>

struct subsys_private {
	struct klist klist_devices;
	struct klist klist_drivers;
	struct blocking_notifier_head bus_notifier;
	struct notifier_block iommu_nb;	/* listens when the bus has an IOMMU */
	bool drivers_autoprobe;
};

struct driver_private {
	struct device_driver *driver;
	struct klist klist_devices;	/* bound, oldest first */
	struct klist_node knode_bus;
};

/* 0, or -EEXIST or -ENOMEM with the device on no list. */
int bus_add_device(struct device *dev) SIM(bus_add_device);
void bus_remove_device(struct device *dev) SIM(bus_remove_device);
/* Context: may sleep, in probe. Locks: takes and drops the device lock. */
void bus_probe_device(struct device *dev) SIM(bus_probe_device);
void bus_notify(struct device *dev, unsigned long event) SIM(bus_notify);
void devres_release_all(struct device *dev) SIM(devres_release_all);

#endif
