// SPDX-License-Identifier: GPL-2.0-only
/*
 * The usual sequences of a program that uses vfio: open a device, map a BAR,
 * switch its memory space. Made of the calls of include/vfiosim.h alone, so that
 * they mean the same on a real kernel. No kernel original.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/mman.h>

#include "vfiosim.h"

void vfiosim_user_close(struct vfiosim_user *user)
{
	int *fds[] = { &user->device, &user->group, &user->container };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			vfiosim_close(user->process, *fds[i]);
		*fds[i] = -1;
	}
}

/* Each step's error is the result; what is open by then is left to the caller. */
static long open_steps(struct vfiosim_user *user, struct vfiosim_device *device)
{
	struct vfiosim_process *process = user->process;
	char path[VFIOSIM_PATH_MAX];
	long ret;

	user->container = vfiosim_open(process, "/dev/vfio/vfio", O_RDWR);
	if (user->container < 0)
		return user->container;
	user->group = vfiosim_open(process, vfiosim_group_path(device, path), O_RDWR);
	if (user->group < 0)
		return user->group;
	ret = vfiosim_ioctl(process, user->group, VFIO_GROUP_SET_CONTAINER, &user->container);
	if (ret < 0)
		return ret;
	ret = vfiosim_ioctl(process, user->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	if (ret < 0)
		return ret;
	user->device = vfiosim_ioctl(process, user->group, VFIO_GROUP_GET_DEVICE_FD,
				     vfiosim_device_name(device));
	return user->device < 0 ? user->device : 0;
}

int vfiosim_user_open(struct vfiosim_user *user, struct vfiosim_process *process,
		      struct vfiosim_device *device)
{
	long ret;

	*user = (struct vfiosim_user){ process, -1, -1, -1 };
	ret = open_steps(user, device);
	if (ret < 0)
		vfiosim_user_close(user);
	return ret;
}

static int region_info(struct vfiosim_process *process, int device_fd, unsigned int index,
		       struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	return vfiosim_ioctl(process, device_fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

uint64_t vfiosim_bar_size(struct vfiosim_process *process, int device_fd, int bar)
{
	struct vfio_region_info info;

	return region_info(process, device_fd, bar, &info) < 0 ? 0 : info.size;
}

int64_t vfiosim_bar_map(struct vfiosim_process *process, int device_fd, int bar)
{
	struct vfio_region_info info;
	int ret = region_info(process, device_fd, bar, &info);

	if (ret < 0)
		return ret;
	return vfiosim_mmap(process, 0, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, device_fd,
			    info.offset);
}

int vfiosim_memory_space(struct vfiosim_process *process, int device_fd, bool on)
{
	struct vfio_region_info info;
	uint16_t command;
	ssize_t done;
	int ret = region_info(process, device_fd, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	if (ret < 0)
		return ret;
	done = vfiosim_pread(process, device_fd, &command, sizeof(command),
			     info.offset + PCI_COMMAND);
	if (done < 0)
		return done;
	command = on ? command | PCI_COMMAND_MEMORY : command & ~PCI_COMMAND_MEMORY;
	done = vfiosim_pwrite(process, device_fd, &command, sizeof(command),
			      info.offset + PCI_COMMAND);
	return done < 0 ? done : 0;
}

const char *vfiosim_touch_name(enum vfiosim_touch touch)
{
	switch (touch) {
	case VFIOSIM_TOUCH_OK:
		return "ok";
	case VFIOSIM_SIGSEGV_MAPERR:
		return "SIGSEGV 1";
	case VFIOSIM_SIGSEGV_ACCERR:
		return "SIGSEGV 2";
	case VFIOSIM_SIGBUS_ADRERR:
		return "SIGBUS 2";
	case VFIOSIM_TOUCH_ESRCH:
		return "no process";
	}
	return "another signal";
}

const char *vfiosim_error_name(long result)
{
	const char *name;

	if (result >= 0 && result != (int)result)
		return "0";
	if (result > 0)
		result = -result;
	if (result == 0)
		return "0";
	name = strerrorname_np(-result);
	return name ? name : "?";
}
