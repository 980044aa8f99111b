// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping BARs and taking the mappings away, in both designs: the tables of
 * docs/observed/real-kernel-vfio.md sections 6 and 7 and of MM-198.
 */
#include "vpci.h"

static const struct {
	const char *name;
	const struct vpci_run *run;
} runs[] = {
	{ "vma list, 5.14", &vpci_list_5_14 },
	{ "vma list, 6.1", &vpci_list_6_1 },
	{ "address space, 5.14 core", &vpci_space_5_14 },
	{ "address space, 6.12 core", &vpci_space_6_12 },
};
#define N_RUNS (sizeof(runs) / sizeof(*runs))

/* ---- section 6: what may be mapped (MM-187, VF-151..VF-154) ---- */

static void mmap_table(void *fixture)
{
	static const struct {
		const char *what;
		unsigned int index;
		uint64_t offset, length;
		int flags, ret;
	} rows[] = {
		{ "whole", 2, 0, VPCI_BAR, MAP_SHARED, 0 },
		{ "private", 2, 0, VPCI_BAR, MAP_PRIVATE, -EINVAL },
		{ "length 0", 2, 0, 0, MAP_SHARED, -EINVAL },
		{ "length 100 is one page", 2, 0, 100, MAP_SHARED, 0 },
		{ "offset not page aligned", 2, 100, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "offset = size", 2, VPCI_BAR, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "offset + length > size", 2, VPCI_BAR - VPCI_PAGE, 2 * VPCI_PAGE, MAP_SHARED,
		  -EINVAL },
		{ "length > size", 2, 0, VPCI_BAR + VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "last page alone", 2, VPCI_BAR - VPCI_PAGE, VPCI_PAGE, MAP_SHARED, 0 },
		{ "near the window's end", 2, (1ULL << 40) - VPCI_PAGE, VPCI_PAGE, MAP_SHARED,
		  -EINVAL },
		{ "256 bytes are padded to a page", 0, 0, VPCI_PAGE, MAP_SHARED, 0 },
		{ "256 bytes are not two pages", 0, 0, 2 * VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "absent BAR", 1, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "upper half of a 64-bit BAR", 3, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "I/O ports", 4, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "ROM", 6, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "config", 7, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "VGA", 8, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "index 9", 9, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
		{ "index 100", 100, 0, VPCI_PAGE, MAP_SHARED, -EINVAL },
	};
	struct vpci *v = fixture;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ret = vfiosim_mmap(v->alice, 0, rows[i].length, PROT_READ | PROT_WRITE,
					   rows[i].flags, v->user.device,
					   VPCI_REGION(rows[i].index) + rows[i].offset);

		vfiosim_say("%s: %s", rows[i].what, vfiosim_error_name(ret));
		vfiosim_expect(rows[i].ret ? ret == rows[i].ret : ret > 0);
	}
}

START_TEST(only_whole_pages_of_memory_bars_can_be_mapped_shared)
{
	vpci_run_one(mmap_table, runs[_i].run, NULL);
}
END_TEST

static void map_while_off(void *fixture)
{
	struct vpci *v = fixture;
	int64_t late;

	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	late = vfiosim_bar_map(v->alice, v->user.device, 2);
	vfiosim_expect(late > 0);
	vfiosim_expect(vfiosim_load(v->alice, late, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, true) == 0);
	vfiosim_expect(vfiosim_load(v->alice, late, NULL) == VFIOSIM_TOUCH_OK);
}

START_TEST(mmap_works_while_memory_is_off_and_populates_nothing)
{
	vpci_run_one(map_while_off, runs[_i].run, NULL);
}
END_TEST

static void refused_fixed(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_mmap(v->alice, v->bar, VPCI_PAGE, PROT_READ,
				    MAP_SHARED | MAP_FIXED, v->user.device,
				    VPCI_REGION(2) + VPCI_BAR) == -EINVAL);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_SIGSEGV_MAPERR);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + VPCI_PAGE, NULL) == VFIOSIM_TOUCH_OK);
}

