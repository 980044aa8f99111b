// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI bus type, devices and their drivers, enabling, regions, and the machine
 * that they are plugged into.
 * Kernel originals: drivers/pci/{pci-driver,probe,remove,search,pci,iov}.c.
 * Configuration space is in pci_access.c, resets and power in pci_reset.c.
 *
 * Lock order (outer first):
 *
 *   device_lock(dev)
 *     pci_bus_sem		(lists of devices on buses; read while walking)
 */
#include <vfiosim/kapi/iommu.h>
#include <vfiosim/kapi/pci.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>

#include "engine.h"
#include "pci_hw.h"

static struct rw_semaphore pci_bus_sem KSTATE = __RWSEM_INITIALIZER(pci_bus_sem);
static struct pci_bus *pci_root KSTATE;
static unsigned char pci_next_bus KSTATE;

/* ---- the bus type ---- */

static bool pci_match_one(const struct pci_device_id *id, const struct pci_dev *dev)
{
	return (id->vendor == PCI_ANY_ID || id->vendor == dev->vendor) &&
	       (id->device == PCI_ANY_ID || id->device == dev->device) &&
	       !((id->class ^ dev->class) & id->class_mask);
}

const struct pci_device_id *pci_match_id(const struct pci_device_id *ids, struct pci_dev *dev)
{
	for (; ids && (ids->vendor || ids->class_mask); ids++)
		if (pci_match_one(ids, dev))
			return ids;
	return NULL;
}

/* With driver_override set, that driver matches and no other. */
static const struct pci_device_id *pci_match_device(struct pci_driver *drv,
						    struct pci_dev *dev)
{
	static const struct pci_device_id any = { .vendor = PCI_ANY_ID, .device = PCI_ANY_ID };
	const struct pci_device_id *id;

	if (dev->driver_override && strcmp(dev->driver_override, drv->name))
		return NULL;
	id = pci_match_id(drv->id_table, dev);
	return id || !dev->driver_override ? id : &any;
}

static int pci_bus_match(struct device *dev, struct device_driver *drv)
{
	return pci_match_device(to_pci_driver(drv), to_pci_dev(dev)) != NULL;
}

/* Locks: holds the device lock. */
static int pci_device_probe(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	struct pci_driver *drv = to_pci_driver(dev->driver);
	const struct pci_device_id *id = pci_match_device(drv, pdev);
	int ret;

	if (!id)
		return -ENODEV;
	pci_dev_get(pdev);
	pdev->driver = drv;
	ret = drv->probe(pdev, id);
	if (ret < 0) {
		pdev->driver = NULL;
		pci_dev_put(pdev);
	} else if (ret > 0) {
		dev_warn(dev, "probe said %d, which is neither success nor an error", ret);
		ret = 0;
	}
	return ret;
}

static void pci_device_remove(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	struct pci_driver *drv = pdev->driver;

	if (drv && drv->remove)
		drv->remove(pdev);
	pdev->driver = NULL;
	pci_dev_put(pdev);
}

/* From 6.1 on, an ordinary driver needs the DMA of the whole group (VF-194). */
static bool takes_default_domain(struct device *dev)
{
	return kernel_version >= KERNEL_6_1 && !to_pci_driver(dev->driver)->driver_managed_dma;
}

static int pci_dma_configure(struct device *dev)
{
	if (eng_fail_here("dma_configure"))
		return -ENODEV;
	return takes_default_domain(dev) ? iommu_device_use_default_domain(dev) : 0;
}

static void pci_dma_cleanup(struct device *dev)
{
	if (takes_default_domain(dev))
		iommu_device_unuse_default_domain(dev);
}

struct bus_type pci_bus_type KSTATE = {
	.name = "pci",
	.match = pci_bus_match,
	.probe = pci_device_probe,
	.remove = pci_device_remove,
	.dma_configure = pci_dma_configure,
	.dma_cleanup = pci_dma_cleanup,
};

int pci_register_driver(struct pci_driver *drv)
{
	drv->driver.name = drv->name;
	drv->driver.bus = &pci_bus_type;
	return driver_register(&drv->driver);
}

void pci_unregister_driver(struct pci_driver *drv)
{
	driver_unregister(&drv->driver);
}

