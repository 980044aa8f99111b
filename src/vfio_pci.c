// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci: binding, first open and last close, requests.
 * Kernel originals: drivers/vfio/pci/vfio_pci.c of 5.14; for the merged core
 * vfio_pci.c and vfio_pci_core.c of 6.12.
 *
 * Lock order (outer first):
 *
 *   device_lock(pdev)		(probe and remove, unbounded waits included)
 *   reset lock			(first open, last close; vfio_pci_reset.c)
 *     vf_token->lock
 *     igate
 */
#define KBUILD_MODNAME vfio_pci

#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/vfio_core_select.h>
#include <vfiosim/kapi/vgaarb.h>

#include "engine.h"
#include "vfio_pci_private.h"

DECLARE_MODULE(vfio);

bool vfio_pci_disable_idle_d3 KSTATE;
bool vfio_pci_nointxmask KSTATE;
bool vfio_pci_disable_vga KSTATE;
bool vfio_pci_enable_sriov KSTATE;
bool vfio_pci_disable_denylist KSTATE;

bool vfio_pci_core_is_merged(void)
{
	return vfio_core_allocates();
}

bool vfio_pci_is_bound(struct pci_dev *pdev)
{
	return pci_dev_driver(pdev) == &vfio_pci_driver;
}

/*
 * Context: may sleep. Locks: port: takes and drops locks of the device's group.
 * Refs:    +1 on the registration, until vfio_pci_put_bound().
 */
struct vfio_pci_device *vfio_pci_get_bound(struct pci_dev *pdev)
{
	struct vfio_pci_device *vdev;
	struct vfio_device *device;

	if (vfio_pci_core_is_merged()) {
		vdev = vfio_pci_is_bound(pdev) ? pci_get_drvdata(pdev) : NULL;
		return vdev && vfio_device_try_get_registration(&vdev->vdev) ? vdev : NULL;
	}
	device = vfio_device_get_from_dev(&pdev->dev);
	if (!device)
		return NULL;
	if (!vfio_pci_is_bound(pdev)) {
		vfio_device_put(device);
		return NULL;
	}
	return to_vfio_pci(device);
}

void vfio_pci_put_bound(struct vfio_pci_device *vdev)
{
	if (vfio_pci_core_is_merged())
		vfio_device_put_registration(&vdev->vdev);
	else
		vfio_device_put(&vdev->vdev);
}

/* ---- power ---- */

static void vfio_pci_probe_power_state(struct vfio_pci_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	u16 control;

	if (!pdev->pm_cap)
		return;
	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &control);
	vdev->needs_pm_restore = !(control & PCI_PM_CTRL_NO_SOFT_RESET);
}

/* Coming back from D3hot a device may have lost its registers: they are kept in pm_save. */
int vfio_pci_set_power_state(struct vfio_pci_device *vdev, pci_power_t state)
{
	struct pci_dev *pdev = vdev->pdev;
	bool save = vdev->needs_pm_restore && pdev->current_state < PCI_D3hot &&
		    state >= PCI_D3hot;
	bool restore = vdev->needs_pm_restore && pdev->current_state >= PCI_D3hot &&
		       state <= PCI_D0;
	int ret;

	if (save)
		pci_save_state(pdev);
	ret = pci_set_power_state(pdev, state);
	if (ret)
		return ret;
	if (save && pdev->current_state >= PCI_D3hot) {
		vdev->pm_save = pci_store_saved_state(pdev);
	} else if (restore) {
		pci_load_and_free_saved_state(pdev, &vdev->pm_save);
		pci_restore_state(pdev);
	}
	return 0;
}

static void vfio_pci_idle(struct vfio_pci_device *vdev)
{
	if (!vfio_pci_disable_idle_d3)
		vfio_pci_set_power_state(vdev, PCI_D3hot);
}

/* ---- first open, last close ---- */

static void vfio_pci_setup_intx(struct vfio_pci_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	u16 command;

	vdev->pci_2_3 = !vfio_pci_nointxmask && pci_intx_mask_supported(pdev);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	if (vdev->pci_2_3 && (command & PCI_COMMAND_INTX_DISABLE))
		pci_write_config_word(pdev, PCI_COMMAND, command & ~PCI_COMMAND_INTX_DISABLE);
}

