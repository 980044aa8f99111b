// SPDX-License-Identifier: GPL-2.0-only
/* Claims of physical ranges, windows of devices, and kernel mappings of them. */
#include <vfiosim/kapi.h>
#include <vfiosim/kapi/io.h>

#include "simtest.h"

static struct resource range(phys_addr_t start, phys_addr_t end, unsigned long flags)
{
	return (struct resource){ .start = start, .end = end, .flags = flags };
}

/* VF-155: an overlap is refused, to the byte; memory and ports are apart. */
static void claims(void *unused)
{
	struct resource a = range(0x1000, 0x1fff, IORESOURCE_MEM);
	struct resource touches = range(0x2000, 0x2fff, IORESOURCE_MEM);
	struct resource overlaps = range(0x1fff, 0x27ff, IORESOURCE_MEM);
	struct resource ports = range(0x1000, 0x1fff, IORESOURCE_IO);

	vfiosim_expect(request_resource(&a) == 0);
	vfiosim_expect(request_resource(&overlaps) == -EBUSY);
	vfiosim_expect(request_resource(&touches) == 0);
	vfiosim_expect(request_resource(&ports) == 0);
	release_resource(&a);
	vfiosim_expect(request_resource(&overlaps) == -EBUSY);
	release_resource(&touches);
	vfiosim_expect(request_resource(&overlaps) == 0);
	release_resource(&overlaps);
	release_resource(&ports);
}

START_TEST(two_claims_never_share_a_byte)
{
	assert_runs(claims);
}
END_TEST

static struct {
	u64 last_offset, last_value;
	unsigned int last_size;
	bool answers;
} device KSTATE;

static bool device_io(struct iomem_window *window, u64 offset, bool write, u64 *value,
		      unsigned int size)
{
	if (!device.answers)
		return false;
	device.last_offset = offset;
	device.last_size = size;
	if (write)
		device.last_value = *value;
	else
		*value = device.last_value;
	return true;
}

/* All ones of the access's width where nothing decodes. */
static void windows(void *unused)
{
	struct iomem_window window = { .start = 0x8000, .size = 0x1000, .io = device_io };
	u64 value = 0;
	void *cookie;

	device.answers = true;
	iomem_add(&window);
	cookie = ioremap(0x8000, 0x1000);
	vfiosim_expect(cookie);
	iowrite(cookie, 0x10, 0xabcd, 2);
	vfiosim_expect(device.last_offset == 0x10 && device.last_size == 2);
	vfiosim_expect(ioread(cookie, 0xffc, 4) == 0xabcd && device.last_offset == 0xffc);
	vfiosim_expect(!iomem_access(0x9000, false, &value, 4) && value == 0xffffffff);
	device.answers = false;
	vfiosim_expect(ioread(cookie, 0, 1) == 0xff && ioread(cookie, 0, 8) == ~0ULL);
	device.answers = true;
	iounmap(cookie);
	iomem_remove(&window);
	vfiosim_expect(!iomem_access(0x8000, false, &value, 2) && value == 0xffff);
}

START_TEST(a_window_gets_offsets_and_what_is_beyond_reads_as_ones)
{
	assert_runs(windows);
}
END_TEST

static void claim_and_map(void *unused)
{
	struct resource a = range(0x1000, 0x1fff, IORESOURCE_MEM);
	void *cookie;

	if (request_resource(&a))
		return;
	cookie = ioremap(a.start, resource_size(&a));
	if (cookie)
		iounmap(cookie);
	release_resource(&a);
}

START_TEST(claiming_and_mapping_can_fail)
{
	static const struct vfiosim_scenario scenario = {
		.name = "claim-and-map", .tasks = { { "T1", claim_and_map } },
	};

	assert_scenario_survives_faults(&scenario, 2);
}
END_TEST


static int winners KSTATE;

static void claim(void *unused)
{
	struct resource mine = range(0x1800, 0x18ff, IORESOURCE_MEM);

	if (request_resource(&mine))
		return;
	winners++;
	cond_resched();
	vfiosim_expect(winners == 1);
	winners--;
	release_resource(&mine);
}

/* VF-270: who comes second gets -EBUSY, whatever it wanted the range for. */
START_TEST(of_two_claims_one_wins)
{
	static const struct vfiosim_scenario scenario = {
		.name = "two-claims",
		.tasks = { { "T1", claim }, { "T2", claim } },
	};

	assert_scenario_ok_random(&scenario, 50);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("iomem");
	TCase *tcase = tcase_create("iomem");

	tcase_add_test(tcase, two_claims_never_share_a_byte);
	tcase_add_test(tcase, a_window_gets_offsets_and_what_is_beyond_reads_as_ones);
	tcase_add_test(tcase, claiming_and_mapping_can_fail);
	tcase_add_test(tcase, of_two_claims_one_wins);
	suite_add_tcase(suite, tcase);
	return simtest_main(suite);
}