struct pci_driver *pci_dev_driver(const struct pci_dev *dev)
{
	return dev->driver;
}

/* Locks: takes and drops the device lock. */
int driver_override_store(struct pci_dev *dev, const char *name)
{
	char *override = NULL, *old;

	if (*name) {
		override = kstrdup(name, GFP_KERNEL);
		if (!override)
			return -ENOMEM;
	}
	device_lock(&dev->dev);
	old = dev->driver_override;
	dev->driver_override = override;
	device_unlock(&dev->dev);
	kfree(old);
	return 0;
}

struct pci_dev *pci_dev_get(struct pci_dev *dev)
{
	if (dev)
		get_device(&dev->dev);
	return dev;
}

void pci_dev_put(struct pci_dev *dev)
{
	if (dev)
		put_device(&dev->dev);
}

/* Depth first, a bridge before what is behind it. Locks: holds pci_bus_sem. */
static int __pci_walk_bus(struct pci_bus *bus, int (*fn)(struct pci_dev *dev, void *data),
			  void *data)
{
	struct pci_dev *dev;
	int ret;

	list_for_each_entry(dev, &bus->devices, bus_list) {
		ret = fn(dev, data);
		if (!ret && dev->subordinate)
			ret = __pci_walk_bus(dev->subordinate, fn, data);
		if (ret)
			return ret;
	}
	return 0;
}

void pci_walk_bus(struct pci_bus *bus, int (*fn)(struct pci_dev *dev, void *data), void *data)
{
	down_read(&pci_bus_sem);
	__pci_walk_bus(bus, fn, data);
	up_read(&pci_bus_sem);
}

/* ---- enabling and regions ---- */

/*
 * The first enabler switches decoding on. Nobody switches it off again: only bus
 * mastering ends with the last disable, as in the kernel.
 */
int pci_enable_device(struct pci_dev *dev)
{
	u16 command;

	if (atomic_inc_return(&dev->enable_cnt) > 1)
		return 0;
	if (eng_fail_here("pci_enable_device")) {
		atomic_dec(&dev->enable_cnt);
		return -EINVAL;
	}
	pci_set_power_state(dev, PCI_D0);
	pci_read_config_word(dev, PCI_COMMAND, &command);
	pci_write_config_word(dev, PCI_COMMAND, command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	return 0;
}

void pci_disable_device(struct pci_dev *dev)
{
	WARN_ON(atomic_read(&dev->enable_cnt) <= 0);
	if (atomic_dec_return(&dev->enable_cnt) != 0)
		return;
	pci_clear_master(dev);
}

bool pci_is_enabled(const struct pci_dev *dev)
{
	return dev->enable_cnt.counter > 0;
}

static int pci_request_region(struct pci_dev *dev, int bar, const char *name)
{
	struct resource *claim = &dev->claims[bar];
	int ret;

	if (!pci_resource_len(dev, bar))
		return 0;
	/* The claim is this device's own: held already means that somebody has it. */
	if (shared_READ_ONCE(claim->name))
		return -EBUSY;
	claim->start = pci_resource_start(dev, bar);
	claim->end = pci_resource_end(dev, bar);
	claim->flags = pci_resource_flags(dev, bar);
	ret = request_resource(claim);
	if (!ret)
		claim->name = name;
	return ret;
}

static void pci_release_region(struct pci_dev *dev, int bar)
{
	if (!dev->claims[bar].name)
		return;
	release_resource(&dev->claims[bar]);
	shared_WRITE_ONCE(dev->claims[bar].name, NULL);
}

/* All of the BARs in the mask, or none: -EBUSY. */
int pci_request_selected_regions(struct pci_dev *dev, int bars, const char *name)
{
	int bar;

	for (bar = 0; bar < PCI_NUM_RESOURCES; bar++)
		if ((bars & (1 << bar)) && pci_request_region(dev, bar, name))
			goto err_release;
	return 0;

err_release:
	while (--bar >= 0)
		if (bars & (1 << bar))
			pci_release_region(dev, bar);
	return -EBUSY;
}

void pci_release_selected_regions(struct pci_dev *dev, int bars)
{
	int bar;

	for (bar = 0; bar < PCI_NUM_RESOURCES; bar++)
		if (bars & (1 << bar))
			pci_release_region(dev, bar);
}

void *pci_iomap(struct pci_dev *dev, int bar, unsigned long maxlen)
{
	u64 length = pci_resource_len(dev, bar);

	if (!length)
		return NULL;
	return ioremap(pci_resource_start(dev, bar), maxlen && maxlen < length ? maxlen : length);
}

void pci_iounmap(struct pci_dev *dev, void *cookie)
{
	iounmap(cookie);
}

/* ---- devices come and go ---- */

static void pci_release_dev(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);

	pci_hw_destroy(pdev);
	iommu_fwspec_free(dev);
	kfree(pdev->driver_override);
	kfree(pdev->subordinate);
	kfree(pdev);
}

