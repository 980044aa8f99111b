// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space as a vfio user sees it.
 * Kernel original: drivers/vfio/pci/vfio_pci_config.c.
 *
 * Each byte has bits that are virtual (kept in vconfig, the hardware is not
 * asked) and bits that may be written; a write goes to both places as these say.
 * Writes that turn memory decoding off, or reset the function, first take every
 * mapping away and hold memory_lock for writing until they are done.
 *
 * Lock order: memory_lock is taken here and nothing inside it, save for the
 * device lock, which a reset only tries. Concurrent writers of vconfig are not
 * serialised against each other, as in the kernel.
 */
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/uaccess.h>

#include "engine.h"
#include "vfio_pci_private.h"

#define AF_LENGTH 6
#define PM_LENGTH 8
#define EXP_LENGTH 0x3c

static u16 vconfig_word(const struct vfio_pci_device *vdev, int where)
{
	return vdev->vconfig[where] | vdev->vconfig[where + 1] << 8;
}

static void vconfig_set_word(struct vfio_pci_device *vdev, int where, u16 value)
{
	vdev->vconfig[where] = value;
	vdev->vconfig[where + 1] = value >> 8;
}

static bool d3_zaps(const struct vfio_pci_device *vdev)
{
	return vdev->design->d3_zaps || kernel_version >= KERNEL_6_1;
}

/*
 * Whether the device answers. 5.14 looks at the command register only; the merged
 * form also wants the device out of D3.
 */
bool __vfio_pci_memory_enabled(struct vfio_pci_device *vdev)
{
	if (d3_zaps(vdev) && vdev->pdev->current_state >= PCI_D3hot)
		return false;
	return vdev->pdev->no_command_memory ||
	       (vconfig_word(vdev, PCI_COMMAND) & PCI_COMMAND_MEMORY);
}

/*
 * Whether a mapping may be used. A device that its user sent to sleep is woken by
 * a system call for as long as that lasts; a touch cannot wake it.
 */
bool vfio_pci_may_touch(struct vfio_pci_device *vdev)
{
	return !vdev->low_power && __vfio_pci_memory_enabled(vdev);
}

/* ---- which bits are whose ---- */

static bool in_cap(u8 cap, int where, int first, int size)
{
	return cap && where >= cap + first && where < cap + first + size;
}

static bool is_bar(int where)
{
	return (where >= PCI_BASE_ADDRESS_0 && where < PCI_BASE_ADDRESS_5 + 4) ||
	       (where >= PCI_ROM_ADDRESS && where < PCI_ROM_ADDRESS + 4);
}

static bool is_next_pointer(const struct pci_dev *pdev, int where)
{
	return in_cap(pdev->pm_cap, where, PCI_CAP_LIST_NEXT, 1) ||
	       in_cap(pdev->pcie_cap, where, PCI_CAP_LIST_NEXT, 1) ||
	       in_cap(pdev->msi_cap, where, PCI_CAP_LIST_NEXT, 1) ||
	       in_cap(pdev->msix_cap, where, PCI_CAP_LIST_NEXT, 1) ||
	       in_cap(pdev->af_cap, where, PCI_CAP_LIST_NEXT, 1);
}

/* Bits of the byte at @where that are kept in vconfig. */
static u8 virt_bits(const struct vfio_pci_device *vdev, int where)
{
	const struct pci_dev *pdev = vdev->pdev;

	if (where < PCI_COMMAND || is_bar(where) || where == PCI_CAPABILITY_LIST ||
	    where == PCI_INTERRUPT_LINE || where == PCI_INTERRUPT_PIN)
		return 0xff;
	if (where == PCI_COMMAND + 1)
		return PCI_COMMAND_INTX_DISABLE >> 8;
	if (is_next_pointer(pdev, where))
		return 0xff;
	if (in_cap(pdev->pcie_cap, where, PCI_EXP_DEVCTL + 1, 1))
		return PCI_EXP_DEVCTL_BCR_FLR >> 8;
	if (in_cap(pdev->af_cap, where, PCI_AF_CTRL, 1))
		return PCI_AF_CTRL_FLR;
	return 0;
}

