// SPDX-License-Identifier: GPL-2.0-only
/*
 * The progress detector: an unregister that nobody holds up must end (VF-82, VF-87).
 * Each loss is brought about by hand, at the device, so that both cores can be asked.
 */
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/vfio_core_ops.h>

#include "core-driver.h"
#include "process.h"
#include "simtest.h"
#include "vfio_core.h"

static struct vfio_device *device(void)
{
	return &core_find("A")->object->vdev;
}

static void setup(void *fixture)
{
	struct task_struct *task;

	core_setup();
	core_plug("A", 0);
	task = process_enter(core.admin);
	vfiosim_expect(exit_to_user_mode(task, core_bind(core_find("A"), "simple")) == 0);
	core_flush();
}

static void teardown(void *fixture)
{
	core_teardown();
}

static bool hold(void)
{
	if (vfio_core_allocates())
		return vfio_device_try_get_registration(device());
	return vfio_device_get_from_dev(core_find("A")->dev);
}

static void release(void)
{
	if (vfio_core_allocates())
		vfio_device_put_registration(device());
	else
		vfio_device_put(device());
}

static void unbind(void *fixture)
{
	struct task_struct *task = process_enter(core.admin);

	core_unbind(core_find("A"));
	exit_to_user_mode(task, 0);
}

/* The last one to let go does not say so; somebody else is there, and asleep. */
static void let_go_in_silence(void *fixture)
{
	vfiosim_expect(hold());
	msleep(5000);
	vfiosim_expect(refcount_dec_and_test(&device()->refcount));
	msleep(3000000);
}

static void forget(void *fixture)
{
	vfiosim_expect(hold());
}

static void take_long(void *fixture)
{
	vfiosim_expect(hold());
	for (int i = 0; i < 100; i++)
		msleep(1000);
	release();
}

/* As a detach that wakes nobody. */
static void leave_in_silence(void *fixture)
{
	struct vfio_group *group = device()->group;
	int stands_for_a_container;

	group->container = (void *)&stands_for_a_container;
	msleep(5000);
	group->container = NULL;
	msleep(3000000);
}

static const char *const cores[] = { "port", "merged" };

static struct vfiosim_scenario scenario_of(const char *core, void (*other)(void *fixture))
{
	return (struct vfiosim_scenario){
		.name = "progress", .core = core, .fixture_size = 16,
		.setup = setup, .teardown = teardown,
		.tasks = { { "other", other }, { "unbinder", unbind } },
	};
}

static void assert_in_vain(const struct vfiosim_scenario *scenario, const char *why)
{
	assert_scenario_detects("no-progress", scenario);
	ck_assert_msg(strstr(run_failure()->message, why), "\"%s\" is not in \"%s\"", why,
		      run_failure()->message);
	ck_assert_ptr_nonnull(strstr(run_failure()->message, "unbinder waits in "));
}

START_TEST(a_wait_for_a_user_who_has_let_go_is_in_vain)
{
	const struct vfiosim_scenario scenario = scenario_of(cores[_i], let_go_in_silence);

	/* VF-90 */
	assert_in_vain(&scenario, "the last user has let go of it, yet");
}
END_TEST

START_TEST(a_wait_for_a_reference_that_everybody_forgot_is_in_vain)
{
	const struct vfiosim_scenario scenario = scenario_of(cores[_i], forget);

	assert_in_vain(&scenario, "nobody is left to give a reference back, yet");
}
END_TEST

START_TEST(a_wait_for_a_container_that_was_left_is_in_vain)
{
	const struct vfiosim_scenario scenario = scenario_of("port", leave_in_silence);

	/* VF-87 */
	assert_in_vain(&scenario, "its group has left the container, yet");
}
END_TEST

START_TEST(a_wait_for_a_slow_user_is_none)
{
	const struct vfiosim_scenario scenario = scenario_of(cores[_i], take_long);

	assert_scenario_ok(&scenario);
	ck_assert_uint_eq(simtest_trace_count("*** no-progress"), 0);
}
END_TEST

static void idle(void *fixture)
{
}

/* What a stopped run leaves goes when the next one begins: leak checkers look. */
static void forget_the_run(void)
{
	assert_runs(idle);
}

int main(void)
{
	Suite *suite = suite_create("progress");
	TCase *tc = tcase_create("unregister");

	tcase_add_checked_fixture(tc, NULL, forget_the_run);
	tcase_add_loop_test(tc, a_wait_for_a_user_who_has_let_go_is_in_vain, 0, 2);
	tcase_add_loop_test(tc, a_wait_for_a_reference_that_everybody_forgot_is_in_vain, 0, 2);
	tcase_add_test(tc, a_wait_for_a_container_that_was_left_is_in_vain);
	tcase_add_loop_test(tc, a_wait_for_a_slow_user_is_none, 0, 2);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
