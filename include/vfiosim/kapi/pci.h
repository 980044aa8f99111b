/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI: devices and their buses, configuration space, BARs, resets, power states. */
#ifndef VFIOSIM_KAPI_PCI_H
#define VFIOSIM_KAPI_PCI_H

#include <linux/pci_regs.h>
#include <vfiosim/kapi/device.h>
#include <vfiosim/kapi/io.h>

#define PCI_ANY_ID (~0U)
#define PCI_DEVFN(slot, func) ((((slot) & 0x1f) << 3) | ((func) & 0x07))
#define PCI_SLOT(devfn) (((devfn) >> 3) & 0x1f)
#define PCI_FUNC(devfn) ((devfn) & 0x07)

#define PCI_STD_RESOURCES 0
#define PCI_ROM_RESOURCE 6
#define PCI_NUM_RESOURCES 7

#define PCI_CFG_SPACE_SIZE 256
#define PCI_CFG_SPACE_EXP_SIZE 4096

typedef int pci_power_t;
#define PCI_D0 0
#define PCI_D1 1
#define PCI_D2 2
#define PCI_D3hot 3
#define PCI_D3cold 4

struct pci_bus;
struct pci_dev;
struct pci_model;
struct pci_hw;
struct pci_saved_state;

struct pci_device_id {
	u32 vendor, device;
	u32 subvendor, subdevice;
	u32 class, class_mask;
	unsigned long driver_data;
	u32 override_only;
};

struct pci_driver {
	const char *name;
	const struct pci_device_id *id_table;	/* ended by an all-zero entry; may be NULL */
	int (*probe)(struct pci_dev *dev, const struct pci_device_id *id);
	void (*remove)(struct pci_dev *dev);
	int (*sriov_configure)(struct pci_dev *dev, int num_vfs);
	bool driver_managed_dma;	/* 6.1 on: binding does not take the group's DMA */
	struct device_driver driver;
};

struct pci_slot {
	struct pci_bus *bus;
	struct list_head list;
	unsigned char number;
	bool can_reset;		/* a hotplug controller that resets just this slot */
};

struct pci_bus {
	struct pci_bus *parent;
	struct pci_dev *self;		/* the bridge; NULL on a root bus */
	struct list_head devices;	/* pci_dev.bus_list; pci_bus_sem */
	struct list_head slots;
	unsigned char number;
	bool can_reset;			/* a secondary bus reset works */
	unsigned int resets;		/* how many happened, for checkers */
};

/* How a function can be reset, best first; the kernel tries them in this order. */
#define PCI_RESET_FLR 0x1
#define PCI_RESET_AF_FLR 0x2
#define PCI_RESET_PM 0x4
#define PCI_RESET_BUS 0x8

struct pci_dev {
	struct list_head bus_list;
	struct pci_bus *bus;
	struct pci_bus *subordinate;	/* the bus behind a bridge */
	struct pci_slot *slot;
	unsigned int devfn;
	unsigned short vendor, device;
	unsigned short subsystem_vendor, subsystem_device;
	unsigned int class;
	u8 revision;
	u8 hdr_type;
	u8 pcie_cap, pm_cap, msi_cap, msix_cap, af_cap;	/* offsets, 0: absent */
	u8 pin;
	unsigned int irq;
	pci_power_t current_state;
	bool is_physfn, is_virtfn;
	bool is_busmaster;
	bool state_saved;
	bool no_command_memory;		/* memory space is always on (VFs) */
	bool broken_intx_masking;
	bool msi_enabled, msix_enabled;
	bool block_cfg_access;		/* user accesses to configuration space wait */
	u8 vfio_design;			/* enum vfio_pci_design; 0: the default */
	struct pci_dev *physfn;		/* of a VF */
	unsigned short num_vf, total_vfs;
	struct list_head vfs;		/* of a PF */
	struct list_head vf_list;
	atomic_t enable_cnt;
	struct pci_driver *driver;
	char *driver_override;
	struct resource resource[PCI_NUM_RESOURCES];
	struct resource claims[PCI_NUM_RESOURCES];
	u32 saved_config_space[16];
	u16 saved_devctl;
	struct pci_hw *hw;
	struct device dev;
};

static inline struct pci_dev *to_pci_dev(struct device *dev)
{
	return container_of(dev, struct pci_dev, dev);
}

static inline struct pci_driver *to_pci_driver(struct device_driver *drv)
{
	return container_of(drv, struct pci_driver, driver);
}

extern struct bus_type pci_bus_type SIM(pci_bus_type);

static inline bool dev_is_pci(const struct device *dev)
{
	return dev->bus == &pci_bus_type;
}

static inline const char *pci_name(const struct pci_dev *dev)
{
	return dev_name(&dev->dev);
}

static inline void *pci_get_drvdata(struct pci_dev *dev)
{
	return dev_get_drvdata(&dev->dev);
}

static inline void pci_set_drvdata(struct pci_dev *dev, void *data)
{
	dev_set_drvdata(&dev->dev, data);
}

