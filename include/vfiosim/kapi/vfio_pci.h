/* SPDX-License-Identifier: GPL-2.0-only */
/* vfio-pci, as the machine and tests see it. */
#ifndef VFIOSIM_KAPI_VFIO_PCI_H
#define VFIOSIM_KAPI_VFIO_PCI_H

#include <vfiosim/kapi/pci.h>

/*
 * How the driver finds the mappings of a device's BARs when it has to take them
 * away. Kept in pci_dev.vfio_design and looked at when the device is bound.
 */
enum vfio_pci_design {
	VFIO_PCI_DESIGN_DEFAULT,	/* what the kernel version has */
	VFIO_PCI_VMA_LIST,		/* 5.14, 6.1: a list of the VMAs that it filled */
	VFIO_PCI_ADDRESS_SPACE,		/* merged: the mapping of the device's inode */
	VFIO_PCI_ADDRESS_SPACE_WHOLE,	/* patch 3 of the series: as above, but a fault
					 * fills the whole VMA */
};

extern struct pci_driver vfio_pci_driver SIM(vfio_pci_driver);

/* Module parameters. */
extern bool vfio_pci_disable_idle_d3 SIM(vfio_pci_disable_idle_d3);
extern bool vfio_pci_nointxmask SIM(vfio_pci_nointxmask);
extern bool vfio_pci_disable_vga SIM(vfio_pci_disable_vga);
extern bool vfio_pci_enable_sriov SIM(vfio_pci_enable_sriov);
extern bool vfio_pci_disable_denylist SIM(vfio_pci_disable_denylist);

struct vfio_device;

/* What checkers may ask about a bound device; no lock, no choice point. */
struct vfio_pci_view {
	struct vfio_device *device;
	enum vfio_pci_design design;
	bool memory_enabled;
	unsigned int open_count;
	unsigned int listed_vmas;	/* on vma_list */
	unsigned int claimed_bars;
	unsigned int ptes;		/* present ones of BAR mappings, living mms only */
};

/* False when @dev is not bound to vfio-pci. */
bool vfio_pci_view(struct pci_dev *dev, struct vfio_pci_view *view) SIM(vfio_pci_view);

#endif
