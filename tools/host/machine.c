// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inventory of the real machine.
 *
 * Devices are taken in the order of their names, single ones before those that
 * share a group, so that the same scenario gets the same devices every time.
 */
#include <dirent.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "machine.h"

#define DEVICES_MAX 64
#define SYSFS "/sys/bus/pci/devices"
#define RESOURCE_IO 0x100

static struct real_device devices[DEVICES_MAX];
static int device_count;

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct real_device *)a)->name,
		      ((const struct real_device *)b)->name);
}

static int link_target(const char *device, const char *link, char *buffer, int size)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), SYSFS "/%s/%s", device, link);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0) {
		buffer[0] = '\0';
		return -1;
	}
	target[length] = '\0';
	snprintf(buffer, size, "%s", basename(target));
	return 0;
}

static void read_bars(struct real_device *device)
{
	char path[PATH_MAX];
	uint64_t start, end, flags;
	FILE *file;

	snprintf(path, sizeof(path), SYSFS "/%s/resource", device->name);
	file = fopen(path, "r");
	if (!file)
		return;
	for (int bar = 0; bar < 6; bar++) {
		if (fscanf(file, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &end, &flags) != 3)
			break;
		device->bar_size[bar] = end ? end - start + 1 : 0;
		device->bar_is_io[bar] = flags & RESOURCE_IO;
	}
	fclose(file);
}

static void read_device(const char *name)
{
	struct real_device *device = &devices[device_count];
	char path[PATH_MAX], group[32];

	if (device_count == DEVICES_MAX || link_target(name, "iommu_group", group, sizeof(group)))
		return;
	snprintf(device->name, sizeof(device->name), "%.15s", name);
	device->group = atoi(group);
	link_target(name, "driver", device->driver, sizeof(device->driver));
	snprintf(path, sizeof(path), SYSFS "/%s/reset", name);
	device->can_reset = access(path, F_OK) == 0;
	read_bars(device);
	device_count++;
}

void machine_read(void)
{
	DIR *folder = opendir(SYSFS);
	struct dirent *entry;

	if (!folder)
		return;
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			read_device(entry->d_name);
	closedir(folder);
	qsort(devices, device_count, sizeof(devices[0]), compare_names);
}

static int group_size(int group)
{
	int count = 0;

	for (int i = 0; i < device_count; i++)
		count += devices[i].group == group;
	return count;
}

static bool has_bars(const struct real_device *device, const struct vfiosim_device_desc *desc,
		     bool exactly)
{
	bool any = false;

	for (int bar = 0; bar < 6; bar++)
		any |= device->bar_size[bar] > 0;
	if (!any)
		return false;
	for (int bar = 0; bar < 6; bar++) {
		uint64_t wanted = desc->bars[bar].size;

		if (wanted > device->bar_size[bar] || (wanted && device->bar_is_io[bar]))
			return false;
		if (exactly && wanted != device->bar_size[bar] && !device->bar_is_io[bar])
			return false;
	}
	return true;
}

/* Devices of one scenario group share a real group; everybody else stays out of it. */
static bool group_fits(const struct real_device *device, const struct vfiosim_device_desc *desc,
		       bool shares)
{
	bool shared_already = false;

	for (int i = 0; i < device_count; i++) {
		const struct real_device *other = &devices[i];

		if (!other->taken)
			continue;
		if (desc->group && other->scenario_group == desc->group) {
			shared_already = true;
			if (other->group != device->group)
				return false;
		} else if (other->group == device->group) {
			return false;
		}
	}
	return shared_already || !shares || group_size(device->group) > 1;
}

static struct real_device *first_fit(const struct vfiosim_device_desc *desc, bool shares,
				     bool alone, bool exactly)
{
	/* A bus that several functions share has no file "reset" (they want a hot reset). */
	bool wants_reset = desc->resets & ~(VFIOSIM_RESET_BUS | VFIOSIM_RESET_SLOT);

	for (int i = 0; i < device_count; i++) {
		struct real_device *device = &devices[i];

		if (device->taken || !has_bars(device, desc, exactly) ||
		    !group_fits(device, desc, shares))
			continue;
		if (alone && group_size(device->group) > 1)
			continue;
		if (wants_reset && !device->can_reset)
			continue;
		return device;
	}
	return NULL;
}

struct real_device *machine_take(const struct vfiosim_device_desc *desc, bool shares)
{
	struct real_device *device = NULL;

	for (int attempt = 0; attempt < 4 && !device; attempt++) {
		bool exactly = attempt < 2, alone = attempt % 2 == 0;

		if (!(alone && shares))
			device = first_fit(desc, shares, alone, exactly);
	}
	if (device) {
		device->taken = true;
		device->scenario_group = desc->group;
	}
	return device;
}

enum vfiosim_kernel machine_kernel(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	if (major < 6 || (major == 6 && minor < 1))
		return VFIOSIM_KERNEL_5_14;
	if (major == 6 && minor < 12)
		return VFIOSIM_KERNEL_6_1;
	return major == 6 && minor < 18 ? VFIOSIM_KERNEL_6_12 : VFIOSIM_KERNEL_6_18;
}

void machine_give_back(void)
{
	for (int i = 0; i < device_count; i++)
		devices[i].taken = false;
}

void machine_driver(const struct real_device *device, char *buffer, int size)
{
	link_target(device->name, "driver", buffer, size);
}
