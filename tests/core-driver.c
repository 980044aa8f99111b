// SPDX-License-Identifier: GPL-2.0-only
/*
 * See core-driver.h. The backend answers extension 1 only, refuses a second
 * attach of a group, and has one mutex in its data. The driver takes an IOMMU
 * group reference for as long as it is bound (port), has open, release, request
 * and mmap callbacks, and a match callback only where a test asks for it.
 */
#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/wait.h>
#include <vfiosim/kapi/work.h>

#include "core-driver.h"
#include "engine.h"
#include "process.h"
#include "syscall.h"
#include <vfiosim/kapi/vfio_core_ops.h>

DECLARE_MODULE(vfio);

KSTATE struct core_world core;
const unsigned int core_settling;
static KSTATE bool flushing;

static int nothing_to_init(void)
{
	return 0;
}

static void nothing_to_exit(void)
{
}

KSTATE struct module core_drv_module = {
	.state = MODULE_STATE_UNFORMED, .name = "drv",
	.init = nothing_to_init, .exit = nothing_to_exit,
};
KSTATE struct module core_be_module = {
	.state = MODULE_STATE_UNFORMED, .name = "be",
	.init = nothing_to_init, .exit = nothing_to_exit,
};

/* ---- the backend ---- */

#define BACKEND_GROUPS 4

struct core_backend_data {
	struct mutex lock;
	struct iommu_group *group[BACKEND_GROUPS];
};

static void *core_be_open(unsigned long arg)
{
	struct core_backend_data *data;

	if (core.backend.open_error)
		return ERR_PTR(core.backend.open_error);
	data = kzalloc(sizeof(*data), GFP_KERNEL);
	if (!data)
		return ERR_PTR(-ENOMEM);
	mutex_init(&data->lock);
	eng_event("backend_open", data, "%lu", arg);
	core.backend.opens++;
	return data;
}

static void core_be_release(void *iommu_data)
{
	eng_event("backend_release", iommu_data, "");
	core.backend.releases++;
	kfree(iommu_data);
}

static long core_be_ioctl(void *iommu_data, unsigned int cmd, unsigned long arg)
{
	if (cmd != VFIO_CHECK_EXTENSION)
		return 101;
	eng_event("backend_asked", NULL, "%lu", arg);
	core.backend.asks++;
	return arg == VFIO_TYPE1_IOMMU;
}

static struct iommu_group **core_be_slot(struct core_backend_data *data,
					 const struct iommu_group *group)
{
	unsigned int i;

	for (i = 0; i < BACKEND_GROUPS; i++)
		if (data->group[i] == group)
			return &data->group[i];
	return NULL;
}

static int core_be_attach(void *iommu_data, struct iommu_group *group)
{
	struct core_backend_data *data = iommu_data;
	int ret = 0;

	eng_event("backend_attach", group, "");
	core.backend.attaches++;
	mutex_lock(&data->lock);
	if (core_be_slot(data, group))
		ret = -EINVAL;
	else if (core.backend.attach_error_at == core.backend.attaches ||
		 eng_fail_here("backend_attach"))
		ret = -EIO;
	else
		*core_be_slot(data, NULL) = group;
	mutex_unlock(&data->lock);
	return ret;
}

static void core_be_detach(void *iommu_data, struct iommu_group *group)
{
	struct core_backend_data *data = iommu_data;

	eng_event("backend_detach", group, "");
	core.backend.detaches++;
	mutex_lock(&data->lock);
	*core_be_slot(data, group) = NULL;
	mutex_unlock(&data->lock);
}

static void core_be_notify(void *iommu_data, enum vfio_iommu_notify_type event)
{
	eng_event("backend_notify", iommu_data, "%d", event);
	core.backend.notifies++;
}

static const struct vfio_iommu_driver_ops core_be_ops = {
	.name = "be",
	.owner = &core_be_module,
	.open = core_be_open,
	.release = core_be_release,
	.ioctl = core_be_ioctl,
	.attach_group = core_be_attach,
	.detach_group = core_be_detach,
	.notify = core_be_notify,
};

/* ---- the driver: what vfio asks of it ---- */

static struct core_device *core_of(struct vfio_device *vdev)
{
	return container_of(vdev, struct core_object, vdev)->device;
}

static int core_open_device(struct vfio_device *vdev)
{
	struct core_device *device = core_of(vdev);

	eng_event("driver_open", vdev, "%s", device->name);
	if (device->open_error)
		return device->open_error;
	if (eng_fail_here("driver_open"))
		return -EIO;
	device->opens++;
	return 0;
}