static inline bool pci_is_root_bus(const struct pci_bus *bus)
{
	return !bus->parent;
}

static inline bool pci_is_bridge(const struct pci_dev *dev)
{
	return dev->hdr_type == PCI_HEADER_TYPE_BRIDGE ||
	       dev->hdr_type == PCI_HEADER_TYPE_CARDBUS;
}

static inline struct pci_dev *pci_physfn(struct pci_dev *dev)
{
	return dev->is_virtfn ? dev->physfn : dev;
}

#define pci_resource_start(dev, bar) ((dev)->resource[bar].start)
#define pci_resource_end(dev, bar) ((dev)->resource[bar].end)
#define pci_resource_flags(dev, bar) ((dev)->resource[bar].flags)
#define pci_resource_len(dev, bar) \
	((pci_resource_start(dev, bar) == 0 && pci_resource_end(dev, bar) == 0) ? 0 : \
	 resource_size(&(dev)->resource[bar]))

/* Drivers. */
int pci_register_driver(struct pci_driver *drv) KAPI(pci_register_driver);
void pci_unregister_driver(struct pci_driver *drv) KAPI(pci_unregister_driver);
struct pci_driver *pci_dev_driver(const struct pci_dev *dev) KAPI(pci_dev_driver);
const struct pci_device_id *pci_match_id(const struct pci_device_id *ids, struct pci_dev *dev)
	KAPI(pci_match_id);
/* What a write to the sysfs file driver_override does; "" clears it. */
int driver_override_store(struct pci_dev *dev, const char *name) SIM(driver_override_store);
struct pci_dev *pci_dev_get(struct pci_dev *dev) KAPI(pci_dev_get);
void pci_dev_put(struct pci_dev *dev) KAPI(pci_dev_put);
/* Calls @fn for each device on and below @bus while it returns 0; holds pci_bus_sem. */
void pci_walk_bus(struct pci_bus *bus, int (*fn)(struct pci_dev *dev, void *data), void *data)
	KAPI(pci_walk_bus);

/* Configuration space. */
int pci_read_config_byte(struct pci_dev *dev, int where, u8 *value) KAPI(pci_read_config_byte);
int pci_read_config_word(struct pci_dev *dev, int where, u16 *value) KAPI(pci_read_config_word);
int pci_read_config_dword(struct pci_dev *dev, int where, u32 *value)
	KAPI(pci_read_config_dword);
int pci_write_config_byte(struct pci_dev *dev, int where, u8 value) KAPI(pci_write_config_byte);
int pci_write_config_word(struct pci_dev *dev, int where, u16 value)
	KAPI(pci_write_config_word);
int pci_write_config_dword(struct pci_dev *dev, int where, u32 value)
	KAPI(pci_write_config_dword);
int pci_find_capability(struct pci_dev *dev, int cap) KAPI(pci_find_capability);
/* On behalf of user space: @size 1, 2 or 4; waits while a reset keeps users out. */
int pci_user_read_config(struct pci_dev *dev, int where, unsigned int size, u32 *value)
	SIM(pci_user_read_config);
int pci_user_write_config(struct pci_dev *dev, int where, unsigned int size, u32 value)
	SIM(pci_user_write_config);

/* Enabling, saving, regions, power. */
int pci_enable_device(struct pci_dev *dev) KAPI(pci_enable_device);
void pci_disable_device(struct pci_dev *dev) KAPI(pci_disable_device);
bool pci_is_enabled(const struct pci_dev *dev) KAPI(pci_is_enabled);
void pci_set_master(struct pci_dev *dev) KAPI(pci_set_master);
void pci_clear_master(struct pci_dev *dev) KAPI(pci_clear_master);
void pci_intx(struct pci_dev *dev, int enable) KAPI(pci_intx);
bool pci_intx_mask_supported(struct pci_dev *dev) KAPI(pci_intx_mask_supported);
int pci_save_state(struct pci_dev *dev) KAPI(pci_save_state);
void pci_restore_state(struct pci_dev *dev) KAPI(pci_restore_state);
struct pci_saved_state *pci_store_saved_state(struct pci_dev *dev) KAPI(pci_store_saved_state);
int pci_load_saved_state(struct pci_dev *dev, struct pci_saved_state *state)
	KAPI(pci_load_saved_state);
int pci_load_and_free_saved_state(struct pci_dev *dev, struct pci_saved_state **state)
	KAPI(pci_load_and_free_saved_state);
int pci_request_selected_regions(struct pci_dev *dev, int bars, const char *name)
	KAPI(pci_request_selected_regions);
void pci_release_selected_regions(struct pci_dev *dev, int bars)
	KAPI(pci_release_selected_regions);
void *pci_iomap(struct pci_dev *dev, int bar, unsigned long maxlen) KAPI(pci_iomap);
void pci_iounmap(struct pci_dev *dev, void *cookie) KAPI(pci_iounmap);
int pci_set_power_state(struct pci_dev *dev, pci_power_t state) KAPI(pci_set_power_state);

