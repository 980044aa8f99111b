// SPDX-License-Identifier: GPL-2.0-only
/* Binding devices and drivers: order of events, failures, races for a device. */
#include "engine.h"

#include "drv.h"

static struct device *boot_with_device(void)
{
	struct device *dev;

	drv_boot();
	vfiosim_expect(!driver_register(&drv_driver));
	dev = drv_new_device("a");
	vfiosim_expect(dev && !device_add(dev));
	drv_forget();
	return dev;
}

static void take_down(struct device *dev)
{
	device_unregister(dev);
	driver_unregister(&drv_driver);
	drv_shutdown();
}

/* VF-200, VF-203 */
static void bind_then_unbind(void *fixture)
{
	struct device *dev = boot_with_device();

	vfiosim_expect(!driver_bind_store(&drv_driver, "a"));
	drv_expect_log("BIND probe BOUND");
	vfiosim_expect(dev->driver == &drv_driver && dev_get_drvdata(dev));
	drv_forget();
	vfiosim_expect(!driver_unbind_store(&drv_driver, "a"));
	drv_expect_log("UNBIND remove UNBOUND");
	vfiosim_expect(!dev->driver && !dev_get_drvdata(dev));
	take_down(dev);
}

START_TEST(binding_sends_bind_before_probe_and_bound_after_it)
{
	assert_runs(bind_then_unbind);
}
END_TEST

/* VF-201, VF-347 */
static void failing_probe(void *fixture)
{
	static const struct {
		const char *what;
		int probe, bind;
	} rows[] = {
		{ "an error comes through", -EIO, -EIO },
		{ "a positive error is negated", EIO, -EIO },
		{ "a deferred probe asks to try again", -EPROBE_DEFER, -EAGAIN },
		{ "no such device", -ENODEV, -ENODEV },
	};
	struct device *dev = boot_with_device();

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		drv_forget();
		drv_probe_result = rows[i].probe;
		eng_event("row", NULL, "%s", rows[i].what);
		vfiosim_expect(driver_bind_store(&drv_driver, "a") == rows[i].bind);
		drv_expect_log("BIND probe NOT_BOUND");
		vfiosim_expect(!dev->driver && !dev_get_drvdata(dev));
	}
	take_down(dev);
}

START_TEST(a_failed_probe_sends_not_bound_and_leaves_no_driver)
{
	assert_runs(failing_probe);
}
END_TEST

static void note_action(void *word)
{
	drv_note(word);
}

static int probe_with_resources(struct device *dev)
{
	drv_note("probe");
	if (devm_add_action(dev, note_action, "first") || devm_add_action(dev, note_action, "last"))
		return -ENOMEM;
	return drv_probe_result;
}

static void managed_resources(void *fixture)
{
	struct device *dev = boot_with_device();

	drv_driver.probe = probe_with_resources;
	drv_probe_result = -EIO;
	vfiosim_expect(driver_bind_store(&drv_driver, "a") == -EIO);
	drv_expect_log("BIND probe NOT_BOUND last first");
	drv_forget();
	drv_probe_result = 0;
	vfiosim_expect(!driver_bind_store(&drv_driver, "a"));
	vfiosim_expect(!driver_unbind_store(&drv_driver, "a"));
	drv_expect_log("BIND probe BOUND UNBIND remove last first UNBOUND");
	take_down(dev);
}

START_TEST(managed_resources_go_newest_first_after_remove_or_a_failed_probe)
{
	assert_runs(managed_resources);
}
END_TEST

/* VF-198, VF-199, VF-204 */
static void refused_binds(void *fixture)
{
	struct device *dev = boot_with_device();

	vfiosim_expect(driver_bind_store(&drv_driver, "b") == -ENODEV);
	drv_matches = 0;
	vfiosim_expect(driver_bind_store(&drv_driver, "a") == -ENODEV);
	drv_matches = 1;
	vfiosim_expect(driver_unbind_store(&drv_driver, "a") == -ENODEV);
	drv_expect_log("");
	vfiosim_expect(!driver_bind_store(&drv_driver, "a"));
	vfiosim_expect(driver_bind_store(&drv_driver, "a") == -EBUSY);
	vfiosim_expect(!bus_drivers_probe_store(&drv_bus, "a"));
	vfiosim_expect(bus_drivers_probe_store(&drv_bus, "b") == -ENODEV);
	drv_expect_log("BIND probe BOUND");
	take_down(dev);
}