static void core_release_device(struct vfio_device *vdev)
{
	eng_event("driver_release", vdev, "%s", core_of(vdev)->name);
	core_of(vdev)->releases++;
}

static void core_request(struct vfio_device *vdev, unsigned int count)
{
	struct core_device *device = core_of(vdev);

	eng_event("driver_request", vdev, "%u", count);
	if (device->requests < CORE_TIMES)
		device->request_times[device->requests] = eng_now() / 1000000000;
	device->requests++;
}

static int core_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	return remap_pfn_range(vma, vma->vm_start, 0x100000 + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static int core_match(struct vfio_device *vdev, char *name)
{
	struct core_device *device = core_of(vdev);

	device->match_calls++;
	return device->match;
}

static const struct vfio_device_ops core_ops = {
	.name = "simple",
	.open = core_open_device,
	.release = core_release_device,
	.request = core_request,
	.mmap = core_mmap,
};

static const struct vfio_device_ops core_match_ops = {
	.name = "simple",
	.open = core_open_device,
	.release = core_release_device,
	.request = core_request,
	.mmap = core_mmap,
	.match = core_match,
};

static int core_init_device(struct vfio_device *vdev)
{
	return core.one_set ? vfio_assign_device_set(vdev, &core) : 0;
}

/* 6.12's meaning of the members: once per first open and last close. */
static const struct vfio_device_ops core_merged_ops = {
	.name = "simple",
	.init = core_init_device,
	.open_device = core_open_device,
	.close_device = core_release_device,
	.request = core_request,
	.mmap = core_mmap,
};

/* ---- the driver: what the bus asks of it ---- */

static struct core_device *core_device_of(struct device *dev)
{
	unsigned int i;

	for (i = 0; i < core.n_devices; i++)
		if (core.device[i].dev == dev)
			return &core.device[i];
	return NULL;
}

static struct core_object *core_object_new(struct core_device *device)
{
	struct core_object *object;

	if (vfio_core_allocates()) {
		object = vfio_alloc_device(core_object, vdev, device->dev, &core_merged_ops);
		if (IS_ERR(object))
			return object;
	} else {
		object = kzalloc(sizeof(struct core_object), GFP_KERNEL);
		if (!object)
			return ERR_PTR(-ENOMEM);
		vfio_init_group_dev(&object->vdev, device->dev,
				    device->match == CORE_ANY_NAME ? &core_ops : &core_match_ops);
	}
	object->device = device;
	return object;
}

static void core_object_free(struct core_object *object)
{
	if (vfio_core_allocates())
		vfio_put_device(&object->vdev);
	else
		kfree(object);
}

static void core_group_put(struct core_device *device)
{
	if (device->group)
		vfio_iommu_group_put(device->group, device->dev);
	device->group = NULL;
}

static int core_probe(struct device *dev)
{
	struct core_device *device = core_device_of(dev);
	struct core_object *object;
	int ret;

	if (!vfio_core_allocates()) {
		device->group = vfio_iommu_group_get(dev);
		if (!device->group)
			return -EINVAL;
	}
	object = core_object_new(device);
	if (IS_ERR(object)) {
		core_group_put(device);
		return PTR_ERR(object);
	}
	device->object = object;
	ret = vfio_register_group_dev(&object->vdev);
	if (ret) {
		device->object = NULL;
		core_object_free(object);
		core_group_put(device);
	}
	return ret;
}

static void core_remove(struct device *dev)
{
	struct core_device *device = core_device_of(dev);
	struct core_object *object = device->object;

	if (device->flush_in_remove)
		core_flush();
	vfio_unregister_group_dev(&object->vdev);
	core_group_put(device);
	if (device->keeps_object)
		return;
	device->object = NULL;
	core_object_free(object);
}

void core_keep_object(struct core_device *device)
{
	device->keeps_object = true;
}

void core_object_drop(struct core_device *device)
{
	struct core_object *object = device->object;

	device->object = NULL;
	core_object_free(object);
}

static int core_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return core_probe(&pdev->dev);
}

static void core_pci_remove(struct pci_dev *pdev)
{
	core_remove(&pdev->dev);
}

static int core_idle_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return 0;
}

static void core_idle_remove(struct pci_dev *pdev)
{
}

