// SPDX-License-Identifier: GPL-2.0-only
/* The helpers of drivers: chains of info capabilities (VF-138) and SET_IRQS (VF-139). */
#include <vfiosim/kapi.h>
#include <vfiosim/kapi/vfio.h>

#include "simtest.h"

#define ITEM 24		/* bytes of one capability, header included */

static struct vfio_info_cap_header *at(const struct vfio_info_cap *caps, size_t offset)
{
	return (struct vfio_info_cap_header *)((char *)caps->buf + offset);
}

/* VF-138: zeroed, linked at the tail by byte offset. */
static void grow(void *unused)
{
	struct vfio_info_cap caps = { .buf = NULL, .size = 0 };
	struct {
		struct vfio_info_cap_header header;
		u64 value;
	} given = { .header = { .id = 9, .version = 2, .next = 77 }, .value = 0x1234 };
	struct vfio_info_cap_header *header;

	header = vfio_info_cap_add(&caps, ITEM, 3, 1);
	vfiosim_expect(header == caps.buf && caps.size == ITEM);
	vfiosim_expect(header->id == 3 && header->version == 1 && !header->next);
	vfiosim_expect(!((u8 *)header)[ITEM - 1]);
	header = vfio_info_cap_add(&caps, ITEM, 4, 1);
	vfiosim_expect(caps.size == 2 * ITEM && header == at(&caps, ITEM));
	vfiosim_expect(vfio_info_add_capability(&caps, &given.header, sizeof(given)) == 0);
	vfiosim_expect(at(&caps, 0)->next == ITEM && at(&caps, ITEM)->next == 2 * ITEM);
	/* The link is the chain's own, the rest a copy. */
	header = at(&caps, 2 * ITEM);
	vfiosim_expect(header->id == 9 && header->version == 2 && !header->next);
	vfiosim_expect(*(u64 *)(header + 1) == 0x1234);

	vfio_info_cap_shift(&caps, 100);
	vfiosim_expect(at(&caps, 0)->next == 100 + ITEM);
	vfiosim_expect(at(&caps, ITEM)->next == 100 + 2 * ITEM && !header->next);
	kfree(caps.buf);
}

START_TEST(capabilities_are_linked_by_offset_at_the_tail)
{
	assert_runs(grow);
}
END_TEST

/* VF-138, VF-348: the buffer is freed; only 6.12 forgets it. */
static void grow_without_memory(void *unused)
{
	struct vfio_info_cap caps = { .buf = NULL, .size = 0 };
	struct vfio_info_cap_header *header;
	void *first;

	header = vfio_info_cap_add(&caps, ITEM, 3, 1);
	first = caps.buf;
	if (!IS_ERR(header))
		header = vfio_info_cap_add(&caps, ITEM, 4, 1);
	if (!IS_ERR(header)) {
		kfree(caps.buf);
		return;
	}
	vfiosim_expect(PTR_ERR(header) == -ENOMEM && !caps.size);
	vfiosim_expect(caps.buf == (kernel_version >= KERNEL_6_12 ? NULL : first));
}

START_TEST(a_chain_that_cannot_grow_is_freed)
{
	const struct vfiosim_scenario scenario = {
		.name = "grow", .tasks = { { "T1", grow_without_memory } },
		.kernel = _i ? VFIOSIM_KERNEL_6_12 : VFIOSIM_KERNEL_5_14,
	};

	assert_scenario_survives_faults(&scenario, 2);
}
END_TEST

#define MINSZ 20
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER
#define NO_SIZE ((size_t)-1)	/* the caller passes no place for the payload's size */

static const struct {
	const char *what;
	struct vfio_irq_set hdr;
	int ret;
	size_t size;
} requests[] = {
	{ "no data", { .argsz = MINSZ, .flags = TRIGGER | VFIO_IRQ_SET_DATA_NONE, .index = 1,
	    .start = 0, .count = 4 }, 0, 0 },
	{ "bytes", { .argsz = MINSZ + 3, .flags = TRIGGER | VFIO_IRQ_SET_DATA_BOOL, .index = 1,
	    .start = 1, .count = 3 }, 0, 3 },
	{ "descriptors", { .argsz = MINSZ + 8, .flags = TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD,
	    .index = 1, .start = 2, .count = 2 }, 0, 8 },
	{ "no data, no place", { .argsz = MINSZ, .flags = TRIGGER | VFIO_IRQ_SET_DATA_NONE,
	    .index = 1, .start = 0, .count = 4 }, 0, NO_SIZE },
	{ "argsz too small", { .argsz = MINSZ - 1, .flags = TRIGGER | VFIO_IRQ_SET_DATA_NONE,
	    .index = 1, .start = 0, .count = 1 }, -EINVAL, 0 },
	{ "index out of range", { .argsz = MINSZ, .flags = TRIGGER | VFIO_IRQ_SET_DATA_NONE,
	    .index = 5, .start = 0, .count = 1 }, -EINVAL, 0 },
	{ "a count that overflows", { .argsz = MINSZ, .flags = TRIGGER | VFIO_IRQ_SET_DATA_NONE,
	    .index = 1, .start = 1, .count = UINT_MAX - 1 }, -EINVAL, 0 },
	{ "unknown flags", { .argsz = MINSZ, .flags = TRIGGER | VFIO_IRQ_SET_DATA_NONE | 1 << 6,
	    .index = 1, .start = 0, .count = 1 }, -EINVAL, 0 },
	{ "start out of range", { .argsz = MINSZ, .flags = TRIGGER | VFIO_IRQ_SET_DATA_NONE,
	    .index = 1, .start = 4, .count = 0 }, -EINVAL, 0 },
	{ "end out of range", { .argsz = MINSZ, .flags = TRIGGER | VFIO_IRQ_SET_DATA_NONE,
	    .index = 1, .start = 3, .count = 2 }, -EINVAL, 0 },
	{ "no data type", { .argsz = MINSZ, .flags = TRIGGER, .index = 1, .start = 0, .count = 1 },
	  -EINVAL, 0 },
	{ "two data types", { .argsz = MINSZ + 4, .index = 1, .start = 0, .count = 1, .flags =
	    TRIGGER | VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_DATA_EVENTFD }, -EINVAL, 0 },
	{ "payload cut off", { .argsz = MINSZ + 7, .flags = TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD,
	    .index = 1, .start = 0, .count = 2 }, -EINVAL, 0 },
	{ "payload without a place", { .argsz = MINSZ + 1, .flags = TRIGGER |
	    VFIO_IRQ_SET_DATA_BOOL, .index = 1, .start = 0, .count = 1 }, -EINVAL, NO_SIZE },
};

/* VF-139 */
START_TEST(irq_requests_are_checked_field_by_field)
{
	struct vfio_irq_set hdr = requests[_i].hdr;
	bool no_place = requests[_i].size == NO_SIZE;
	size_t size = 1234;
	int ret;

	ret = vfio_set_irqs_validate_and_prepare(&hdr, 4, 5, no_place ? NULL : &size);
	ck_assert_msg(ret == requests[_i].ret, "%s: %d", requests[_i].what, ret);
	if (!ret && !no_place)
		ck_assert_msg(size == requests[_i].size, "%s: %zu bytes", requests[_i].what, size);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vfio_helpers");
	TCase *tcase = tcase_create("helpers");

	tcase_add_test(tcase, capabilities_are_linked_by_offset_at_the_tail);
	tcase_add_loop_test(tcase, a_chain_that_cannot_grow_is_freed, 0, 2);
	tcase_add_loop_test(tcase, irq_requests_are_checked_field_by_field, 0,
			    ARRAY_SIZE(requests));
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
