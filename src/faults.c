// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command faults: fail the first step that can fail, then the second, until
 * a run injects nothing. For each: where it was, the error that came back to
 * the task, what was undone on the way, and what a detector said.
 *
 * With --faults-max N, each run in which a fault was injected is the start of
 * further ones, up to N faults in a run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "explore.h"

#define UNDONE_MAX 8

struct sweep {
	struct cli *cli;
	struct exploration x;
	uint64_t runs, sites, failed;
	uint64_t unmet;			/* the scenario expected success */
	bool expected;			/* cli->expect fired */
};

static GArray *decisions_now(void)
{
	const struct decision *d;
	size_t n = run_decisions(&d);
	GArray *copy = g_array_new(FALSE, FALSE, sizeof(*d));

	return g_array_append_vals(copy, d, n);
}

/* Run by @prefix, then by default; the trace stays in the ring. */
static GArray *run_by(struct sweep *s, const GArray *prefix, enum vfiosim_verdict *verdict)
{
	GArray *decisions;

	s->runs++;
	exploration_begin(&s->x, prefix ? (const struct decision *)prefix->data : NULL,
			  prefix ? prefix->len : 0);
	*verdict = run_end();
	decisions = decisions_now();
	if (s->cli->expect && run_failure() &&
	    g_str_equal(run_failure()->detector, s->cli->expect))
		s->expected = true;
	return decisions;
}

/* ---- what happened after the fault ---- */

static const struct trace_event *find_fault(size_t *index)
{
	const struct trace_event *found = NULL;

	for (size_t i = 0; i < trace_count(); i++) {
		const struct trace_event *e = trace_get(i);

		if (e->kind != TRACE_DATA || !g_str_equal(e->text, "fails"))
			continue;
		found = e;
		*index = i;
	}
	return found;
}

static bool is_return(const struct trace_event *e)
{
	return e->kind == TRACE_EVENT && g_str_equal(e->what, "return");
}

static void add_undone(GPtrArray *undone, const char *what)
{
	for (guint i = 0; i < undone->len; i++)
		if (g_str_equal(g_ptr_array_index(undone, i), what))
			return;
	g_ptr_array_add(undone, (void *)what);
}

static const char *error_text(const struct trace_event *e)
{
	long result = strtol(e->text, NULL, 10);

	return result < 0 ? vfiosim_error_name(result) : "none";
}

/* Everything that the task did from the fault to the return of its system call. */
static const char *follow_fault(const struct trace_event *fault, size_t from, GPtrArray *undone)
{
	for (size_t i = from + 1; i < trace_count(); i++) {
		const struct trace_event *e = trace_get(i);

		if (e->task != fault->task)
			continue;
		if (is_return(e))
			return error_text(e);
		if (e->kind == TRACE_EVENT)
			add_undone(undone, e->what);
	}
	return "-";
}

/* That what the scenario wanted to show did not come about is no wonder here. */
static bool is_expectation(void)
{
	return run_failure() && g_str_equal(run_failure()->detector, "expectation");
}

static void print_site(const struct sweep *s, unsigned int depth, enum vfiosim_verdict verdict)
{
	g_autoptr(GPtrArray) undone = g_ptr_array_new();
	g_autoptr(GString) list = g_string_new(NULL);
	size_t at = 0;
	const struct trace_event *fault = find_fault(&at);
	const char *error = fault ? follow_fault(fault, at, undone) : "-";

	for (guint i = 0; i < undone->len && i < UNDONE_MAX; i++)
		g_string_append_printf(list, "%s%s", i ? ", " : "",
				       (const char *)g_ptr_array_index(undone, i));
	if (undone->len > UNDONE_MAX)
		g_string_append_printf(list, " and %u more", undone->len - UNDONE_MAX);
	if (s->cli->quiet && (verdict == VFIOSIM_OK || is_expectation()))
		return;
	printf("%5llu %*s%-22s %-12s %5llu  %-9s %s\n", (unsigned long long)s->sites, 2 * depth,
	       "", fault ? fault->what : "?", fault ? fault->task_name : "?",
	       (unsigned long long)(fault ? fault->step : 0), error, list->str);
	if (verdict != VFIOSIM_OK)
		printf("      %s: %s\n", run_failure()->detector, run_failure()->message);
}

static void print_replay(const struct sweep *s, const GArray *decisions)
{
	g_autofree char *token = schedule_to_token((const struct decision *)decisions->data,
						   decisions->len, true);

	printf("      replay: %s %s %s\n", report_replay(), s->x.scenario->name, token);
}

/* ---- the sweep ---- */

static void sweep(struct sweep *s, const GArray *base, guint from, unsigned int depth)
{
	for (guint i = from; i < base->len && !exploration_interrupted; i++) {
		const struct decision *d = &g_array_index(base, struct decision, i);
		g_autoptr(GArray) prefix = NULL;
		g_autoptr(GArray) decisions = NULL;
		enum vfiosim_verdict verdict;

		if (!d->fault || d->value)
			continue;
		prefix = g_array_new(FALSE, FALSE, sizeof(*d));
		g_array_append_vals(prefix, base->data, i + 1);
		g_array_index(prefix, struct decision, i).value = 1;
		decisions = run_by(s, prefix, &verdict);
		s->sites++;
		print_site(s, depth, verdict);
		if (verdict != VFIOSIM_OK && is_expectation()) {
			s->unmet++;
		} else if (verdict != VFIOSIM_OK) {
			s->failed++;
			print_replay(s, decisions);
		} else if (depth + 1 < s->x.options.faults_max) {
			sweep(s, decisions, i + 1, depth + 1);
		}
	}
}

static int sweep_scenario(struct cli *cli, const struct vfiosim_scenario *scenario)
{
	struct sweep s = { .cli = cli };
	enum vfiosim_verdict verdict;
	g_autoptr(GArray) base = NULL;
	int status = EXIT_GOOD;

	if (!cli->options.faults_max)
		cli->options.faults_max = 1;
	exploration_init(&s.x, scenario, &cli->options);
	s.x.config.tracing = true;
	base = run_by(&s, NULL, &verdict);
	if (verdict != VFIOSIM_OK) {
		printf("%s: fails without any fault: %s: %s\n", scenario->name,
		       run_failure()->detector, run_failure()->message);
		status = EXIT_FOUND;
	} else {
		if (!cli->quiet)
			printf("%5s %-22s %-12s %5s  %-9s %s\n", "#", "site", "task", "step",
			       "error", "events from the fault to the error");
		sweep(&s, base, 0, 0);
		status = exploration_interrupted ? EXIT_BUDGET : EXIT_GOOD;
		printf("%s: %llu faults in %llu runs: %llu failures, %llu unmet expectations; "
		       "%s\n", scenario->name,
		       (unsigned long long)s.sites, (unsigned long long)s.runs,
		       (unsigned long long)s.failed, (unsigned long long)s.unmet,
		       exploration_interrupted ? "interrupted; nothing is proven" :
						 "a further run would inject nothing");
	}
	if (s.failed)
		status = EXIT_FOUND;
	if (cli->expect && (s.expected || status != EXIT_BUDGET))
		status = s.expected ? EXIT_GOOD : EXIT_FOUND;
	exploration_clear(&s.x);
	return status;
}

int command_faults(struct cli *cli)
{
	int worst = EXIT_GOOD;

	for (guint i = 0; i < cli->chosen->len && !exploration_interrupted; i++)
		worst = cli_worse(worst, sweep_scenario(cli, g_ptr_array_index(cli->chosen, i)));
	return worst;
}
