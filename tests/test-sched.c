// SPDX-License-Identifier: GPL-2.0-only
/* Runs: repeatable, reset, replayable from their schedule, and stepped from outside. */
#include <stdlib.h>

#include <vfiosim/kapi.h>

#include "engine.h"
#include "simtest.h"
#include "trace.h"

struct world {
	struct mutex lock;
	struct completion done;
	int order[8];
	int n;
};

static int static_counter KSTATE = 5;

static void init_world(void *fixture)
{
	struct world *w = fixture;

	mutex_init(&w->lock);
	init_completion(&w->done);
	vfiosim_expect(static_counter == 5);
	static_counter = 6;
}

static void note(struct world *w, int what)
{
	mutex_lock(&w->lock);
	w->order[w->n++ % 8] = what;
	mutex_unlock(&w->lock);
}

static void first(void *fixture)
{
	note(fixture, 1);
	note(fixture, 2);
}

static void second(void *fixture)
{
	note(fixture, 3);
	note(fixture, 4);
}

static const struct vfiosim_scenario two = {
	.name = "two", .fixture_size = sizeof(struct world), .setup = init_world,
	.tasks = { { "first", first }, { "second", second } },
};

START_TEST(statics_and_heap_are_back_at_boot_before_each_run)
{
	for (int i = 0; i < 3; i++)
		assert_scenario_ok(&two);
}
END_TEST

START_TEST(the_same_schedule_gives_the_same_trace)
{
	char *traces[2];
	struct decision *script;
	const struct decision *decisions;
	uint64_t hash;
	size_t n;

	simtest_run_random(&two, 7);
	traces[0] = simtest_trace();
	hash = run_trace_hash();
	n = run_decisions(&decisions);
	script = memcpy(malloc(n * sizeof(*script)), decisions, n * sizeof(*script));
	simtest_run_random(&two, 8);
	ck_assert(run_trace_hash() != hash);
	run_begin(&(struct run_config){ .scenario = &two, .script = script,
					.script_length = n, .tracing = true });
	ck_assert_ptr_null(run_menu());
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
	traces[1] = simtest_trace();
	ck_assert_str_eq(traces[0], traces[1]);
	ck_assert(run_trace_hash() == hash);
	/* The fast path, without a trace, comes to the same end. */
	run_begin(&(struct run_config){ .scenario = &two, .script = script,
					.script_length = n });
	ck_assert_ptr_null(run_menu());
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
	ck_assert(run_trace_hash() == hash);
	free(script);
	free(traces[0]);
	free(traces[1]);
}
END_TEST

START_TEST(a_script_that_does_not_fit_is_left_where_it_ends_to_fit)
{
	struct decision script[3] = {
		{ .kind = DECIDE_TASK, .value = 0 },
		{ .kind = DECIDE_TASK, .value = 0 },
		{ .kind = DECIDE_TASK, .value = 9 },
	};
	const struct decision *decisions;

	run_begin(&(struct run_config){ .scenario = &two, .script = script,
					.script_length = 3 });
	ck_assert_ptr_nonnull(run_menu());
	ck_assert_uint_eq(run_decisions(&decisions), 2);
	ck_assert_int_eq(run_divergence(), 2);
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
}
END_TEST

START_TEST(the_menu_shows_operations_before_they_happen)
{
	const struct menu *menu;
	const struct step *step;

	run_begin(&(struct run_config){ .scenario = &two });
	menu = run_menu();
	ck_assert_uint_eq(menu->enabled, 3);
	ck_assert_int_eq(menu->pending[0].op, ENG_OP_START);
	run_step(0, ENG_READY);
	run_step(1, ENG_READY);
	menu = run_menu();
	ck_assert_int_eq(menu->pending[0].op, ENG_OP_MUTEX_LOCK);
	ck_assert_ptr_eq(menu->pending[0].object, menu->pending[1].object);
	ck_assert(menu->pending[0].blocking);
	step = run_step(1, ENG_READY);
	ck_assert_int_eq(step->op, ENG_OP_MUTEX_LOCK);
	ck_assert_int_eq(step->access, ENG_WRITE);
	menu = run_menu();
	ck_assert_uint_eq(menu->enabled, 2);
	ck_assert_str_eq(object_name_op(menu->pending[0].op, menu->pending[0].object),
			 "fixture#1.lock");
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
}
END_TEST

static void wait_or_give_up(void *fixture)
{
	struct world *w = fixture;

	w->order[0] = wait_for_completion_timeout(&w->done, HZ) ? 1 : 2;
}

