/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bus, a driver and devices of the plainest kind, for tests of the driver core
 * and of IOMMU groups. What happens is noted as words in a log.
 */
#ifndef TESTS_DRV_H
#define TESTS_DRV_H

#include <string.h>

#include <vfiosim/kapi.h>
#include <vfiosim/kapi/iommu.h>

#include "simtest.h"

#define DRV_LOG_MAX 512

/* Kernel state, so that each run starts with an empty log. */
static char drv_log[DRV_LOG_MAX] KSTATE;
static int drv_probe_result KSTATE;
static int drv_matches KSTATE = 1;

static void drv_note(const char *word)
{
	if (*drv_log)
		strncat(drv_log, " ", DRV_LOG_MAX - strlen(drv_log) - 1);
	strncat(drv_log, word, DRV_LOG_MAX - strlen(drv_log) - 1);
}

static void drv_forget(void)
{
	drv_log[0] = '\0';
}

/* Fails the run, and shows what the log says instead. */
static void drv_expect_log(const char *wanted)
{
	if (strcmp(drv_log, wanted))
		eng_event("log", NULL, "%s", drv_log);
	vfiosim_expect(!strcmp(drv_log, wanted));
}

static int drv_match(struct device *dev, struct device_driver *drv)
{
	return drv_matches;
}

static int drv_probe(struct device *dev)
{
	drv_note(dev->driver ? "probe" : "probe-without-driver");
	if (!drv_probe_result)
		dev_set_drvdata(dev, drv_log);
	return drv_probe_result;
}

static int drv_remove(struct device *dev)
{
	drv_note("remove");
	return 0;
}

static int drv_dma_configure(struct device *dev)
{
	return eng_fail_here("drv_dma_configure") ? -ENODEV : 0;
}

static struct bus_type drv_bus KSTATE = {
	.name = "drv", .match = drv_match, .dma_configure = drv_dma_configure,
};

static struct device_driver drv_driver KSTATE = {
	.name = "drv-driver", .bus = &drv_bus, .probe = drv_probe, .remove = drv_remove,
};

static int drv_bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	static const char *const names[] = {
		"?", "ADD", "DEL", "REMOVED", "BIND", "BOUND", "UNBIND", "UNBOUND", "NOT_BOUND",
	};
	struct device *dev = data;

	/* VF-47: the driver is still set when UNBIND is sent, and gone at UNBOUND. */
	vfiosim_expect(action != BUS_NOTIFY_UNBIND_DRIVER || dev->driver);
	vfiosim_expect(action != BUS_NOTIFY_UNBOUND_DRIVER || !dev->driver);
	drv_note(names[action]);
	return NOTIFY_OK;
}

static struct notifier_block drv_nb KSTATE = { .notifier_call = drv_bus_event };

static void drv_release(struct device *dev)
{
	drv_note("release");
	iommu_fwspec_free(dev);
	kfree(dev);
}

static struct device *drv_new_device(const char *name)
{
	struct device *dev = kzalloc(sizeof(struct device), GFP_KERNEL);

	if (!dev)
		return NULL;
	device_initialize(dev);
	dev->bus = &drv_bus;
	dev->release = drv_release;
	if (!dev_set_name(dev, "%s", name))
		return dev;
	put_device(dev);
	return NULL;
}

/* The bus with its listener, and no driver that would take devices by itself. */
static void drv_boot(void)
{
	vfiosim_expect(!bus_register(&drv_bus));
	bus_set_drivers_autoprobe(&drv_bus, false);
	vfiosim_expect(!bus_register_notifier(&drv_bus, &drv_nb));
}

static void drv_shutdown(void)
{
	bus_unregister_notifier(&drv_bus, &drv_nb);
	bus_unregister(&drv_bus);
}

#endif