static struct pci_slot *pci_slot_of(struct pci_bus *bus, unsigned int devfn)
{
	struct pci_slot *slot;

	if (!bus->self)
		return NULL;
	list_for_each_entry(slot, &bus->slots, list)
		if (slot->number == PCI_SLOT(devfn))
			return slot;
	slot = kzalloc(sizeof(struct pci_slot), GFP_KERNEL | __GFP_NOFAIL);
	slot->bus = bus;
	slot->number = PCI_SLOT(devfn);
	slot->can_reset = bus->self->hw->model.slot_reset;
	list_add_tail(&slot->list, &bus->slots);
	return slot;
}

static struct pci_bus *pci_alloc_bus(struct pci_bus *parent, struct pci_dev *self,
				     unsigned char number)
{
	struct pci_bus *bus = kzalloc(sizeof(struct pci_bus), GFP_KERNEL);

	if (!bus)
		return NULL;
	bus->parent = parent;
	bus->self = self;
	bus->number = number;
	INIT_LIST_HEAD(&bus->devices);
	INIT_LIST_HEAD(&bus->slots);
	return bus;
}

/* What the kernel learns from the hardware when it finds a function. */
static int pci_setup_device(struct pci_dev *dev, const struct pci_model *model)
{
	int ret;

	dev->vendor = model->vendor;
	dev->device = model->device;
	dev->class = model->class;
	dev->hdr_type = model->hdr_type;
	dev->pin = !dev->is_virtfn;
	dev->irq = dev->pin ? 16 + PCI_SLOT(dev->devfn) % 8 : 0;
	dev->is_physfn = model->total_vfs;
	dev->total_vfs = model->total_vfs;
	dev->no_command_memory = dev->is_virtfn;
	INIT_LIST_HEAD(&dev->vfs);
	ret = pci_hw_create(dev, model);
	if (ret || model->hdr_type != PCI_HEADER_TYPE_BRIDGE)
		return ret;
	dev->subordinate = pci_alloc_bus(dev->bus, dev, ++pci_next_bus);
	if (!dev->subordinate)
		return -ENOMEM;
	dev->subordinate->can_reset = model->bus_reset;
	return 0;
}

