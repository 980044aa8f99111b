// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle for mapped BARs: no present page table entry may lead to memory of a
 * device that is switched off, or that is about to be reset (VF-229, VF-230). No
 * kernel original: the kernel does not look.
 *
 * Takes no lock and passes no choice point: it is asked at the moment when the
 * driver has changed the state or filled a page, before anybody else can run.
 */
#include <vfiosim/kapi/mm_types.h>

#include "engine.h"
#include "mm_internal.h"
#include "vfio_pci_private.h"

/* All VMAs of the device's files, whatever their offset. */
#define for_each_vma_of(vma, iter, mapping) \
	vma_interval_tree_foreach(vma, iter, &(mapping)->i_mmap, 0, ~0UL)

/* In an mm that nobody can use any more the entries do no harm (VF-300). */
static bool mm_is_alive(const struct vm_area_struct *vma)
{
	return vma->vm_mm->mm_users.counter > 0;
}

static unsigned int ptes_of(const struct vm_area_struct *vma)
{
	unsigned int present = 0;
	unsigned long addr;

	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE)
		present += user_page_present(vma->vm_mm, addr);
	return present;
}

static unsigned int vfio_pci_count_ptes(struct vfio_pci_device *vdev)
{
	struct inode *inode = vfio_device_inode(&vdev->vdev);
	struct vm_area_struct *vma;
	struct mapping_iter iter;
	unsigned int present = 0;

	/* The port drops its inode after the last reference and keeps the pointer (FS-6). */
	if (IS_ERR_OR_NULL(inode) || !vfio_device_registrations(&vdev->vdev))
		return 0;
	for_each_vma_of(vma, &iter, inode->i_mapping)
		if (mm_is_alive(vma))
			present += ptes_of(vma);
	return present;
}

/* Switched off by the register or by the power state, whatever the driver looks at. */
static bool memory_is_off(struct vfio_pci_device *vdev)
{
	return !vfio_pci_may_touch(vdev) || vdev->pdev->current_state >= PCI_D3hot;
}

void vfio_pci_check_mappings(struct vfio_pci_device *vdev)
{
	unsigned int present;

	/* A hot reset also locks functions that nobody has open: they have no vconfig. */
	if (!vdev->vconfig || !memory_is_off(vdev))
		return;
	present = vfio_pci_count_ptes(vdev);
	if (present)
		eng_report("pte-while-memory-off", vdev->pdev,
			   "memory space is off and %u page table entries still lead there",
			   present);
}

/* Asked between the zap and the reset, with memory_lock held for writing. */
void vfio_pci_check_zapped(struct vfio_pci_device *vdev)
{
	unsigned int present = vfio_pci_count_ptes(vdev);

	lockdep_assert_held_write(&vdev->memory_lock);
	if (present)
		eng_report("pte-during-reset", vdev->pdev,
			   "the device is reset while %u page table entries lead to it",
			   present);
}

bool vfio_pci_view(struct pci_dev *dev, struct vfio_pci_view *view)
{
	struct vfio_pci_device *vdev = pci_get_drvdata(dev);
	const struct list_head *pos;
	unsigned int bar;

	if (dev->driver != &vfio_pci_driver || !vdev)
		return false;
	*view = (struct vfio_pci_view){
		.device = &vdev->vdev,
		.design = vdev->design->design,
		.memory_enabled = vdev->vconfig && __vfio_pci_memory_enabled(vdev),
		.open_count = vfio_core_allocates() ? vfio_device_open_count(&vdev->vdev) :
						      vdev->refcnt,
		.ptes = vfio_pci_count_ptes(vdev),
	};
	list_for_each(pos, &vdev->vma_list)
		view->listed_vmas++;
	for (bar = 0; bar < ARRAY_SIZE(vdev->barmap); bar++)
		view->claimed_bars += vdev->barmap[bar] != NULL;
	return true;
}