/* Bits of the byte at @where that a user may change. */
static u8 write_bits(const struct vfio_pci_device *vdev, int where)
{
	const struct pci_dev *pdev = vdev->pdev;

	if (where == PCI_COMMAND || where == PCI_COMMAND + 1 || is_bar(where) ||
	    where == PCI_CACHE_LINE_SIZE || where == PCI_LATENCY_TIMER ||
	    where == PCI_INTERRUPT_LINE)
		return 0xff;
	if (in_cap(pdev->pm_cap, where, PCI_PM_CTRL, 1))
		return (u8)~PCI_PM_CTRL_STATE_MASK;	/* the state goes another way */
	if (in_cap(pdev->pcie_cap, where, PCI_EXP_DEVCTL, 2))
		return 0xff;
	if (in_cap(pdev->af_cap, where, PCI_AF_CTRL, 1))
		return PCI_AF_CTRL_FLR;
	if (in_cap(pdev->msi_cap, where, PCI_MSI_FLAGS, 0x16))
		return 0xff;
	return 0;
}

static u32 gather_bits(const struct vfio_pci_device *vdev, int where, int count,
		       u8 (*bits)(const struct vfio_pci_device *vdev, int where))
{
	u32 mask = 0;
	int i;

	for (i = 0; i < count; i++)
		mask |= (u32)bits(vdev, where + i) << (8 * i);
	return mask;
}

static u32 vconfig_get(const struct vfio_pci_device *vdev, int where, int count)
{
	u32 value = 0;

	memcpy(&value, vdev->vconfig + where, count);
	return value;
}

/* ---- reads ---- */

/* What a BAR register shows after it was written: address bits of its size only. */
static void vfio_bar_fixup(struct vfio_pci_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int bar;

	if (!vdev->bardirty)
		return;
	for (bar = 0; bar < 6; bar++) {
		u64 mask = pci_resource_len(pdev, bar) ? ~(pci_resource_len(pdev, bar) - 1) : 0;
		u8 *reg = vdev->vconfig + PCI_BASE_ADDRESS_0 + 4 * bar;
		u32 low = (u32)mask & vconfig_get(vdev, PCI_BASE_ADDRESS_0 + 4 * bar, 4);

		if (pci_resource_flags(pdev, bar) & IORESOURCE_IO)
			low |= PCI_BASE_ADDRESS_SPACE_IO;
		if (pci_resource_flags(pdev, bar) & IORESOURCE_PREFETCH)
			low |= PCI_BASE_ADDRESS_MEM_PREFETCH;
		if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM_64)
			low |= PCI_BASE_ADDRESS_MEM_TYPE_64;
		memcpy(reg, &low, 4);
		if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM_64) {
			u32 high = mask >> 32 & vconfig_get(vdev, PCI_BASE_ADDRESS_0 + 4 * bar + 4,
							    4);

			memcpy(reg + 4, &high, 4);
			bar++;
		}
	}
	vdev->bardirty = false;
}

static int vfio_config_read(struct vfio_pci_device *vdev, int where, int count, u32 *value)
{
	u32 virt = gather_bits(vdev, where, count, virt_bits);
	u32 all = ~0U >> (32 - 8 * count);
	u32 phys;
	int ret;

	if (is_bar(where))
		vfio_bar_fixup(vdev);
	*value = vconfig_get(vdev, where, count);
	if (virt == all)
		return count;
	ret = pci_user_read_config(vdev->pdev, where, count, &phys);
	if (ret)
		return ret;
	*value = (phys & ~virt) | (*value & virt);
	if (where == PCI_COMMAND && vdev->pdev->no_command_memory)
		*value |= vconfig_word(vdev, PCI_COMMAND) & PCI_COMMAND_MEMORY;
	return count;
}

/* ---- writes ---- */

static void vconfig_merge(struct vfio_pci_device *vdev, int where, int count, u32 virt,
			  u32 value)
{
	u32 merged = (vconfig_get(vdev, where, count) & ~virt) | (value & virt);

	memcpy(vdev->vconfig + where, &merged, count);
}

/* Virtual bits to vconfig, the other writable ones to the hardware. */
static int vfio_default_config_write(struct vfio_pci_device *vdev, int where, int count,
				     u32 value)
{
	u32 writable = gather_bits(vdev, where, count, write_bits);
	u32 virt = gather_bits(vdev, where, count, virt_bits);
	u32 phys;
	int ret;

	if (!writable)
		return count;
	vconfig_merge(vdev, where, count, writable & virt, value);
	if (!(writable & ~virt))
		return count;
	ret = pci_user_read_config(vdev->pdev, where, count, &phys);
	if (ret)
		return ret;
	phys = (phys & ~(writable & ~virt)) | (value & writable & ~virt);
	ret = pci_user_write_config(vdev->pdev, where, count, phys);
	return ret ? ret : count;
}

