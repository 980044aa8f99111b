// SPDX-License-Identifier: GPL-2.0-only
/*
 * read() and write() of BARs. Kernel original: drivers/vfio/pci/vfio_pci_rdwr.c.
 *
 * Lock order: memory_lock is taken for reading around each single register
 * access; user memory is copied outside it, since that may fault on a BAR.
 */
#include <vfiosim/kapi/uaccess.h>

#include "engine.h"
#include "vfio_pci_private.h"

/* -EIO when memory is disabled. Locks: takes and drops memory_lock for reading. */
static int vfio_pci_reg_io(struct vfio_pci_device *vdev, int bar, bool iswrite, u64 offset,
			   u64 *value, unsigned int size)
{
	bool test_mem = pci_resource_flags(vdev->pdev, bar) & IORESOURCE_MEM;
	int ret = 0;

	if (test_mem)
		down_read(&vdev->memory_lock);
	if (test_mem && !__vfio_pci_memory_enabled(vdev))
		ret = -EIO;
	else if (iswrite)
		iowrite(vdev->barmap[bar], offset, *value, size);
	else
		*value = ioread(vdev->barmap[bar], offset, size);
	if (test_mem)
		up_read(&vdev->memory_lock);
	return ret;
}

static int vfio_pci_piece(struct vfio_pci_device *vdev, int bar, char __user *buf, u64 offset,
			  unsigned int size, bool iswrite)
{
	u64 value = 0;
	int ret;

	if (iswrite && copy_from_user(&value, buf, size))
		return -EFAULT;
	ret = vfio_pci_reg_io(vdev, bar, iswrite, offset, &value, size);
	if (!ret && !iswrite && copy_to_user(buf, &value, size))
		ret = -EFAULT;
	return ret;
}

/* An error ends it at once, also after part of the transfer. */
ssize_t vfio_pci_bar_rw(struct vfio_pci_device *vdev, char __user *buf, size_t count,
			loff_t *ppos, bool iswrite)
{
	int bar = VFIO_PCI_OFFSET_TO_INDEX(*ppos);
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	u64 end = pci_resource_len(vdev->pdev, bar);
	size_t done = 0;
	int ret;

	if (pos >= end)
		return -EINVAL;
	if (count > end - pos)
		count = end - pos;
	ret = vfio_pci_setup_barmap(vdev, bar);
	if (ret)
		return ret;

	while (done < count) {
		unsigned int size = 4;

		while (size > count - done || (pos + done) % size)
			size /= 2;
		ret = vfio_pci_piece(vdev, bar, buf + done, pos + done, size, iswrite);
		if (ret)
			return ret;
		done += size;
	}
	*ppos += done;
	return done;
}
