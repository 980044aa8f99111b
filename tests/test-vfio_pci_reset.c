// SPDX-License-Identifier: GPL-2.0-only
/* Devices that are reset together: hot reset, its refusals, the reset at last close. */
#include <vfiosim/kapi.h>
#include <vfiosim/kapi/iommu.h>
#include <vfiosim/kapi/vfio_pci.h>

#include "vpci.h"

static const struct vpci_run *const runs[] = {
	&vpci_list_5_14, &vpci_space_5_14, &vpci_space_6_12,
};
#define N_RUNS (sizeof(runs) / sizeof(*runs))

/* Two functions on one bus, one group each, both opened by alice. */
struct pair {
	struct vpci a;
	struct vfiosim_device *other;
	struct vfiosim_user user;
	int64_t bar;
};

static void setup_bound(struct pair *p)
{
	vpci_setup(&p->a);
	p->other = vpci_plug("0000:01:01.0");
	vfiosim_expect(p->other != NULL);
}

static void setup_pair(void *fixture)
{
	struct pair *p = fixture;

	setup_bound(p);
	vfiosim_expect(vfiosim_bind(NULL, p->other, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_user_open(&p->user, p->a.alice, p->other) == 0);
	p->bar = vfiosim_bar_map(p->a.alice, p->user.device, 2);
	vfiosim_expect(vfiosim_load(p->a.alice, p->a.bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(p->a.alice, p->bar, NULL) == VFIOSIM_TOUCH_OK);
}

static void setup_one(void *fixture)
{
	setup_bound(fixture);
}

static long hot_reset(struct pair *p, unsigned int count, int fd0, int fd1)
{
	struct {
		struct vfio_pci_hot_reset head;
		int fds[3];
	} arg = { { .argsz = sizeof(arg), .count = count }, { fd0, fd1, fd1 } };

	return vfiosim_ioctl(p->a.alice, p->a.user.device, VFIO_DEVICE_PCI_HOT_RESET, &arg);
}

static void run_pair(void (*body)(void *fixture), void (*setup)(void *fixture),
		     const struct vpci_run *run)
{
	struct vfiosim_scenario scenario = {
		.name = "pair", .fixture_size = sizeof(struct pair),
		.kernel = run->kernel, .core = run->core, .setup = setup,
		.tasks = { { "alice", body } },
	};

	vpci_run = *run;
	vpci_run.resets = VFIOSIM_RESET_BUS;
	assert_scenario_ok(&scenario);
}

/* ---- what may be reset ---- */

/* VF-172, in the order of its tests */
static void refusals(void *fixture)
{
	struct pair *p = fixture;
	int g1 = p->a.user.group, g2 = p->user.group;
	struct vfio_pci_hot_reset short_arg = { .argsz = 4, .count = 1 };
	struct vfio_pci_hot_reset flags = { .argsz = sizeof(flags), .flags = 1, .count = 1 };

	vfiosim_expect(vfiosim_ioctl(p->a.alice, p->a.user.device, VFIO_DEVICE_PCI_HOT_RESET,
				     VFIOSIM_BAD_POINTER) == -EFAULT);
	vfiosim_expect(vfiosim_ioctl(p->a.alice, p->a.user.device, VFIO_DEVICE_PCI_HOT_RESET,
				     &short_arg) == -EINVAL);
	vfiosim_expect(vfiosim_ioctl(p->a.alice, p->a.user.device, VFIO_DEVICE_PCI_HOT_RESET,
				     &flags) == -EINVAL);
	vfiosim_expect(hot_reset(p, 0, g1, g2) == -EINVAL);
	vfiosim_expect(hot_reset(p, 3, g1, g2) == -EINVAL);
	vfiosim_expect(hot_reset(p, 2, g1, 999) == -EBADF);
	vfiosim_expect(hot_reset(p, 2, g1, p->a.user.container) == -EINVAL);
	/* A function of a group that was not shown. */
	vfiosim_expect(hot_reset(p, 1, g1, 0) == -EINVAL);
	/* 6.12 looks at one device after the other, and has zapped the first by then. */
	vfiosim_expect(vfiosim_present(p->a.alice, p->a.bar) == !strcmp(vpci_run.core, "port"));
	vfiosim_expect(vfiosim_present(p->a.alice, p->bar));
	vfiosim_expect(hot_reset(p, 2, g1, g2) == 0);
	vfiosim_expect(!vfiosim_present(p->a.alice, p->a.bar));
	vfiosim_expect(!vfiosim_present(p->a.alice, p->bar));
	vfiosim_expect(vfiosim_load(p->a.alice, p->bar, NULL) == VFIOSIM_TOUCH_OK);
}

START_TEST(a_hot_reset_wants_to_see_every_group_of_the_bus)
{
	run_pair(refusals, setup_pair, runs[_i]);
}
END_TEST

static void foreign_neighbour(void *fixture)
{
	static const struct {
		const char *driver;
		int ret_5_14;
	} rows[] = {
		{ NULL, -EINVAL },
		{ "pci-stub", -EINVAL },
	};
	struct pair *p = fixture;

	vfiosim_expect(vfiosim_load(p->a.alice, p->a.bar, NULL) == VFIOSIM_TOUCH_OK);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].driver)
			vfiosim_expect(vfiosim_bind(NULL, p->other, rows[i].driver) == 0);
		/* It has a group, but nobody can show it. */
		vfiosim_expect(hot_reset(p, 1, p->a.user.group, 0) == rows[i].ret_5_14);
		vfiosim_expect(vfiosim_present(p->a.alice, p->a.bar));
	}
}