/* Refs: one, which the bus's list owns from pci_device_add() on. */
static struct pci_dev *pci_alloc_dev(struct pci_bus *bus, unsigned int devfn)
{
	struct pci_dev *dev = kzalloc(sizeof(struct pci_dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	device_initialize(&dev->dev);
	dev->bus = bus;
	dev->devfn = devfn;
	dev->dev.bus = &pci_bus_type;
	dev->dev.parent = bus->self ? &bus->self->dev : NULL;
	dev->dev.release = pci_release_dev;
	return dev;
}

/*
 * Make @dev known: on its bus's list first, then to the driver core, which puts
 * it into its IOMMU group and offers it to drivers.
 */
static int pci_device_add(struct pci_dev *dev)
{
	int ret;

	dev->slot = pci_slot_of(dev->bus, dev->devfn);
	down_write(&pci_bus_sem);
	list_add_tail(&dev->bus_list, &dev->bus->devices);
	up_write(&pci_bus_sem);

	ret = device_add(&dev->dev);
	if (!ret)
		return 0;
	down_write(&pci_bus_sem);
	list_del(&dev->bus_list);
	up_write(&pci_bus_sem);
	return ret;
}

static int pci_name_device(struct pci_dev *dev)
{
	return dev_set_name(&dev->dev, "0000:%02x:%02x.%u", dev->bus->number,
			    PCI_SLOT(dev->devfn), PCI_FUNC(dev->devfn));
}

struct pci_dev *pci_plug(struct pci_bus *bus, unsigned int devfn,
			 const struct pci_model *model, u32 requester_id)
{
	struct pci_dev *dev = pci_alloc_dev(bus, devfn);
	int ret;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	ret = pci_name_device(dev);
	if (!ret)
		ret = pci_setup_device(dev, model);
	if (!ret && requester_id)
		ret = iommu_fwspec_init(&dev->dev, requester_id);
	if (!ret)
		ret = pci_device_add(dev);
	if (!ret)
		return dev;
	put_device(&dev->dev);
	return ERR_PTR(ret);
}

static void pci_destroy_slots(struct pci_bus *bus)
{
	struct pci_slot *slot, *next;

	list_for_each_entry_safe(slot, next, &bus->slots, list) {
		list_del(&slot->list);
		kfree(slot);
	}
}

static void pci_remove_children(struct pci_bus *bus)
{
	while (!list_empty(&bus->devices))
		pci_stop_and_remove_bus_device(list_last_entry(&bus->devices, struct pci_dev,
							       bus_list));
	pci_destroy_slots(bus);
}

/*
 * Context: may sleep without bound, in the driver's remove.
 * Refs:    drops the list's reference: the caller needs one of its own to look at
 *          @dev afterwards.
 */
void pci_stop_and_remove_bus_device(struct pci_dev *dev)
{
	if (dev->subordinate)
		pci_remove_children(dev->subordinate);
	device_release_driver(&dev->dev);
	device_del(&dev->dev);
	down_write(&pci_bus_sem);
	list_del(&dev->bus_list);
	up_write(&pci_bus_sem);
	put_device(&dev->dev);
}

struct pci_dev *pci_find_by_name(const char *name)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, name);

	if (!dev)
		return NULL;
	put_device(dev);	/* the bus keeps it alive for as long as it is plugged */
	return to_pci_dev(dev);
}

/* ---- virtual functions ---- */

static u32 pci_vf_requester_id(const struct pci_dev *pf, unsigned int index)
{
	u32 id = pf->dev.iommu ? pf->dev.iommu->requester_id : 0;

	return !id || pf->hw->model.vfs_share_group ? id : (id << 8) + 1 + index;
}

/* Refs: the VF holds one on its PF until it is removed. */
static int pci_iov_add_virtfn(struct pci_dev *pf, unsigned int index)
{
	struct pci_model model = pf->hw->model;
	struct pci_dev *vf = pci_alloc_dev(pf->bus, pf->devfn + 1 + index);
	u32 requester_id = pci_vf_requester_id(pf, index);
	int ret;

	if (!vf)
		return -ENOMEM;
	model.total_vfs = 0;
	vf->is_virtfn = true;
	vf->physfn = pf;
	vf->dev.parent = &pf->dev;	/* for the order of their locks only */
	ret = pci_name_device(vf);
	if (!ret)
		ret = pci_setup_device(vf, &model);
	if (!ret && requester_id)
		ret = iommu_fwspec_init(&vf->dev, requester_id);
	if (!ret)
		ret = pci_device_add(vf);
	if (ret) {
		put_device(&vf->dev);
		return ret;
	}
	list_add_tail(&vf->vf_list, &pf->vfs);
	return 0;
}

/* Newest first. Context: may sleep without bound: the VFs' drivers are removed. */
void pci_disable_sriov(struct pci_dev *dev)
{
	while (!list_empty(&dev->vfs)) {
		struct pci_dev *vf = list_last_entry(&dev->vfs, struct pci_dev, vf_list);

		list_del(&vf->vf_list);
		pci_stop_and_remove_bus_device(vf);
	}
	dev->num_vf = 0;
}

/* Locks: the caller holds the device lock of the PF. */
int pci_enable_sriov(struct pci_dev *dev, int num_vfs)
{
	int i, ret;

	if (!dev->is_physfn)
		return -ENOSYS;
	if (dev->num_vf)
		return -EINVAL;
	if (num_vfs > dev->total_vfs)
		return -ERANGE;
	dev->num_vf = num_vfs;
	for (i = 0; i < num_vfs; i++) {
		ret = pci_iov_add_virtfn(dev, i);
		if (!ret)
			continue;
		pci_disable_sriov(dev);
		return ret;
	}
	return 0;
}

