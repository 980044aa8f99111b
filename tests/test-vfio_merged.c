// SPDX-License-Identifier: GPL-2.0-only
/*
 * The merged core: the races that 5.14 loses are won, each step may fail, and the
 * inode lives as long as the object. What real 6.12 kernels print is compared in
 * test-real-kernel.c.
 */
#include <string.h>

#include "core-scenarios.h"
#include "simtest.h"

static struct vfiosim_scenario on_merged(const struct vfiosim_scenario *scenario)
{
	struct vfiosim_scenario copy = *scenario;

	copy.core = "merged";
	copy.kernel = VFIOSIM_KERNEL_6_12;
	return copy;
}

static const struct {
	const char *what;
	const struct vfiosim_scenario *scenario;
	unsigned int preemptions;
} races[] = {
	{ "VF-271: two SET_CONTAINER", &core_set_container_twice, 3 },
	{ "VF-272: UNSET and SET", &core_unset_and_set, 3 },
	{ "VF-274: GET_DEVICE_FD and UNSET", &core_get_device_and_unset, 3 },
	{ "VF-53: the status while a neighbour goes", &core_status_and_unbind, 2 },
	{ "VF-265: the warning before the install", &core_noiommu_open_and_gone, 1 },
	{ "VF-25: two binds in one group", &core_two_binds_of_a_group, 2 },
	{ "VF-245: two first pins", &core_two_first_binds, 2 },
	{ "VF-246: a last release and a first pin", &core_last_pin_and_first, 2 },
	{ "VF-255: an open and an unregister", &core_open_and_unbind, 2 },
	{ "VF-259: a close of the group and an unregister", &core_close_and_unbind, 2 },
	{ "VF-282: a close of the container and SET_CONTAINER", &core_container_close_and_set, 3 },
	{ "VF-283: two SET_IOMMU", &core_two_set_iommu, 3 },
	{ "VF-284: two opens of one group", &core_two_opens, 3 },
	{ "VF-358: an open and a register", &core_bind_and_open, 2 },
	{ "VF-359: an open and a waiting unregister", &core_busy_unbind, 1 },
	{ "VF-360: a second object", &core_duplicate, 1 },
	{ "VF-368: the last close of a group under an open device", &core_merged_busy, 2 },
	{ "VF-368: the last close of a group under two of them", &core_merged_two_open, 0 },
};

START_TEST(the_merged_core_wins_every_race)
{
	const struct vfiosim_scenario scenario = on_merged(races[_i].scenario);
	const struct vfiosim_options options = {
		.preemptions_bounded = true, .preemptions_max = races[_i].preemptions,
	};
	struct vfiosim_report *report = NULL;
	enum vfiosim_verdict verdict;

	if (!snapshot_possible() || simtest_has_memory_checker()) {
		assert_scenario_ok_random(&scenario, 10);
		return;
	}
	verdict = vfiosim_explore(&scenario, &options, &report);
	ck_assert_msg(verdict == VFIOSIM_OK, "%s: %.400s", races[_i].what,
		      vfiosim_report_text(report));
	vfiosim_report_free(report);
}
END_TEST

/* What 6.12 itself leaves behind, or dies of, when just this step fails. */
static const struct {
	const char *site, *detector, *why;
} leftovers[] = {
	{ "string", "leak", "VF-349: without its name the node cannot be deleted" },
	{ "cdev_probe", "leak", "a group without node keeps its IOMMU group (and warns)" },
	{ "kobject_add", "leak", "the same, one step later" },
	{ "fresh", "crash", "VF-311: registration ignores it, the first open does not" },
};

static bool is_leftover(const char *site, const struct finding *failure)
{
	for (unsigned int i = 0; i < sizeof(leftovers) / sizeof(*leftovers); i++)
		if (!strcmp(leftovers[i].site, site) &&
		    !strcmp(leftovers[i].detector, failure->detector))
			return true;
	return false;
}

static const struct {
	const char *what;
	const struct vfiosim_scenario *scenario;
	unsigned int least;
	bool crashes;			/* at VF-311: not where that ends the program */
} fault_sweeps[] = {
	{ "VF-350, VF-351: bind, open, map, close, unbind", &core_whole_life, 40, true },
	{ "VF-373: loading the module", &core_module_reload, 6 },
	{ "VF-371: a fake group", &core_noiommu_life, 12 },
	{ "VF-350: an object without registration", &core_object_life, 12 },
	{ "VF-356, VF-370: a set of two devices", &core_merged_set, 40 },
};

START_TEST(every_single_fault_is_survived_or_known)
{
	const struct vfiosim_scenario scenario = on_merged(fault_sweeps[_i].scenario);
	const struct finding *failure;
	unsigned int nth = 0;

	if (fault_sweeps[_i].crashes && simtest_has_memory_checker())
		return;
	do {
		simtest_run_fault(&scenario, ++nth);
		failure = run_failure();
		ck_assert_msg(!failure || is_leftover(simtest_failed_site(), failure),
			      "%s, fault %u (%s): %s: %.300s", fault_sweeps[_i].what, nth,
			      simtest_failed_site(), failure->detector, failure->message);
	} while (simtest_failed_site());
	ck_assert_uint_gt(nth, fault_sweeps[_i].least);
}
END_TEST

/* FS-12, VF-353, VF-354, VF-355, VF-356, VF-395 */
START_TEST(the_inode_lives_from_allocation_to_the_last_put)
{
	const struct vfiosim_scenario scenario = on_merged(&core_object_life);

	assert_scenario_ok(&scenario);
}
END_TEST

static Suite *vfio_merged_suite(void)
{
	Suite *suite = suite_create("vfio_merged");
	TCase *life = tcase_create("life"), *concurrent = tcase_create("races");

	tcase_set_timeout(life, 60);
	tcase_set_timeout(concurrent, 60);
	tcase_add_test(life, the_inode_lives_from_allocation_to_the_last_put);
	tcase_add_loop_test(life, every_single_fault_is_survived_or_known, 0,
			    sizeof(fault_sweeps) / sizeof(*fault_sweeps));
	tcase_add_loop_test(concurrent, the_merged_core_wins_every_race, 0,
			    sizeof(races) / sizeof(*races));
	suite_add_tcase(suite, life);
	suite_add_tcase(suite, concurrent);
	return suite;
}

int main(void)
{
	return simtest_main(vfio_merged_suite());
}
