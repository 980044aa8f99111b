// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all strategies share: how a run begins, what is counted when it ends,
 * and when the exploration stops.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dpor.h"
#include "explore.h"

#define RUNS_MAX_EXHAUSTIVE 1000000
#define RUNS_MAX_RANDOM 10000
#define LOOK_EVERY_US 200000
#define SAVE_EVERY_US 1000000
#define PROGRESS_MAX 200
#define ESTIMATES_FROM 64	/* runs; before, they say nothing */

volatile int exploration_interrupted;

const char *const kernel_names[] = { "default", "5.14", "6.1", "6.12", "6.18", NULL };

static bool is_random(enum vfiosim_strategy strategy)
{
	return strategy == VFIOSIM_PCT || strategy == VFIOSIM_RANDOM;
}

static void fill_in_defaults(struct vfiosim_options *o)
{
	if (!o->seed)
		o->seed = 1;
	if (!o->runs_max)
		o->runs_max = is_random(o->strategy) ? RUNS_MAX_RANDOM : RUNS_MAX_EXHAUSTIVE;
	if (!o->depth)
		o->depth = 3;
	if (!o->shard_count)
		o->shard_count = 1;
	if (!o->jobs)
		o->jobs = 1;
}

void exploration_init(struct exploration *x, const struct vfiosim_scenario *scenario,
		      const struct vfiosim_options *options)
{
	memset(x, 0, sizeof(*x));
	x->scenario = scenario;
	if (options)
		x->options = *options;
	fill_in_defaults(&x->options);
	x->config.scenario = scenario;
	x->config.faults = x->options.faults_max > 0;
	x->config.steps_max = x->options.steps_max;
	x->config.races = x->options.races || x->options.plain_points;
	x->config.plain_points = x->options.plain_points;
	/* What was accessed is not part of a snapshot. */
	if (x->config.races)
		x->options.backtracking = VFIOSIM_REEXECUTE;
	x->schedule = g_array_new(FALSE, FALSE, sizeof(struct decision));
	x->outcomes = g_array_new(FALSE, TRUE, sizeof(struct outcome));
	x->started_us = g_get_monotonic_time();
	if (x->options.milliseconds_max)
		x->deadline_us = x->started_us + 1000 * (int64_t)x->options.milliseconds_max;
}

void exploration_clear(struct exploration *x)
{
	g_clear_pointer(&x->schedule, g_array_unref);
	g_clear_pointer(&x->outcomes, g_array_unref);
}

void exploration_begin(const struct exploration *x, const struct decision *script, size_t length)
{
	struct run_config config = x->config;

	config.script = script;
	config.script_length = length;
	run_begin(&config);
}

void exploration_stop(struct exploration *x, enum vfiosim_verdict verdict, const char *why)
{
	if (x->stopped)
		return;
	x->stopped = true;
	x->why_stopped = why;
	if (x->verdict == VFIOSIM_OK)
		x->verdict = verdict;
}

/* ---- progress ---- */

/* Each time the number of runs has doubled: how many runs there seemed to be. */
static void note_estimate(struct exploration *x)
{
	double fraction = x->fraction_done && x->strategy ? x->fraction_done(x) : 0;

	if (fraction > 0)
		x->estimates[x->n_estimates++ % G_N_ELEMENTS(x->estimates)] = x->runs / fraction;
}

bool exploration_estimate(const struct exploration *x, double *total, double *error)
{
	double fraction = x->fraction_done && x->strategy ? x->fraction_done(x) : 0;
	unsigned int n = MIN(x->n_estimates, G_N_ELEMENTS(x->estimates));

	if (fraction <= 0 || !n)
		return false;
	*total = x->runs / fraction;
	*error = 0;
	for (unsigned int i = 0; i < n; i++)
		*error = MAX(*error, fabs(x->estimates[i] - *total));
	return true;
}

/* A line that wraps would not be written over by the next. */
static int terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return PROGRESS_MAX;
	return size.ws_col;
}

static void show_progress(const struct exploration *x, int64_t now)
{
	double seconds = (now - x->started_us) / 1e6, total, error;
	char line[PROGRESS_MAX];
	int n;

	n = g_snprintf(line, sizeof(line), "%s: %llu runs, %.0f/s, longest %llu steps",
		       x->scenario->name, (unsigned long long)x->runs,
		       x->runs / MAX(seconds, 1e-3), (unsigned long long)x->depth_max);
	if (n < PROGRESS_MAX && exploration_estimate(x, &total, &error))
		g_snprintf(line + n, sizeof(line) - n, ", %.2g%% of about %.3g +- %.2g runs",
			   100 * x->runs / total, total, error);
	fprintf(stderr, "\r%.*s\033[K", terminal_width() - 1, line);
	fflush(stderr);
}

static void save(struct exploration *x)
{
	if (!x->save(x))
		exploration_stop(x, VFIOSIM_BUDGET, "the checkpoint cannot be written");
}

static void look_at_clock(struct exploration *x)
{
	int64_t now = g_get_monotonic_time();

	if (x->deadline_us && now >= x->deadline_us)
		exploration_stop(x, VFIOSIM_BUDGET, "the time is used up");
	if (now < x->next_look_us)
		return;
	x->next_look_us = now + LOOK_EVERY_US;
	if (x->options.progress)
		show_progress(x, now);
	if (x->options.checkpoint && x->save && now >= x->next_save_us) {
		x->next_save_us = now + SAVE_EVERY_US;
		save(x);
	}
}