static bool vfio_pci_is_vga(const struct pci_dev *pdev)
{
	return pdev->class >> 8 == 0x0300;
}

/*
 * The order is VF-146's. A reset that cannot have the device lock fails the open:
 * -EAGAIN, for instance while a probe or a remove of the device runs.
 *
 * Context: may sleep. On failure the device is as it was.
 */
static int vfio_pci_enable(struct vfio_pci_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	vfio_pci_set_power_state(vdev, PCI_D0);
	pci_clear_master(pdev);
	ret = pci_enable_device(pdev);
	if (ret)
		return ret;
	ret = pci_try_reset_function(pdev);
	if (ret == -EAGAIN)
		goto err_disable;
	vdev->reset_works = !ret;

	pci_save_state(pdev);
	vdev->pci_saved_state = pci_store_saved_state(pdev);
	vfio_pci_setup_intx(vdev);
	ret = vfio_config_init(vdev);
	if (ret)
		goto err_free_state;
	vdev->has_vga = !vfio_pci_disable_vga && vfio_pci_is_vga(pdev);
	vfio_pci_probe_mmaps(vdev);
	return 0;

err_free_state:
	kfree(vdev->pci_saved_state);
	vdev->pci_saved_state = NULL;
err_disable:
	pci_disable_device(pdev);
	return ret;
}

/* The lock can only be tried: an unbind that waits for this very close holds it. */
static void vfio_pci_last_reset(struct vfio_pci_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	if (!vdev->reset_works || !pci_cfg_access_trylock(pdev))
		return;
	if (device_trylock(&pdev->dev)) {
		if (!__pci_reset_function_locked(pdev))
			vdev->needs_reset = false;
		device_unlock(&pdev->dev);
	}
	pci_cfg_access_unlock(pdev);
}

