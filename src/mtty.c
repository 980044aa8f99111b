// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sample mdev driver with a page of registers for each device.
 * Kernel original: samples/vfio-mdev/mtty.c, without its serial ports.
 *
 * state->lock protects the registers. No lock order beyond that.
 *
 * The 5.14 sample frees its state but not the register page when registration
 * fails (VF-253): kept, since that error became easy to reach.
 */
#include <linux/vfio.h>

#include <vfiosim/kapi/mdev.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/uaccess.h>
#include <vfiosim/kapi/vfio.h>
#include <vfiosim/kapi/vfio_core_select.h>

#define MTTY_REGISTERS 64

struct mdev_state {
	struct vfio_device vdev;	/* first: the merged core allocates it */
	struct mutex lock;
	u8 *vconfig;
	unsigned int open_count;
};

static struct device *mtty_dev KSTATE;

static bool core_is_merged(void)
{
	return vfio_core_allocates();
}

static struct mdev_state *to_mdev_state(struct vfio_device *device)
{
	return container_of(device, struct mdev_state, vdev);
}

static int mtty_open(struct vfio_device *device)
{
	to_mdev_state(device)->open_count++;
	return 0;
}

static void mtty_close(struct vfio_device *device)
{
	to_mdev_state(device)->open_count--;
}

static ssize_t mtty_access(struct mdev_state *state, char __user *buf, size_t count,
			   loff_t *ppos, bool iswrite)
{
	u8 *at = state->vconfig + *ppos;
	unsigned long left;

	if (*ppos < 0 || *ppos >= MTTY_REGISTERS)
		return -EINVAL;
	if (count > MTTY_REGISTERS - *ppos)
		count = MTTY_REGISTERS - *ppos;
	mutex_lock(&state->lock);
	left = iswrite ? copy_from_user(at, buf, count) : copy_to_user(buf, at, count);
	mutex_unlock(&state->lock);
	if (left)
		return -EFAULT;
	*ppos += count;
	return count;
}

static ssize_t mtty_read(struct vfio_device *device, char __user *buf, size_t count,
			 loff_t *ppos)
{
	return mtty_access(to_mdev_state(device), buf, count, ppos, false);
}

static ssize_t mtty_write(struct vfio_device *device, const char __user *buf, size_t count,
			  loff_t *ppos)
{
	return mtty_access(to_mdev_state(device), (char __user *)buf, count, ppos, true);
}

static long mtty_ioctl(struct vfio_device *device, unsigned int cmd, unsigned long arg)
{
	const size_t minsz = offsetof(struct vfio_device_info, cap_offset);
	struct vfio_device_info info;

	if (cmd != VFIO_DEVICE_GET_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, (void __user *)arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user((void __user *)arg, &info, minsz) ? -EFAULT : 0;
}

static const struct vfio_device_ops mtty_dev_ops = {
	.name = "vfio-mtty",
	.open = mtty_open,
	.release = mtty_close,
	.read = mtty_read,
	.write = mtty_write,
	.ioctl = mtty_ioctl,
};

/* Merged: nothing to do at the object's end that remove has not done. */
static void mtty_release_dev(struct vfio_device *device)
{
	kfree(to_mdev_state(device)->vconfig);
}

static int mtty_init_dev(struct vfio_device *device)
{
	struct mdev_state *state = to_mdev_state(device);

	mutex_init(&state->lock);
	state->vconfig = kzalloc(MTTY_REGISTERS, GFP_KERNEL);
	return state->vconfig ? 0 : -ENOMEM;
}

static const struct vfio_device_ops mtty_merged_ops = {
	.name = "vfio-mtty",
	.init = mtty_init_dev,
	.release = mtty_release_dev,
	.open_device = mtty_open,
	.close_device = mtty_close,
	.read = mtty_read,
	.write = mtty_write,
	.ioctl = mtty_ioctl,
};

static int mtty_probe_port(struct mdev_device *mdev)
{
	struct mdev_state *state;
	int ret;

	state = kzalloc(sizeof(struct mdev_state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	vfio_init_group_dev(&state->vdev, &mdev->dev, &mtty_dev_ops);
	ret = mtty_init_dev(&state->vdev);
	if (ret) {
		kfree(state);
		return ret;
	}
	ret = vfio_register_group_dev(&state->vdev);
	if (ret) {
		kfree(state);	/* and not state->vconfig: VF-253 */
		return ret;
	}
	dev_set_drvdata(&mdev->dev, state);
	return 0;
}

static int mtty_probe_merged(struct mdev_device *mdev)
{
	struct vfio_device *device;
	int ret;

	device = _vfio_alloc_device(sizeof(struct mdev_state), "mdev_state", &mdev->dev,
				    &mtty_merged_ops);
	if (IS_ERR(device))
		return PTR_ERR(device);
	ret = vfio_register_emulated_iommu_dev(device);
	if (ret) {
		vfio_put_device(device);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, to_mdev_state(device));
	return 0;
}

static int mtty_probe(struct mdev_device *mdev)
{
	return core_is_merged() ? mtty_probe_merged(mdev) : mtty_probe_port(mdev);
}

/* Context: may sleep without bound: for as long as anybody uses the device. */
static void mtty_remove(struct mdev_device *mdev)
{
	struct mdev_state *state = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&state->vdev);
	if (core_is_merged()) {
		vfio_put_device(&state->vdev);
		return;
	}
	kfree(state->vconfig);
	kfree(state);
}

static struct mdev_driver mtty_driver KSTATE = {
	.driver = { .name = "mtty" },
	.probe = mtty_probe,
	.remove = mtty_remove,
};

static const struct mdev_parent_ops mdev_fops = {
	.device_driver = &mtty_driver,
};

static void mtty_device_release(struct device *dev)
{
	kfree(dev);
}

static struct device *mtty_create_parent(void)
{
	struct device *dev = kzalloc(sizeof(struct device), GFP_KERNEL);

	if (!dev)
		return NULL;
	device_initialize(dev);
	dev->release = mtty_device_release;
	if (!dev_set_name(dev, "mtty") && !device_add(dev))
		return dev;
	put_device(dev);
	return NULL;
}

/* The parent device, or ERR_PTR with nothing left. */
struct device *mtty_init(void)
{
	int ret = mdev_init();

	if (ret)
		return ERR_PTR(ret);
	ret = mdev_register_driver(&mtty_driver);
	if (ret)
		goto err_exit;
	mtty_dev = mtty_create_parent();
	ret = mtty_dev ? mdev_register_device(mtty_dev, &mdev_fops) : -ENOMEM;
	if (!ret)
		return mtty_dev;
	if (mtty_dev)
		device_unregister(mtty_dev);
	mdev_unregister_driver(&mtty_driver);
err_exit:
	mdev_exit();
	return ERR_PTR(ret);
}

/* Context: may sleep without bound. */
void mtty_exit(void)
{
	mdev_unregister_device(mtty_dev);
	mdev_unregister_driver(&mtty_driver);
	device_unregister(mtty_dev);
	mtty_dev = NULL;
	mdev_exit();
}
