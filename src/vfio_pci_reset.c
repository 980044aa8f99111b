// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that are reset together: the lock that they share, the reset after the
 * last close, and hot reset on a user's behalf.
 * Kernel originals: drivers/vfio/pci/vfio_pci.c of 5.14, vfio_pci_core.c of 6.12.
 *
 * Lock order (outer first):
 *
 *   reflck_lock | reflck->lock		(port; the merged core's device set lock)
 *     pci_bus_sem (read)
 *       vfio.group_lock, group->device_lock	(to find the other devices)
 *   vma_lock, memory_lock of each device	(hot reset: only ever tried)
 *     device locks of all functions	(only ever tried)
 */
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/uaccess.h>

#include "engine.h"
#include "vfio_pci_private.h"

struct vfio_pci_reflck {
	struct kref kref;
	struct mutex lock;
};

static struct mutex reflck_lock KSTATE = MUTEX_INIT(reflck_lock);

/* ---- walking the functions of a reset domain ---- */

struct vfio_pci_walk_info {
	int (*fn)(struct pci_dev *pdev, void *data);
	void *data;
	struct pci_dev *pdev;
	bool slot;
	int ret;
};

static bool vfio_pci_dev_below_slot(struct pci_dev *pdev, struct pci_slot *slot)
{
	for (; pdev; pdev = pdev->bus->self)
		if (pdev->bus == slot->bus)
			return pdev->slot == slot;
	return false;
}

static int vfio_pci_walk_wrapper(struct pci_dev *pdev, void *data)
{
	struct vfio_pci_walk_info *walk = data;

	if (!walk->slot || vfio_pci_dev_below_slot(pdev, walk->pdev->slot))
		walk->ret = walk->fn(pdev, walk->data);
	return walk->ret;
}

/* Until the first non-zero, which is returned. Locks: pci_bus_sem is held meanwhile. */
static int vfio_pci_for_each_slot_or_bus(struct pci_dev *pdev,
					 int (*fn)(struct pci_dev *pdev, void *data),
					 void *data, bool slot)
{
	struct vfio_pci_walk_info walk = { .fn = fn, .data = data, .pdev = pdev, .slot = slot };

	pci_walk_bus(pdev->bus, vfio_pci_walk_wrapper, &walk);
	return walk.ret;
}

static int vfio_pci_count_devs(struct pci_dev *pdev, void *data)
{
	(*(int *)data)++;
	return 0;
}

/* Whether the domain is a slot; -ENODEV when it cannot be reset at all. */
static int vfio_pci_reset_domain(struct pci_dev *pdev)
{
	if (!pci_probe_reset_slot(pdev->slot))
		return true;
	return pci_probe_reset_bus(pdev->bus) ? -ENODEV : false;
}

/* Devices that were found, each with a reference on its registration. */
struct vfio_devices {
	struct vfio_pci_device **devices;
	int cur_index;
	int max_index;
};

/* -ENOMEM, or an empty array with room for all functions of the domain. */
static int vfio_devices_init(struct vfio_devices *devs, struct pci_dev *pdev, bool slot)
{
	int count = 0;

	vfio_pci_for_each_slot_or_bus(pdev, vfio_pci_count_devs, &count, slot);
	devs->cur_index = 0;
	devs->max_index = count;
	devs->devices = kcalloc(count, sizeof(struct vfio_pci_device *), GFP_KERNEL);
	return devs->devices ? 0 : -ENOMEM;
}

static void vfio_devices_put(struct vfio_devices *devs)
{
	int i;

	for (i = 0; i < devs->cur_index; i++)
		vfio_pci_put_bound(devs->devices[i]);
	kfree(devs->devices);
}

/* Refs: +1 on the device's registration, the array's. The errors are VF-172's. */
static int vfio_devices_add(struct vfio_devices *devs, struct pci_dev *pdev)
{
	struct vfio_device *device;

	if (devs->cur_index == devs->max_index)
		return -ENOSPC;
	device = vfio_device_get_from_dev(&pdev->dev);
	if (!device)
		return -EINVAL;
	if (!vfio_pci_is_bound(pdev)) {
		vfio_device_put(device);
		return -EBUSY;
	}
	devs->devices[devs->cur_index++] = to_vfio_pci(device);
	return 0;
}

/* ---- the reset lock ---- */

static int vfio_pci_reflck_find(struct pci_dev *pdev, void *data)
{
	struct vfio_pci_device *vdev = data, *other;

	other = vfio_pci_get_bound(pdev);
	if (!other)
		return 0;
	if (other->reflck) {
		kref_get(&other->reflck->kref);
		vdev->reflck = other->reflck;
	}
	vfio_pci_put_bound(other);
	return vdev->reflck != NULL;
}

static struct vfio_pci_reflck *vfio_pci_reflck_alloc(void)
{
	struct vfio_pci_reflck *reflck = kzalloc(sizeof(struct vfio_pci_reflck), GFP_KERNEL);

	if (!reflck)
		return NULL;
	kref_init(&reflck->kref);
	mutex_init(&reflck->lock);
	return reflck;
}

/* Under the merged core the device set does it: a set for each domain. */
static int vfio_pci_assign_set(struct vfio_pci_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	if (pci_is_root_bus(pdev->bus))
		return vfio_assign_device_set(&vdev->vdev, vdev);
	if (!pci_probe_reset_slot(pdev->slot))
		return vfio_assign_device_set(&vdev->vdev, pdev->slot);
	return vfio_assign_device_set(&vdev->vdev, pdev->bus);
}

/*
 * Share the lock of the domain's first device, or make one. Never shared on a
 * root bus, which cannot be reset.
 *
 * Locks: takes and drops reflck_lock. Refs: one on the lock, the device's.
 */
int vfio_pci_reflck_attach(struct vfio_pci_device *vdev)
{
	bool slot = !pci_probe_reset_slot(vdev->pdev->slot);
	int ret = 0;

	if (vfio_pci_core_is_merged())
		return vfio_pci_assign_set(vdev);
	mutex_lock(&reflck_lock);
	if (pci_is_root_bus(vdev->pdev->bus) ||
	    vfio_pci_for_each_slot_or_bus(vdev->pdev, vfio_pci_reflck_find, vdev, slot) <= 0) {
		vdev->reflck = vfio_pci_reflck_alloc();
		ret = vdev->reflck ? 0 : -ENOMEM;
	}
	mutex_unlock(&reflck_lock);
	return ret;
}

/* Entered with reflck_lock held; drops it. */
static void vfio_pci_reflck_release(struct kref *kref)
{
	struct vfio_pci_reflck *reflck = container_of(kref, struct vfio_pci_reflck, kref);

	kfree(reflck);
	mutex_unlock(&reflck_lock);
}

/* The merged core lets a device leave its set when its last reference goes. */
void vfio_pci_reflck_put(struct vfio_pci_device *vdev)
{
	if (vdev->reflck)
		kref_put_mutex(&vdev->reflck->kref, vfio_pci_reflck_release, &reflck_lock);
	vdev->reflck = NULL;
}

/* The merged core calls the first open and last close with the set's lock held. */
void vfio_pci_reflck_lock(struct vfio_pci_device *vdev)
{
	if (vdev->reflck)
		mutex_lock(&vdev->reflck->lock);
}

void vfio_pci_reflck_unlock(struct vfio_pci_device *vdev)
{
	if (vdev->reflck)
		mutex_unlock(&vdev->reflck->lock);
}

/* ---- the reset after the last close ---- */

static int vfio_pci_get_unused_devs(struct pci_dev *pdev, void *data)
{
	struct vfio_devices *devs = data;
	int ret = vfio_devices_add(devs, pdev);

	if (ret)
		return ret;
	return devs->devices[devs->cur_index - 1]->refcnt ? -EBUSY : 0;
}

static bool any_needs_reset(const struct vfio_devices *devs)
{
	int i;

	for (i = 0; i < devs->cur_index; i++)
		if (devs->devices[i]->needs_reset)
			return true;
	return false;
}

static void vfio_pci_was_reset(struct vfio_devices *devs, struct vfio_pci_device *vdev)
{
	int i;

	for (i = 0; i < devs->cur_index; i++) {
		devs->devices[i]->needs_reset = false;
		if (devs->devices[i] != vdev && !vfio_pci_disable_idle_d3)
			vfio_pci_set_power_state(devs->devices[i], PCI_D3hot);
	}
}

/*
 * All members of the set, when at most one is open: the one that is just being
 * closed still counts itself. Locks: holds the set's lock.
 */
static int vfio_pci_get_unused_set(struct vfio_devices *devs, struct vfio_pci_device *vdev)
{
	struct vfio_device *device;
	struct list_head *node;
	unsigned int open = 0;

	vfio_for_each_in_set(device, node, vdev->vdev.dev_set) {
		open += vfio_device_open_count(device);
		if (open > 1)
			return -EBUSY;
		if (devs->cur_index == devs->max_index)
			return -ENOSPC;
		if (!vfio_device_try_get_registration(device))
			return -EINVAL;
		devs->devices[devs->cur_index++] = to_vfio_pci(device);
	}
	return devs->cur_index == devs->max_index ? 0 : -EINVAL;
}

/*
 * Reset the whole domain when nobody uses any of it and somebody needs it.
 *
 * Context: may sleep. Locks: holds the reset lock.
 */
void vfio_pci_try_bus_reset(struct vfio_pci_device *vdev)
{
	int slot = vfio_pci_reset_domain(vdev->pdev);
	struct vfio_devices devs;
	int ret;

	if (slot < 0 || vfio_devices_init(&devs, vdev->pdev, slot))
		return;
	if (vfio_pci_core_is_merged())
		ret = vfio_pci_get_unused_set(&devs, vdev);
	else
		ret = vfio_pci_for_each_slot_or_bus(vdev->pdev, vfio_pci_get_unused_devs, &devs,
						    slot);
	if (!ret && any_needs_reset(&devs) && !pci_reset_bus(vdev->pdev))
		vfio_pci_was_reset(&devs, vdev);
	vfio_devices_put(&devs);
}

/* ---- GET_PCI_HOT_RESET_INFO ---- */

struct vfio_pci_fill_info {
	int max;
	int cur;
	struct vfio_pci_dependent_device *devices;
};

static int vfio_pci_fill_devs(struct pci_dev *pdev, void *data)
{
	struct vfio_pci_fill_info *fill = data;
	struct vfio_pci_dependent_device *entry;
	struct iommu_group *group;

	if (fill->cur == fill->max)
		return -EAGAIN;
	group = iommu_group_get(&pdev->dev);
	if (!group)
		return -EPERM;
	entry = &fill->devices[fill->cur++];
	entry->group_id = iommu_group_id(group);
	entry->segment = 0;
	entry->bus = pdev->bus->number;
	entry->devfn = pdev->devfn;
	iommu_group_put(group);
	return 0;
}

static int vfio_pci_fill_info(struct vfio_pci_device *vdev, struct vfio_pci_fill_info *fill,
			      bool slot)
{
	fill->devices = kcalloc(fill->max, sizeof(struct vfio_pci_dependent_device), GFP_KERNEL);
	if (!fill->devices)
		return -ENOMEM;
	return vfio_pci_for_each_slot_or_bus(vdev->pdev, vfio_pci_fill_devs, fill, slot);
}

long vfio_pci_ioctl_hot_reset_info(struct vfio_pci_device *vdev, void __user *arg)
{
	const size_t minsz = sizeof(struct vfio_pci_hot_reset_info);
	struct vfio_pci_fill_info fill = { 0 };
	struct vfio_pci_hot_reset_info hdr;
	int slot, ret = 0;

	if (copy_from_user(&hdr, arg, minsz))
		return -EFAULT;
	if (hdr.argsz < minsz)
		return -EINVAL;
	slot = vfio_pci_reset_domain(vdev->pdev);
	if (slot < 0)
		return slot;
	vfio_pci_for_each_slot_or_bus(vdev->pdev, vfio_pci_count_devs, &fill.max, slot);
	hdr.flags = 0;
	hdr.count = fill.max;
	if (hdr.argsz < minsz + fill.max * sizeof(*fill.devices))
		ret = -ENOSPC;
	else
		ret = vfio_pci_fill_info(vdev, &fill, slot);
	if (!ret)
		hdr.count = fill.cur;

	if (copy_to_user(arg, &hdr, minsz))
		ret = -EFAULT;
	if (!ret && copy_to_user((u8 *)arg + minsz, fill.devices, fill.cur * sizeof(*fill.devices)))
		ret = -EFAULT;
	kfree(fill.devices);
	return ret;
}

/* ---- PCI_HOT_RESET ---- */

/* What the user showed: a group file for each group of the domain. */
struct vfio_pci_owned {
	u32 count;
	int *fds;
	struct vfio_group **groups;	/* port: external users; newest put first */
	struct file **files;		/* merged */
};

/* Refs: +1 external user for each group in the array. */
static int vfio_pci_own_group(struct vfio_pci_owned *owned, int fd)
{
	struct fd f = fdget(fd);
	struct vfio_group *group;

	if (!f.file)
		return -EBADF;
	group = vfio_group_get_external_user(f.file);
	fdput(f);
	if (IS_ERR(group))
		return PTR_ERR(group);
	owned->groups[owned->count++] = group;
	return 0;
}

/* Refs: +1 on each file in the array. */
static int vfio_pci_own_file(struct vfio_pci_owned *owned, int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return -EBADF;
	if (!vfio_file_is_valid(file)) {
		fput(file);
		return -EINVAL;
	}
	owned->files[owned->count++] = file;
	return 0;
}

static void vfio_pci_disown(struct vfio_pci_owned *owned)
{
	while (owned->count-- > 0) {
		if (owned->groups)
			vfio_group_put_external_user(owned->groups[owned->count]);
		else
			fput(owned->files[owned->count]);
	}
	kfree(owned->groups);
	kfree(owned->files);
	kfree(owned->fds);
}

static int vfio_pci_alloc_owned(struct vfio_pci_owned *owned, u32 count)
{
	owned->fds = kcalloc(count, sizeof(int), GFP_KERNEL);
	if (vfio_pci_core_is_merged())
		owned->files = kcalloc(count, sizeof(struct file *), GFP_KERNEL);
	else
		owned->groups = kcalloc(count, sizeof(struct vfio_group *), GFP_KERNEL);
	return owned->fds && (owned->files || owned->groups) ? 0 : -ENOMEM;
}

/* On failure the caller still calls vfio_pci_disown() for what was got by then. */
static int vfio_pci_own(struct vfio_pci_owned *owned, void __user *fds, u32 count)
{
	u32 i;
	int ret;

	ret = vfio_pci_alloc_owned(owned, count);
	if (ret)
		return ret;
	if (copy_from_user(owned->fds, fds, count * sizeof(int)))
		return -EFAULT;
	for (i = 0; i < count && !ret; i++)
		ret = vfio_pci_core_is_merged() ? vfio_pci_own_file(owned, owned->fds[i]) :
						  vfio_pci_own_group(owned, owned->fds[i]);
	return ret;
}

static int vfio_pci_validate_devs(struct pci_dev *pdev, void *data)
{
	struct vfio_pci_owned *owned = data;
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	u32 i;
	int id;

	if (!group)
		return -EPERM;
	id = iommu_group_id(group);
	iommu_group_put(group);
	for (i = 0; i < owned->count; i++)
		if (vfio_external_user_iommu_id(owned->groups[i]) == id)
			return 0;
	return -EINVAL;
}

/* Locks: on success the device keeps what its design's first pass takes. */
static int vfio_pci_try_zap_and_lock(struct pci_dev *pdev, void *data)
{
	struct vfio_devices *devs = data;
	struct vfio_pci_device *vdev;
	int ret = vfio_devices_add(devs, pdev);

	if (ret)
		return ret;
	vdev = devs->devices[devs->cur_index - 1];
	if (vdev->design->hot_reset_prepare(vdev))
		return 0;
	devs->cur_index--;
	vfio_pci_put_bound(vdev);
	return -EBUSY;
}

/* How many devices are locked for memory; short of all when a lock was contended. */
static int vfio_pci_lock_memory(struct vfio_devices *devs)
{
	int i;

	for (i = 0; i < devs->cur_index; i++) {
		if (!devs->devices[i]->design->hot_reset_lock(devs->devices[i]))
			break;
		vfio_pci_check_zapped(devs->devices[i]);
	}
	return i;
}

static void vfio_pci_unlock_memory(struct vfio_devices *devs, int locked)
{
	int i;

	for (i = 0; i < devs->cur_index; i++) {
		struct vfio_pci_device *vdev = devs->devices[i];

		if (i < locked)
			vfio_pci_up_write_memory_lock(vdev);
		else
			vdev->design->hot_reset_abort(vdev);
	}
}

/* All of the domain or nothing: any contention is -EBUSY. */
static int vfio_pci_hot_reset_locked(struct vfio_pci_device *vdev, struct vfio_devices *devs,
				     bool slot)
{
	int locked = 0;
	int ret;

	ret = vfio_pci_for_each_slot_or_bus(vdev->pdev, vfio_pci_try_zap_and_lock, devs, slot);
	if (!ret) {
		locked = vfio_pci_lock_memory(devs);
		ret = locked == devs->cur_index ? pci_reset_bus(vdev->pdev) : -EBUSY;
	}
	vfio_pci_unlock_memory(devs, locked);
	return ret;
}

static int vfio_pci_hot_reset_port(struct vfio_pci_device *vdev, struct vfio_pci_owned *owned,
				   bool slot)
{
	struct vfio_devices devs;
	int ret;

	ret = vfio_pci_for_each_slot_or_bus(vdev->pdev, vfio_pci_validate_devs, owned, slot);
	if (ret)
		return ret;
	ret = vfio_devices_init(&devs, vdev->pdev, slot);
	if (ret)
		return ret;
	ret = vfio_pci_hot_reset_locked(vdev, &devs, slot);
	vfio_devices_put(&devs);
	return ret;
}

static bool vfio_dev_in_files(struct vfio_device *device, const struct vfio_pci_owned *owned)
{
	u32 i;

	for (i = 0; i < owned->count; i++)
		if (vfio_file_has_dev(owned->files[i], device))
			return true;
	return false;
}

static int vfio_pci_set_member(struct pci_dev *pdev, void *data)
{
	struct vfio_device_set *dev_set = data;
	struct vfio_device *device;
	struct list_head *node;

	vfio_for_each_in_set(device, node, dev_set)
		if (to_vfio_pci(device)->pdev == pdev)
			return 0;
	return -EBUSY;
}

static void vfio_pci_set_unlock(struct vfio_device_set *dev_set, struct vfio_device *end)
{
	struct vfio_device *device;
	struct list_head *node;

	vfio_for_each_in_set(device, node, dev_set) {
		if (device == end)
			break;
		vfio_pci_up_write_memory_lock(to_vfio_pci(device));
	}
}

/* Locks: on success memory_lock is held for writing; -EBUSY: nothing is. */
static int vfio_pci_try_zap_and_lock_one(struct vfio_pci_device *vdev)
{
	if (!vdev->design->hot_reset_prepare(vdev))
		return -EBUSY;
	if (!vdev->design->hot_reset_lock(vdev)) {
		vdev->design->hot_reset_abort(vdev);
		return -EBUSY;
	}
	vfio_pci_check_zapped(vdev);
	return 0;
}

/*
 * The merged form: the set's lock keeps the members, so no references are needed.
 *
 * Locks: takes and drops the set's lock, and tries memory_lock of each member.
 */
static int vfio_pci_hot_reset_merged(struct vfio_pci_device *vdev,
				     struct vfio_pci_owned *owned, bool slot)
{
	struct vfio_device_set *dev_set = vdev->vdev.dev_set;
	struct vfio_device *device, *contended = NULL;
	struct list_head *node;
	int ret;

	mutex_lock(&dev_set->lock);
	ret = vfio_pci_for_each_slot_or_bus(vdev->pdev, vfio_pci_set_member, dev_set, slot);
	if (ret) {
		ret = -EINVAL;
		goto out_unlock;
	}
	vfio_for_each_in_set(device, node, dev_set) {
		ret = vfio_dev_in_files(device, owned) ?
			vfio_pci_try_zap_and_lock_one(to_vfio_pci(device)) : -EINVAL;
		if (ret) {
			contended = device;
			break;
		}
	}
	if (!ret)
		ret = pci_reset_bus(vdev->pdev);
	vfio_pci_set_unlock(dev_set, contended);
out_unlock:
	mutex_unlock(&dev_set->lock);
	return ret;
}

/* The order of the tests is VF-172's. */
long vfio_pci_ioctl_hot_reset(struct vfio_pci_device *vdev, void __user *arg)
{
	const size_t minsz = sizeof(struct vfio_pci_hot_reset);
	struct vfio_pci_owned owned = { 0 };
	struct vfio_pci_hot_reset hdr;
	int slot, count = 0, ret;

	if (copy_from_user(&hdr, arg, minsz))
		return -EFAULT;
	if (hdr.argsz < minsz || hdr.flags)
		return -EINVAL;
	slot = vfio_pci_reset_domain(vdev->pdev);
	if (slot < 0)
		return slot;
	vfio_pci_for_each_slot_or_bus(vdev->pdev, vfio_pci_count_devs, &count, slot);
	if (!hdr.count || hdr.count > count)
		return -EINVAL;
	ret = vfio_pci_own(&owned, (u8 *)arg + minsz, hdr.count);
	if (!ret)
		ret = vfio_pci_core_is_merged() ? vfio_pci_hot_reset_merged(vdev, &owned, slot) :
						  vfio_pci_hot_reset_port(vdev, &owned, slot);
	vfio_pci_disown(&owned);
	return ret;
}