START_TEST(binding_by_name_needs_an_unbound_device_that_matches)
{
	assert_runs(refused_binds);
}
END_TEST

/* VF-202, VF-309: the failing step must be met without a word to the caller. */
static void bind_under_failing_step(void *fixture)
{
	struct device *dev = boot_with_device();
	int ret = driver_bind_store(&drv_driver, "a");

	if (!ret)
		drv_note(dev->driver ? "bound" : "unbound");
	eng_event("outcome", NULL, "[%s] ret %d", drv_log, ret);
	take_down(dev);
}

static const struct vfiosim_scenario failing_steps = {
	.name = "failing steps", .tasks = { { "alice", bind_under_failing_step } },
};

static const struct {
	const char *site, *outcome_5_14, *outcome_6_12;
} failing_rows[] = {
	{ "driver_sysfs_add", "[BIND NOT_BOUND unbound] ret 0", "[BIND NOT_BOUND] ret -12" },
	{ "device_add_groups", "[BIND probe remove NOT_BOUND unbound] ret 0",
	  "[BIND probe remove NOT_BOUND] ret -12" },
	/* VF-201: what was not configured is not reported since 6.1. */
	{ "drv_dma_configure", "[NOT_BOUND] ret -19", "[] ret -19" },
};

static void set_6_12(void *fixture)
{
	kernel_version = KERNEL_6_12;
}

static void check_failing_step(const char *site, const char *outcome, bool newer)
{
	struct vfiosim_scenario scenario = failing_steps;

	if (newer)
		scenario.setup = set_6_12;
	simtest_run_fault_at(&scenario, site, 1);
	ck_assert_msg(simtest_failed_site() != NULL, "no step %s", site);
	ck_assert_msg(simtest_trace_count(outcome) == 1, "%s did not end in %s", site, outcome);
}

START_TEST(failing_links_make_bind_say_success_without_binding_until_6_1)
{
	check_failing_step(failing_rows[_i].site, failing_rows[_i].outcome_5_14, false);
	check_failing_step(failing_rows[_i].site, failing_rows[_i].outcome_6_12, true);
}
END_TEST

/* VF-196: the group exists before the first probe, since ADD comes first. */
static void autoprobe(void *fixture)
{
	struct device *dev;

	drv_boot();
	bus_set_drivers_autoprobe(&drv_bus, true);
	vfiosim_expect(!driver_register(&drv_driver));
	dev = drv_new_device("a");
	vfiosim_expect(!device_add(dev));
	drv_expect_log("ADD BIND probe BOUND");
	drv_forget();
	device_unregister(dev);
	/* VF-197 */
	drv_expect_log("DEL UNBIND remove UNBOUND REMOVED release");
	driver_unregister(&drv_driver);
	drv_shutdown();
}

START_TEST(a_device_is_added_before_its_probe_and_deleted_before_its_unbind)
{
	assert_runs(autoprobe);
}
END_TEST

static void late_driver(void *fixture)
{
	struct device *a, *b;

	drv_boot();
	bus_set_drivers_autoprobe(&drv_bus, true);
	a = drv_new_device("a");
	b = drv_new_device("b");
	vfiosim_expect(!device_add(a) && !device_add(b));
	drv_forget();
	vfiosim_expect(!driver_register(&drv_driver));
	drv_expect_log("BIND probe BOUND BIND probe BOUND");
	vfiosim_expect(a->driver && b->driver);
	vfiosim_expect(driver_register(&drv_driver) == -EBUSY);
	driver_unregister(&drv_driver);
	vfiosim_expect(!a->driver && !b->driver);
	device_unregister(a);
	device_unregister(b);
	drv_shutdown();
}

START_TEST(a_driver_that_comes_late_finds_the_devices_that_wait)
{
	assert_runs(late_driver);
}
END_TEST

/* VF-205 */
static int remove_noting_name(struct device *dev)
{
	drv_note(dev_name(dev));
	return 0;
}