static struct pci_driver core_pci_drivers[] KSTATE = {
	{
		.name = "simple", .probe = core_pci_probe, .remove = core_pci_remove,
		.driver_managed_dma = true, .driver = { .owner = &core_drv_module },
	},
	{
		.name = "pci-stub", .probe = core_idle_probe, .remove = core_idle_remove,
		.driver_managed_dma = true,
	},
	{ .name = "pci-stub2", .probe = core_idle_probe, .remove = core_idle_remove },
	{ .name = "host", .probe = core_idle_probe, .remove = core_idle_remove },
};

/* A bus without an IOMMU, hence without listener: mediated devices, noiommu. */
static int core_plain_match(struct device *dev, struct device_driver *drv)
{
	return 0;
}

static struct bus_type core_plain_bus KSTATE = {
	.name = "plain", .match = core_plain_match, .probe = core_probe, .remove = core_remove,
};

static struct device_driver core_plain_driver KSTATE = {
	.name = "simple", .bus = &core_plain_bus, .owner = &core_drv_module,
};

/* ---- devices ---- */

static void core_plain_release(struct device *dev)
{
	/* The memory is the world's. */
}

static int core_plug_plain(struct core_device *device)
{
	device->dev = &device->plain;
	device_initialize(device->dev);
	device->dev->bus = &core_plain_bus;
	device->dev->release = core_plain_release;
	return dev_set_name(device->dev, "%s", device->name) ?: device_add(device->dev);
}

struct core_device *core_plug(const char *name, int group)
{
	struct core_device *device = &core.device[core.n_devices++];
	struct pci_dev *pdev;

	device->name = name;
	device->match = CORE_ANY_NAME;
	if (group < 0) {
		BUG_ON(core_plug_plain(device));
		return device;
	}
	pdev = pci_plug(pci_create_machine(&sim_iommu_ops), PCI_DEVFN(core.n_devices, 0),
			pci_find_model("edu"), group + 1);
	BUG_ON(IS_ERR(pdev));
	device->pdev = pci_dev_get(pdev);
	device->dev = &pdev->dev;
	return device;
}

struct core_device *core_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < core.n_devices; i++)
		if (!strcmp(core.device[i].name, name))
			return &core.device[i];
	return NULL;
}

const char *core_dev_name(const struct core_device *device)
{
	return dev_name(device->dev);
}

int core_bind(struct core_device *device, const char *driver)
{
	unsigned int i;
	int ret;

	if (!device->pdev)
		return device_driver_attach(&core_plain_driver, device->dev);
	for (i = 0; i < ARRAY_SIZE(core_pci_drivers); i++) {
		if (strcmp(core_pci_drivers[i].name, driver))
			continue;
		ret = driver_override_store(device->pdev, driver);
		return ret ?: device_driver_attach(&core_pci_drivers[i].driver, device->dev);
	}
	return -ENODEV;
}

int core_unbind(struct core_device *device)
{
	device_driver_detach(device->dev);
	return 0;
}

void core_unplug(struct core_device *device)
{
	if (device->pdev) {
		pci_stop_and_remove_bus_device(device->pdev);
	} else {
		iommu_fwspec_free(device->dev);
		device_unregister(device->dev);
	}
}

int core_register(struct core_device *device, bool second)
{
	struct core_object **slot = second ? &device->second : &device->object;

	if (!*slot) {
		*slot = core_object_new(device);
		if (IS_ERR(*slot)) {
			int ret = PTR_ERR(*slot);

			*slot = NULL;
			return ret;
		}
	}
	return vfio_register_group_dev(&(*slot)->vdev);
}

void core_unregister(struct core_device *device)
{
	vfio_unregister_group_dev(&device->object->vdev);
}

/* ---- the user process ---- */

struct core_file *core_file(const char *label)
{
	unsigned int i;

	for (i = 0; i < core.n_files; i++)
		if (!strcmp(core.file[i].label, label))
			return &core.file[i];
	return NULL;
}

static void core_file_add(const char *label, int fd)
{
	struct core_file *file = &core.file[core.n_files++];

	BUG_ON(core.n_files > CORE_FILES);
	strscpy(file->label, label, sizeof(file->label));
	file->fd = fd;
	file->dup = -1;
	file->file = files_peek(core.user->thread[0]->files, fd);
}

int core_open(const char *label, const char *path)
{
	int fd = sys_open(core.user, path, 2 /* O_RDWR */);

	if (fd >= 0) {
		core_file_add(label, fd);
		if (!strcmp(path, "/dev/vfio/vfio"))
			core.file[core.n_files - 1].container =
				core.file[core.n_files - 1].file->private_data;
	}
	return fd;
}