START_TEST(a_refused_fixed_mapping_has_removed_the_old_page_all_the_same)
{
	vpci_run_one(refused_fixed, runs[_i].run, NULL);
}
END_TEST

/* ---- population (MM-198: faults for 16 pages) ---- */

static void first_touch(void *fixture)
{
	struct vpci *v = fixture;
	bool whole = vpci_run.design == VFIOSIM_VMA_LIST;

	vfiosim_expect(vpci_present(v, v->bar, 16) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 5 * VPCI_PAGE, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vpci_present(v, v->bar, 16) == (whole ? 16 : 1));
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vpci_present(v, v->bar, 16) == 0);
	vfiosim_expect(vfiosim_peek("ptes", v->device) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, true) == 0);
	vfiosim_expect(vpci_present(v, v->bar, 16) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vpci_present(v, v->bar, 16) == (whole ? 16 : 1));
}

START_TEST(the_list_fills_the_whole_mapping_and_the_address_space_one_page)
{
	/* VF-158, VF-180, VF-394 */
	vpci_run_one(first_touch, runs[_i].run, NULL);
}
END_TEST

/* What is stored in a RAM BAR outlives the zap. */
static void contents(void *fixture)
{
	struct vpci *v = fixture;
	uint32_t value = 0;

	vfiosim_expect(vfiosim_store(v->alice, v->bar + 0x1234, 0xcafe) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, &value, 4,
				     VPCI_REGION(2) + 0x1234) == -EIO);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, true) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 0x1234, &value) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(value == 0xcafe);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, &value, 4,
				     VPCI_REGION(2) + 0x1234) == 4 && value == 0xcafe);
}

START_TEST(stored_data_is_still_there_after_memory_was_off)
{
	vpci_run_one(contents, runs[_i].run, NULL);
}
END_TEST

/* ---- section 7: what zaps, and what a touch finds afterwards ---- */

static int command(struct vpci *v, uint32_t clear, uint32_t set, size_t size)
{
	uint32_t value = (vpci_config_read(v, PCI_COMMAND, size) & ~clear) | set;

	return vpci_config_write(v, PCI_COMMAND, value, size);
}

static void off_by_byte(struct vpci *v)
{
	vfiosim_expect(command(v, PCI_COMMAND_MEMORY, 0, 1) == 0);
}

static void off_by_word(struct vpci *v)
{
	vfiosim_expect(command(v, PCI_COMMAND_MEMORY, 0, 2) == 0);
}

static void off_by_dword(struct vpci *v)
{
	vfiosim_expect(command(v, PCI_COMMAND_MEMORY, 0, 4) == 0);
}

static void same_value(struct vpci *v)
{
	vfiosim_expect(command(v, 0, 0, 2) == 0);
}

static void io_toggled(struct vpci *v)
{
	vfiosim_expect(command(v, PCI_COMMAND_IO, 0, 2) == 0);
}

static void upper_byte(struct vpci *v)
{
	vfiosim_expect(vpci_config_write(v, PCI_COMMAND + 1, 0, 1) == 0);
}

static void bar_register(struct vpci *v)
{
	vfiosim_expect(vpci_config_write(v, PCI_BASE_ADDRESS_2, ~0U, 4) == 0);
	vfiosim_expect((vpci_config_read(v, PCI_BASE_ADDRESS_2, 4) & ~0xfU) ==
		       (uint32_t)~(VPCI_BAR - 1));
}