static void detach_order(void *fixture)
{
	struct device *devs[3];
	static const char *const names[] = { "a", "b", "c" };

	drv_boot();
	drv_driver.remove = remove_noting_name;
	vfiosim_expect(!driver_register(&drv_driver));
	for (int i = 0; i < 3; i++) {
		devs[i] = drv_new_device(names[i]);
		vfiosim_expect(!device_add(devs[i]));
	}
	vfiosim_expect(!driver_bind_store(&drv_driver, "b"));
	vfiosim_expect(!driver_bind_store(&drv_driver, "c"));
	vfiosim_expect(!driver_bind_store(&drv_driver, "a"));
	drv_forget();
	driver_unregister(&drv_driver);
	drv_expect_log("UNBIND a UNBOUND UNBIND c UNBOUND UNBIND b UNBOUND");
	for (int i = 0; i < 3; i++)
		device_unregister(devs[i]);
	drv_shutdown();
}

START_TEST(unloading_a_driver_unbinds_the_last_bound_device_first)
{
	assert_runs(detach_order);
}
END_TEST

/* ---- races ---- */

static void race_setup(void *fixture)
{
	*(struct device **)fixture = boot_with_device();
}

static void race_teardown(void *fixture)
{
	struct device *dev = *(struct device **)fixture;

	vfiosim_expect(!dev->driver);
	take_down(dev);
}

static void try_bind(void *fixture)
{
	int ret = driver_bind_store(&drv_driver, "a");

	vfiosim_expect(ret == 0 || ret == -EBUSY);
}

static void one_bound_teardown(void *fixture)
{
	struct device *dev = *(struct device **)fixture;

	drv_expect_log("BIND probe BOUND");
	vfiosim_expect(dev->driver == &drv_driver);
	take_down(dev);
}

static void bind_and_unbind(void *fixture)
{
	try_bind(fixture);
	driver_unbind_store(&drv_driver, "a");
}

START_TEST(of_two_binders_one_gets_the_device)
{
	static const struct vfiosim_scenario scenario = {
		.name = "two binders", .fixture_size = sizeof(struct device *),
		.setup = race_setup, .teardown = one_bound_teardown,
		.tasks = { { "alice", try_bind }, { "bob", try_bind } },
	};

	assert_scenario_ok_random(&scenario, 60);
	assert_scenario_repeats(&scenario);
}
END_TEST

START_TEST(binds_and_unbinds_of_many_tasks_leave_the_device_unbound)
{
	static const struct vfiosim_scenario scenario = {
		.name = "binders and unbinders", .fixture_size = sizeof(struct device *),
		.setup = race_setup, .teardown = race_teardown,
		.tasks = { { "alice", bind_and_unbind }, { "bob", bind_and_unbind } },
	};

	assert_scenario_ok_random(&scenario, 100);
}
END_TEST

/* VF-204: what is compared without the lock may be another driver's by then. */
static struct device_driver other_driver KSTATE = {
	.name = "other", .bus = &drv_bus, .probe = drv_probe, .remove = drv_remove,
};

static void wrong_unbind_setup(void *fixture)
{
	race_setup(fixture);
	vfiosim_expect(!driver_register(&other_driver));
	vfiosim_expect(!driver_bind_store(&drv_driver, "a"));
}

static void hand_over(void *fixture)
{
	driver_unbind_store(&drv_driver, "a");
	driver_bind_store(&other_driver, "a");
}

static void unbind_first_driver(void *fixture)
{
	struct device *dev = *(struct device **)fixture;

	if (!driver_unbind_store(&drv_driver, "a") && strstr(drv_log, "BOUND BIND"))
		if (!dev->driver)
			eng_event("took the other driver's device", dev, NULL);
}

static void wrong_unbind_teardown(void *fixture)
{
	struct device *dev = *(struct device **)fixture;

	device_release_driver(dev);
	driver_unregister(&other_driver);
	take_down(dev);
}