int core_open_group(const char *label, const char *number)
{
	char path[32];

	scnprintf(path, sizeof(path), "/dev/vfio/%s", number);
	return core_open(label, path);
}

int core_close(struct core_file *file)
{
	int fd = file->fd;

	file->fd = -1;
	return sys_close(core.user, fd);
}

long core_ioctl(struct core_file *file, unsigned int command, unsigned long argument)
{
	return sys_ioctl(core.user, file->fd, command, argument);
}

int core_set_container(struct core_file *group, struct core_file *container)
{
	int fd = container->fd;

	return core_ioctl(group, VFIO_GROUP_SET_CONTAINER, (unsigned long)&fd);
}

int core_status(struct core_file *group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int ret = core_ioctl(group, VFIO_GROUP_GET_STATUS, (unsigned long)&status);

	return ret ? ret : (int)status.flags;
}

int core_get_device(struct core_file *group, const char *name, const char *label)
{
	int fd = core_ioctl(group, VFIO_GROUP_GET_DEVICE_FD, (unsigned long)name);

	if (fd >= 0)
		core_file_add(label, fd);
	return fd;
}

/* ---- time and others ---- */

int core_flush(void)
{
	int items = core_deferred_puts();

	flushing = true;
	flush_everything();
	flushing = false;
	return items;
}

bool core_is_flushing(void)
{
	return flushing;
}

void core_settle(void)
{
	eng_point(ENG_OP_YIELD, &core_settling, ENG_WRITE);
}

/* Nothing depends on the core by its module's count: the tests want to see 0. */
int core_unload(void)
{
	int ret;

	vfio_unregister_iommu_driver(&core_be_ops);
	ret = delete_module(MODULE(vfio));
	if (ret)
		BUG_ON(vfio_register_iommu_driver(&core_be_ops));
	return ret;
}

int core_reload_backend(void)
{
	return vfio_register_iommu_driver(&core_be_ops);
}

/* ---- beginning and end ---- */

void core_setup(void)
{
	unsigned int i;

	core.user = process_create("user");
	core.admin = process_create("admin");
	core.helper = process_create("unbinder");
	process_set_action(core.helper, 15, false, true);
	/* The recording's descriptors begin at 3. */
	for (i = 0; i < 3; i++)
		BUG_ON(sys_open(core.user, "/dev/null", 2) != (int)i);
	BUG_ON(load_module(MODULE(vfio)));
	BUG_ON(load_module(&core_drv_module) || load_module(&core_be_module));
	BUG_ON(vfio_register_iommu_driver(&core_be_ops));
	BUG_ON(!pci_create_machine(&sim_iommu_ops) || bus_register(&core_plain_bus));
	BUG_ON(driver_register(&core_plain_driver));
	for (i = 0; i < ARRAY_SIZE(core_pci_drivers); i++)
		BUG_ON(pci_register_driver(&core_pci_drivers[i]));
}

static void core_close_all(void)
{
	unsigned int i;

	exit_users();
	for (i = 0; i < core.n_files; i++) {
		core.file[i].fd = -1;
		core.file[i].dup = -1;
		core.file[i].in_child = false;
		core.file[i].mappings = 0;
	}
}

static void core_drop_device(struct core_device *device)
{
	if (!device->dev)
		return;
	if (device->dev->driver)
		core_unbind(device);
	if (device->object)
		core_object_free(device->object);
	if (device->second)
		core_object_free(device->second);
	core_group_put(device);
	if (device->added)
		iommu_group_remove_device(device->dev);
	if (device->pdev) {
		pci_dev_put(device->pdev);
	} else {
		iommu_fwspec_free(device->dev);
		device_unregister(device->dev);
	}
	device->dev = NULL;
}

/* In the order in which a machine is shut down: users, drivers, modules, buses. */
void core_teardown(void)
{
	unsigned int i;

	core_close_all();
	for (i = 0; i < core.n_devices; i++)
		core_drop_device(&core.device[i]);
	for (i = 0; i < ARRAY_SIZE(core_pci_drivers); i++)
		pci_unregister_driver(&core_pci_drivers[i]);
	driver_unregister(&core_plain_driver);
	pci_destroy_machine();
	bus_unregister(&core_plain_bus);
	flush_everything();
	core_drv_module.state = MODULE_STATE_LIVE;
	if (MODULE(vfio)->state == MODULE_STATE_LIVE)
		BUG_ON(core_unload());
	delete_module(&core_be_module);
	delete_module(&core_drv_module);
	exit_init();
	flush_everything();
}
