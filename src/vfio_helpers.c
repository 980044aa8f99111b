// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers for drivers' ioctls: chains of info capabilities, and the checks of
 * VFIO_DEVICE_SET_IRQS. The same for both cores; a caller's data only, no locks.
 *
 * Follows the end of drivers/vfio/vfio.c, 5.14-rc.
 */
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/vfio.h>

static struct vfio_info_cap_header *vfio_info_cap_at(struct vfio_info_cap *caps, size_t offset)
{
	return (void *)((char *)caps->buf + offset);
}

/*
 * Room for one more capability at the end of the chain, zeroed but for its
 * header. Offsets, not pointers, link the chain: the buffer moves as it grows.
 *
 * Refs: the buffer is the caller's to free; on failure it is freed here, and
 *       5.14 leaves caps->buf pointing at it (VF-138).
 */
struct vfio_info_cap_header *vfio_info_cap_add(struct vfio_info_cap *caps, size_t size, u16 id,
					       u16 version)
{
	struct vfio_info_cap_header *header, *last;
	void *buf;

	buf = krealloc(caps->buf, caps->size + size, GFP_KERNEL);
	if (!buf) {
		kfree(caps->buf);
		if (kernel_version >= KERNEL_6_12)
			caps->buf = NULL;
		caps->size = 0;
		return ERR_PTR(-ENOMEM);
	}

	caps->buf = buf;
	header = vfio_info_cap_at(caps, caps->size);
	memset(header, 0, size);
	header->id = id;
	header->version = version;

	if (caps->size) {
		last = caps->buf;
		while (last->next)
			last = vfio_info_cap_at(caps, last->next);
		last->next = caps->size;
	}
	caps->size += size;
	return header;
}

/* The chain will be copied to @offset of the user's buffer: its links say so. */
void vfio_info_cap_shift(struct vfio_info_cap *caps, size_t offset)
{
	struct vfio_info_cap_header *header = caps->buf;
	u32 next;

	for (next = header->next; next; next = header->next) {
		header->next = next + offset;
		header = vfio_info_cap_at(caps, next);
	}
}

int vfio_info_add_capability(struct vfio_info_cap *caps, struct vfio_info_cap_header *cap,
			     size_t size)
{
	struct vfio_info_cap_header *header;

	header = vfio_info_cap_add(caps, size, cap->id, cap->version);
	if (IS_ERR(header))
		return PTR_ERR(header);
	memcpy(header + 1, cap + 1, size - sizeof(*header));
	return 0;
}

/* Bytes of payload for each interrupt, or -EINVAL unless exactly one type is named. */
static int vfio_set_irqs_item_size(u32 flags)
{
	switch (flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		return sizeof(u8);
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return sizeof(s32);
	default:
		return -EINVAL;
	}
}

int vfio_set_irqs_validate_and_prepare(struct vfio_irq_set *hdr, int num_irqs, int max_irq_type,
				       size_t *data_size)
{
	const unsigned long minsz = offsetof(struct vfio_irq_set, count) + sizeof(hdr->count);
	const u32 known = VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK;
	int size;

	if (hdr->argsz < minsz || hdr->index >= (u32)max_irq_type ||
	    hdr->count >= UINT_MAX - hdr->start || (hdr->flags & ~known))
		return -EINVAL;
	if (data_size)
		*data_size = 0;
	if (hdr->start >= (u32)num_irqs || hdr->start + hdr->count > (u32)num_irqs)
		return -EINVAL;

	size = vfio_set_irqs_item_size(hdr->flags);
	if (size < 0)
		return size;
	if (size) {
		if (hdr->argsz - minsz < (u64)hdr->count * size || !data_size)
			return -EINVAL;
		*data_size = (size_t)hdr->count * size;
	}
	return 0;
}
