/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Driving one run by hand: tasks are named, and taken to the operation that
 * matters. A test says what the interleaving is in these words, and asks in
 * between what it came to.
 */
#ifndef VFIOSIM_STEPTEST_H
#define VFIOSIM_STEPTEST_H

#define VFIOSIM_HOST
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"
#include "run.h"
#include "sched.h"
#include "trace.h"

#define STEPTEST static __attribute__((unused))

STEPTEST void step_begin_with(const struct vfiosim_scenario *scenario, bool faults)
{
	const struct run_config config = {
		.scenario = scenario, .tracing = true, .faults = faults,
	};

	run_begin(&config);
}

STEPTEST void step_begin(const struct vfiosim_scenario *scenario)
{
	step_begin_with(scenario, false);
}

STEPTEST unsigned int step_number(const char *name)
{
	for (unsigned int i = 0; i < ENGINE->n_tasks; i++) {
		if (!strcmp(run_task_name(i), name))
			return i;
	}
	ck_abort_msg("no task is called %s", name);
	return 0;
}

STEPTEST void step_print_failure(void)
{
	const struct finding *failure = run_failure();

	if (failure)
		fprintf(stderr, "%s: %s\n", failure->detector, failure->message);
}

STEPTEST bool step_ended(const char *name)
{
	return !(ENGINE->alive >> step_number(name) & 1);
}

STEPTEST bool step_can_run(const char *name)
{
	const struct menu *menu = run_menu();

	return menu && menu->enabled >> step_number(name) & 1;
}

/* Alive, and nothing that it waits for has happened. */
STEPTEST bool step_blocked(const char *name)
{
	return !step_ended(name) && !step_can_run(name);
}

STEPTEST void step_once(const char *name)
{
	if (!step_can_run(name)) {
		step_print_failure();
		ck_abort_msg("%s cannot run", name);
	}
	run_step(step_number(name), ENG_READY);
}

STEPTEST bool step_is_at(const char *name, enum eng_op op, const char *object)
{
	const struct pending *pending = &ENGINE->pending[step_number(name)];

	return pending->op == op && strstr(object_name_op(op, pending->object), object);
}

/* Takes @name to its next @op on @object, which has not happened yet. */
STEPTEST void step_until(const char *name, enum eng_op op, const char *object)
{
	while (!step_is_at(name, op, object)) {
		if (step_ended(name))
			ck_abort_msg("%s ended before its %s(%s)", name, op_word(op), object);
		step_once(name);
	}
}

/* As step_until(), and that too; @times of them. */
STEPTEST void step_past(const char *name, enum eng_op op, const char *object, unsigned int times)
{
	for (; times; times--) {
		step_until(name, op, object);
		step_once(name);
	}
}

/* To the task's end; it must not block. */
STEPTEST void step_out(const char *name)
{
	while (!step_ended(name) && !run_failure())
		step_once(name);
}

/* Whoever can still run, lowest number first, then teardown. */
STEPTEST void step_finish(enum vfiosim_verdict expected)
{
	enum vfiosim_verdict verdict = run_end();

	if (verdict != expected)
		step_print_failure();
	ck_assert_int_eq(verdict, expected);
}

STEPTEST void step_finish_with(const char *detector)
{
	run_end();
	ck_assert_msg(run_failure() != NULL, "nothing was found, %s expected", detector);
	ck_assert_str_eq(run_failure()->detector, detector);
}

/* All of it in the default order. */
STEPTEST void step_all(const struct vfiosim_scenario *scenario, enum vfiosim_verdict expected)
{
	step_begin(scenario);
	step_finish(expected);
}

STEPTEST void step_all_finds(const struct vfiosim_scenario *scenario, const char *detector)
{
	step_begin(scenario);
	step_finish_with(detector);
}

/* ---- events ---- */

STEPTEST bool event_matches(const struct trace_event *event, const char *wanted)
{
	size_t length = strcspn(wanted, " ");

	return event->kind == TRACE_EVENT && strlen(event->what) == length &&
	       !strncmp(event->what, wanted, length) &&
	       (!wanted[length] || strstr(event->text, wanted + length + 1));
}

/* Index of the next event from *@from on that is "what" or "what text"; aborts if none. */
STEPTEST void event_next(size_t *from, const char *wanted)
{
	while (*from < trace_count() && !event_matches(trace_get(*from), wanted))
		++*from;
	if (*from == trace_count())
		ck_abort_msg("event \"%s\" did not follow", wanted);
	++*from;
}

STEPTEST unsigned int event_count(const char *wanted)
{
	unsigned int count = 0;

	for (size_t i = 0; i < trace_count(); i++)
		count += event_matches(trace_get(i), wanted);
	return count;
}

/* The events of @wanted came in this order; others may lie between. */
STEPTEST void expect_order(const char *const wanted[])
{
	size_t from = 0;

	for (; *wanted; wanted++)
		event_next(&from, *wanted);
}

/* ---- one fault ---- */

/*
 * Runs @scenario and fails the @nth fault point that it reaches, from 0. Returns
 * the point's name; NULL if the run reached no more than @nth.
 */
STEPTEST const char *step_fault(const struct vfiosim_scenario *scenario, unsigned int nth)
{
	const struct decision *decisions;
	const char *site = NULL;
	const struct menu *menu;
	size_t seen = 0, n = 0;

	step_begin_with(scenario, true);
	while ((menu = run_menu())) {
		uint16_t values[RUN_DATA_MAX] = { 0 };

		if (!menu->enabled)
			break;
		if (!site && nth - seen < RUN_DATA_MAX)
			values[nth - seen] = 1;
		run_next_data(values, RUN_DATA_MAX);
		run_step(__builtin_ctzll(menu->enabled), ENG_READY);
		for (size_t total = run_decisions(&decisions); n < total; n++) {
			if (decisions[n].kind != DECIDE_DATA)
				continue;
			if (seen++ == nth)
				site = decisions[n].what;
		}
	}
	return site;
}

/* ---- main ---- */

STEPTEST int steptest_main(const char *name, const TTest *const tests[], size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *runner;
	int failed;

	for (size_t i = 0; i < count; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define STEPTEST_MAIN(name, ...)						\
int main(void)									\
{										\
	const TTest *const tests[] = { __VA_ARGS__ };				\
										\
	return steptest_main(name, tests, sizeof(tests) / sizeof(tests[0]));	\
}

#endif
