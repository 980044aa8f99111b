// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs one scenario, for tests/bugs/run-bugs: the default order first, then with
 * each single fault of a name if asked to, then schedules by chance and in order.
 *
 * usage: bug-run [--fault=SITE] [--runs=N] SCENARIO
 *
 * Prints one line, "ok" or the detector that fired first and what it said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfiosim.h>

#include "sched.h"

#define RUNS_DEFAULT 1000

extern const struct vfiosim_scenario *const __start_vfiosim_scenarios[];
extern const struct vfiosim_scenario *const __stop_vfiosim_scenarios[];

static const struct vfiosim_scenario *find(const char *name)
{
	const struct vfiosim_scenario *const *s;

	for (s = __start_vfiosim_scenarios; s < __stop_vfiosim_scenarios; s++) {
		if (*s && !strcmp((*s)->name, name))
			return *s;
	}
	return NULL;
}

static bool failed(const char *detector, const char *message)
{
	if (detector)
		printf("%s: %s\n", detector, message);
	return detector;
}

/* Teardown, leaks and all; true if something was found. */
static bool end_run(void)
{
	run_end();
	if (!run_failure())
		return false;
	return failed(run_failure()->detector, run_failure()->message);
}

static bool run_default(const struct vfiosim_scenario *scenario)
{
	const struct run_config config = { .scenario = scenario };

	run_begin(&config);
	return end_run();
}

/*
 * The run in which fault point @nth fails, if it is called @site; without @fail,
 * only to see what it is called. NULL when there is no such point.
 */
static const char *run_fault(const struct vfiosim_scenario *scenario, size_t nth, bool fail)
{
	const struct run_config config = { .scenario = scenario, .faults = true };
	const struct decision *decisions;
	const char *site = NULL;
	const struct menu *menu;
	size_t seen = 0, n = 0;

	run_begin(&config);
	while ((menu = run_menu()) && menu->enabled && (fail || !site)) {
		uint16_t values[64] = { 0 };

		if (fail && nth - seen < 64)
			values[nth - seen] = 1;
		run_next_data(values, 64);
		run_step(__builtin_ctzll(menu->enabled >> menu->current & 1 ?
					 1ULL << menu->current : menu->enabled), ENG_READY);
		for (size_t total = run_decisions(&decisions); n < total; n++) {
			if (decisions[n].kind == DECIDE_DATA && seen++ == nth)
				site = decisions[n].what;
		}
	}
	return site;
}

static bool run_faults(const struct vfiosim_scenario *scenario, const char *wanted)
{
	const char *site;

	for (size_t nth = 0; (site = run_fault(scenario, nth, false)); nth++) {
		if (strcmp(site, wanted))
			continue;
		run_fault(scenario, nth, true);
		if (end_run())
			return true;
	}
	return false;
}

static const char *first_line(const char *text)
{
	static char line[400];

	if (!text)
		return "nothing was reported";
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
	return line;
}

static bool run_schedules(const struct vfiosim_scenario *scenario,
			  enum vfiosim_strategy strategy, uint64_t runs)
{
	const struct vfiosim_options options = {
		.strategy = strategy, .runs_max = runs, .no_minimize = true,
	};
	struct vfiosim_report *report = NULL;
	bool found;

	vfiosim_explore(scenario, &options, &report);
	found = failed(vfiosim_report_detector(report), first_line(vfiosim_report_text(report)));
	vfiosim_report_free(report);
	return found;
}

int main(int argc, char **argv)
{
	const struct vfiosim_scenario *scenario;
	uint64_t runs = RUNS_DEFAULT;
	const char *fault = NULL;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strncmp(argv[i], "--fault=", 8))
			fault = argv[i] + 8;
		else if (!strncmp(argv[i], "--runs=", 7))
			runs = strtoull(argv[i] + 7, NULL, 10);
		else
			break;
	}
	scenario = i == argc - 1 ? find(argv[i]) : NULL;
	if (!scenario) {
		fprintf(stderr, "bug-run: no scenario %s\n", i < argc ? argv[i] : "named");
		return 2;
	}
	if (!run_default(scenario) && !(fault && run_faults(scenario, fault)) &&
	    !(runs && run_schedules(scenario, VFIOSIM_PCT, runs)) &&
	    !(runs && run_schedules(scenario, VFIOSIM_EXHAUSTIVE, runs)))
		puts("ok");
	return 0;
}
