// SPDX-License-Identifier: GPL-2.0-only
/* See simtest.h. */
#include "simtest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "core_load.h"
#include "fiber.h"
#include "trace.h"

static const char *failed_site;

/* The current task if it can, else the lowest that can; then signals, then time. */
static unsigned int next_task(const struct menu *menu, enum eng_wake *how)
{
	uint64_t ready = menu->enabled | menu->signals;
	unsigned int task;

	if (menu->enabled >> menu->current & 1)
		ready = 1ULL << menu->current;
	task = __builtin_ctzll(ready ? ready : menu->timeouts);
	*how = !ready ? ENG_TIMEOUT : menu->enabled >> task & 1 ? ENG_READY : ENG_SIGNAL;
	return task;
}

static unsigned int random_below(unsigned int *seed, unsigned int bound)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % bound;
}

static unsigned int random_task(const struct menu *menu, unsigned int *seed, enum eng_wake *how)
{
	uint64_t ready = menu->enabled | menu->signals;
	unsigned int skip;

	if (!ready)
		return next_task(menu, how);
	for (skip = random_below(seed, __builtin_popcountll(ready)); skip; skip--)
		ready &= ready - 1;
	*how = menu->enabled & ready & -ready ? ENG_READY : ENG_SIGNAL;
	return __builtin_ctzll(ready);
}

static enum vfiosim_verdict drive(const struct run_config *config, unsigned int *seed)
{
	const struct menu *menu;

	run_begin(config);
	while ((menu = run_menu())) {
		enum eng_wake how;
		unsigned int task = seed ? random_task(menu, seed, &how)
					 : next_task(menu, &how);

		run_step(task, how);
	}
	return run_end();
}

enum vfiosim_verdict simtest_run(const struct vfiosim_scenario *scenario)
{
	return drive(&(struct run_config){ .scenario = scenario, .tracing = true }, NULL);
}

enum vfiosim_verdict simtest_run_random(const struct vfiosim_scenario *scenario,
					unsigned int seed)
{
	return drive(&(struct run_config){ .scenario = scenario, .tracing = true }, &seed);
}

/* Where the @nth fault point (of those at @site, if any) stands among the decisions, or -1. */
static long nth_fault(const char *site, unsigned int nth)
{
	const struct decision *decisions;
	size_t count = run_decisions(&decisions);

	for (size_t i = 0; i < count; i++)
		if (decisions[i].kind == DECIDE_DATA && decisions[i].fault &&
		    (!site || !strcmp(decisions[i].what, site)) && --nth == 0)
			return i;
	return -1;
}

enum vfiosim_verdict simtest_run_fault_at(const struct vfiosim_scenario *scenario,
					  const char *site, unsigned int nth)
{
	struct run_config config = { .scenario = scenario, .tracing = true, .faults = true };
	enum vfiosim_verdict verdict = drive(&config, NULL);
	long at = nth ? nth_fault(site, nth) : -1;
	const struct decision *decisions;
	struct decision *script;

	failed_site = NULL;
	if (at < 0)
		return verdict;
	run_decisions(&decisions);
	script = malloc((at + 1) * sizeof(*script));
	memcpy(script, decisions, (at + 1) * sizeof(*script));
	script[at].value = 1;
	failed_site = script[at].what;
	config.script = script;
	config.script_length = at + 1;
	verdict = drive(&config, NULL);
	free(script);
	return verdict;
}

enum vfiosim_verdict simtest_run_fault(const struct vfiosim_scenario *scenario,
				       unsigned int nth)
{
	return simtest_run_fault_at(scenario, NULL, nth);
}

const char *simtest_failed_site(void)
{
	return failed_site;
}

char *simtest_trace(void)
{
	char line[400], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < trace_count(); i++)
		fprintf(out, "%s\n", trace_format(trace_get(i), line, sizeof(line)));
	fclose(out);
	return text;
}

unsigned int simtest_trace_count(const char *wanted)
{
	char *text = simtest_trace();
	unsigned int count = 0;

	for (const char *at = text; (at = strstr(at, wanted)); at += strlen(wanted))
		count++;
	free(text);
	return count;
}

bool simtest_has_memory_checker(void)
{
#ifdef VFIOSIM_ASAN
	return true;
#else
	return running_on_valgrind();
#endif
}

static void give_up(const char *name, const char *wanted, const char *file, int line)
{
	const struct finding *failure = run_failure();
	char *text = simtest_trace();

	fprintf(stderr, "%s", text);
	free(text);
	ck_abort_msg("%s:%d: %s: wanted %s, got %s%s%s", file, line, name, wanted,
		     failure ? failure->detector : "a run without failure",
		     failure ? ": " : "", failure ? failure->message : "");
}

static void expect(const char *detector, const char *name, const char *file, int line)
{
	const struct finding *failure = run_failure();

	if (!detector != !failure || (detector && strcmp(detector, failure->detector)))
		give_up(name, detector ? detector : "a run without failure", file, line);
}

void simtest_assert_runs(void (*body)(void *), const char *name, const char *file, int line)
{
	simtest_assert_detects(NULL, body, name, file, line);
}

void simtest_assert_detects(const char *detector, void (*body)(void *), const char *name,
			    const char *file, int line)
{
	struct vfiosim_scenario scenario = {
		.name = name, .fixture_size = 4096, .tasks = { { "alone", body } },
	};

	simtest_run(&scenario);
	expect(detector, name, file, line);
}

void simtest_assert_scenario(const char *detector, const struct vfiosim_scenario *scenario,
			     const char *file, int line)
{
	simtest_run(scenario);
	expect(detector, scenario->name, file, line);
}

void simtest_assert_random(const struct vfiosim_scenario *scenario, unsigned int runs,
			   const char *file, int line)
{
	for (unsigned int seed = 1; seed <= runs; seed++) {
		simtest_run_random(scenario, seed);
		expect(NULL, scenario->name, file, line);
	}
}

void simtest_assert_faults(const struct vfiosim_scenario *scenario, unsigned int least,
			   const char *file, int line)
{
	unsigned int nth = 0;

	do {
		simtest_run_fault(scenario, ++nth);
		if (run_failure())
			fprintf(stderr, "with fault %u (%s):\n", nth, failed_site);
		expect(NULL, scenario->name, file, line);
	} while (failed_site);
	ck_assert_msg(nth > least, "%s:%d: %s reaches %u fault points, %u expected", file, line,
		      scenario->name, nth - 1, least);
}

void simtest_assert_repeats(const struct vfiosim_scenario *scenario, const char *file, int line)
{
	char *first, *second;
	uint64_t hash;

	simtest_run(scenario);
	first = simtest_trace();
	hash = run_trace_hash();
	simtest_run(scenario);
	second = simtest_trace();
	if (strcmp(first, second) || hash != run_trace_hash())
		ck_abort_msg("%s:%d: two runs of %s differ:\n%s\n---\n%s", file, line,
			     scenario->name, first, second);
	free(first);
	free(second);
}

void simtest_take_core(void)
{
	const char *name = getenv("VFIOSIM_CORE");
	g_autoptr(GError) error = NULL;

	if (name && !core_select(name, &error)) {
		fprintf(stderr, "%s\n", error->message);
		exit(EXIT_FAILURE);
	}
}

int simtest_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	arena_init();		/* once, not in each forked test */
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