/* Put the registers back as the first open found them; false when nothing can be. */
static bool vfio_pci_restore(struct vfio_pci_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	if (pci_load_and_free_saved_state(pdev, &vdev->pci_saved_state)) {
		dev_info(&pdev->dev, "could not reload the saved state");
		if (!vdev->reset_works)
			return false;
		pci_save_state(pdev);
	}
	pci_write_config_word(pdev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
	vfio_pci_last_reset(vdev);
	pci_restore_state(pdev);
	return true;
}

/* Locks: holds the reset lock. */
static void vfio_pci_disable(struct vfio_pci_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	vdev->low_power = false;
	pci_clear_master(pdev);
	vfio_pci_disable_irqs(vdev);
	vdev->virq_disabled = false;
	vfio_config_free(vdev);
	vfio_pci_release_mmaps(vdev);
	vdev->needs_reset = true;

	vfio_pci_restore(vdev);
	pci_disable_device(pdev);
	vfio_pci_try_bus_reset(vdev);
	vfio_pci_idle(vdev);
}

static int vfio_pci_first_open(struct vfio_pci_device *vdev)
{
	int ret = vfio_pci_enable(vdev);

	if (!ret)
		vfio_pci_vf_token_user_add(vdev, 1);
	return ret;
}

static void vfio_pci_last_close(struct vfio_pci_device *vdev)
{
	vfio_pci_vf_token_user_add(vdev, -1);
	vfio_pci_disable(vdev);
	vfio_pci_put_triggers(vdev);
}

/* Port: every file. Locks: takes and drops the reset lock. */
static int vfio_pci_open(struct vfio_device *device)
{
	struct vfio_pci_device *vdev = to_vfio_pci(device);
	int ret = 0;

	vfio_pci_reflck_lock(vdev);
	if (!vdev->refcnt)
		ret = vfio_pci_first_open(vdev);
	if (!ret)
		vdev->refcnt++;
	vfio_pci_reflck_unlock(vdev);
	return ret;
}

static void vfio_pci_release(struct vfio_device *device)
{
	struct vfio_pci_device *vdev = to_vfio_pci(device);

	vfio_pci_reflck_lock(vdev);
	if (!--vdev->refcnt)
		vfio_pci_last_close(vdev);
	vfio_pci_reflck_unlock(vdev);
}

/* Merged: the first file and the last one. Locks: the set's lock is held. */
static int vfio_pci_open_device(struct vfio_device *device)
{
	return vfio_pci_first_open(to_vfio_pci(device));
}

static void vfio_pci_close_device(struct vfio_device *device)
{
	vfio_pci_last_close(to_vfio_pci(device));
}

/* ---- read, write, request ---- */

static ssize_t vfio_pci_rw(struct vfio_pci_device *vdev, char __user *buf, size_t count,
			   loff_t *ppos, bool iswrite)
{
	unsigned int index = VFIO_PCI_OFFSET_TO_INDEX(*ppos);

	if (index < VFIO_PCI_ROM_REGION_INDEX)
		return vfio_pci_bar_rw(vdev, buf, count, ppos, iswrite);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return vfio_pci_config_rw(vdev, buf, count, ppos, iswrite);
	return -EINVAL;
}

static ssize_t vfio_pci_read(struct vfio_device *device, char __user *buf, size_t count,
			     loff_t *ppos)
{
	return count ? vfio_pci_rw(to_vfio_pci(device), buf, count, ppos, false) : 0;
}

static ssize_t vfio_pci_write(struct vfio_device *device, const char __user *buf, size_t count,
			      loff_t *ppos)
{
	return count ? vfio_pci_rw(to_vfio_pci(device), (char __user *)buf, count, ppos, true) :
		       0;
}

/* The device is wanted back. Locks: takes and drops igate. */
static void vfio_pci_request(struct vfio_device *device, unsigned int count)
{
	struct vfio_pci_device *vdev = to_vfio_pci(device);
	struct device *dev = &vdev->pdev->dev;

	mutex_lock(&vdev->igate);
	if (vdev->req_trigger) {
		if (!(count % 10))
			dev_notice(dev, "Relaying device request to user (#%u)", count);
		eventfd_signal(vdev->req_trigger, 1);
	} else if (!count) {
		dev_warn(dev, "No device request channel registered, "
			 "blocked until released by user");
	}
	mutex_unlock(&vdev->igate);
}

/* ---- probe and remove ---- */

/* Without inodes, as 6.1's core, the list is the only way whatever was asked for. */
static const struct vfio_pci_design_ops *vfio_pci_design_of(const struct pci_dev *pdev)
{
	if (!vfiosim_core()->device_inodes)
		return &vfio_pci_vma_list_ops;
	switch (pdev->vfio_design) {
	case VFIO_PCI_VMA_LIST:
		return &vfio_pci_vma_list_ops;
	case VFIO_PCI_ADDRESS_SPACE:
		return &vfio_pci_address_space_ops;
	case VFIO_PCI_ADDRESS_SPACE_WHOLE:
		return &vfio_pci_address_space_whole_ops;
	default:
		return kernel_version >= KERNEL_6_12 ? &vfio_pci_address_space_ops :
						       &vfio_pci_vma_list_ops;
	}
}

static void vfio_pci_init_dev(struct vfio_pci_device *vdev, struct pci_dev *pdev)
{
	vdev->pdev = pdev;
	vdev->design = vfio_pci_design_of(pdev);
	vdev->irq_type = VFIO_PCI_NUM_IRQS;
	mutex_init(&vdev->igate);
	INIT_LIST_HEAD(&vdev->dummy_resources_list);
	mutex_init(&vdev->vma_lock);
	INIT_LIST_HEAD(&vdev->vma_list);
	init_rwsem(&vdev->memory_lock);
}

/* Devices that are known to let a user out of the IOMMU's cage. */
static bool vfio_pci_is_denylisted(const struct pci_dev *pdev)
{
	static const u16 qat[] = { 0x0435, 0x0443, 0x37c8, 0x37c9, 0x19e2, 0x19e3 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(qat); i++)
		if (pdev->vendor == 0x8086 && pdev->device == qat[i])
			return !vfio_pci_disable_denylist;
	return false;
}

static int vfio_pci_may_bind(struct pci_dev *pdev)
{
	if (vfio_pci_is_denylisted(pdev) || pdev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return -EINVAL;
	/* A driver that has VFs enabled was not expected to hand over its PF. */
	return pci_num_vf(pdev) ? -EBUSY : 0;
}

static unsigned int vfio_pci_set_vga_decode(void *opaque, bool single_vga)
{
	struct vfio_pci_device *vdev = opaque;

	eng_check(vdev);
	return single_vga || !vdev->has_vga ? VGA_DECODE_ALL : VGA_DECODE_NORMAL;
}

static int vfio_pci_vga_init(struct vfio_pci_device *vdev)
{
	if (!vfio_pci_is_vga(vdev->pdev))
		return 0;
	return vga_client_register(vdev->pdev, vdev, vfio_pci_set_vga_decode);
}

static void vfio_pci_vga_uninit(struct vfio_pci_device *vdev)
{
	if (vfio_pci_is_vga(vdev->pdev))
		vga_client_register(vdev->pdev, NULL, NULL);
}

static const struct vfio_device_ops vfio_pci_ops = {
	.name = "vfio-pci",
	.open = vfio_pci_open,
	.release = vfio_pci_release,
	.ioctl = vfio_pci_ioctl,
	.read = vfio_pci_read,
	.write = vfio_pci_write,
	.mmap = vfio_pci_mmap,
	.request = vfio_pci_request,
	.match = vfio_pci_match,
};

/* What comes between the object and its registration; nothing is left on failure. */
static int vfio_pci_prepare(struct vfio_pci_device *vdev)
{
	int ret;

	ret = vfio_pci_reflck_attach(vdev);
	if (ret)
		return ret;
	ret = vfio_pci_vf_init(vdev);
	if (ret)
		goto err_reflck;
	ret = vfio_pci_vga_init(vdev);
	if (ret)
		goto err_vf;
	vfio_pci_probe_power_state(vdev);
	if (!vfio_pci_disable_idle_d3) {
		vfio_pci_set_power_state(vdev, PCI_D0);
		vfio_pci_set_power_state(vdev, PCI_D3hot);
	}
	return 0;

err_vf:
	vfio_pci_vf_uninit(vdev);
err_reflck:
	vfio_pci_reflck_put(vdev);
	return ret;
}

/* 5.14 forgets the VGA arbiter, which then holds a pointer to freed memory (VF-254). */
static void vfio_pci_unprepare(struct vfio_pci_device *vdev)
{
	if (!vfio_pci_disable_idle_d3)
		vfio_pci_set_power_state(vdev, PCI_D0);
	vfio_pci_vf_uninit(vdev);
	vfio_pci_reflck_put(vdev);
}

static void vfio_pci_free(struct vfio_pci_device *vdev)
{
	kfree(vdev->pm_save);
	kfree(vdev);
}

/*
 * Context: may sleep. Locks: holds the device lock.
 * Refs:    on success the device owns one on its IOMMU group. On failure, none.
 */
static int vfio_pci_probe_port(struct pci_dev *pdev)
{
	struct vfio_pci_device *vdev;
	struct iommu_group *group;
	int ret;

	ret = vfio_pci_may_bind(pdev);
	if (ret)
		return ret;
	group = vfio_iommu_group_get(&pdev->dev);
	if (!group)
		return -EINVAL;
	vdev = kzalloc(sizeof(struct vfio_pci_device), GFP_KERNEL);
	if (!vdev) {
		ret = -ENOMEM;
		goto err_group;
	}
	vfio_init_group_dev(&vdev->vdev, &pdev->dev, &vfio_pci_ops);
	vfio_pci_init_dev(vdev, pdev);
	ret = vfio_pci_prepare(vdev);
	if (ret)
		goto err_free;
	ret = vfio_register_group_dev(&vdev->vdev);
	if (ret)
		goto err_unprepare;
	pci_set_drvdata(pdev, vdev);
	return 0;

err_unprepare:
	vfio_pci_unprepare(vdev);
err_free:
	vfio_pci_free(vdev);
err_group:
	vfio_iommu_group_put(group, &pdev->dev);
	return ret;
}

/* Context: may sleep without bound: for as long as anybody uses the device. */
static void vfio_pci_remove_port(struct pci_dev *pdev)
{
	struct vfio_pci_device *vdev = pci_get_drvdata(pdev);

	pci_disable_sriov(pdev);
	vfio_unregister_group_dev(&vdev->vdev);
	vfio_pci_vf_uninit(vdev);
	vfio_pci_reflck_put(vdev);
	vfio_pci_vga_uninit(vdev);
	vfio_iommu_group_put(pdev->dev.iommu_group, &pdev->dev);
	if (!vfio_pci_disable_idle_d3)
		vfio_pci_set_power_state(vdev, PCI_D0);
	vfio_pci_free(vdev);
}

/* ---- the same under the merged core ---- */

static int vfio_pci_core_init_dev(struct vfio_device *device)
{
	struct vfio_pci_device *vdev = to_vfio_pci(device);

	vfio_pci_init_dev(vdev, to_pci_dev(device->dev));
	return 0;
}

/* The object's end; the core frees the memory. */
static void vfio_pci_core_release_dev(struct vfio_device *device)
{
	struct vfio_pci_device *vdev = to_vfio_pci(device);

	mutex_destroy(&vdev->igate);
	kfree(vdev->pm_save);
}

static const struct vfio_device_ops vfio_pci_merged_ops = {
	.name = "vfio-pci",
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
	.open_device = vfio_pci_open_device,
	.close_device = vfio_pci_close_device,
	.ioctl = vfio_pci_ioctl,
	.read = vfio_pci_read,
	.write = vfio_pci_write,
	.mmap = vfio_pci_mmap,
	.request = vfio_pci_request,
	.match = vfio_pci_match,
};

/* Refs: the object is the driver's until vfio_put_device(), registered or not. */
static int vfio_pci_probe_merged(struct pci_dev *pdev)
{
	struct vfio_device *device;
	struct vfio_pci_device *vdev;
	int ret;

	if (vfio_pci_is_denylisted(pdev))
		return -EINVAL;
	device = _vfio_alloc_device(sizeof(struct vfio_pci_device), "vfio_pci_device",
				    &pdev->dev, &vfio_pci_merged_ops);
	if (IS_ERR(device))
		return PTR_ERR(device);
	vdev = to_vfio_pci(device);
	pci_set_drvdata(pdev, vdev);
	ret = vfio_pci_may_bind(pdev);
	if (ret)
		goto err_put;
	ret = vfio_pci_prepare(vdev);
	if (ret)
		goto err_put;
	ret = vfio_register_group_dev(device);
	if (ret)
		goto err_unprepare;
	return 0;

err_unprepare:
	vfio_pci_unprepare(vdev);
	vfio_pci_vga_uninit(vdev);
err_put:
	vfio_put_device(device);
	return ret;
}

static void vfio_pci_remove_merged(struct pci_dev *pdev)
{
	struct vfio_pci_device *vdev = pci_get_drvdata(pdev);

	pci_disable_sriov(pdev);
	vfio_unregister_group_dev(&vdev->vdev);
	vfio_pci_vf_uninit(vdev);
	vfio_pci_vga_uninit(vdev);
	if (!vfio_pci_disable_idle_d3)
		vfio_pci_set_power_state(vdev, PCI_D0);
	vfio_put_device(&vdev->vdev);
}

/* ---- the driver ---- */

static int vfio_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return vfio_pci_core_is_merged() ? vfio_pci_probe_merged(pdev) :
					   vfio_pci_probe_port(pdev);
}

static void vfio_pci_remove(struct pci_dev *pdev)
{
	if (vfio_pci_core_is_merged())
		vfio_pci_remove_merged(pdev);
	else
		vfio_pci_remove_port(pdev);
}

/* Locks: holds the device lock of the PF. Refs: keeps its registration meanwhile. */
static int vfio_pci_sriov_configure(struct pci_dev *pdev, int num_vfs)
{
	struct vfio_pci_device *vdev;
	int ret = 0;

	if (!vfio_pci_enable_sriov)
		return -ENOENT;
	vdev = vfio_pci_get_bound(pdev);
	if (!vdev)
		return -ENODEV;
	if (num_vfs)
		ret = pci_enable_sriov(pdev, num_vfs);
	else
		pci_disable_sriov(pdev);
	vfio_pci_put_bound(vdev);
	return ret < 0 ? ret : num_vfs;
}

struct pci_driver vfio_pci_driver KSTATE = {
	.name = "vfio-pci",
	.probe = vfio_pci_probe,
	.remove = vfio_pci_remove,
	.sriov_configure = vfio_pci_sriov_configure,
	.driver_managed_dma = true,
};

static int vfio_pci_init(void)
{
	vfio_pci_driver.driver.owner = THIS_MODULE;
	return pci_register_driver(&vfio_pci_driver);
}

static void vfio_pci_cleanup(void)
{
	pci_unregister_driver(&vfio_pci_driver);
}

MODULE_DEFINE(vfio_pci_init, vfio_pci_cleanup, MODULE(vfio));