START_TEST(an_unbind_by_name_can_take_another_drivers_device)
{
	static const struct vfiosim_scenario scenario = {
		.name = "wrong unbind", .fixture_size = sizeof(struct device *),
		.setup = wrong_unbind_setup, .teardown = wrong_unbind_teardown,
		.tasks = { { "alice", unbind_first_driver }, { "bob", hand_over } },
	};
	unsigned int seen = 0;

	for (unsigned int seed = 1; seed <= 200 && !seen; seed++) {
		ck_assert_int_eq(simtest_run_random(&scenario, seed), VFIOSIM_OK);
		seen = simtest_trace_count("took the other driver's device");
	}
	ck_assert_uint_gt(seen, 0);
}
END_TEST

/* VF-207: a second unbind waits for the first. */
static int slow_remove(struct device *dev)
{
	msleep(1000);
	drv_note("remove");
	return 0;
}

static void slow_setup(void *fixture)
{
	race_setup(fixture);
	drv_driver.remove = slow_remove;
	vfiosim_expect(!driver_bind_store(&drv_driver, "a"));
	drv_forget();
}

static void unbind_once(void *fixture)
{
	driver_unbind_store(&drv_driver, "a");
}

static void probe_while_unbinding(void *fixture)
{
	vfiosim_expect(!bus_drivers_probe_store(&drv_bus, "a"));
}

static void slow_teardown(void *fixture)
{
	drv_expect_log("UNBIND remove UNBOUND");
	race_teardown(fixture);
}

START_TEST(a_second_unbind_waits_for_the_first_and_finds_nothing_to_do)
{
	static const struct vfiosim_scenario scenario = {
		.name = "two unbinds", .fixture_size = sizeof(struct device *),
		.setup = slow_setup, .teardown = slow_teardown,
		.tasks = { { "alice", unbind_once }, { "bob", unbind_once },
			   { "carol", probe_while_unbinding } },
	};

	assert_scenario_ok(&scenario);
}
END_TEST

/* Every step that can fail leaves nothing behind. */
static void bind_survivor(void *fixture)
{
	struct device *dev;

	if (bus_register(&drv_bus))
		return;
	bus_set_drivers_autoprobe(&drv_bus, false);
	if (driver_register(&drv_driver))
		goto out_bus;
	dev = drv_new_device("a");
	if (!dev)
		goto out_driver;
	if (!device_add(dev)) {
		driver_bind_store(&drv_driver, "a");
		device_del(dev);
	}
	put_device(dev);
out_driver:
	driver_unregister(&drv_driver);
out_bus:
	bus_unregister(&drv_bus);
}

START_TEST(no_single_failure_of_a_bind_leaves_anything_behind)
{
	static const struct vfiosim_scenario scenario = {
		.name = "bind under faults", .tasks = { { "alice", bind_survivor } },
	};

	assert_scenario_survives_faults(&scenario, 6);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus");
	TCase *order = tcase_create("order"), *races = tcase_create("races");

	tcase_add_test(order, binding_sends_bind_before_probe_and_bound_after_it);
	tcase_add_test(order, a_failed_probe_sends_not_bound_and_leaves_no_driver);
	tcase_add_test(order, managed_resources_go_newest_first_after_remove_or_a_failed_probe);
	tcase_add_test(order, binding_by_name_needs_an_unbound_device_that_matches);
	tcase_add_loop_test(order, failing_links_make_bind_say_success_without_binding_until_6_1,
			    0, ARRAY_SIZE(failing_rows));
	tcase_add_test(order, a_device_is_added_before_its_probe_and_deleted_before_its_unbind);
	tcase_add_test(order, a_driver_that_comes_late_finds_the_devices_that_wait);
	tcase_add_test(order, unloading_a_driver_unbinds_the_last_bound_device_first);
	tcase_add_test(order, no_single_failure_of_a_bind_leaves_anything_behind);
	tcase_add_test(races, of_two_binders_one_gets_the_device);
	tcase_add_test(races, binds_and_unbinds_of_many_tasks_leave_the_device_unbound);
	tcase_add_test(races, an_unbind_by_name_can_take_another_drivers_device);
	tcase_add_test(races, a_second_unbind_waits_for_the_first_and_finds_nothing_to_do);
	suite_add_tcase(suite, order);
	suite_add_tcase(suite, races);
	return simtest_main(suite);
}