/* Put the BARs back after a reset that went on behind the driver's back. */
static void vfio_bar_restore(struct vfio_pci_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int bar;

	if (pdev->is_virtfn)
		return;
	eng_event("vfio_bar_restore", vdev, NULL);
	for (bar = 0; bar < 6; bar++) {
		u64 start = pci_resource_start(pdev, bar);

		if (!pci_resource_len(pdev, bar))
			continue;
		pci_user_write_config(pdev, PCI_BASE_ADDRESS_0 + 4 * bar, 4, start);
		if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM_64)
			pci_user_write_config(pdev, PCI_BASE_ADDRESS_0 + 4 * bar + 4, 4,
					      start >> 32);
	}
}

/* Whether the hardware lost a decoding bit that the user thinks is set. */
static bool backdoor_reset(struct vfio_pci_device *vdev, u32 phys, u32 wanted)
{
	u16 virt = vconfig_word(vdev, PCI_COMMAND);

	return wanted & virt & ~phys & (PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
}

static void vfio_intx_disable_write(struct vfio_pci_device *vdev)
{
	vdev->virq_disabled = vconfig_word(vdev, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
}

/*
 * A write that begins at the command register. With the memory bit clear every
 * mapping goes first, even when it was clear before.
 *
 * Context: may sleep. Locks: takes and drops memory_lock for writing.
 */
static int vfio_command_write(struct vfio_pci_device *vdev, int count, u32 value)
{
	const u16 decoding = PCI_COMMAND_MEMORY | PCI_COMMAND_IO;
	u32 phys;
	int ret;

	ret = pci_user_read_config(vdev->pdev, PCI_COMMAND, 2, &phys);
	if (ret)
		return ret;
	if (value & PCI_COMMAND_MEMORY)
		down_write(&vdev->memory_lock);
	else
		vfio_pci_zap_and_down_write_memory_lock(vdev);

	if (backdoor_reset(vdev, phys, value))
		vfio_bar_restore(vdev);
	ret = vfio_default_config_write(vdev, PCI_COMMAND, count, value);
	if (ret >= 0) {
		u16 virt = vconfig_word(vdev, PCI_COMMAND) & ~decoding;

		vconfig_set_word(vdev, PCI_COMMAND, virt | (value & decoding));
		vfio_intx_disable_write(vdev);
	}
	vfio_pci_up_write_memory_lock(vdev);
	return ret;
}

/* Context: may sleep. The reset only tries the device lock; its error is nobody's. */
static void vfio_config_flr(struct vfio_pci_device *vdev)
{
	vfio_pci_zap_and_down_write_memory_lock(vdev);
	vfio_pci_check_zapped(vdev);
	pci_try_reset_function(vdev->pdev);
	vfio_pci_up_write_memory_lock(vdev);
}

static int vfio_exp_config_write(struct vfio_pci_device *vdev, int where, int count, u32 value)
{
	int control = vdev->pdev->pcie_cap + PCI_EXP_DEVCTL;
	u32 capabilities;
	int ret;

	ret = vfio_default_config_write(vdev, where, count, value);
	if (ret < 0 || !(vconfig_word(vdev, control) & PCI_EXP_DEVCTL_BCR_FLR))
		return ret;
	vconfig_set_word(vdev, control,
			 vconfig_word(vdev, control) & ~PCI_EXP_DEVCTL_BCR_FLR);
	if (!pci_user_read_config(vdev->pdev, vdev->pdev->pcie_cap + PCI_EXP_DEVCAP, 4,
				  &capabilities) && (capabilities & PCI_EXP_DEVCAP_FLR))
		vfio_config_flr(vdev);
	return ret;
}

static int vfio_af_config_write(struct vfio_pci_device *vdev, int where, int count, u32 value)
{
	u8 *control = vdev->vconfig + vdev->pdev->af_cap + PCI_AF_CTRL;
	u32 capabilities;
	int ret;

	ret = vfio_default_config_write(vdev, where, count, value);
	if (ret < 0 || !(*control & PCI_AF_CTRL_FLR))
		return ret;
	*control &= ~PCI_AF_CTRL_FLR;
	if (!pci_user_read_config(vdev->pdev, vdev->pdev->af_cap + PCI_AF_CAP, 1,
				  &capabilities) && (capabilities & PCI_AF_CAP_FLR))
		vfio_config_flr(vdev);
	return ret;
}

/*
 * The merged form treats entering D3 as losing the memory; 5.14 sets the state
 * straight away and leaves mappings live (VF-304).
 */
static void vfio_lock_and_set_power_state(struct vfio_pci_device *vdev, pci_power_t state)
{
	if (!d3_zaps(vdev)) {
		vfio_pci_set_power_state(vdev, state);
		vfio_pci_check_mappings(vdev);
		return;
	}
	if (state >= PCI_D3hot)
		vfio_pci_zap_and_down_write_memory_lock(vdev);
	else
		down_write(&vdev->memory_lock);
	vfio_pci_set_power_state(vdev, state);
	vfio_pci_up_write_memory_lock(vdev);
}

static int vfio_pm_config_write(struct vfio_pci_device *vdev, int where, int count, u32 value)
{
	int ret = vfio_default_config_write(vdev, where, count, value);

	if (ret >= 0 && where == vdev->pdev->pm_cap + PCI_PM_CTRL)
		vfio_lock_and_set_power_state(vdev, value & PCI_PM_CTRL_STATE_MASK);
	return ret;
}

static int vfio_config_write(struct vfio_pci_device *vdev, int where, int count, u32 value)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	if (where == PCI_COMMAND)
		return vfio_command_write(vdev, count, value);
	if (in_cap(pdev->pm_cap, where, 0, PM_LENGTH))
		return vfio_pm_config_write(vdev, where, count, value);
	if (in_cap(pdev->pcie_cap, where, 0, EXP_LENGTH))
		return vfio_exp_config_write(vdev, where, count, value);
	if (in_cap(pdev->af_cap, where, 0, AF_LENGTH))
		return vfio_af_config_write(vdev, where, count, value);
	ret = vfio_default_config_write(vdev, where, count, value);
	if (ret >= 0 && where == PCI_COMMAND + 1)
		vfio_intx_disable_write(vdev);
	if (ret >= 0 && is_bar(where))
		vdev->bardirty = true;
	return ret;
}

/* ---- pieces ---- */

/* One naturally aligned piece of 4, 2 or 1 bytes; its size, or -errno. */
static ssize_t vfio_config_do_rw(struct vfio_pci_device *vdev, char __user *buf, size_t count,
				 loff_t pos, bool iswrite)
{
	u32 value = 0;
	int ret;

	if (count >= 4 && !(pos % 4))
		count = 4;
	else
		count = count >= 2 && !(pos % 2) ? 2 : 1;

	if (iswrite) {
		if (copy_from_user(&value, buf, count))
			return -EFAULT;
		return vfio_config_write(vdev, pos, count, value);
	}
	ret = vfio_config_read(vdev, pos, count, &value);
	if (ret < 0)
		return ret;
	return copy_to_user(buf, &value, count) ? -EFAULT : (ssize_t)count;
}

/* An error ends it at once; pieces before it stay done, and *ppos past them. */
ssize_t vfio_pci_config_rw(struct vfio_pci_device *vdev, char __user *buf, size_t count,
			   loff_t *ppos, bool iswrite)
{
	loff_t pos = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t done = 0;
	ssize_t ret;

	if (pos + count > PCI_CFG_SPACE_SIZE)
		return -EFAULT;
	while (done < count) {
		ret = vfio_config_do_rw(vdev, buf + done, count - done, pos + done, iswrite);
		if (ret < 0)
			return ret;
		done += ret;
		*ppos += ret;
	}
	return done;
}

/* ---- life ---- */

/* A VF's own registers read as nothing: its user sees what the PF would show. */
static void vfio_config_init_vf(struct vfio_pci_device *vdev)
{
	vconfig_set_word(vdev, PCI_VENDOR_ID, vdev->pdev->vendor);
	vconfig_set_word(vdev, PCI_DEVICE_ID, vdev->pdev->device);
	vconfig_set_word(vdev, PCI_COMMAND, vconfig_word(vdev, PCI_COMMAND) |
			 PCI_COMMAND_MEMORY);
}

/* Refs: vconfig belongs to the open device until vfio_config_free(). */
int vfio_config_init(struct vfio_pci_device *vdev)
{
	int where;

	vdev->vconfig = kmalloc(PCI_CFG_SPACE_SIZE, GFP_KERNEL);
	if (!vdev->vconfig)
		return -ENOMEM;
	for (where = 0; where < PCI_CFG_SPACE_SIZE; where += 4) {
		u32 value;

		pci_read_config_dword(vdev->pdev, where, &value);
		memcpy(vdev->vconfig + where, &value, 4);
	}
	vdev->bardirty = true;
	if (vdev->pdev->is_virtfn)
		vfio_config_init_vf(vdev);
	if (vdev->nointx)
		vdev->vconfig[PCI_INTERRUPT_PIN] = 0;
	return 0;
}

void vfio_config_free(struct vfio_pci_device *vdev)
{
	kfree(vdev->vconfig);
	vdev->vconfig = NULL;
}
