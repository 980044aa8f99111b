// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine under a scenario: it is switched on at the first device, its
 * devices are plugged where their names say, and at the end of the run it is
 * shut down, so that whatever is left then is a leak. No kernel original; the
 * writes to sysfs are those of drivers/base/bus.c and drivers/pci/pci-sysfs.c.
 *
 * Lock order: none is held here. bind, unbind, remove and reset take the device
 * lock and all that is below it.
 */
#include <vfiosim/kapi/mdev.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/module.h>
#include <vfiosim/kapi/pin.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/vfio.h>
#include <vfiosim/kapi/vfio_core_select.h>
#include <vfiosim/kapi/vfio_pci.h>
#include <vfiosim/kapi/work.h>

#include "engine.h"
#include "machine.h"
#include "mm_internal.h"
#include "process.h"
#include "syscall.h"

DECLARE_MODULE(vfio);
DECLARE_MODULE(vfio_iommu_type1);
DECLARE_MODULE(vfio_pci);

/* One of @pdev and @mdev is set, and owns a reference, until it is unplugged. */
struct machine_device {
	struct list_head list;
	struct pci_dev *pdev;
	struct mdev_device *mdev;
	struct pci_model model;
	unsigned int bus, slot, function;
	bool no_iommu;
	char name[40];			/* a PCI address, or a uuid */
};

static struct {
	bool booted;
	int boot_error;
	struct pci_bus *root;
	struct device *mdev_parent;	/* NULL before the first mediated device */
	struct list_head devices;	/* in the order of plugging */
} machine KSTATE = { .devices = LIST_HEAD_INIT(machine.devices) };

/* A driver that has nothing to do with vfio and does DMA: its group is not viable. */
static int host_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return 0;
}

static void host_remove(struct pci_dev *pdev)
{
}

static struct pci_driver host_driver KSTATE = {
	.name = "host",
	.probe = host_probe,
	.remove = host_remove,
};

static struct pci_driver *const plain_drivers[] = {
	&host_driver,
	&pci_stub_driver,
	&pcieport_driver,
};

static void observe(void);
static void machine_shutdown(void);

/* In the order of loading: each may depend on the ones before it. */
static struct module *const modules[] = {
	MODULE(vfio),
	MODULE(vfio_iommu_type1),
	MODULE(vfio_pci),
};

int machine_boot(bool iommu)
{
	int ret = 0;

	if (machine.booted)
		return machine.boot_error;
	/* Without init there is nobody to shut the machine down again. */
	if (!process_init())
		return -ENOMEM;
	machine.booted = true;
	syscall_observer = observe;
	eng_at_end(machine_shutdown);
	machine.root = pci_create_machine(iommu ? &sim_iommu_ops : NULL);
	if (!machine.root)
		ret = -ENOMEM;
	for (unsigned int i = 0; !ret && i < ARRAY_SIZE(plain_drivers); i++)
		ret = pci_register_driver(plain_drivers[i]);
	for (unsigned int i = 0; !ret && i < ARRAY_SIZE(modules); i++)
		ret = load_module(modules[i]);
	machine.boot_error = ret;
	return ret;
}

/* ---- plugging ---- */

/* A hexadecimal number of @digits digits, or -EINVAL. */
static int hex(const char *text, unsigned int digits)
{
	unsigned int value = 0;

	for (unsigned int i = 0; i < digits; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a') + 10;
		else
			return -EINVAL;
	}
	return value;
}

/* "0000:01:00.0": domain, bus, slot, function. */
static int parse_name(struct machine_device *device, const char *name)
{
	int bus, slot, function;

	if (strlen(name) != 12 || memcmp(name, "0000:", 5) || name[7] != ':' || name[10] != '.')
		return -EINVAL;
	bus = hex(name + 5, 2);
	slot = hex(name + 8, 2);
	function = hex(name + 11, 1);
	if (bus < 0 || slot < 0 || slot > 31 || function < 0 || function > 7)
		return -EINVAL;
	device->bus = bus;
	device->slot = slot;
	device->function = function;
	strscpy(device->name, name, sizeof(device->name));
	return 0;
}

static struct pci_bus *find_bus(struct pci_bus *bus, unsigned int number)
{
	struct pci_dev *pdev;

	if (bus->number == number)
		return bus;
	list_for_each_entry(pdev, &bus->devices, bus_list) {
		struct pci_bus *found = pdev->subordinate ?
			find_bus(pdev->subordinate, number) : NULL;

		if (found)
			return found;
	}
	return NULL;
}