static int sriov_configure(struct pci_dev *dev, int num_vfs)
{
	int ret;

	if (num_vfs == dev->num_vf)
		return 0;
	if (!dev->driver || !dev->driver->sriov_configure)
		return -ENOENT;
	if (num_vfs && dev->num_vf)
		return -EBUSY;
	ret = dev->driver->sriov_configure(dev, num_vfs);
	return ret < 0 ? ret : 0;
}

/* Context: may sleep without bound, in the VFs' drivers. Locks: takes the device lock. */
int sriov_numvfs_store(struct pci_dev *dev, int num_vfs)
{
	int ret;

	if (num_vfs > dev->total_vfs)
		return -ERANGE;
	device_lock(&dev->dev);
	ret = sriov_configure(dev, num_vfs);
	device_unlock(&dev->dev);
	return ret;
}

int pci_num_vf(const struct pci_dev *dev)
{
	return dev->is_physfn ? dev->num_vf : 0;
}

/* ---- the machine ---- */

#define MEM_BAR(kind, size) { kind, IORESOURCE_MEM, size }
#define MEM64_BAR(kind, size) \
	{ kind, IORESOURCE_MEM | IORESOURCE_MEM_64 | IORESOURCE_PREFETCH, size }

static const struct pci_model pci_models[] = {
	{ .name = "edu", .vendor = 0x1234, .device = 0x11e8, .class = 0x00ff00, .msi = true,
	  .bar = { MEM_BAR(PCI_BAR_EDU, 0x100000) } },
	{ .name = "ivshmem-plain", .vendor = 0x1af4, .device = 0x1110, .class = 0x050000,
	  .bar = { [0] = MEM_BAR(PCI_BAR_REGS, 0x100), [2] = MEM64_BAR(PCI_BAR_RAM, 0x400000) } },
	{ .name = "pci-testdev", .vendor = 0x1b36, .device = 0x0005, .class = 0x00ff00,
	  .bar = { [0] = MEM_BAR(PCI_BAR_RAM, 0x1000), [1] = { PCI_BAR_REGS, IORESOURCE_IO, 0x100 },
		   [2] = MEM64_BAR(PCI_BAR_RAM, 0x400000) } },
	{ .name = "nvme", .vendor = 0x1b36, .device = 0x0010, .class = 0x010802, .pcie = true,
	  .pm = true, .msix = true, .resets = PCI_RESET_FLR | PCI_RESET_BUS,
	  .bar = { MEM64_BAR(PCI_BAR_REGS, 0x4000) } },
	{ .name = "e1000", .vendor = 0x8086, .device = 0x100e, .class = 0x020000,
	  .bar = { MEM_BAR(PCI_BAR_REGS, 0x20000), { PCI_BAR_REGS, IORESOURCE_IO, 0x40 } } },
	{ .name = "igb", .vendor = 0x8086, .device = 0x10c9, .class = 0x020000, .pcie = true,
	  .pm = true, .msix = true, .resets = PCI_RESET_FLR, .total_vfs = 4,
	  .bar = { MEM_BAR(PCI_BAR_RAM, 0x20000) } },
	{ .name = "vga", .vendor = 0x1234, .device = 0x1111, .class = 0x030000,
	  .bar = { MEM_BAR(PCI_BAR_RAM, 0x1000000), [2] = MEM_BAR(PCI_BAR_REGS, 0x1000) } },
	{ .name = "pcie-root-port", .vendor = 0x1b36, .device = 0x000c, .class = 0x060400,
	  .hdr_type = PCI_HEADER_TYPE_BRIDGE, .pcie = true, .pm = true,
	  .bus_reset = true },
	{ .name = "pcie-pci-bridge", .vendor = 0x1b36, .device = 0x000e, .class = 0x060400,
	  .hdr_type = PCI_HEADER_TYPE_BRIDGE, .pcie = true, .pm = true,
	  .bus_reset = true },
	{ .name = "hotplug-port", .vendor = 0x1b36, .device = 0x000c, .class = 0x060400,
	  .hdr_type = PCI_HEADER_TYPE_BRIDGE, .pcie = true, .pm = true,
	  .bus_reset = true, .slot_reset = true },
};