static void device_reset(struct vpci *v)
{
	vfiosim_expect(vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_RESET, 0) == 0);
	vfiosim_expect(vpci_config_read(v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
}

static void flr_by_capability(struct vpci *v)
{
	unsigned int cap = vpci_capability(v, PCI_CAP_ID_EXP);
	uint32_t control = vpci_config_read(v, cap + PCI_EXP_DEVCTL, 2);

	vfiosim_expect(cap);
	vfiosim_expect(vpci_config_write(v, cap + PCI_EXP_DEVCTL,
					 control | PCI_EXP_DEVCTL_BCR_FLR, 2) == 0);
}

static void af_flr_by_capability(struct vpci *v)
{
	unsigned int cap = vpci_capability(v, PCI_CAP_ID_AF);

	vfiosim_expect(cap);
	vfiosim_expect(vpci_config_write(v, cap + PCI_AF_CTRL, PCI_AF_CTRL_FLR, 1) == 0);
}

static void sysfs_reset(struct vpci *v)
{
	vfiosim_expect(vfiosim_sysfs_reset(NULL, v->device) == 0);
}

static long hot_reset(struct vpci *v, int fd)
{
	struct {
		struct vfio_pci_hot_reset head;
		int fd;
	} arg = { { .argsz = sizeof(arg), .count = 1 }, fd };

	return vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_PCI_HOT_RESET, &arg);
}

static void hot_reset_group(struct vpci *v)
{
	vfiosim_expect(hot_reset(v, v->user.group) == 0);
}

static void hot_reset_wrong_fd(struct vpci *v)
{
	vfiosim_expect(hot_reset(v, v->user.container) == -EINVAL);
}

static const struct {
	const char *what;
	void (*act)(struct vpci *v);
	bool zaps;
	enum vfiosim_touch touch;
} zap_rows[] = {
	{ "memory off by a 1-byte write", off_by_byte, true, VFIOSIM_SIGBUS_ADRERR },
	{ "memory off by a 2-byte write", off_by_word, true, VFIOSIM_SIGBUS_ADRERR },
	{ "memory off by a 4-byte write", off_by_dword, true, VFIOSIM_SIGBUS_ADRERR },
	{ "command with the bit set", same_value, false, VFIOSIM_TOUCH_OK },
	{ "I/O bit toggled", io_toggled, false, VFIOSIM_TOUCH_OK },
	{ "1 byte at offset 5", upper_byte, false, VFIOSIM_TOUCH_OK },
	{ "BAR register", bar_register, false, VFIOSIM_TOUCH_OK },
	{ "DEVICE_RESET", device_reset, true, VFIOSIM_TOUCH_OK },
	{ "FLR through the capability", flr_by_capability, true, VFIOSIM_TOUCH_OK },
	{ "AF FLR through the capability", af_flr_by_capability, true, VFIOSIM_TOUCH_OK },
	{ "hot reset", hot_reset_group, true, VFIOSIM_TOUCH_OK },
	{ "hot reset, not a group's fd", hot_reset_wrong_fd, false, VFIOSIM_TOUCH_OK },
	{ "sysfs reset while open", sysfs_reset, false, VFIOSIM_TOUCH_OK },
};
#define N_ZAP_ROWS (int)(sizeof(zap_rows) / sizeof(*zap_rows))

static int zap_row;

static void zap_table(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_say("%s", zap_rows[zap_row].what);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	zap_rows[zap_row].act(v);
	vfiosim_expect(vfiosim_present(v->alice, v->bar) == !zap_rows[zap_row].zaps);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == zap_rows[zap_row].touch);
}

START_TEST(what_turns_memory_off_or_resets_takes_the_mappings_away)
{
	struct vpci_run run = *runs[_i % N_RUNS].run;

	zap_row = _i / N_RUNS;
	run.resets = VFIOSIM_RESET_FLR | VFIOSIM_RESET_AF_FLR | VFIOSIM_RESET_BUS;
	vpci_run_one(zap_table, &run, NULL);
}
END_TEST

static void reset_without_method(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	/* VF-169, VF-172 */
	vfiosim_expect(vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_RESET, 0) == -EINVAL);
	vfiosim_expect(hot_reset(v, v->user.group) == -ENODEV);
	vfiosim_expect(vfiosim_present(v->alice, v->bar));
}

START_TEST(a_device_without_reset_refuses_one_and_keeps_its_mappings)
{
	vpci_run_one(reset_without_method, runs[_i].run, NULL);
}
END_TEST

static void write_power_state(struct vpci *v, unsigned int state)
{
	unsigned int cap = vpci_capability(v, PCI_CAP_ID_PM);

	vfiosim_expect(cap);
	vfiosim_expect(vpci_config_write(v, cap + PCI_PM_CTRL, state, 2) == 0);
}

