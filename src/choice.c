// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only source of non-determinism in the whole library. Which task runs,
 * whether an allocation fails, whether a timeout fires early: all of it is a
 * list of decisions, and replay is reading that list back.
 */
#include "choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "trace.h"

static struct decision decisions[DECISIONS_MAX];

void choice_begin(const struct decision *script, size_t length)
{
	if (length > DECISIONS_MAX) {
		fprintf(stderr, "vfiosim: a schedule of %zu decisions, %d at most\n", length,
			DECISIONS_MAX);
		abort();
	}
	if (length && script != decisions)
		memcpy(decisions, script, length * sizeof(*script));
	run.decisions = decisions;
	run.n = 0;
	run.script_n = length;
	run.diverged = -1;
}

void choice_diverge(void)
{
	run.diverged = run.n;
	run.script_n = run.n;
	run.fast_until = 0;
}

struct decision *choice_add(void)
{
	if (run.n == DECISIONS_MAX)
		eng_fail("step-limit", NULL, "the run takes more than %d decisions",
			 DECISIONS_MAX);
	return &decisions[run.n++];
}

static unsigned int scripted(unsigned int bound)
{
	const struct decision *next = &decisions[run.n];

	if (next->kind == DECIDE_DATA && next->value < bound)
		return next->value;
	choice_diverge();
	return 0;
}

static unsigned int next_data(unsigned int bound)
{
	unsigned int value = 0;

	if (run.n < run.script_n)
		return scripted(bound);
	if (run.fill_data) {
		run.fill_data(run.fill_data_for);
		run.fill_data = NULL;
	}
	if (run.data_next < run.data_n)
		value = run.data[run.data_next++];
	return value < bound ? value : bound - 1;
}

static unsigned int decide(const char *what, unsigned int bound, bool fault)
{
	unsigned int value = next_data(bound);

	*choice_add() = (struct decision){
		.kind = DECIDE_DATA, .fault = fault, .value = value, .bound = bound,
		.what = what,
	};
	if (value && eng_tracing) {
		char text[32];

		snprintf(text, sizeof(text), fault ? "fails" : "%u of %u", value, bound);
		trace_add(TRACE_DATA, what, NULL, text);
	}
	return value;
}

unsigned int eng_choose(const char *what, unsigned int bound)
{
	if (bound < 2 || run.phase != PHASE_RUN)
		return 0;
	return decide(what, bound, false);
}

bool eng_fail_here_slow(const char *site)
{
	if (run.phase != PHASE_RUN)
		return false;
	run.faults_reached++;
	if (!run.faults)
		return false;
	return decide(site, 2, true);
}