START_TEST(a_neighbour_without_vfio_driver_forbids_a_hot_reset)
{
	run_pair(foreign_neighbour, setup_one, runs[_i]);
}
END_TEST

/* Functions of one group: what GET_PCI_HOT_RESET_INFO tells (section 9). */
static void reset_info(void *fixture)
{
	struct pair *p = fixture;
	struct {
		struct vfio_pci_hot_reset_info head;
		struct vfio_pci_dependent_device devices[3];
	} info = { .head = { .argsz = sizeof(info.head) } };

	vfiosim_expect(vfiosim_ioctl(p->a.alice, p->a.user.device,
				     VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info) == -ENOSPC);
	vfiosim_expect(info.head.count == 2);
	info.head.argsz = sizeof(info);
	vfiosim_expect(vfiosim_ioctl(p->a.alice, p->a.user.device,
				     VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info) == 0);
	vfiosim_expect(info.head.count == 2);
	vfiosim_expect(info.devices[0].bus == 1 && info.devices[0].devfn == 0);
	vfiosim_expect(info.devices[1].bus == 1 && info.devices[1].devfn == 1 << 3);
	vfiosim_expect(info.devices[0].group_id != info.devices[1].group_id);
}

START_TEST(reset_info_lists_every_function_with_its_group)
{
	run_pair(reset_info, setup_pair, runs[_i]);
}
END_TEST

/* ---- all or nothing ---- */

