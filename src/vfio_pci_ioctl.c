// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls of a vfio-pci device. Kernel original: drivers/vfio/pci/vfio_pci.c.
 *
 * Takes igate around interrupt set-up, memory_lock for writing around a reset;
 * neither is held together with the other.
 */
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/uaccess.h>

#include "engine.h"
#include "vfio_pci_private.h"

/* Bytes of @type up to and with @member: what argsz must reach at least. */
#define MINSZ(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

static long vfio_pci_ioctl_get_info(struct vfio_pci_device *vdev, void __user *arg)
{
	const size_t minsz = MINSZ(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI;
	if (vdev->reset_works)
		info.flags |= VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static void vfio_pci_bar_info(struct vfio_pci_device *vdev, struct vfio_region_info *info)
{
	info->size = pci_resource_len(vdev->pdev, info->index);
	if (!info->size)
		return;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (vdev->bar_mmap_supported[info->index])
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
}

/* No modelled device has a ROM: its region is there and empty, as for any such device. */
static int vfio_pci_region_info(struct vfio_pci_device *vdev, struct vfio_region_info *info)
{
	info->offset = VFIO_PCI_INDEX_TO_OFFSET(info->index);
	info->size = 0;
	info->flags = 0;
	info->cap_offset = 0;
	if (info->index < VFIO_PCI_ROM_REGION_INDEX) {
		vfio_pci_bar_info(vdev, info);
	} else if (info->index == VFIO_PCI_CONFIG_REGION_INDEX) {
		info->size = PCI_CFG_SPACE_SIZE;
		info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	} else if (info->index == VFIO_PCI_VGA_REGION_INDEX) {
		if (!vdev->has_vga)
			return -EINVAL;
		info->size = 0xc0000;
		info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	} else if (info->index != VFIO_PCI_ROM_REGION_INDEX) {
		return -EINVAL;
	}
	return 0;
}

static long vfio_pci_ioctl_get_region_info(struct vfio_pci_device *vdev, void __user *arg)
{
	const size_t minsz = MINSZ(struct vfio_region_info, offset);
	struct vfio_region_info info;
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	ret = vfio_pci_region_info(vdev, &info);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long vfio_pci_ioctl_get_irq_info(struct vfio_pci_device *vdev, void __user *arg)
{
	const size_t minsz = MINSZ(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (info.index == VFIO_PCI_ERR_IRQ_INDEX && !vdev->pdev->pcie_cap)
		return -EINVAL;
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	else
		info.flags |= VFIO_IRQ_INFO_NORESIZE;
	info.count = vfio_pci_get_irq_count(vdev, info.index);
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long vfio_pci_ioctl_set_irqs(struct vfio_pci_device *vdev, void __user *arg)
{
	const size_t minsz = MINSZ(struct vfio_irq_set, count);
	struct vfio_irq_set hdr;
	size_t data_size = 0;
	void *data = NULL;
	int ret;

	if (copy_from_user(&hdr, arg, minsz))
		return -EFAULT;
	ret = vfio_set_irqs_validate_and_prepare(&hdr, vfio_pci_get_irq_count(vdev, hdr.index),
						 VFIO_PCI_NUM_IRQS, &data_size);
	if (ret)
		return ret;
	if (data_size) {
		data = memdup_user((u8 *)arg + minsz, data_size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}
	mutex_lock(&vdev->igate);
	ret = vfio_pci_set_irqs_ioctl(vdev, hdr.flags, hdr.index, hdr.start, hdr.count, data);
	mutex_unlock(&vdev->igate);
	kfree(data);
	return ret;
}

/* Context: may sleep. The reset only tries the device lock: -EAGAIN. */
static long vfio_pci_ioctl_reset(struct vfio_pci_device *vdev)
{
	int ret;

	if (!vdev->reset_works)
		return -EINVAL;
	vfio_pci_zap_and_down_write_memory_lock(vdev);
	vfio_pci_check_zapped(vdev);
	ret = pci_try_reset_function(vdev->pdev);
	vfio_pci_up_write_memory_lock(vdev);
	return ret;
}

/* ---- VFIO_DEVICE_FEATURE ---- */

/* 0 means: carry it out; 1: it was only a probe. */
static int vfio_check_feature(u32 flags, size_t argsz, u32 supported, size_t minsz)
{
	const u32 op = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET;

	if ((flags & op) & ~supported)
		return -EINVAL;
	if (flags & VFIO_DEVICE_FEATURE_PROBE)
		return 1;
	if (!(flags & op) || argsz < minsz)
		return -EINVAL;
	return 0;
}

static int vfio_pci_feature_token(struct vfio_pci_device *vdev, u32 flags, void __user *arg,
				  size_t argsz)
{
	u8 uuid[16];
	int ret;

	if (!vdev->vf_token)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, sizeof(uuid));
	if (ret)
		return ret < 0 ? ret : 0;
	if (copy_from_user(uuid, arg, sizeof(uuid)))
		return -EFAULT;
	return vfio_pci_set_vf_token(vdev, uuid);
}

/* 6.1 on: the user lets the device sleep; its mappings go until it is woken. */
static int vfio_pci_feature_low_power(struct vfio_pci_device *vdev, u32 flags, size_t argsz,
				      bool enter)
{
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);

	if (ret)
		return ret < 0 ? ret : 0;
	if (enter)
		vfio_pci_zap_and_down_write_memory_lock(vdev);
	else
		down_write(&vdev->memory_lock);
	if (enter && vdev->low_power)
		ret = -EINVAL;
	vdev->low_power = enter;
	vfio_pci_up_write_memory_lock(vdev);
	return ret;
}

static long vfio_pci_ioctl_feature(struct vfio_pci_device *vdev, void __user *arg)
{
	const size_t minsz = MINSZ(struct vfio_device_feature, flags);
	const u32 ops = VFIO_DEVICE_FEATURE_MASK | VFIO_DEVICE_FEATURE_GET |
			VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE;
	struct vfio_device_feature feature;
	u32 id;

	if (copy_from_user(&feature, arg, minsz))
		return -EFAULT;
	if (feature.argsz < minsz || (feature.flags & ~ops))
		return -EINVAL;
	if (!(feature.flags & VFIO_DEVICE_FEATURE_PROBE) &&
	    (feature.flags & VFIO_DEVICE_FEATURE_SET) && (feature.flags & VFIO_DEVICE_FEATURE_GET))
		return -EINVAL;
	id = feature.flags & VFIO_DEVICE_FEATURE_MASK;
	if (id == VFIO_DEVICE_FEATURE_PCI_VF_TOKEN)
		return vfio_pci_feature_token(vdev, feature.flags, (u8 *)arg + minsz,
					      feature.argsz - minsz);
	if (kernel_version >= KERNEL_6_1 &&
	    (id == VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY || id == VFIO_DEVICE_FEATURE_LOW_POWER_EXIT))
		return vfio_pci_feature_low_power(vdev, feature.flags, feature.argsz - minsz,
						  id == VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY);
	return -ENOTTY;
}

long vfio_pci_ioctl(struct vfio_device *device, unsigned int cmd, unsigned long arg)
{
	struct vfio_pci_device *vdev = to_vfio_pci(device);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return vfio_pci_ioctl_get_info(vdev, uarg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return vfio_pci_ioctl_get_region_info(vdev, uarg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return vfio_pci_ioctl_get_irq_info(vdev, uarg);
	case VFIO_DEVICE_SET_IRQS:
		return vfio_pci_ioctl_set_irqs(vdev, uarg);
	case VFIO_DEVICE_RESET:
		return vfio_pci_ioctl_reset(vdev);
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		return vfio_pci_ioctl_hot_reset_info(vdev, uarg);
	case VFIO_DEVICE_PCI_HOT_RESET:
		return vfio_pci_ioctl_hot_reset(vdev, uarg);
	case VFIO_DEVICE_FEATURE:
		return vfio_pci_ioctl_feature(vdev, uarg);
	default:
		return -ENOTTY;
	}
}
