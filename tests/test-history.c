// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linearizability: a specification of one's own, and that of groups and containers
 * against both cores.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <string.h>

#include "simtest.h"

/* ---- a register that is incremented, by the tasks' own calls ---- */

struct counter {
	int value;
	struct vfiosim_gate gate;
};

static bool next_value(void *state, const struct vfiosim_call *call)
{
	return call->result == (*(int *)state)++;
}

static const struct vfiosim_spec increments = {
	.name = "a counter", .state_size = sizeof(int), .step = next_value,
};

static void increment_at_once(void *fixture)
{
	struct counter *c = fixture;

	vfiosim_call_begin("increment", 0);
	vfiosim_yield();
	vfiosim_call_end(c->value++);
}

static void increment_in_two_steps(void *fixture)
{
	struct counter *c = fixture;
	int value;

	vfiosim_call_begin("increment", 0);
	value = c->value;
	vfiosim_yield();
	c->value = value + 1;
	vfiosim_call_end(value);
}

/* Returns what it says, whatever was there: 1, then 0. */
static void first_one(void *fixture)
{
	struct counter *c = fixture;

	vfiosim_call_begin("increment", 0);
	vfiosim_call_end(1);
	vfiosim_gate_open(&c->gate);
}

static void then_none(void *fixture)
{
	struct counter *c = fixture;

	vfiosim_gate_wait(&c->gate);
	vfiosim_call_begin("increment", 0);
	vfiosim_call_end(0);
}

static const char *explore(const struct vfiosim_scenario *scenario,
			   enum vfiosim_strategy strategy)
{
	static char detector[32];
	/* All of it takes minutes under Valgrind. */
	const struct vfiosim_options options = {
		.strategy = strategy, .no_minimize = true,
		.preemptions_bounded = simtest_has_memory_checker(), .preemptions_max = 1,
	};
	struct vfiosim_report *report;

	vfiosim_explore(scenario, &options, &report);
	strncpy(detector, vfiosim_report_detector(report) ?: "none", sizeof(detector) - 1);
	ck_assert_int_ne(vfiosim_report_verdict(report), VFIOSIM_BUDGET);
	vfiosim_report_free(report);
	return detector;
}

static const struct {
	const char *what, *detector;
	void (*first)(void *fixture);
	void (*second)(void *fixture);
} counters[] = {
	{ "one step each", "none", increment_at_once, increment_at_once },
	{ "a lost update", "not-linearizable", increment_in_two_steps, increment_in_two_steps },
	{ "an order against time", "not-linearizable", first_one, then_none },
};

START_TEST(only_orders_that_keep_to_time_explain_results)
{
	const struct vfiosim_scenario scenario = {
		.name = "counter", .fixture_size = sizeof(struct counter), .spec = &increments,
		.tasks = { { "first", counters[_i].first }, { "second", counters[_i].second } },
	};

	/* Nobody announces accesses to the counter, so there is nothing to reduce by. */
	ck_assert_str_eq(explore(&scenario, VFIOSIM_NAIVE), counters[_i].detector);
}
END_TEST

START_TEST(the_report_has_each_call_with_its_interval)
{
	const struct vfiosim_scenario scenario = {
		.name = "counter", .fixture_size = sizeof(struct counter), .spec = &increments,
		.tasks = { { "first", first_one }, { "second", then_none } },
	};

	assert_scenario_detects("not-linearizable", &scenario);
	ck_assert_str_eq(run_failure()->message, "in no order does a counter allow: "
			 "first increment(0) = 1 [1-2]; the longest leaves first's increment");
}
END_TEST

/* ---- groups and containers ---- */

struct world {
	struct vfiosim_process *alice;
	struct vfiosim_device *device;
	char path[VFIOSIM_PATH_MAX];
	int group, containers[2], taken;
};

static void setup(void *fixture)
{
	const struct vfiosim_device_desc desc = {
		.name = "0000:01:00.0", .bars = { { .size = 0x4000 } },
	};
	struct world *w = fixture;

	w->alice = vfiosim_process("alice");
	vfiosim_threads(w->alice, 3);
	w->device = vfiosim_plug(&desc);
	vfiosim_expect(vfiosim_bind(NULL, w->device, "vfio-pci") == 0);
	vfiosim_group_path(w->device, w->path);
	w->group = vfiosim_open(w->alice, w->path, O_RDWR);
	for (int i = 0; i < 2; i++)
		w->containers[i] = vfiosim_open(w->alice, "/dev/vfio/vfio", O_RDWR);
}