static const struct pci_model root_port = {
	.name = "root-port",
	.hdr_type = PCI_HEADER_TYPE_BRIDGE,
	.class = 0x060400,
	.pcie = true,
};

/* The bus a device's name asks for; one that is not there yet hangs off a port of its own. */
static struct pci_bus *bus_for(unsigned int number)
{
	struct pci_bus *bus = find_bus(machine.root, number);
	struct pci_dev *port;

	if (bus)
		return bus;
	/* Slots from the top, where scenarios do not look. */
	port = pci_plug(machine.root, PCI_DEVFN(31 - number % 24, 0), &root_port, 0);
	if (IS_ERR(port))
		return NULL;
	port->subordinate->number = number;
	return port->subordinate;
}

static void fill_model(struct machine_device *device, const struct machine_slot *slot)
{
	struct pci_model *model = &device->model;

	*model = (struct pci_model){
		.name = device->name,
		.vendor = 0x1234,
		.device = 0x11e8,
		.class = slot->header_type ? 0x060400 : 0x00ff00,
		.hdr_type = slot->header_type,
		.resets = slot->resets,
		.pcie = true,
		.pm = slot->has_pm || (slot->resets & PCI_RESET_PM),
		.msi = true,
	};
	for (unsigned int i = 0; i < ARRAY_SIZE(model->bar); i++) {
		struct pci_bar_model *bar = &model->bar[i];

		if (!slot->bar_size[i])
			continue;
		bar->size = slot->bar_size[i];
		bar->kind = slot->bar_flags[i] & MACHINE_BAR_RAM ? PCI_BAR_RAM : PCI_BAR_REGS;
		bar->flags = slot->bar_flags[i] & MACHINE_BAR_IO ? IORESOURCE_IO :
								   IORESOURCE_MEM;
		if (slot->bar_flags[i] & MACHINE_BAR_64BIT)
			bar->flags |= IORESOURCE_MEM_64;
	}
}

/* Devices of one group carry one requester id; those without a label their own address. */
static u32 requester_of(const struct machine_device *device, const struct machine_slot *slot)
{
	if (slot->no_iommu)
		return 0;
	if (slot->group)
		return 0x10000 + slot->group;
	return 1 + (device->bus << 8 | PCI_DEVFN(device->slot, device->function));
}

/* Puts @device on its bus. */
static int plug(struct machine_device *device, const struct machine_slot *slot)
{
	struct pci_bus *bus = bus_for(device->bus);
	struct pci_dev *pdev;

	if (!bus)
		return -ENOMEM;
	pdev = pci_plug(bus, PCI_DEVFN(device->slot, device->function), &device->model,
			requester_of(device, slot));
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	pdev->vfio_design = slot->design;
	if (pdev->slot && slot->slot_reset)
		pdev->slot->can_reset = true;
	if (slot->resets & PCI_RESET_BUS)
		bus->can_reset = true;
	if (slot->no_iommu)
		vfio_noiommu = true;
	device->no_iommu = slot->no_iommu;
	device->pdev = pci_dev_get(pdev);
	return 0;
}

static struct device *device_of(const struct machine_device *device)
{
	return device->pdev ? &device->pdev->dev : device->mdev ? &device->mdev->dev : NULL;
}

/* A write to the parent's "create": the device is there and bound when it returns. */
static int do_create(void *arg)
{
	struct machine_device *device = arg;
	int ret = mdev_device_create(machine.mdev_parent, device->name);

	if (!ret)
		device->mdev = mdev_find(device->name);
	return ret;
}

static int create_mdev(struct machine_device *device, const struct machine_slot *slot)
{
	struct device *parent = machine.mdev_parent ? machine.mdev_parent : mtty_init();

	if (IS_ERR(parent))
		return PTR_ERR(parent);
	machine.mdev_parent = parent;
	strscpy(device->name, slot->name, sizeof(device->name));
	return sys_store(NULL, "sys_create", device->name, do_create, device);
}

static int plug_pci(struct machine_device *device, const struct machine_slot *slot)
{
	if (parse_name(device, slot->name))
		eng_fail("misuse", NULL, "device name %s: want 0000:BUS:SLOT.FUNCTION in hex",
			 slot->name);
	fill_model(device, slot);
	return plug(device, slot);
}

struct machine_device *machine_plug(const struct machine_slot *slot)
{
	struct machine_device *device;

