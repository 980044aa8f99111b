// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a write to configuration space, a reset or a power state does to mappings:
 * docs/observed/real-kernel-vfio.md section 7, alone and against other threads.
 */
#include "vpci.h"

/* ---- section 7: what zaps, and what a touch finds afterwards (VF-167..VF-171) ---- */

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
	/* VF-170 */
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
	struct vpci_run run = *vpci_designs[_i % VPCI_DESIGNS].run;

	zap_row = _i / VPCI_DESIGNS;
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
	vpci_run_one(reset_without_method, vpci_designs[_i].run, NULL);
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

START_TEST(entering_d3_zaps_since_6_1_and_leaves_mappings_live_before)
{
	struct vpci_run run = *vpci_designs[_i].run;

	run.has_pm = true;
	if (vpci_d3_zaps(&run)) {
		vpci_run_one(d3_zaps, &run, NULL);	/* VF-182 */
		return;
	}
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

/* ---- pieces (VF-167) ---- */

static void pieces(void *fixture)
{
	struct vpci *v = fixture;
	uint8_t bytes[8];

	/* Six bytes from 2 on: two, then four that begin at the command register. */
	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_pread(v->alice, v->user.device, bytes, 6, VPCI_CONFIG + 2) == 6);
	bytes[2] &= ~PCI_COMMAND_MEMORY;
	vfiosim_expect(vfiosim_pwrite(v->alice, v->user.device, bytes, 6, VPCI_CONFIG + 2) == 6);
	vfiosim_expect(!vfiosim_present(v->alice, v->bar));
	vfiosim_expect(!(vpci_config_read(v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY));
	/* The device's identity is not the user's to write. */
	vfiosim_expect(vpci_config_read(v, PCI_VENDOR_ID, 2) == 0x1234);
	vfiosim_expect(vpci_config_write(v, PCI_VENDOR_ID, 0, 2) == 0);
	vfiosim_expect(vpci_config_read(v, PCI_VENDOR_ID, 2) == 0x1234);
	/* Beyond the space, and nothing before that is done. */
	bytes[0] = PCI_COMMAND_MEMORY;
	vfiosim_expect(vfiosim_pwrite(v->alice, v->user.device, bytes, 8, VPCI_CONFIG + 252) ==
		       -EFAULT);
	vfiosim_expect(vfiosim_pwrite(v->alice, v->user.device, VFIOSIM_BAD_POINTER, 2,
				      VPCI_CONFIG + PCI_COMMAND) == -EFAULT);
	vfiosim_expect(!(vpci_config_read(v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY));
}

START_TEST(a_config_write_is_carried_out_piece_by_piece)
{
	vpci_run_one(pieces, vpci_designs[_i].run, NULL);
}
END_TEST

/* VF-168: the bit is a trigger only where the capability says that it works. */
static void flr_not_capable(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(vfiosim_load(v->alice, v->bar, NULL) == VFIOSIM_TOUCH_OK);
	flr_by_capability(v);
	vfiosim_expect(vfiosim_present(v->alice, v->bar));
	vfiosim_expect(!(vpci_config_read(v, vpci_capability(v, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL,
					  2) & PCI_EXP_DEVCTL_BCR_FLR));
}

START_TEST(the_flr_bit_of_a_device_without_flr_does_nothing)
{
	vpci_run_one(flr_not_capable, vpci_designs[_i].run, NULL);
}
END_TEST

/*
 * ---- each trigger against faults, mmap, munmap, fork and exit (VF-296..VF-298, VF-300) ----
 *
 * What is asserted is VF-229 and VF-230: the detectors look each time that memory
 * has been switched off or is about to be reset.
 */

struct race {
	struct vpci v;
	int64_t second;
};

static void enter_d3(struct vpci *v)
{
	write_power_state(v, 3);
}

static void low_power_entry(struct vpci *v)
{
	vfiosim_expect(feature(v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY) == 0);
}

/* Contention with another thread is an answer, too (VF-302). */
static void try_hot_reset(struct vpci *v)
{
	long ret = hot_reset(v, v->user.group);

	vfiosim_expect(ret == 0 || ret == -EBUSY);
}

static const struct {
	const char *what;
	void (*act)(struct vpci *v);
	bool off;			/* memory stays off */
} triggers[] = {
	{ "the memory bit", off_by_word, true },
	{ "DEVICE_RESET", device_reset, false },
	{ "FLR", flr_by_capability, false },
	{ "hot reset", try_hot_reset, false },
	{ "D3hot", enter_d3, true },
	{ "low power", low_power_entry, true },
};
#define N_TRIGGERS (int)(sizeof(triggers) / sizeof(*triggers))

static int the_trigger;

static void pull_trigger(void *fixture)
{
	triggers[the_trigger].act(fixture);
}

static void expect_touch(struct vpci *v, struct vfiosim_process *process, int64_t address)
{
	enum vfiosim_touch touch = vfiosim_load(process, address, NULL);

	vfiosim_expect(touch == VFIOSIM_TOUCH_OK ||
		       (touch == VFIOSIM_SIGBUS_ADRERR && triggers[the_trigger].off));
}

static void touch_twice(void *fixture)
{
	struct vpci *v = fixture;

	expect_touch(v, v->alice, v->bar);
	expect_touch(v, v->alice, v->bar + VPCI_PAGE);
}

static void map_and_touch(void *fixture)
{
	struct race *r = fixture;
	int64_t bar = vfiosim_bar_map(r->v.alice, r->v.user.device, 2);

	vfiosim_expect(bar > 0);
	expect_touch(&r->v, r->v.alice, bar);
}

static void unmap_some(void *fixture)
{
	struct race *r = fixture;

	vfiosim_expect(vfiosim_munmap(r->v.alice, r->second + VPCI_PAGE, VPCI_PAGE) == 0);
	expect_touch(&r->v, r->v.alice, r->second + 2 * VPCI_PAGE);
	vfiosim_expect(vfiosim_munmap(r->v.alice, r->second, VPCI_PAGE) == 0);
}

static void fork_and_touch(void *fixture)
{
	struct vpci *v = fixture;
	struct vfiosim_process *child = vfiosim_fork(v->alice, "child");

	expect_touch(v, child, v->bar);
	vfiosim_exit(child);
}

static void exit_of_a_sharer(void *fixture)
{
	struct vpci *v = fixture;
	struct vfiosim_process *child = vfiosim_fork(v->alice, "child");

	expect_touch(v, child, v->bar);
	vfiosim_kill(child, 9);
	vfiosim_wait_exit(child);
}

static void (*const rivals[])(void *fixture) = {
	touch_twice, map_and_touch, unmap_some, fork_and_touch, exit_of_a_sharer,
};
#define N_RIVALS (int)(sizeof(rivals) / sizeof(*rivals))

static void race_setup(void *fixture)
{
	struct race *r = fixture;

	vpci_setup(&r->v);
	r->second = vfiosim_bar_map(r->v.alice, r->v.user.device, 2);
	vfiosim_expect(vfiosim_load(r->v.alice, r->v.bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(r->v.alice, r->second, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_threads(r->v.alice, 3);
}

static void race_end(void *fixture)
{
	struct race *r = fixture;

	if (triggers[the_trigger].off)
		vfiosim_expect(vfiosim_peek("ptes", r->v.device) == 0);
}

/* Which triggers a driver has, and which of its holes are told elsewhere. */
static bool race_is_for(const struct vpci_run *run, int trigger, int rival)
{
	if (triggers[trigger].act == enter_d3 && !vpci_d3_zaps(run))
		return false;
	if (triggers[trigger].act == low_power_entry && run->kernel != VFIOSIM_KERNEL_6_12)
		return false;
	return run->kernel != VFIOSIM_KERNEL_6_1 || rivals[rival] == touch_twice ||
	       rivals[rival] == map_and_touch || rivals[rival] == unmap_some;
}

START_TEST(no_entry_outlives_a_trigger_in_any_schedule_of_two_preemptions)
{
	const struct vfiosim_options options = {
		.runs_max = 150, .preemptions_bounded = true, .preemptions_max = 2,
		.no_minimize = true,
	};
	int design = _i % VPCI_DESIGNS, rival = _i / VPCI_DESIGNS % N_RIVALS;
	struct vfiosim_scenario scenario = {
		.name = "trigger race", .fixture_size = sizeof(struct race),
		.setup = race_setup, .teardown = race_end,
		.tasks = { { "rival", rivals[rival] }, { "trigger", pull_trigger } },
	};
	struct vfiosim_report *report;
	enum vfiosim_verdict verdict;

	the_trigger = _i / VPCI_DESIGNS / N_RIVALS;
	vpci_run = *vpci_designs[design].run;
	if (!race_is_for(&vpci_run, the_trigger, rival))
		return;
	vpci_run.has_pm = true;
	vpci_run.resets = VFIOSIM_RESET_FLR | VFIOSIM_RESET_BUS;
	scenario.kernel = vpci_run.kernel;
	scenario.core = vpci_run.core;
	verdict = vfiosim_explore(&scenario, &options, &report);
	ck_assert_msg(verdict == VFIOSIM_OK || verdict == VFIOSIM_BUDGET, "%s, %s, rival %d:\n%s",
		      vpci_designs[design].name, triggers[the_trigger].what, rival,
		      vfiosim_report_text(report));
	vfiosim_report_free(report);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vfio_pci_config");
	TCase *zap = tcase_create("zap"), *races = tcase_create("races");

	tcase_add_loop_test(zap, what_turns_memory_off_or_resets_takes_the_mappings_away,
			    0, N_ZAP_ROWS * VPCI_DESIGNS);
	vpci_add(zap, a_device_without_reset_refuses_one_and_keeps_its_mappings);
	vpci_add(zap, entering_d3_zaps_since_6_1_and_leaves_mappings_live_before);
	tcase_add_test(zap, low_power_takes_the_mappings_until_exit);
	vpci_add(zap, a_config_write_is_carried_out_piece_by_piece);
	vpci_add(zap, the_flr_bit_of_a_device_without_flr_does_nothing);
	tcase_add_loop_test(races,
			    no_entry_outlives_a_trigger_in_any_schedule_of_two_preemptions,
			    0, N_TRIGGERS * N_RIVALS * VPCI_DESIGNS);
	tcase_set_timeout(races, 60);
	suite_add_tcase(suite, zap);
	suite_add_tcase(suite, races);
	return simtest_main(suite);
}