bool exploration_is_spent(struct exploration *x)
{
	if (x->runs >= x->options.runs_max)
		exploration_stop(x, VFIOSIM_BUDGET, "the budget of runs is used up");
	return x->stopped;
}

static void look_at_budgets(struct exploration *x)
{
	if (x->runs >= ESTIMATES_FROM && !(x->runs & (x->runs - 1)))
		note_estimate(x);
	exploration_is_spent(x);
	if (exploration_interrupted)
		exploration_stop(x, VFIOSIM_BUDGET, "interrupted");
	if (x->deadline_us || x->options.progress || x->options.checkpoint)
		look_at_clock(x);
}

void exploration_leave(struct exploration *x)
{
	x->estimated = x->stopped && exploration_estimate(x, &x->total, &x->total_error);
	if (x->options.progress && x->next_look_us)
		fputs("\r\033[K", stderr);
	if (!x->options.checkpoint)
		return;
	if (x->stopped && x->save)
		save(x);
	else if (!x->stopped)
		unlink(x->options.checkpoint);
}

/* ---- runs ---- */

struct outcome *outcome_of(GArray *outcomes, const char *detector)
{
	struct outcome fresh = { "", 0 };
	guint i;

	for (i = 0; i < outcomes->len; i++) {
		struct outcome *o = &g_array_index(outcomes, struct outcome, i);
		int order = strcmp(o->detector, detector);

		if (order == 0)
			return o;
		if (order > 0)
			break;
	}
	g_strlcpy(fresh.detector, detector, sizeof(fresh.detector));
	g_array_insert_val(outcomes, i, fresh);
	return &g_array_index(outcomes, struct outcome, i);
}

/* @n: how many decisions led to the failure. */
static void keep_failure(struct exploration *x, enum vfiosim_verdict verdict, size_t n)
{
	const struct finding *finding = run_failure();
	const struct decision *decisions;

	outcome_of(x->outcomes, finding ? finding->detector : "unknown")->runs++;
	if (x->schedule->len || x->finding.detector[0])
		return;
	if (finding)
		x->finding = *finding;
	run_decisions(&decisions);
	g_array_append_vals(x->schedule, decisions, n);
	x->verdict = verdict;
}

void exploration_does_not_repeat(struct exploration *x, const struct decision *decisions,
				 size_t n, const char *what)
{
	g_strlcpy(x->finding.detector, "nondeterminism", sizeof(x->finding.detector));
	g_snprintf(x->finding.message, sizeof(x->finding.message),
		   "%s: something depends on time, addresses or state that is left over", what);
	g_array_set_size(x->schedule, 0);
	g_array_append_vals(x->schedule, decisions, n);
	outcome_of(x->outcomes, x->finding.detector)->runs++;
	exploration_stop(x, VFIOSIM_VIOLATION, "a run does not repeat");
}

/* Runs the schedule that has just ended once more; it must give the same trace. */
static void check_determinism(struct exploration *x)
{
	uint64_t hash = run_trace_hash();
	const struct decision *decisions;
	size_t n = run_decisions(&decisions);
	g_autofree struct decision *copy = g_memdup2(decisions, n * sizeof(*copy));
	g_autofree char *what = NULL;

	exploration_begin(x, copy, n);
	while (run_menu())
		run_step(__builtin_ctzll(run_menu()->enabled), ENG_READY);
	run_end();
	if (run_trace_hash() == hash)
		return;
	what = g_strdup_printf("run %llu gave another trace when its schedule was run again",
			       (unsigned long long)x->runs);
	exploration_does_not_repeat(x, copy, n, what);
}

void exploration_finish(struct exploration *x, uint64_t trace)
{
	const struct decision *unused;
	size_t decisions = run_decisions(&unused);
	enum vfiosim_verdict verdict = run_end();

	x->runs++;
	x->digest += dpor_mix(trace, 1);
	if (x->options.on_run)
		x->options.on_run(x->options.data, verdict, trace);
	if (verdict != VFIOSIM_OK) {
		keep_failure(x, verdict, decisions);
		if (!x->options.keep_going)
			exploration_stop(x, verdict, "a run failed");
	}
	if (x->options.check_determinism && !x->stopped)
		check_determinism(x);
	look_at_budgets(x);
}

unsigned int exploration_count_faults(const struct decision *d, size_t n)
{
	unsigned int faults = 0;

	for (size_t i = 0; i < n; i++)
		faults += d[i].fault && d[i].value;
	return faults;
}

bool exploration_next_data(const struct exploration *x, const struct decision *d, size_t first,
			   size_t end, unsigned int faults_used, GArray *values)
{
	size_t i = end;

	g_array_set_size(values, 0);
	faults_used += exploration_count_faults(d + first, i - first);
	while (i > first) {
		i--;
		faults_used -= d[i].fault && d[i].value;
		if (d[i].value + 1 >= d[i].bound ||
		    (d[i].fault && faults_used >= x->options.faults_max))
			continue;
		for (size_t k = first; k <= i; k++)
			g_array_append_val(values, d[k].value);
		g_array_index(values, uint16_t, i - first)++;
		return true;
	}
	return false;
}

void exploration_run(struct exploration *x)
{
	switch (x->options.strategy) {
	case VFIOSIM_PCT:
	case VFIOSIM_RANDOM:
		explore_random(x);
		break;
	case VFIOSIM_STATES:
		explore_states(x);
		break;
	default:
		explore_depth_first(x);
	}
}