	if (machine_boot(!slot->no_iommu))
		return NULL;
	device = kzalloc(sizeof(struct machine_device), GFP_KERNEL);
	if (!device)
		return NULL;
	if (slot->mediated ? create_mdev(device, slot) : plug_pci(device, slot)) {
		kfree(device);
		return NULL;
	}
	eng_name(device, device->name);
	if (device->pdev)
		eng_name(device->pdev, device->name);
	list_add_tail(&device->list, &machine.devices);
	return device;
}

const char *machine_device_name(struct machine_device *device)
{
	return device->name;
}

int machine_device_group(struct machine_device *device)
{
	struct device *dev = device_of(device);
	struct iommu_group *group;
	int id;

	if (!dev)
		return -ENOENT;
	group = iommu_group_get(dev);
	if (!group)
		return -ENOENT;
	id = iommu_group_id(group);
	iommu_group_put(group);
	return id;
}

bool machine_device_is_noiommu(struct machine_device *device)
{
	return device->no_iommu;
}

/* ---- writes to sysfs ---- */

struct bind_request {
	struct machine_device *device;
	const char *driver;
};

static int do_bind(void *arg)
{
	struct bind_request *request = arg;
	struct device *dev = device_of(request->device);
	struct device_driver *driver = driver_find(request->driver, dev->bus);
	int ret = 0;

	if (!driver)
		return -ENOENT;
	if (dev_is_pci(dev))
		ret = driver_override_store(to_pci_dev(dev), request->driver);
	return ret ? ret : driver_bind_store(driver, request->device->name);
}

static int do_unbind(void *arg)
{
	struct machine_device *device = arg;
	struct device_driver *driver = device_of(device)->driver;

	return driver ? driver_unbind_store(driver, device->name) : -ENODEV;
}

static int do_remove(void *arg)
{
	struct machine_device *device = arg;
	struct device *dev = device_of(device);
	int ret = 0;

	if (device->pdev)
		pci_stop_and_remove_bus_device(device->pdev);
	else
		ret = mdev_device_remove(device->mdev);
	if (ret)
		return ret;
	device->pdev = NULL;
	device->mdev = NULL;
	put_device(dev);
	return 0;
}

static int do_reset(void *arg)
{
	struct machine_device *device = arg;

	return device->pdev ? pci_reset_function(device->pdev) : -ENOTTY;
}

/* A write that needs the device to be there still. */
static int store(struct process *p, struct machine_device *device, const char *what,
		 int (*action)(void *arg), void *arg)
{
	return device_of(device) ? sys_store(p, what, device->name, action, arg) : -ENODEV;
}

int machine_bind(struct process *p, struct machine_device *device, const char *driver)
{
	struct bind_request request = { device, driver };

	return store(p, device, "sys_bind", do_bind, &request);
}

int machine_unbind(struct process *p, struct machine_device *device)
{
	return store(p, device, "sys_unbind", do_unbind, device);
}

int machine_unplug(struct process *p, struct machine_device *device)
{
	return store(p, device, "sys_unplug", do_remove, device);
}

int machine_reset(struct process *p, struct machine_device *device)
{
	return store(p, device, "sys_reset", do_reset, device);
}

/* ---- modules ---- */

static struct module *module_named(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(modules); i++) {
		if (!strcmp(modules[i]->name, name))
			return modules[i];
	}
	return find_module(name);
}

/* Modules that depend on it are not its users: which there are is a matter of packaging. */
int machine_module_refs(const char *name)
{
	struct module *module = find_module(name);

	return module ? module_refcount(module) - (int)module->users : -ENOENT;
}

static int do_insmod(void *arg)
{
	return load_module(arg);
}

static int do_rmmod(void *arg)
{
	return delete_module(arg);
}

int machine_insmod(struct process *p, const char *name)
{
	struct module *module;

	machine_boot(true);
	module = module_named(name);
	return module ? sys_store(p, "sys_insmod", name, do_insmod, module) : -ENOENT;
}

int machine_rmmod(struct process *p, const char *name)
{
	struct module *module;

	machine_boot(true);
	module = module_named(name);
	return module ? sys_store(p, "sys_rmmod", name, do_rmmod, module) : -ENOENT;
}

/* ---- looking inside ---- */

static const struct pin_pair *vfio_pins(void)
{
	const struct pin_pair *pair;

	for (unsigned int i = 0; (pair = pin_pair_peek(i)) != NULL; i++) {
		if (!strcmp(pair->type->name, "vfio"))
			return pair;
	}
	return NULL;
}

static long peek_pins(struct machine_device *device)
{
	const struct pin_pair *pair = vfio_pins();

	return pair ? *pair->count : 0;
}

