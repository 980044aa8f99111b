// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts as eventfds. Kernel original: drivers/vfio/pci/vfio_pci_intrs.c.
 *
 * Locks: vdev->igate serialises all set-up here, and protects err_trigger and
 * req_trigger. The modelled devices raise no interrupts by themselves; a user
 * can trigger each one, which is how set-up and teardown show.
 */
#include <vfiosim/kapi/slab.h>

#include "engine.h"
#include "vfio_pci_private.h"

int vfio_pci_get_irq_count(struct vfio_pci_device *vdev, int index)
{
	struct pci_dev *pdev = vdev->pdev;
	u16 flags;

	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return pdev->pin && !vdev->nointx && !pdev->is_virtfn;
	case VFIO_PCI_MSI_IRQ_INDEX:
		return pdev->msi_cap ? 1 : 0;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		if (!pdev->msix_cap)
			return 0;
		pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &flags);
		return (flags & PCI_MSIX_FLAGS_QSIZE) + 1;
	case VFIO_PCI_ERR_IRQ_INDEX:
		return pdev->pcie_cap ? 1 : 0;
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

/* ---- the device's own interrupts: one kind at a time ---- */

static void vfio_irq_set_trigger(struct vfio_pci_irq_ctx *ctx, struct eventfd_ctx *trigger)
{
	if (ctx->trigger)
		eventfd_ctx_put(ctx->trigger);
	ctx->trigger = trigger;
}

static void vfio_irq_disable(struct vfio_pci_device *vdev)
{
	int i;

	for (i = 0; i < vdev->num_ctx; i++)
		vfio_irq_set_trigger(&vdev->ctx[i], NULL);
	kfree(vdev->ctx);
	vdev->ctx = NULL;
	vdev->num_ctx = 0;
	vdev->irq_type = VFIO_PCI_NUM_IRQS;
}

