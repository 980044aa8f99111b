// SPDX-License-Identifier: GPL-2.0-only
/* Names never are addresses, and events print what their format says. */
#include <vfiosim/kapi.h>

#include "engine.h"
#include "simtest.h"
#include "trace.h"

struct group {
	int id;
	struct mutex lock;
	refcount_t users;
	int other;
};

static KSTATE DEFINE_MUTEX(static_lock);
static struct {
	int count;
	struct mutex lock;
} state KSTATE = { .lock = MUTEX_INIT(lock) };

static void name_things(void *fixture)
{
	struct group *group = kzalloc(sizeof(*group), GFP_KERNEL);
	struct completion done;

	mutex_init(&group->lock);
	refcount_set(&group->users, 1);
	mutex_lock(&static_lock);
	mutex_lock(&state.lock);
	mutex_lock(&group->lock);
	shared_read(&group->other);
	shared_read(&state.count);
	mutex_unlock(&group->lock);
	mutex_unlock(&state.lock);
	mutex_unlock(&static_lock);
	init_completion(&done);
	complete(&done);
	eng_event("seen", group, "%d %u %x %s %O %llu", -1, 7u, 255u, "text", group, 1ULL << 40);
	eng_name(group, "0000:01:00.0");
	refcount_inc(&group->users);
	pr_info("count %d\n", 3);
	kfree(group);
}

static const char *const wanted[] = {
	"mutex_lock(static_lock)", "mutex_lock(state.lock)", "mutex_lock(group#1.lock)",
	"read_once(group#1+0x", "read_once(state)", "complete(stack:alone)",
	"seen group#1: -1 7 ff text group#1 1099511627776", "refcount_inc(0000:01:00.0.",
	". info : count 3",
};

START_TEST(objects_have_names)
{
	assert_runs(name_things);
	ck_assert_msg(simtest_trace_count(wanted[_i]) == 1, "no \"%s\" in\n%s", wanted[_i],
		      simtest_trace());
	ck_assert_uint_eq(simtest_trace_count("0x7f"), 0);
}
END_TEST

static void many_events(void *fixture)
{
	for (int i = 0; i < 100000; i++)
		eng_event("tick", NULL, "%d", i);
}

START_TEST(the_ring_keeps_the_newest_events)
{
	assert_runs(many_events);
	ck_assert_uint_eq(trace_count(), TRACE_EVENTS_MAX);
	ck_assert_uint_eq(simtest_trace_count("tick : 99999\n"), 1);
	ck_assert_uint_eq(simtest_trace_count("tick : 1\n"), 0);
	ck_assert_uint_eq(trace_get(1)->number, trace_get(0)->number + 1);
}
END_TEST

START_TEST(nothing_is_recorded_unless_tracing)
{
	static const struct vfiosim_scenario scenario = {
		.name = "quiet", .fixture_size = 64, .tasks = { { "alone", name_things } },
	};

	run_begin(&(struct run_config){ .scenario = &scenario });
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
	ck_assert_uint_eq(trace_count(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace");
	TCase *tc = tcase_create("trace");

	tcase_add_loop_test(tc, objects_have_names, 0, ARRAY_SIZE(wanted));
	tcase_add_test(tc, the_ring_keeps_the_newest_events);
	tcase_add_test(tc, nothing_is_recorded_unless_tracing);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