static void complete_it(void *fixture)
{
	complete(&((struct world *)fixture)->done);
}

static const struct vfiosim_scenario timeout = {
	.name = "timeout", .fixture_size = sizeof(struct world), .setup = init_world,
	.tasks = { { "waiter", wait_or_give_up }, { "completer", complete_it } },
};

START_TEST(a_timeout_may_fire_while_others_can_run)
{
	const struct menu *menu;

	run_begin(&(struct run_config){ .scenario = &timeout, .tracing = true });
	run_menu();
	run_step(0, ENG_READY);
	menu = run_menu();
	ck_assert_uint_eq(menu->enabled, 2);
	ck_assert_uint_eq(menu->timeouts, 1);
	run_step(0, ENG_TIMEOUT);
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
	ck_assert_uint_eq(simtest_trace_count("timed out"), 1);
	assert_scenario_repeats(&timeout);
}
END_TEST

static void choose_twice(void *fixture)
{
	struct world *w = fixture;

	cond_resched();
	w->order[0] = eng_choose("which", 3);
	w->order[1] = eng_choose("which", 3);
	vfiosim_expect(!(w->order[0] == 2 && w->order[1] == 1));
}

START_TEST(data_choices_of_a_step_can_be_given)
{
	static const struct vfiosim_scenario scenario = {
		.name = "data", .fixture_size = sizeof(struct world),
		.tasks = { { "alone", choose_twice } },
	};
	const struct decision *decisions;
	uint16_t values[] = { 2, 1 };

	run_begin(&(struct run_config){ .scenario = &scenario });
	run_menu();
	run_step(0, ENG_READY);
	run_menu();
	run_next_data(values, 2);
	run_step(0, ENG_READY);
	ck_assert_int_eq(run_end(), VFIOSIM_VIOLATION);
	ck_assert_uint_eq(run_decisions(&decisions), 4);
	ck_assert_str_eq(decisions[2].what, "which");
	ck_assert_uint_eq(decisions[2].value, 2);
	ck_assert_uint_eq(decisions[3].value, 1);
}
END_TEST

static void spawned(void *fixture)
{
	note(fixture, 9);
}

static void spawn_one(void *fixture)
{
	eng_spawn("child", spawned, fixture, false);
	note(fixture, 1);
}

static void expect_two_notes(void *fixture)
{
	vfiosim_expect(((struct world *)fixture)->n == 2);
}

START_TEST(a_run_waits_for_the_tasks_that_tasks_start)
{
	static const struct vfiosim_scenario scenario = {
		.name = "spawn", .fixture_size = sizeof(struct world), .setup = init_world,
		.teardown = expect_two_notes, .tasks = { { "parent", spawn_one } },
	};

	assert_scenario_ok_random(&scenario, 20);
}
END_TEST

static void free_a_thing(void *fixture)
{
	void *thing = kmalloc(32, GFP_KERNEL);

	cond_resched();
	kfree(thing);
}

START_TEST(a_step_names_what_it_freed)
{
	static const struct vfiosim_scenario scenario = {
		.name = "free", .tasks = { { "alone", free_a_thing } },
	};
	struct object_info info;
	const struct step *step;

	run_begin(&(struct run_config){ .scenario = &scenario });
	run_menu();
	ck_assert_uint_eq(run_step(0, ENG_READY)->freed, 0);
	run_menu();
	step = run_step(0, ENG_READY);
	ck_assert_uint_eq(step->freed, 1);
	ck_assert(object_lookup(run_freed()[0], &info));
	ck_assert_uint_eq(info.size, 32);
	ck_assert_int_eq(info.alloc_task, 0);
	ck_assert_int_eq(info.free_task, 0);
	ck_assert_ptr_nonnull(info.free_site);
	ck_assert_int_eq(run_end(), VFIOSIM_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sched");
	TCase *tc = tcase_create("sched");

	tcase_add_test(tc, statics_and_heap_are_back_at_boot_before_each_run);
	tcase_add_test(tc, the_same_schedule_gives_the_same_trace);
	tcase_add_test(tc, a_script_that_does_not_fit_is_left_where_it_ends_to_fit);
	tcase_add_test(tc, the_menu_shows_operations_before_they_happen);
	tcase_add_test(tc, a_timeout_may_fire_while_others_can_run);
	tcase_add_test(tc, data_choices_of_a_step_can_be_given);
	tcase_add_test(tc, a_run_waits_for_the_tasks_that_tasks_start);
	tcase_add_test(tc, a_step_names_what_it_freed);
	suite_add_tcase(suite, tc);
	return simtest_main(suite);
}