static int vfio_irq_enable(struct vfio_pci_device *vdev, int index, int count)
{
	if (vdev->irq_type != VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	vdev->ctx = kcalloc(count, sizeof(struct vfio_pci_irq_ctx), GFP_KERNEL);
	if (!vdev->ctx)
		return -ENOMEM;
	vdev->num_ctx = count;
	vdev->irq_type = index;
	return 0;
}

/* Replace one trigger; fd -1 only takes the old one away. Refs: +1 on the new context. */
static int vfio_irq_set_one(struct vfio_pci_device *vdev, unsigned int vector, int fd)
{
	struct eventfd_ctx *trigger = NULL;

	if (vector >= vdev->num_ctx)
		return -EINVAL;
	if (fd >= 0) {
		trigger = eventfd_ctx_fdget(fd);
		if (IS_ERR(trigger)) {
			vfio_irq_set_trigger(&vdev->ctx[vector], NULL);
			return PTR_ERR(trigger);
		}
	}
	vfio_irq_set_trigger(&vdev->ctx[vector], trigger);
	return 0;
}

/* All of a block, or none of it: a failure takes the earlier ones away again. */
static int vfio_irq_set_block(struct vfio_pci_device *vdev, unsigned int start,
			      unsigned int count, const int *fds)
{
	unsigned int i;
	int ret = 0;

	if (start >= vdev->num_ctx || start + count > vdev->num_ctx)
		return -EINVAL;
	for (i = 0; i < count && !ret; i++)
		ret = vfio_irq_set_one(vdev, start + i, fds ? fds[i] : -1);
	while (ret && i-- > 0)
		vfio_irq_set_one(vdev, start + i, -1);
	return ret;
}

static void vfio_irq_fire(struct vfio_pci_device *vdev, unsigned int vector)
{
	struct vfio_pci_irq_ctx *ctx = &vdev->ctx[vector];

	if (ctx->trigger && !ctx->masked)
		eventfd_signal(ctx->trigger, 1);
}

static int vfio_irq_fire_block(struct vfio_pci_device *vdev, unsigned int index,
			       unsigned int start, unsigned int count, const u8 *bools)
{
	unsigned int i;

	if (vdev->irq_type != (int)index || start + count > vdev->num_ctx)
		return -EINVAL;
	for (i = start; i < start + count; i++)
		if (!bools || bools[i - start])
			vfio_irq_fire(vdev, i);
	return 0;
}

/* INTx, MSI and MSI-X differ in how many there are and in what a first user sets up. */
static int vfio_pci_set_trigger(struct vfio_pci_device *vdev, unsigned int index,
				unsigned int start, unsigned int count, u32 flags, void *data)
{
	int ret;

	if (vdev->irq_type == (int)index && !count && (flags & VFIO_IRQ_SET_DATA_NONE)) {
		vfio_irq_disable(vdev);
		return 0;
	}
	if (vdev->irq_type != (int)index && vdev->irq_type != VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (!(flags & VFIO_IRQ_SET_DATA_EVENTFD))
		return vfio_irq_fire_block(vdev, index, start, count,
					   flags & VFIO_IRQ_SET_DATA_BOOL ? data : NULL);
	if (vdev->irq_type == (int)index)
		return vfio_irq_set_block(vdev, start, count, data);
	ret = vfio_irq_enable(vdev, index, start + count);
	if (ret)
		return ret;
	ret = vfio_irq_set_block(vdev, start, count, data);
	if (ret)
		vfio_irq_disable(vdev);
	return ret;
}

static int vfio_pci_set_intx_mask(struct vfio_pci_device *vdev, unsigned int start,
				  unsigned int count, u32 flags, void *data, bool mask)
{
	if (vdev->irq_type != VFIO_PCI_INTX_IRQ_INDEX || start || count != 1)
		return -EINVAL;
	if (flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return -ENOTTY;		/* unmasking by eventfd needs irqfd, see model.md */
	if ((flags & VFIO_IRQ_SET_DATA_NONE) || *(u8 *)data)
		vdev->ctx[0].masked = mask;
	return 0;
}

/* ---- errors and requests: one eventfd each, outside the one-kind rule ---- */

static void vfio_pci_put_trigger(struct eventfd_ctx **ctx)
{
	if (*ctx)
		eventfd_ctx_put(*ctx);
	*ctx = NULL;
}

/* Refs: the new context's reference replaces the old one's. */
static int vfio_pci_set_ctx_eventfd(struct eventfd_ctx **ctx, int fd)
{
	struct eventfd_ctx *fresh;

	if (fd == -1) {
		vfio_pci_put_trigger(ctx);
		return 0;
	}
	if (fd < 0)
		return -EINVAL;
	fresh = eventfd_ctx_fdget(fd);
	if (IS_ERR(fresh))
		return PTR_ERR(fresh);
	vfio_pci_put_trigger(ctx);
	*ctx = fresh;
	return 0;
}

/* Locks: holds igate. The rules are VF-174's. */
static int vfio_pci_set_ctx_trigger_single(struct eventfd_ctx **ctx, unsigned int count,
					   u32 flags, void *data)
{
	if (flags & VFIO_IRQ_SET_DATA_NONE) {
		if (!*ctx)
			return -EINVAL;
		if (count)
			eventfd_signal(*ctx, 1);
		else
			vfio_pci_put_trigger(ctx);
		return 0;
	}
	if (!count)
		return -EINVAL;
	if (flags & VFIO_IRQ_SET_DATA_BOOL) {
		if (*(u8 *)data && *ctx)
			eventfd_signal(*ctx, 1);
		return 0;
	}
	return vfio_pci_set_ctx_eventfd(ctx, *(int *)data);
}

static int vfio_pci_set_single(struct eventfd_ctx **ctx, unsigned int start,
			       unsigned int count, u32 flags, void *data)
{
	if (start || count > 1)
		return -EINVAL;
	return vfio_pci_set_ctx_trigger_single(ctx, count, flags, data);
}

/* Locks: holds igate. */
int vfio_pci_set_irqs_ioctl(struct vfio_pci_device *vdev, u32 flags, unsigned int index,
			    unsigned int start, unsigned int count, void *data)
{
	u32 action = flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;

	lockdep_assert_held(&vdev->igate);
	if (index == VFIO_PCI_INTX_IRQ_INDEX && action != VFIO_IRQ_SET_ACTION_TRIGGER)
		return vfio_pci_set_intx_mask(vdev, start, count, flags, data,
					      action == VFIO_IRQ_SET_ACTION_MASK);
	if (action != VFIO_IRQ_SET_ACTION_TRIGGER)
		return -ENOTTY;
	if (index == VFIO_PCI_ERR_IRQ_INDEX)
		return vdev->pdev->pcie_cap ?
		       vfio_pci_set_single(&vdev->err_trigger, start, count, flags, data) :
		       -ENOTTY;
	if (index == VFIO_PCI_REQ_IRQ_INDEX)
		return vfio_pci_set_single(&vdev->req_trigger, start, count, flags, data);
	if (index >= VFIO_PCI_NUM_IRQS)
		return -ENOTTY;
	return vfio_pci_set_trigger(vdev, index, start, count, flags, data);
}

/* Last close: what the device raised goes away with its contexts. */
void vfio_pci_disable_irqs(struct vfio_pci_device *vdev)
{
	if (vdev->irq_type != VFIO_PCI_NUM_IRQS)
		vfio_irq_disable(vdev);
}

/* Locks: takes and drops igate, against a request that is being relayed (VF-264). */
void vfio_pci_put_triggers(struct vfio_pci_device *vdev)
{
	mutex_lock(&vdev->igate);
	vfio_pci_put_trigger(&vdev->err_trigger);
	vfio_pci_put_trigger(&vdev->req_trigger);
	mutex_unlock(&vdev->igate);
}