/* Somebody holds a device lock of the bus: -EAGAIN, and the mappings are gone already. */
static void locked_function(void *fixture)
{
	struct pair *p = fixture;
	struct pci_dev *pdev = pci_find_by_name("0000:01:01.0");

	device_lock(&pdev->dev);
	vfiosim_expect(hot_reset(p, 2, p->a.user.group, p->user.group) == -EAGAIN);
	device_unlock(&pdev->dev);
	vfiosim_expect(vfiosim_load(p->a.alice, p->a.bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(p->a.alice, p->bar, NULL) == VFIOSIM_TOUCH_OK);
}

START_TEST(a_hot_reset_that_fails_in_the_reset_has_zapped_all_the_same)
{
	run_pair(locked_function, setup_pair, runs[_i]);
}
END_TEST

/* The resetter against faults, a closer and another resetter: 0 or EBUSY or EAGAIN. */
static void resetter(void *fixture)
{
	struct pair *p = fixture;
	long ret = hot_reset(p, 2, p->a.user.group, p->user.group);

	vfiosim_expect(ret == 0 || ret == -EBUSY || ret == -EAGAIN);
	if (ret == -EBUSY)
		vfiosim_say("reset was busy");
}

static void toucher(void *fixture)
{
	struct pair *p = fixture;

	vfiosim_expect(vfiosim_load(p->a.alice, p->bar, NULL) == VFIOSIM_TOUCH_OK);
	vfiosim_expect(vfiosim_load(p->a.alice, p->a.bar, NULL) == VFIOSIM_TOUCH_OK);
}

static void switcher(void *fixture)
{
	struct pair *p = fixture;

	vfiosim_expect(vfiosim_memory_space(p->a.alice, p->user.device, true) == 0);
	vfiosim_expect(vfiosim_ioctl(p->a.alice, p->user.device, VFIO_DEVICE_RESET, 0) == -EINVAL);
}

static void setup_race(void *fixture)
{
	struct pair *p = fixture;

	setup_pair(fixture);
	vfiosim_threads(p->a.alice, 4);
}

static void end_race(void *fixture)
{
	struct pair *p = fixture;
	struct vfio_pci_view view;

	/* Whatever happened, no lock was left behind: everything still works. */
	vfiosim_expect(hot_reset(p, 2, p->a.user.group, p->user.group) == 0);
	vfiosim_expect(vfio_pci_view(pci_find_by_name("0000:01:00.0"), &view));
	vfiosim_expect(view.memory_enabled && view.ptes == 0);
}

START_TEST(a_contended_hot_reset_is_busy_and_leaves_no_lock_behind)
{
	struct vfiosim_scenario scenario = {
		.name = "hot reset race", .fixture_size = sizeof(struct pair),
		.kernel = runs[_i]->kernel, .core = runs[_i]->core,
		.setup = setup_race, .teardown = end_race,
		.tasks = { { "resetter", resetter }, { "toucher", toucher },
			   { "switcher", switcher }, { "rival", resetter } },
	};
	unsigned int busy = 0;

	vpci_run = *runs[_i];
	vpci_run.resets = VFIOSIM_RESET_BUS;
	for (unsigned int seed = 1; seed <= 60; seed++) {
		ck_assert_msg(simtest_run_random(&scenario, seed) == VFIOSIM_OK, "seed %u: %s",
			      seed, run_failure() ? run_failure()->message : "?");
		busy += simtest_trace_count("reset was busy");
	}
	ck_assert_uint_gt(busy, 0);	/* VF-302, MM-184, MM-192 */
}
END_TEST

/*
 * VF-252, VF-269: the neighbour is unbound meanwhile. In 5.14 the reset either holds
 * its registration, or does not find it; in 6.12 it stays in the set, inode and all.
 */
static void setup_attached(void *fixture)
{
	struct pair *p = fixture;
	char path[VFIOSIM_PATH_MAX];

	setup_bound(p);
	vfiosim_expect(vfiosim_bind(NULL, p->other, "vfio-pci") == 0);
	p->user.group = vfiosim_open(p->a.alice, vfiosim_group_path(p->other, path), O_RDWR);
	vfiosim_expect(vfiosim_ioctl(p->a.alice, p->user.group, VFIO_GROUP_SET_CONTAINER,
				     &p->a.user.container) == 0);
}

static void reset_and_leave(void *fixture)
{
	struct pair *p = fixture;
	long ret = hot_reset(p, 2, p->a.user.group, p->user.group);

	vfiosim_say("hot reset: %s", vfiosim_error_name(ret));
	vfiosim_expect(ret == 0 || ret == -EAGAIN || ret == -EINVAL);
	vfiosim_close(p->a.alice, p->user.group);
}

static void unbind_other(void *fixture)
{
	struct pair *p = fixture;

	vfiosim_expect(vfiosim_unbind(NULL, p->other) == 0);
}

START_TEST(a_hot_reset_and_the_unbinding_of_a_neighbour_get_along)
{
	const struct vfiosim_scenario scenario = {
		.name = "reset and unbind", .fixture_size = sizeof(struct pair),
		.kernel = runs[_i]->kernel, .core = runs[_i]->core, .setup = setup_attached,
		.tasks = { { "resetter", reset_and_leave }, { "unbinder", unbind_other } },
	};
	unsigned int refused = 0;

	vpci_run = *runs[_i];
	vpci_run.resets = VFIOSIM_RESET_BUS;
	assert_scenario_ok(&scenario);
	ck_assert_uint_eq(simtest_trace_count("hot reset: 0"), 1);
	/* The device is locked (EAGAIN), or in 5.14 not found any more (EINVAL). */
	for (unsigned int seed = 1; seed <= 40; seed++) {
		ck_assert_msg(simtest_run_random(&scenario, seed) == VFIOSIM_OK, "seed %u: %s",
			      seed, run_failure() ? run_failure()->message : "?");
		refused += simtest_trace_count("hot reset: E");
	}
	ck_assert_uint_gt(refused, 0);
}
END_TEST

/* ---- the reset at the last close ---- */

static unsigned int bus_resets(void)
{
	return pci_find_by_name("0000:01:00.0")->bus->resets;
}

/* VF-150: only when nobody uses any function of the bus. */
static void last_close(void *fixture)
{
	struct pair *p = fixture;
	unsigned int before = bus_resets();	/* a function alone on its bus was reset so */

	vfiosim_munmap(p->a.alice, p->a.bar, VPCI_BAR);
	vfiosim_munmap(p->a.alice, p->bar, VPCI_BAR);
	vfiosim_user_close(&p->a.user);
	vfiosim_expect(bus_resets() == before);
	vfiosim_user_close(&p->user);
	vfiosim_expect(bus_resets() == before + 1);
}

START_TEST(the_last_close_on_a_bus_resets_it)
{
	run_pair(last_close, setup_pair, runs[_i]);
}
END_TEST

static void neighbour_without_driver(void *fixture)
{
	struct pair *p = fixture;
	unsigned int before = bus_resets();

	vfiosim_munmap(p->a.alice, p->a.bar, VPCI_BAR);
	vfiosim_user_close(&p->a.user);
	vfiosim_expect(bus_resets() == before);
}

START_TEST(a_bus_with_a_foreign_function_is_not_reset_at_the_last_close)
{
	run_pair(neighbour_without_driver, setup_one, runs[_i]);
}
END_TEST

/* VF-144: one reset lock for the bus, so that two first opens take turns. */
static void opener(void *fixture, struct vfiosim_user *user, struct vfiosim_device *device,
		   const char *name)
{
	struct vfiosim_process *process = vfiosim_process(name);

	vfiosim_expect(vfiosim_user_open(user, process, device) == 0);
	vfiosim_user_close(user);
	vfiosim_exit(process);
}

static void open_a(void *fixture)
{
	struct pair *p = fixture;

	opener(fixture, &p->a.user, p->a.device, "opener a");
}

static void open_b(void *fixture)
{
	struct pair *p = fixture;

	opener(fixture, &p->user, p->other, "opener b");
}

static void setup_unopened(void *fixture)
{
	struct pair *p = fixture;

	p->a.device = vpci_plug("0000:01:00.0");
	p->other = vpci_plug("0000:01:01.0");
	vfiosim_expect(vfiosim_bind(NULL, p->a.device, "vfio-pci") == 0);
	vfiosim_expect(vfiosim_bind(NULL, p->other, "vfio-pci") == 0);
}

START_TEST(opens_and_closes_on_one_bus_do_not_disturb_each_other)
{
	struct vfiosim_scenario scenario = {
		.name = "openers on a bus", .fixture_size = sizeof(struct pair),
		.kernel = runs[_i]->kernel, .core = runs[_i]->core, .setup = setup_unopened,
		.tasks = { { "a", open_a }, { "b", open_b } },
	};

	vpci_run = *runs[_i];
	vpci_run.resets = VFIOSIM_RESET_BUS;
	assert_scenario_ok_random(&scenario, 40);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vfio_pci_reset");
	TCase *hot = tcase_create("hot reset"), *last = tcase_create("last close");

	tcase_add_loop_test(hot, a_hot_reset_wants_to_see_every_group_of_the_bus, 0, N_RUNS);
	tcase_add_loop_test(hot, a_neighbour_without_vfio_driver_forbids_a_hot_reset, 0, N_RUNS);
	tcase_add_loop_test(hot, reset_info_lists_every_function_with_its_group, 0, N_RUNS);
	tcase_add_loop_test(hot, a_hot_reset_that_fails_in_the_reset_has_zapped_all_the_same, 0,
			    N_RUNS);
	tcase_add_loop_test(hot, a_contended_hot_reset_is_busy_and_leaves_no_lock_behind, 0,
			    N_RUNS);
	tcase_add_loop_test(hot, a_hot_reset_and_the_unbinding_of_a_neighbour_get_along, 0,
			    N_RUNS);
	tcase_add_loop_test(last, the_last_close_on_a_bus_resets_it, 0, N_RUNS);
	tcase_add_loop_test(last, a_bus_with_a_foreign_function_is_not_reset_at_the_last_close, 0,
			    N_RUNS);
	tcase_add_loop_test(last, opens_and_closes_on_one_bus_do_not_disturb_each_other, 0, N_RUNS);
	tcase_set_timeout(hot, 60);
	tcase_set_timeout(last, 60);
	suite_add_tcase(suite, hot);
	suite_add_tcase(suite, last);
	return simtest_main(suite);
}