static void d3_zaps(void *fixture)
{
	struct vpci *v = fixture;
	uint32_t value;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	write_power_state(v, 3);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, &value, 4, VPCI_REGION(2)) == -EIO);
	write_power_state(v, 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
}

/* VF-171, VF-304: 5.14 leaves the mapping, and it leads to a device that is asleep. */
static void d3_does_not_zap(void *fixture)
{
	struct vpci *v = fixture;
	uint32_t value = 0;

	vfiosim_expect(vfiosim_store(v->alice, v->bar, 7) == VFIOSIM_TOUCH_OK);
	write_power_state(v, 3);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, &value) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(value == ~0U);
	write_power_state(v, 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, &value) == VFIOSIM_TOUCH_OK && value == 7);
}

START_TEST(entering_d3_zaps_since_6_1)
{
	struct vpci_run run = *runs[_i].run;

	run.has_pm = true;
	vpci_run_one(d3_zaps, &run, NULL);
}
END_TEST

START_TEST(entering_d3_leaves_mappings_live_in_5_14)
{
	struct vpci_run run = vpci_list_5_14;

	run.has_pm = true;
	vpci_run_one(d3_does_not_zap, &run, "pte-while-memory-off");
	run.tolerate = "pte-while-memory-off";
	vpci_run_one(d3_does_not_zap, &run, NULL);
}
END_TEST

static long feature(struct vpci *v, unsigned int what)
{
	struct vfio_device_feature arg = {
		.argsz = sizeof(arg), .flags = VFIO_DEVICE_FEATURE_SET | what };

	return vfiosim_ioctl(v->alice, v->user.device, VFIO_DEVICE_FEATURE, &arg);
}

static void low_power(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(feature(v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vpci_config_read(v, PCI_COMMAND, 2);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_expect(feature(v, VFIO_DEVICE_FEATURE_LOW_POWER_EXIT) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
}

START_TEST(low_power_takes_the_mappings_until_exit)
{
	struct vpci_run run = vpci_space_6_12;

	run.has_pm = true;
	vpci_run_one(low_power, &run, NULL);
}
END_TEST

/* ---- which mappings a zap reaches ---- */

static void off_and_expect_sigbus(struct vpci *v, uint64_t address)
{
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_peek("ptes", v->device) == 0);
	vfiosim_expect(vfiosim_load(v->alice, address, NULL) == VFIOSIM_SIGBUS_ADRERR);
}

static void through_closed_fd(void *fixture)
{
	struct vpci *v = fixture;
	int fd = vfiosim_dup(v->alice, v->user.device);
	int64_t bar = vfiosim_bar_map(v->alice, fd, 2);

	vfiosim_expect(vfiosim_load(v->alice, bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_close(v->alice, fd) == 0);
	off_and_expect_sigbus(v, bar);
}

static void read_only_and_none(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_mprotect(v->alice, v->bar, 4 * VPCI_PAGE, PROT_READ) == 0);
	vfiosim_expect(vfiosim_mprotect(v->alice, v->bar + 8 * VPCI_PAGE, 4 * VPCI_PAGE,
					PROT_NONE) == 0);
	off_and_expect_sigbus(v, v->bar);
	vfiosim_expect(vfiosim_store(v->alice, v->bar, 1) == VFIOSIM_SIGSEGV_ACCERR);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 8 * VPCI_PAGE, NULL) ==
		       VFIOSIM_SIGSEGV_ACCERR);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 12 * VPCI_PAGE, NULL) ==
		       VFIOSIM_SIGBUS_ADRERR);
}

static void with_a_hole(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_munmap(v->alice, v->bar + 4 * VPCI_PAGE, VPCI_PAGE) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 5 * VPCI_PAGE, NULL) == VFIOSIM_TOUCH_OK);
	off_and_expect_sigbus(v, v->bar);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 4 * VPCI_PAGE, NULL) ==
		       VFIOSIM_SIGSEGV_MAPERR);
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 5 * VPCI_PAGE, NULL) ==
		       VFIOSIM_SIGBUS_ADRERR);
}