const struct pci_model *pci_find_model(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pci_models); i++)
		if (!strcmp(pci_models[i].name, name))
			return &pci_models[i];
	return NULL;
}

/* Refs: the machine owns the bus until pci_destroy_machine(). NULL when out of memory. */
struct pci_bus *pci_create_machine(const struct iommu_ops *iommu)
{
	if (pci_root)
		return pci_root;
	if (!pci_bus_type.p && bus_register(&pci_bus_type))
		return NULL;
	if (iommu && !iommu_present(&pci_bus_type))
		bus_set_iommu(&pci_bus_type, iommu);
	pci_root = pci_alloc_bus(NULL, NULL, 0);
	return pci_root;
}

/* Context: may sleep without bound when something is still bound. */
void pci_destroy_machine(void)
{
	if (pci_root)
		pci_remove_children(pci_root);
	kfree(pci_root);
	pci_root = NULL;
	if (!pci_bus_type.p)
		return;
	bus_set_iommu(&pci_bus_type, NULL);
	bus_unregister(&pci_bus_type);
}

static int hex_digits(const char *text, int digits)
{
	int value = 0;

	for (; digits; digits--, text++) {
		int low = *text | 0x20;

		if (*text >= '0' && *text <= '9')
			value = value * 16 + *text - '0';
		else if (low >= 'a' && low <= 'f')
			value = value * 16 + low - 'a' + 10;
		else
			return -EINVAL;
	}
	return value;
}

/* "0000:BB:SS.F"; -EINVAL unless it is one. */
static int pci_parse_name(const char *name, int *bus, int *devfn)
{
	int slot, function;

	if (strlen(name) != 12 || strncmp(name, "0000:", 5) || name[7] != ':' || name[10] != '.')
		return -EINVAL;
	*bus = hex_digits(name + 5, 2);
	slot = hex_digits(name + 8, 2);
	function = hex_digits(name + 11, 1);
	if (*bus < 0 || slot < 0 || slot > 31 || function < 0 || function > 7)
		return -EINVAL;
	*devfn = PCI_DEVFN(slot, function);
	return 0;
}

int pci_devfn_of_name(const char *name)
{
	int bus, devfn;

	return pci_parse_name(name, &bus, &devfn) ? -EINVAL : devfn;
}

static struct pci_bus *pci_find_bus(struct pci_bus *from, int number)
{
	struct pci_bus *found = from->number == number ? from : NULL;
	struct pci_dev *dev;

	list_for_each_entry(dev, &from->devices, bus_list)
		if (!found && dev->subordinate)
			found = pci_find_bus(dev->subordinate, number);
	return found;
}

/* A root port for each new bus, from slot 0x1c on; it gets the wanted bus number. */
struct pci_bus *pci_bus_of_name(const char *name, const struct pci_model *port)
{
	struct pci_dev *bridge;
	struct pci_bus *bus;
	int number, devfn, next;

	if (!pci_root || pci_parse_name(name, &number, &devfn))
		return NULL;
	bus = pci_find_bus(pci_root, number);
	if (bus)
		return bus;
	next = pci_next_bus;
	pci_next_bus = number - 1;
	bridge = pci_plug(pci_root, PCI_DEVFN(0x10 + number / 8 % 16, number % 8),
			  port ? port : pci_find_model("pcie-root-port"), 0);
	pci_next_bus = next > number ? next : number;
	return IS_ERR(bridge) ? NULL : bridge->subordinate;
}

/* ---- drivers that are no vfio driver ---- */

static int pci_claim_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	return 0;	/* a driver's name on the device is all that is wanted of it */
}

static const struct pci_device_id bridge_ids[] = {
	{ PCI_ANY_ID, PCI_ANY_ID, PCI_ANY_ID, PCI_ANY_ID, 0x060400, ~0U },
	{ 0 }
};

struct pci_driver pci_stub_driver KSTATE = {
	.name = "pci-stub",
	.probe = pci_claim_probe,
	.driver_managed_dma = true,
};

struct pci_driver pcieport_driver KSTATE = {
	.name = "pcieport",
	.id_table = bridge_ids,
	.probe = pci_claim_probe,
	.driver_managed_dma = true,
};

struct pci_driver pci_host_driver KSTATE = {
	.name = "host",
	.probe = pci_claim_probe,
};
