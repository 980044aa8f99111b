// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each call on a container and a group answers in each state: no container,
 * container set, IOMMU set, device open. docs/observed/real-kernel-vfio.md, 2.
 */
#include "machine.h"

struct world {
	struct vfiosim_device *device;
	struct vfiosim_device *other;
	struct vfiosim_process *p;
	int container, group, file;
	char path[VFIOSIM_PATH_MAX];
};

static void setup(void *data)
{
	static const struct vfiosim_device_desc edu = DEVICE_EDU, ivshmem = DEVICE_IVSHMEM;
	struct world *w = data;

	w->device = vfiosim_plug(&edu);
	w->other = vfiosim_plug(&ivshmem);
	vfiosim_bind(NULL, w->device, "vfio-pci");
	vfiosim_bind(NULL, w->other, "vfio-pci");
	w->p = vfiosim_process("user");
}

static void say_status(const char *when, struct world *w, int group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	long ret = vfiosim_ioctl(w->p, group, VFIO_GROUP_GET_STATUS, &status);

	vfiosim_say("%s: status %s flags %u", when, vfiosim_error_name(ret), status.flags);
}

static void container_alone(struct world *w)
{
	static const int extensions[] = { 1, 3, 4, 6, 7, 8, 9, 10 };
	char byte = 0;

	say("api version", vfiosim_ioctl(w->p, w->container, VFIO_GET_API_VERSION, 5));
	for (unsigned int i = 0; i < sizeof(extensions) / sizeof(*extensions); i++)
		vfiosim_say("extension %d: %ld", extensions[i],
			    vfiosim_ioctl(w->p, w->container, VFIO_CHECK_EXTENSION,
					  extensions[i]));
	say("set iommu without a group",
	    vfiosim_ioctl(w->p, w->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	say("unknown ioctl, no iommu", vfiosim_ioctl(w->p, w->container, _IO(';', 199), 0));
	say("container read", vfiosim_read(w->p, w->container, &byte, 1));
	say("container write", vfiosim_write(w->p, w->container, &byte, 1));
	say_ok("container mmap",
	       vfiosim_mmap(w->p, 0, PAGE, PROT_READ, MAP_SHARED, w->container, 0));
}

static void group_alone(struct world *w)
{
	struct vfio_group_status small = { .argsz = 4 };
	char byte = 0;

	say_status("fresh", w, w->group);
	say_ok("group opened twice", vfiosim_open(w->p, w->path, O_RDWR));
	say("group read", vfiosim_read(w->p, w->group, &byte, 1));
	say_ok("group mmap", vfiosim_mmap(w->p, 0, PAGE, PROT_READ, MAP_SHARED, w->group, 0));
	say("group unknown ioctl", vfiosim_ioctl(w->p, w->group, _IO(';', 199), 0));
	say("status argsz 4", vfiosim_ioctl(w->p, w->group, VFIO_GROUP_GET_STATUS, &small));
	say("status bad pointer",
	    vfiosim_ioctl(w->p, w->group, VFIO_GROUP_GET_STATUS, VFIOSIM_BAD_POINTER));
	say("unset without a container",
	    vfiosim_ioctl(w->p, w->group, VFIO_GROUP_UNSET_CONTAINER, 0));
}

static void set_container_with(const char *what, struct world *w, int fd)
{
	say(what, vfiosim_ioctl(w->p, w->group, VFIO_GROUP_SET_CONTAINER, &fd));
}

static void get_device(const char *what, struct world *w, const char *name)
{
	long fd = say_ok(what, vfiosim_ioctl(w->p, w->group, VFIO_GROUP_GET_DEVICE_FD, name));

	if (fd >= 0)
		vfiosim_close(w->p, fd);
}

static void attach(struct world *w)
{
	int null = vfiosim_open(w->p, "/dev/null", O_RDWR);

	set_container_with("set container: closed fd", w, 55);
	set_container_with("set container: /dev/null", w, null);
	set_container_with("set container: the group itself", w, w->group);
	say("set container: bad pointer",
	    vfiosim_ioctl(w->p, w->group, VFIO_GROUP_SET_CONTAINER, VFIOSIM_BAD_POINTER));
	get_device("device, no container", w, vfiosim_device_name(w->device));
	get_device("unknown device, no container", w, "0000:7f:1f.7");
	set_container_with("set container", w, w->container);
	set_container_with("set container again", w, w->container);
	set_container_with("set container again, closed fd", w, 55);
	set_container_with("set container again, /dev/null", w, null);
	say_status("attached", w, w->group);
	vfiosim_close(w->p, null);
}

static void set_iommu(struct world *w)
{
	get_device("device, no iommu", w, vfiosim_device_name(w->device));
	get_device("unknown device, no iommu", w, "0000:7f:1f.7");
	say("set iommu 99", vfiosim_ioctl(w->p, w->container, VFIO_SET_IOMMU, 99));
	say("set iommu 2", vfiosim_ioctl(w->p, w->container, VFIO_SET_IOMMU, 2));
	say("set iommu", vfiosim_ioctl(w->p, w->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	say("set iommu again",
	    vfiosim_ioctl(w->p, w->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	say("unknown ioctl, iommu set", vfiosim_ioctl(w->p, w->container, _IO(';', 199), 0));
	say_status("iommu set", w, w->group);
}

static void device_names(struct world *w)
{
	const char *name = vfiosim_device_name(w->device);
	char changed[64];
	size_t length = 0;

	while (name[length])
		length++;
	for (size_t i = 0; i <= length; i++)
		changed[i] = name[i];
	get_device("device \"\"", w, "");
	changed[length - 1] = '\0';
	get_device("device name cut short", w, changed);
	changed[length - 1] = name[length - 1];
	changed[length] = 'x';
	changed[length + 1] = '\0';
	get_device("device name + x", w, changed);
	get_device("device of another group", w, vfiosim_device_name(w->other));
	say("device, bad pointer",
	    vfiosim_ioctl(w->p, w->group, VFIO_GROUP_GET_DEVICE_FD, VFIOSIM_BAD_POINTER));
}

static void device_open(struct world *w)
{
	int second, duplicate;

	w->file = vfiosim_ioctl(w->p, w->group, VFIO_GROUP_GET_DEVICE_FD,
				vfiosim_device_name(w->device));
	say_ok("device", w->file);
	say_status("device open", w, w->group);
	second = vfiosim_ioctl(w->p, w->group, VFIO_GROUP_GET_DEVICE_FD,
			       vfiosim_device_name(w->device));
	vfiosim_say("a second, other fd: %d", second >= 0 && second != w->file);
	say("unset, two device files",
	    vfiosim_ioctl(w->p, w->group, VFIO_GROUP_UNSET_CONTAINER, 0));
	vfiosim_close(w->p, second);
	duplicate = vfiosim_dup(w->p, w->file);
	vfiosim_close(w->p, w->file);
	say("unset, only a dup", vfiosim_ioctl(w->p, w->group, VFIO_GROUP_UNSET_CONTAINER, 0));
	vfiosim_close(w->p, duplicate);
	say("unset after the last", vfiosim_ioctl(w->p, w->group, VFIO_GROUP_UNSET_CONTAINER, 0));
	say_status("unset", w, w->group);
	say("set iommu, no group left",
	    vfiosim_ioctl(w->p, w->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	set_container_with("set container anew", w, w->container);
	get_device("device before the iommu is set anew", w, vfiosim_device_name(w->device));
}

static void no_free_descriptor(struct world *w)
{
	vfiosim_ioctl(w->p, w->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	vfiosim_rlimit_nofile(w->p, 2);
	get_device("device, no fd number left", w, vfiosim_device_name(w->device));
	get_device("unknown device, no fd number left", w, "0000:7f:1f.7");
	vfiosim_rlimit_nofile(w->p, 64);
	get_device("device, numbers again", w, vfiosim_device_name(w->device));
}

static void user(void *data)
{
	struct world *w = data;

	w->container = vfiosim_open(w->p, "/dev/vfio/vfio", O_RDWR);
	w->group = vfiosim_open(w->p, vfiosim_group_path(w->device, w->path), O_RDWR);
	container_alone(w);
	group_alone(w);
	attach(w);
	set_iommu(w);
	device_names(w);
	device_open(w);
	no_free_descriptor(w);
	vfiosim_close(w->p, w->group);
	vfiosim_close(w->p, w->container);
	vfiosim_exit(w->p);
}

static void teardown(void *data)
{
	struct world *w = data;

	vfiosim_unbind(NULL, w->device);
	vfiosim_unbind(NULL, w->other);
}

static const struct vfiosim_scenario errno_matrix = {
	.name = "errno_matrix",
	.summary = "every call on containers and groups, in every state",
	.fixture_size = sizeof(struct world),
	.setup = setup,
	.teardown = teardown,
	.tolerate = "warn",
	.tasks = { { "user", user } },
};

VFIOSIM_PROGRAM(&errno_matrix);
