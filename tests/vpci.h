/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One vfio-pci device with a user, for tests of the driver. The parameters of a
 * run lie in variables of the test, set before it: they are not kernel state.
 */
#ifndef TESTS_VPCI_H
#define TESTS_VPCI_H

#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>

#include <vfiosim.h>

#include "simtest.h"

#define VPCI_PAGE 0x1000UL
#define VPCI_BAR (16 * VPCI_PAGE)
#define VPCI_CONFIG (7ULL << 40)
#define VPCI_REGION(index) ((uint64_t)(index) << 40)

struct vpci {
	struct vfiosim_device *device;
	struct vfiosim_process *alice;
	struct vfiosim_user user;
	int64_t bar;
};

/* What the next run is made of. */
static struct vpci_run {
	enum vfiosim_kernel kernel;
	const char *core;
	enum vfiosim_design design;
	unsigned int resets;
	bool has_pm;
	const char *tolerate;
} vpci_run;

__attribute__((unused))
static const struct vpci_run vpci_list_5_14 = { VFIOSIM_KERNEL_5_14, "port", VFIOSIM_VMA_LIST };
__attribute__((unused))
static const struct vpci_run vpci_list_6_1 = { VFIOSIM_KERNEL_6_1, "port", VFIOSIM_VMA_LIST };
__attribute__((unused))
static const struct vpci_run vpci_space_5_14 = {
	VFIOSIM_KERNEL_5_14, "port", VFIOSIM_ADDRESS_SPACE };
/* Patch 3 of the series: a fault fills the whole mapping. */
__attribute__((unused))
static const struct vpci_run vpci_whole_5_14 = {
	VFIOSIM_KERNEL_5_14, "port", VFIOSIM_ADDRESS_SPACE_WHOLE };
__attribute__((unused))
static const struct vpci_run vpci_space_6_12 = {
	VFIOSIM_KERNEL_6_12, "merged", VFIOSIM_ADDRESS_SPACE };

__attribute__((unused))
static const struct {
	const char *name;
	const struct vpci_run *run;
} vpci_designs[] = {
	{ "vma list, 5.14", &vpci_list_5_14 },
	{ "vma list, 6.1", &vpci_list_6_1 },
	{ "address space, 5.14 core", &vpci_space_5_14 },
	{ "address space, whole mappings", &vpci_whole_5_14 },
	{ "address space, 6.12 core", &vpci_space_6_12 },
};
#define VPCI_DESIGNS (int)(sizeof(vpci_designs) / sizeof(*vpci_designs))
#define vpci_add(tcase, test) tcase_add_loop_test(tcase, test, 0, VPCI_DESIGNS)

/* Entering D3 is a trigger for all but 5.14's own driver and patch 3 (VF-171, VF-182). */
__attribute__((unused))
static bool vpci_d3_zaps(const struct vpci_run *run)
{
	return run->kernel != VFIOSIM_KERNEL_5_14 || run->design == VFIOSIM_ADDRESS_SPACE;
}

static struct vfiosim_device *vpci_plug(const char *name)
{
	return vfiosim_plug(&(struct vfiosim_device_desc){
		.name = name, .design = vpci_run.design,
		.resets = vpci_run.resets, .has_pm = vpci_run.has_pm,
		.bars = { [0] = { .size = 0x100 },
			  [2] = { .size = VPCI_BAR, .flags = VFIOSIM_BAR_64BIT | VFIOSIM_BAR_RAM },
			  [4] = { .size = 0x40, .flags = VFIOSIM_BAR_IO } } });
}

/* Binds, opens, and maps BAR 2. */
static void vpci_setup(void *fixture)
{
	struct vpci *v = fixture;

	v->device = vpci_plug("0000:01:00.0");
	v->alice = vfiosim_process("alice");
	vfiosim_expect(v->device && vfiosim_bind(NULL, v->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&v->user, v->alice, v->device) == 0);
	v->bar = vfiosim_bar_map(v->alice, v->user.device, 2);
	vfiosim_expect(v->bar > 0);
}

__attribute__((unused))
static void vpci_run_one(void (*body)(void *fixture), const struct vpci_run *run,
			 const char *detector)
{
	struct vfiosim_scenario scenario = {
		.name = "vfio-pci", .fixture_size = sizeof(struct vpci),
		.kernel = run->kernel, .core = run->core, .tolerate = run->tolerate,
		.setup = vpci_setup, .tasks = { { "alice", body } },
	};

	vpci_run = *run;
	if (detector)
		assert_scenario_detects(detector, &scenario);
	else
		assert_scenario_ok(&scenario);
}

__attribute__((unused))
static int vpci_config_write(struct vpci *v, unsigned int where, uint32_t value, size_t size)
{
	ssize_t done = vfiosim_pwrite(v->alice, v->user.device, &value, size,
				      VPCI_CONFIG + where);

	return done == (ssize_t)size ? 0 : (int)done;
}

__attribute__((unused))
static uint32_t vpci_config_read(struct vpci *v, unsigned int where, size_t size)
{
	uint32_t value = 0;

	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, &value, size,
				     VPCI_CONFIG + where) == (ssize_t)size);
	return value;
}

/* Where a capability lies, found as a user finds it; 0: nowhere. */
__attribute__((unused))
static unsigned int vpci_capability(struct vpci *v, unsigned int id)
{
	unsigned int where = vpci_config_read(v, PCI_CAPABILITY_LIST, 1);

	while (where && vpci_config_read(v, where, 1) != id)
		where = vpci_config_read(v, where + 1, 1);
	return where;
}

/* How many of the first @pages pages of @address have an entry. */
__attribute__((unused))
static unsigned int vpci_present(struct vpci *v, uint64_t address, unsigned int pages)
{
	unsigned int present = 0;

	for (unsigned int i = 0; i < pages; i++)
		present += vfiosim_present(v->alice, address + i * VPCI_PAGE);
	return present;
}

#endif