static void setup_attached(void *fixture)
{
	struct world *w = fixture;

	setup(fixture);
	vfiosim_expect(vfiosim_ioctl(w->alice, w->group, VFIO_GROUP_SET_CONTAINER,
				     &w->containers[0]) == 0);
	vfiosim_expect(vfiosim_ioctl(w->alice, w->containers[0], VFIO_SET_IOMMU,
				     VFIO_TYPE1v2_IOMMU) == 0);
}

static void set(void *fixture)
{
	struct world *w = fixture;
	int container = w->containers[w->taken++];

	vfiosim_ioctl(w->alice, w->group, VFIO_GROUP_SET_CONTAINER, &container);
}

static void unset(void *fixture)
{
	struct world *w = fixture;

	vfiosim_ioctl(w->alice, w->group, VFIO_GROUP_UNSET_CONTAINER, 0);
}

static void get_device(void *fixture)
{
	struct world *w = fixture;
	int fd = vfiosim_ioctl(w->alice, w->group, VFIO_GROUP_GET_DEVICE_FD, "0000:01:00.0");

	if (fd >= 0)
		vfiosim_close(w->alice, fd);
}

static void open_again(void *fixture)
{
	struct world *w = fixture;
	int fd = vfiosim_open(w->alice, w->path, O_RDWR);

	if (fd >= 0)
		vfiosim_close(w->alice, fd);
}

static void close_group(void *fixture)
{
	struct world *w = fixture;

	vfiosim_close(w->alice, w->group);
}

static const struct {
	const char *what, *core, *detector;
	void (*setup)(void *fixture);
	void (*first)(void *fixture);
	void (*second)(void *fixture);
} races[] = {
	{ "VF-271: 5.14 attaches twice", "port", "not-linearizable", setup, set, set },
	{ "6.12 does not", "merged", "none", setup, set, set },
	{ "6.12: detach and attach", "merged", "none", setup_attached, unset, set },
	{ "6.12: detach and open a device", "merged", "none", setup_attached, unset, get_device },
	{ "6.12: two detach", "merged", "none", setup_attached, unset, unset },
	{ "6.12: close and open", "merged", "none", setup, close_group, open_again },
	{ "5.14: close and open", "port", "none", setup, close_group, open_again },
	{ "5.14: two open", "port", "none", setup, open_again, open_again },
};

#define OPENS 48	/* as many as a history holds */

START_TEST(as_many_files_can_be_open_as_a_history_holds_calls)
{
	_Alignas(16) char state[4096] = { 0 };

	ck_assert_uint_le(vfiosim_vfio_spec.state_size, sizeof(state));
	for (int fd = 0; fd < OPENS; fd++) {
		const struct vfiosim_call open = {
			.name = "open", .text = "/dev/vfio/vfio", .process = state, .result = fd,
		};

		ck_assert_msg(vfiosim_vfio_spec.step(state, &open), "open %d", fd);
	}
}
END_TEST

START_TEST(the_calls_of_a_core_are_as_if_one_came_after_the_other)
{
	const struct vfiosim_scenario scenario = {
		.name = "group", .fixture_size = sizeof(struct world), .setup = races[_i].setup,
		.core = races[_i].core, .spec = &vfiosim_vfio_spec,
		.tasks = { { "first", races[_i].first }, { "second", races[_i].second } },
	};
	const char *detector = explore(&scenario, VFIOSIM_EXHAUSTIVE);

	ck_assert_msg(!strcmp(detector, races[_i].detector), "%s: %s instead of %s",
		      races[_i].what, detector, races[_i].detector);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("history");
	TCase *tc = tcase_create("linearizable");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, only_orders_that_keep_to_time_explain_results, 0,
			    sizeof(counters) / sizeof(counters[0]));
	tcase_add_test(tc, the_report_has_each_call_with_its_interval);
	tcase_add_test(tc, as_many_files_can_be_open_as_a_history_holds_calls);
	tcase_add_loop_test(tc, the_calls_of_a_core_are_as_if_one_came_after_the_other, 0,
			    sizeof(races) / sizeof(races[0]));
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
