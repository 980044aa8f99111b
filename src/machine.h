/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine of a scenario: its devices, drivers and modules, as
 * include/vfiosim.h offers them.
 */
#ifndef VFIOSIM_MACHINE_H
#define VFIOSIM_MACHINE_H

#include <vfiosim/kapi/pci.h>

struct process;
struct machine_device;

#define MACHINE_BAR_IO 1
#define MACHINE_BAR_64BIT 2
#define MACHINE_BAR_RAM 4

/* What include/vfiosim.h says, in the kernel side's own words. */
struct machine_slot {
	const char *name;
	unsigned int group;		/* 0: a group of its own */
	u8 design;			/* enum vfio_pci_design */
	u8 header_type;
	u8 resets;			/* PCI_RESET_* */
	bool slot_reset;
	bool no_iommu;
	bool has_pm;
	bool mediated;			/* by the sample driver mtty; the rest does not matter */
	u64 bar_size[6];
	u8 bar_flags[6];		/* MACHINE_BAR_* */
};

/*
 * Switch it on, with or without an IOMMU, and load vfio, its IOMMU backend and
 * vfio-pci; if this run has not done so. 0 or -errno.
 */
int machine_boot(bool iommu) SIM(machine_boot);
/* NULL when the kernel refused it, or when @slot->name cannot be read. */
struct machine_device *machine_plug(const struct machine_slot *slot) SIM(machine_plug);
const char *machine_device_name(struct machine_device *device) SIM(machine_device_name);
/* The number of its IOMMU group; -ENOENT without one. */
int machine_device_group(struct machine_device *device) SIM(machine_device_group);
bool machine_device_is_noiommu(struct machine_device *device) SIM(machine_device_is_noiommu);

/* Writes to sysfs, by @p. */
int machine_bind(struct process *p, struct machine_device *device, const char *driver)
	SIM(machine_bind);
int machine_unbind(struct process *p, struct machine_device *device) SIM(machine_unbind);
int machine_unplug(struct process *p, struct machine_device *device) SIM(machine_unplug);
int machine_reset(struct process *p, struct machine_device *device) SIM(machine_reset);

/* Without the modules that depend on it; -ENOENT if it is not loaded. */
int machine_module_refs(const char *name) SIM(machine_module_refs);
/* By @p, with the errno of the system call; -ENOENT for a name that the machine lacks. */
int machine_insmod(struct process *p, const char *name) SIM(machine_insmod);
int machine_rmmod(struct process *p, const char *name) SIM(machine_rmmod);

/* Kernel state by name, see vfiosim_peek(); -EINVAL for an unknown name. No choice point. */
long machine_peek(const char *what, struct machine_device *device) SIM(machine_peek);

#endif
