/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running kernel-side code from libcheck tests.
 *
 * Inside a run use vfiosim_expect(), never ck_assert: it would leave the task by
 * longjmp and take the schedule with it. A failed assertion prints the trace.
 */
#ifndef SIMTEST_H
#define SIMTEST_H

#include <check.h>

#include <vfiosim.h>

#include "sched.h"

/* Runs @scenario once in the default order: a task runs until it blocks. */
enum vfiosim_verdict simtest_run(const struct vfiosim_scenario *scenario);
/* The same, failing the @nth fault point that is reached (1: the first; 0: none). */
enum vfiosim_verdict simtest_run_fault(const struct vfiosim_scenario *scenario,
				       unsigned int nth);
/* The same, of the fault points that are named @site. */
enum vfiosim_verdict simtest_run_fault_at(const struct vfiosim_scenario *scenario,
					  const char *site, unsigned int nth);
/* The same, with task switches at random points that @seed determines. */
enum vfiosim_verdict simtest_run_random(const struct vfiosim_scenario *scenario,
					unsigned int seed);
/* Name of the fault point that the last of these failed, or NULL: it was not reached. */
const char *simtest_failed_site(void);

/* @body alone, in one task, must end well. */
#define assert_runs(body) simtest_assert_runs(body, #body, __FILE__, __LINE__)
/* @body alone must be stopped by @detector. */
#define assert_detects(detector, body) \
	simtest_assert_detects(detector, body, #body, __FILE__, __LINE__)
/* @scenario must end well in the default order, or be stopped by @detector. */
#define assert_scenario_ok(scenario) \
	simtest_assert_scenario(NULL, scenario, __FILE__, __LINE__)
#define assert_scenario_detects(detector, scenario) \
	simtest_assert_scenario(detector, scenario, __FILE__, __LINE__)
/* @scenario must end well under @runs random schedules. */
#define assert_scenario_ok_random(scenario, runs) \
	simtest_assert_random(scenario, runs, __FILE__, __LINE__)
/*
 * @scenario must end well with each single fault injected in turn, until a run
 * reaches fewer fault points than asked for; there must be at least @least.
 */
#define assert_scenario_survives_faults(scenario, least) \
	simtest_assert_faults(scenario, least, __FILE__, __LINE__)
/* Two runs of @scenario must leave the same trace, byte for byte. */
#define assert_scenario_repeats(scenario) \
	simtest_assert_repeats(scenario, __FILE__, __LINE__)

void simtest_assert_runs(void (*body)(void *fixture), const char *name, const char *file,
			 int line);
void simtest_assert_detects(const char *detector, void (*body)(void *fixture),
			    const char *name, const char *file, int line);
void simtest_assert_scenario(const char *detector, const struct vfiosim_scenario *scenario,
			     const char *file, int line);
void simtest_assert_random(const struct vfiosim_scenario *scenario, unsigned int runs,
			   const char *file, int line);
void simtest_assert_faults(const struct vfiosim_scenario *scenario, unsigned int least,
			   const char *file, int line);
void simtest_assert_repeats(const struct vfiosim_scenario *scenario, const char *file,
			    int line);

/* The last run's trace as text; the caller frees it. */
char *simtest_trace(void);
/* How often @text occurs in the last run's trace. */
unsigned int simtest_trace_count(const char *text);

/*
 * True when Valgrind or ASan would stop the program at a bad access, before the
 * engine's own detector could say anything.
 */
bool simtest_has_memory_checker(void);

/* Makes VFIOSIM_CORE of the environment, a file, the core of all runs, if it is set. */
void simtest_take_core(void);

/* Runs the suite's cases as a program; returns the exit status. */
int simtest_main(Suite *suite);

#endif
