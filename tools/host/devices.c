// SPDX-License-Identifier: GPL-2.0-only
/*
 * include/vfiosim.h on a real kernel: devices, drivers and modules, by sysfs.
 *
 * Real devices are given out at the first use of one, when all that the
 * scenario has plugged in are known. Each write to sysfs is made by a process
 * of its own, which holds nothing: an unbind that blocks must not be able to
 * block on itself, nor keep others from making calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "machine.h"

#define DEVICES_MAX 16

struct vfiosim_device {
	struct vfiosim_device_desc desc;
	struct real_device *real;
};

static struct vfiosim_device plugged[DEVICES_MAX];
static int plugged_count;

struct vfiosim_device *vfiosim_plug(const struct vfiosim_device_desc *desc)
{
	struct vfiosim_device *device;

	if (plugged_count == DEVICES_MAX)
		return NULL;
	device = &plugged[plugged_count++];
	device->desc = *desc;
	device->real = NULL;
	return device;
}

static bool shares_group(const struct vfiosim_device *device)
{
	int count = 0;

	for (int i = 0; i < plugged_count; i++)
		count += plugged[i].desc.group == device->desc.group;
	return device->desc.group && count > 1;
}

/* Ends the scenario here; the next finds the machine as it was. */
static void skip(const char *why)
{
	vfiosim_say("SKIPPED %s", why);
	backend_end_scenario();
	devices_end_scenario();
	exit(77);
}

/* A kernel's vfio-pci has the one design that it has: 5.14's list, or from 6.10 on the inode. */
static void skip_other_design(const struct vfiosim_device_desc *desc)
{
	if (desc->design != VFIOSIM_ADDRESS_SPACE || machine_kernel() >= VFIOSIM_KERNEL_6_12)
		return;
	skip("this kernel keeps a list of VMAs");
}

/* A scenario that this machine cannot play is skipped, not failed. */
static struct real_device *real(struct vfiosim_device *device)
{
	char why[64];

	for (int i = 0; i < plugged_count && !device->real; i++) {
		if (plugged[i].real)
			continue;
		skip_other_design(&plugged[i].desc);
		plugged[i].real = machine_take(&plugged[i].desc, shares_group(&plugged[i]));
		if (!plugged[i].real) {
			snprintf(why, sizeof(why), "no device here can play %s",
				 plugged[i].desc.name);
			skip(why);
		}
	}
	return device->real;
}

const char *vfiosim_device_name(struct vfiosim_device *device)
{
	return real(device)->name;
}

const char *vfiosim_group_path(struct vfiosim_device *device, char buffer[VFIOSIM_PATH_MAX])
{
	snprintf(buffer, VFIOSIM_PATH_MAX, "/dev/vfio/%d", real(device)->group);
	return buffer;
}

/* ---- sysfs ---- */

static int write_file(const char *path, const char *text)
{
	struct vfiosim_process *writer = vfiosim_process("sysfs");
	char payload[300];
	size_t length = strlen(path) + 1;
	int result;

	snprintf(payload, sizeof(payload), "%s", path);
	snprintf(payload + length, sizeof(payload) - length, "%s", text);
	result = (int)backend_text_call(writer, HOST_SYSFS_WRITE, 0, payload,
					length + strlen(text) + 1);
	vfiosim_exit(writer);
	return result;
}

static int write_driver_file(const char *driver, const char *file, const char *device)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s", driver, file);
	return write_file(path, device);
}

static int write_device_file(const char *device, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", device, file);
	return write_file(path, text);
}

static const char *real_driver_name(const struct vfiosim_device *device, const char *driver)
{
	if (strcmp(driver, "host") != 0)
		return driver;
	return device->real->driver[0] ? device->real->driver : "e1000";
}

int vfiosim_bind(struct vfiosim_process *process, struct vfiosim_device *device,
		 const char *driver)
{
	const char *name = real(device)->name;
	char bound[32];
	int result;

	(void)process;
	driver = real_driver_name(device, driver);
	machine_driver(device->real, bound, sizeof(bound));
	if (bound[0] && strcmp(bound, device->real->driver) == 0 && strcmp(bound, driver) != 0)
		write_driver_file(bound, "unbind", name);	/* the one it had at boot */
	write_device_file(name, "driver_override", driver);
	result = write_driver_file(driver, "bind", name);
	return result;
}

int vfiosim_unbind(struct vfiosim_process *process, struct vfiosim_device *device)
{
	char bound[32];

	(void)process;
	machine_driver(real(device), bound, sizeof(bound));
	if (!bound[0])
		return -ENODEV;
	return write_driver_file(bound, "unbind", device->real->name);
}

int vfiosim_unplug(struct vfiosim_process *process, struct vfiosim_device *device)
{
	(void)process;
	return write_device_file(real(device)->name, "remove", "1");
}

int vfiosim_sysfs_reset(struct vfiosim_process *process, struct vfiosim_device *device)
{
	(void)process;
	return write_device_file(real(device)->name, "reset", "1");
}

/* ---- modules ---- */

/* The count less one for each module that depends on it: those are not modelled. */
int vfiosim_module_refs(const char *module)
{
	FILE *file = fopen("/proc/modules", "r");
	char name[64], users[512];
	int refs, result = -ENOENT;

	while (file && fscanf(file, "%63s %*s %d %511s %*[^\n]", name, &refs, users) == 3) {
		if (strcmp(name, module) != 0)
			continue;
		for (const char *c = users; *c; c++)
			refs -= *c == ',';
		result = refs;
	}
	if (file)
		fclose(file);
	return result;
}

static int module_call(const char *module, int load)
{
	return (int)backend_text_call(NULL, HOST_MODULE, load, module, strlen(module) + 1);
}

int vfiosim_rmmod(struct vfiosim_process *process, const char *module)
{
	(void)process;
	return module_call(module, 0);
}

/* It has booted, and its modules come with the first device. */
int vfiosim_boot(void)
{
	return 0;
}

int vfiosim_insmod(struct vfiosim_process *process, const char *module)
{
	(void)process;
	return module_call(module, 1);
}

void devices_end_scenario(void)
{
	char bound[32];

	for (int i = 0; i < plugged_count; i++) {
		struct vfiosim_device *device = &plugged[i];

		if (!device->real)
			continue;
		machine_driver(device->real, bound, sizeof(bound));
		if (bound[0] && strcmp(bound, device->real->driver) != 0)
			write_driver_file(bound, "unbind", device->real->name);
		write_device_file(device->real->name, "driver_override", "\n");
		if (device->real->driver[0] && strcmp(bound, device->real->driver) != 0)
			write_driver_file(device->real->driver, "bind", device->real->name);
	}
	plugged_count = 0;
	machine_give_back();
	if (access("/sys/bus/pci/rescan", F_OK) == 0)
		write_file("/sys/bus/pci/rescan", "1");
}