/* Keep user accesses to configuration space out; false when somebody does already. */
bool pci_cfg_access_trylock(struct pci_dev *dev) KAPI(pci_cfg_access_trylock);
void pci_cfg_access_unlock(struct pci_dev *dev) KAPI(pci_cfg_access_unlock);

/*
 * Resets. The try forms do not wait for device locks: -EAGAIN. -ENOTTY: there is
 * no such reset. All save and restore the configuration around the reset.
 */
int pci_probe_reset_function(struct pci_dev *dev) KAPI(pci_probe_reset_function);
int pci_try_reset_function(struct pci_dev *dev) KAPI(pci_try_reset_function);
int pci_reset_function(struct pci_dev *dev) KAPI(pci_reset_function);
int __pci_reset_function_locked(struct pci_dev *dev) KAPI(__pci_reset_function_locked);
int pci_probe_reset_slot(struct pci_slot *slot) KAPI(pci_probe_reset_slot);
int pci_probe_reset_bus(struct pci_bus *bus) KAPI(pci_probe_reset_bus);
int pci_reset_bus(struct pci_dev *dev) KAPI(pci_reset_bus);

/* Virtual functions: real devices on the bus, bound like others. */
int pci_enable_sriov(struct pci_dev *dev, int num_vfs) KAPI(pci_enable_sriov);
void pci_disable_sriov(struct pci_dev *dev) KAPI(pci_disable_sriov);
int pci_num_vf(const struct pci_dev *dev) KAPI(pci_num_vf);
/* What a write to the sysfs file sriov_numvfs does. */
int sriov_numvfs_store(struct pci_dev *dev, int num_vfs) KAPI(sriov_numvfs_store);

/* ---- the machine: what is plugged where ---- */

enum pci_bar_kind {
	PCI_BAR_NONE,
	PCI_BAR_RAM,		/* keeps what is written */
	PCI_BAR_EDU,		/* QEMU's edu device: id, inverter, factorial */
	PCI_BAR_REGS,		/* reads as a constant pattern, writes are dropped */
};

struct pci_bar_model {
	enum pci_bar_kind kind;
	unsigned long flags;	/* IORESOURCE_* */
	u64 size;
};

/* A kind of hardware. Zero means "has not". */
struct pci_model {
	const char *name;
	u16 vendor, device;
	u32 class;
	u8 hdr_type;
	u8 resets;		/* PCI_RESET_* */
	bool pcie, pm, msi, msix;
	bool no_soft_reset;	/* D3hot to D0 keeps the state */
	bool bus_reset;		/* of a bridge: it can reset the bus behind it */
	bool slot_reset;	/* of a bridge: a hotplug controller resets each slot */
	bool reset_fails;	/* of a bridge: a bus reset ends in -ENOTTY after the fact */
	bool vfs_share_group;	/* VFs use the requester id of the PF */
	u16 total_vfs;
	struct pci_bar_model bar[6];
};

/* QEMU's devices by name: edu, ivshmem-plain, pci-testdev, nvme, e1000, bridges. */
const struct pci_model *pci_find_model(const char *name) SIM(pci_find_model);

struct iommu_ops;
/* The root bus of the machine; @iommu (or NULL) translates for all its devices. */
struct pci_bus *pci_create_machine(const struct iommu_ops *iommu) SIM(pci_create_machine);
/*
 * Plug a device: it appears on the bus, gets its addresses, its IOMMU group (by
 * @requester_id, 0: none) and is offered to drivers. ERR_PTR on failure.
 */
struct pci_dev *pci_plug(struct pci_bus *bus, unsigned int devfn,
			 const struct pci_model *model, u32 requester_id) SIM(pci_plug);
/*
 * The bus of a name such as "0000:03:01.0"; made on first use, behind a root port
 * of the model @port (NULL: "pcie-root-port"). NULL when the name is malformed.
 */
struct pci_bus *pci_bus_of_name(const char *name, const struct pci_model *port)
	SIM(pci_bus_of_name);
int pci_devfn_of_name(const char *name) SIM(pci_devfn_of_name);
/* Hot unplug: unbinds (may block), then removes the device. Consumes no reference. */
void pci_stop_and_remove_bus_device(struct pci_dev *dev) KAPI(pci_stop_and_remove_bus_device);
struct pci_dev *pci_find_by_name(const char *name) SIM(pci_find_by_name);
/* Takes the machine apart; for teardown, when nothing is bound any more. */
void pci_destroy_machine(void) SIM(pci_destroy_machine);

/* Whether the hardware decodes memory accesses now; for checkers. */
bool pci_hw_memory_on(const struct pci_dev *dev) SIM(pci_hw_memory_on);

/* Three drivers that are no vfio driver; only the last makes a group unviable. */
extern struct pci_driver pci_stub_driver SIM(pci_stub_driver);
extern struct pci_driver pcieport_driver SIM(pcieport_driver);
extern struct pci_driver pci_host_driver SIM(pci_host_driver);

#endif