static long peek_superblocks(struct machine_device *device)
{
	const struct pin_pair *pair = vfio_pins();
	struct super_block *sb;
	long n = 0;

	if (!pair)
		return 0;
	hlist_for_each_entry(sb, &pair->type->fs_supers, s_instances)
		n++;
	return n;
}

static long peek_inodes(struct machine_device *device)
{
	const struct pin_pair *pair = vfio_pins();
	struct super_block *sb;
	long n = 0;

	if (!pair)
		return 0;
	hlist_for_each_entry(sb, &pair->type->fs_supers, s_instances)
		n += sb->s_unlisted_inodes;
	return n;
}

/*
 * The vfio device behind @device, while the core answers for it. Under the port
 * its inode goes when the last reference has gone, and the pointer stays (FS-6).
 */
static bool peek_vfio(struct machine_device *device, struct vfio_pci_view *view)
{
	return device->pdev && vfio_pci_view(device->pdev, view) &&
	       vfio_device_registrations(view->device) > 0;
}

/* Registration holds one reference; each open file of the device another. */
static long peek_files(struct machine_device *device)
{
	struct vfio_pci_view view;

	return peek_vfio(device, &view) ? vfio_device_registrations(view.device) - 1 : 0;
}

static long peek_inode_refs(struct machine_device *device)
{
	struct vfio_pci_view view;
	struct inode *inode = peek_vfio(device, &view) ? vfio_device_inode(view.device) : NULL;

	return inode ? inode->i_count.counter : 0;
}

static long peek_ptes(struct machine_device *device)
{
	struct vfio_pci_view view;

	return peek_vfio(device, &view) ? view.ptes : 0;
}

static long peek_mappings(struct machine_device *device)
{
	struct vfio_pci_view view;
	struct mapping_tree *tree;
	struct vm_area_struct *vma;
	struct mapping_iter iter;
	struct inode *inode;
	long n = 0;

	inode = peek_vfio(device, &view) ? vfio_device_inode(view.device) : NULL;
	if (!inode)
		return 0;
	tree = &inode->i_data.i_mmap;
	vma_interval_tree_foreach(vma, &iter, tree, 0, ULONG_MAX)
		n++;
	return n;
}

static const struct peek {
	const char *what;
	long (*peek)(struct machine_device *device);
	bool per_device;
	bool of_inodes;		/* an older core has nothing to look at */
} peeks[] = {
	{ "pins", peek_pins, false, true },
	{ "superblocks", peek_superblocks, false, true },
	{ "inodes", peek_inodes, false, true },
	{ "files", peek_files, true, false },
	{ "mappings", peek_mappings, true, true },
	{ "ptes", peek_ptes, true, true },
	{ "inode-refs", peek_inode_refs, true, true },
};

static long peek_one(const struct peek *peek, struct machine_device *device)
{
	long sum = 0;

	if (!peek->per_device || device)
		return peek->peek(device);
	list_for_each_entry(device, &machine.devices, list)
		sum += peek->peek(device);
	return sum;
}

long machine_peek(const char *what, struct machine_device *device)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(peeks); i++) {
		if (strcmp(peeks[i].what, what))
			continue;
		if (peeks[i].of_inodes && !vfiosim_core()->device_inodes)
			return -ENOSYS;
		return peek_one(&peeks[i], device);
	}
	return -EINVAL;
}

/* What the timeline shows beside each system call. */
static void observe(void)
{
	struct machine_device *device;

	eng_event("state", NULL, "%ld", peek_pins(NULL));
	list_for_each_entry(device, &machine.devices, list)
		eng_event("state", device, "f%ld m%ld p%ld",
			  peek_files(device), peek_mappings(device), peek_ptes(device));
}

/* ---- the end of a run ---- */

static void unplug_all(void)
{
	while (!list_empty(&machine.devices)) {
		struct machine_device *device =
			list_last_entry(&machine.devices, struct machine_device, list);

		machine_unplug(NULL, device);
		list_del(&device->list);
		kfree(device);
	}
}

static void machine_shutdown(void)
{
	exit_users();
	if (machine.booted) {
		unplug_all();
		if (machine.mdev_parent)
			mtty_exit();
		flush_everything();
		for (unsigned int i = ARRAY_SIZE(modules); i > 0; i--) {
			if (modules[i - 1]->state == MODULE_STATE_LIVE)
				machine_rmmod(NULL, modules[i - 1]->name);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(plain_drivers); i++)
			if (plain_drivers[i]->driver.p)
				pci_unregister_driver(plain_drivers[i]);
		pci_destroy_machine();
		machine.booted = false;
		syscall_observer = NULL;
	}
	exit_init();
	flush_everything();
}