static void shrunk(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_mremap(v->alice, v->bar, VPCI_BAR, 4 * VPCI_PAGE, 0, 0) == v->bar);
	off_and_expect_sigbus(v, v->bar);
}

static void overlapping(void *fixture)
{
	struct vpci *v = fixture;
	int64_t other = vfiosim_bar_map(v->alice, v->user.device, 2);

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(v->alice, other, NULL) == VFIOSIM_TOUCH_OK);
	off_and_expect_sigbus(v, v->bar);
	vfiosim_expect(vfiosim_load(v->alice, other, NULL) == VFIOSIM_SIGBUS_ADRERR);
}

static void both_bars(void *fixture)
{
	struct vpci *v = fixture;
	int64_t small = vfiosim_mmap(v->alice, 0, VPCI_PAGE, PROT_READ, MAP_SHARED,
				     v->user.device, VPCI_REGION(0));

	vfiosim_expect(vfiosim_load(v->alice, small, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	off_and_expect_sigbus(v, small);
}

/* fork in 5.14's own order (VF-298) and in the address space. */
static void forked(void *fixture)
{
	struct vpci *v = fixture;
	struct vfiosim_process *child;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	child = vfiosim_fork(v->alice, "child");
	/* The list zaps the child's copy at once, the address space lets it be. */
	vfiosim_expect(vfiosim_present(child, v->bar) == (vpci_run.design != VFIOSIM_VMA_LIST));
	vfiosim_expect(vfiosim_load(child, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	off_and_expect_sigbus(v, v->bar);
	vfiosim_expect(vfiosim_load(child, v->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
}

static const struct {
	const char *what;
	void (*body)(void *fixture);
} reach_rows[] = {
	{ "through an fd since closed", through_closed_fd },
	{ "read-only, partly mprotected, PROT_NONE", read_only_and_none },
	{ "partly unmapped", with_a_hole },
	{ "shrunk", shrunk },
	{ "two that overlap", overlapping },
	{ "BAR 0 and BAR 2", both_bars },
	{ "a forked child's", forked },
};
#define N_REACH_ROWS (int)(sizeof(reach_rows) / sizeof(*reach_rows))

START_TEST(a_zap_reaches_every_mapping_of_the_device)
{
	const struct vpci_run *run = runs[_i % N_RUNS].run;

	/* The hole of 6.1's fork order has a test of its own. */
	if (run == &vpci_list_6_1 && reach_rows[_i / N_RUNS].body == forked)
		return;
	vpci_run_one(reach_rows[_i / N_RUNS].body, run, NULL);
}
END_TEST

/* ---- the two holes of the list (MM-195, MM-196, VF-299) ---- */

static void moved(void *fixture)
{
	struct vpci *v = fixture;
	int64_t there = vfiosim_mmap(v->alice, 0, VPCI_BAR, PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t value = 0;

	vfiosim_expect(vfiosim_store(v->alice, v->bar, 7) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_mremap(v->alice, v->bar, VPCI_BAR, VPCI_BAR,
				      MREMAP_MAYMOVE | MREMAP_FIXED, there) == there);
	vfiosim_expect(vpci_present(v, there, 16) ==
		       (vpci_run.design == VFIOSIM_VMA_LIST ? 16 : 1));
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_say("moved: %s", vfiosim_touch_name(vfiosim_load(v->alice, there, &value)));
	vfiosim_say("value %x", value);
}

static void forked_after_touch(void *fixture)
{
	struct vpci *v = fixture;
	struct vfiosim_process *child;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	child = vfiosim_fork(v->alice, "child");
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_say("child: %s", vfiosim_touch_name(vfiosim_load(child, v->bar, NULL)));
}

START_TEST(the_list_misses_a_moved_mapping_and_the_address_space_does_not)
{
	struct vpci_run run = *runs[_i].run;
	bool hole = run.design == VFIOSIM_VMA_LIST;

	vpci_run_one(moved, &run, hole ? "pte-while-memory-off" : NULL);
	run.tolerate = "pte-while-memory-off,warn";
	vpci_run_one(moved, &run, NULL);
	ck_assert_uint_eq(simtest_trace_count("moved: ok"), hole);
	ck_assert_uint_eq(simtest_trace_count("moved: SIGBUS"), !hole);
	/* The device does not answer any more: its bus says all ones. */
	ck_assert_uint_eq(simtest_trace_count("value ffffffff"), hole);
}
END_TEST

START_TEST(the_list_misses_a_childs_entries_in_6_1s_fork_order_only)
{
	struct vpci_run run = *runs[_i].run;
	bool hole = run.design == VFIOSIM_VMA_LIST && run.kernel == VFIOSIM_KERNEL_6_1;

	vpci_run_one(forked_after_touch, &run, hole ? "pte-while-memory-off" : NULL);
	run.tolerate = "pte-while-memory-off,warn";
	vpci_run_one(forked_after_touch, &run, NULL);
	ck_assert_uint_eq(simtest_trace_count("child: ok"), hole);
	ck_assert_uint_eq(simtest_trace_count("child: SIGBUS"), !hole);
}
END_TEST

/* MM-194: which pieces of a split mapping lose their entries. */
static void split(void *fixture)
{
	struct vpci *v = fixture;
	bool list = vpci_run.design == VFIOSIM_VMA_LIST;

	for (unsigned int i = 0; i < 16; i++)
		vfiosim_expect(vfiosim_load(v->alice, v->bar + i * VPCI_PAGE, NULL) == 0);
	vfiosim_expect(vfiosim_munmap(v->alice, v->bar + 8 * VPCI_PAGE, VPCI_PAGE) == 0);
	vfiosim_expect(vpci_present(v, v->bar, 8) == 8);
	vfiosim_expect(vpci_present(v, v->bar + 9 * VPCI_PAGE, 7) == (list ? 0 : 7));
	vfiosim_expect(vfiosim_load(v->alice, v->bar + 12 * VPCI_PAGE, NULL) == 0);
	vfiosim_expect(vpci_present(v, v->bar + 9 * VPCI_PAGE, 7) == 7);
}

START_TEST(the_upper_rest_of_a_cut_mapping_faults_again_under_the_list)
{
	vpci_run_one(split, runs[_i].run, NULL);
}
END_TEST

/* ---- other devices ---- */

struct two {
	struct vpci a;
	struct vfiosim_device *device;
	struct vfiosim_user user;
	int64_t bar;
};

static void setup_two(void *fixture)
{
	struct two *t = fixture;

	vpci_setup(&t->a);
	t->device = vpci_plug("0000:02:00.0");
	vfiosim_expect(vfiosim_bind(NULL, t->device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&t->user, t->a.alice, t->device) == 0);
	t->bar = vfiosim_bar_map(t->a.alice, t->user.device, 2);
}

static void zap_one_of_two(void *fixture)
{
	struct two *t = fixture;

	vfiosim_expect(vfiosim_load(t->a.alice, t->a.bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(t->a.alice, t->bar, NULL) == VFIOSIM_TOUCH_OK);
	off_and_expect_sigbus(&t->a, t->a.bar);
	vfiosim_expect(vfiosim_present(t->a.alice, t->bar));
}

START_TEST(a_zap_leaves_other_devices_alone)
{
	struct vfiosim_scenario scenario = {
		.name = "two devices", .fixture_size = sizeof(struct two), .setup = setup_two,
		.kernel = runs[_i].run->kernel, .core = runs[_i].run->core,
		.tasks = { { "alice", zap_one_of_two } },
	};

	vpci_run = *runs[_i].run;
	assert_scenario_ok(&scenario);
}
END_TEST

/* ---- races: faults, mmap, fork and zap at once (VF-296..VF-298) ---- */

static void toucher(void *fixture)
{
	struct vpci *v = fixture;

	for (unsigned int i = 0; i < 2; i++) {
		enum vfiosim_touch touch = vfiosim_load(v->alice, v->bar, NULL);

		vfiosim_expect(touch == VFIOSIM_TOUCH_OK || touch == VFIOSIM_SIGBUS_ADRERR);
	}
}

static void switcher(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, true) == 0);
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
}

static void forker(void *fixture)
{
	struct vpci *v = fixture;
	struct vfiosim_process *child = vfiosim_fork(v->alice, "child");
	enum vfiosim_touch touch = vfiosim_load(child, v->bar, NULL);

	vfiosim_expect(touch == VFIOSIM_TOUCH_OK || touch == VFIOSIM_SIGBUS_ADRERR);
	vfiosim_exit(child);
}

static void race_setup(void *fixture)
{
	struct vpci *v = fixture;

	vpci_setup(fixture);
	vfiosim_threads(v->alice, 3);
}

static void race_end(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_peek("ptes", v->device) == 0);
}

START_TEST(no_fault_slips_past_a_zap_in_any_schedule_tried)
{
	struct vfiosim_scenario scenario = {
		.name = "fault, fork, zap", .fixture_size = sizeof(struct vpci),
		.kernel = runs[_i].run->kernel, .core = runs[_i].run->core,
		.setup = race_setup, .teardown = race_end,
		.tasks = { { "toucher", toucher }, { "switcher", switcher },
			   { "forker", forker } },
	};

	vpci_run = *runs[_i].run;
	if (vpci_run.kernel == VFIOSIM_KERNEL_6_1)
		return;		/* its fork has a hole, see above */
	assert_scenario_ok_random(&scenario, 60);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vfio_pci_mmap");
	TCase *map = tcase_create("mmap"), *zap = tcase_create("zap"),
	      *races = tcase_create("races");

	tcase_add_loop_test(map, only_whole_pages_of_memory_bars_can_be_mapped_shared, 0, N_RUNS);
	tcase_add_loop_test(map, mmap_works_while_memory_is_off_and_populates_nothing, 0, N_RUNS);
	tcase_add_loop_test(map, a_refused_fixed_mapping_has_removed_the_old_page_all_the_same,
			    0, N_RUNS);
	tcase_add_loop_test(map, the_list_fills_the_whole_mapping_and_the_address_space_one_page,
			    0, N_RUNS);
	tcase_add_loop_test(map, stored_data_is_still_there_after_memory_was_off, 0, N_RUNS);
	tcase_add_loop_test(zap, what_turns_memory_off_or_resets_takes_the_mappings_away,
			    0, N_ZAP_ROWS * N_RUNS);
	tcase_add_loop_test(zap, a_device_without_reset_refuses_one_and_keeps_its_mappings,
			    0, N_RUNS);
	tcase_add_loop_test(zap, entering_d3_zaps_since_6_1, 1, N_RUNS);
	tcase_add_test(zap, entering_d3_leaves_mappings_live_in_5_14);
	tcase_add_test(zap, low_power_takes_the_mappings_until_exit);
	tcase_add_loop_test(zap, a_zap_reaches_every_mapping_of_the_device,
			    0, N_REACH_ROWS * N_RUNS);
	tcase_add_loop_test(zap, the_list_misses_a_moved_mapping_and_the_address_space_does_not,
			    0, N_RUNS);
	tcase_add_loop_test(zap, the_list_misses_a_childs_entries_in_6_1s_fork_order_only,
			    0, N_RUNS);
	tcase_add_loop_test(zap, the_upper_rest_of_a_cut_mapping_faults_again_under_the_list,
			    0, N_RUNS);
	tcase_add_loop_test(zap, a_zap_leaves_other_devices_alone, 0, N_RUNS);
	tcase_add_loop_test(races, no_fault_slips_past_a_zap_in_any_schedule_tried, 0, N_RUNS);
	tcase_set_timeout(races, 60);
	suite_add_tcase(suite, map);
	suite_add_tcase(suite, zap);
	suite_add_tcase(suite, races);
	return simtest_main(suite);
}
