// SPDX-License-Identifier: GPL-2.0-only
/* The text report, and what all three forms of report are made from. */
#include <math.h>
#include <string.h>

#include "arena.h"
#include "report.h"
#include "run.h"
#include "schedule.h"
#include "symbols.h"

#define FRAMES_MAX 24
#define OBJECTS_MAX 8

const char *verdict_word(enum vfiosim_verdict verdict)
{
	static const char *const words[] = {
		[VFIOSIM_OK] = "ok",
		[VFIOSIM_VIOLATION] = "violation",
		[VFIOSIM_DEADLOCK] = "deadlock",
		[VFIOSIM_BUDGET] = "budget",
	};

	return words[verdict];
}

/* ---- taking a run ---- */

static char *stack_text(unsigned int task)
{
	const void *frames[FRAMES_MAX];
	size_t n = run_stack(task, frames, FRAMES_MAX);
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < n; i++) {
		const char *function = symbol_function(frames[i]);

		if (g_str_has_prefix(function, "eng_") || symbol_is_scaffold(function))
			continue;
		g_string_append_printf(out, "%s%s", out->len ? " < " : "", function);
	}
	return g_string_free(out, FALSE);
}

static char *pending_text(const struct pending *p)
{
	if (!p || p->op == ENG_OP_START)
		return g_strdup("not started");
	return g_strdup_printf("%s %s(%s)", p->blocking ? "waits in" : "at", op_word(p->op),
			       p->object ? object_name_op(p->op, p->object) : "");
}

static void shown_task_clear(void *data)
{
	struct shown_task *task = data;

	g_free(task->name);
	g_free(task->stack);
	g_free(task->state);
}

static void take_tasks(struct vfiosim_report *r, const struct pending *pending)
{
	uint64_t alive = run_alive();

	for (unsigned int i = 0; i < TASKS_MAX; i++) {
		struct shown_task task = { .name = g_strdup(run_task_name(i)) };
		bool lives = alive >> i & 1;

		if (g_str_equal(task.name, "?")) {
			g_free(task.name);
			break;
		}
		task.stack = lives ? stack_text(i) : NULL;
		task.state = lives ? pending_text(pending ? &pending[i] : NULL) :
				     g_strdup("ended");
		g_array_append_val(r->tasks, task);
	}
}

void report_take_run(struct vfiosim_report *r)
{
	for (size_t i = 0; i < trace_count(); i++)
		g_array_append_vals(r->events, trace_get(i), 1);
}

/* Who made an object and who freed it, by the end of the run: teardown frees the rest. */
static void take_object(struct object *object, void *data)
{
	struct vfiosim_report *r = data;
	const char *name = object_name(object_body(object));
	struct obituary words;
	GString *text;

	if (object->state == OBJECT_CACHED || !object->site)
		return;
	text = g_string_new(NULL);
	g_string_append_printf(text, "%s: %u bytes, allocated by %s in %s()", name, object->size,
			       run_task_name(object->task),
			       symbol_function((void *)(unsigned long)object->site));
	if (object->state == OBJECT_FREED) {
		words = object_obituary(object);
		g_string_append_printf(text, ", freed by %s in %s()", run_task_name(words.task),
				       symbol_function((void *)(unsigned long)words.site));
	}
	g_ptr_array_add(r->objects, g_string_free(text, FALSE));
}

/* Leaves those that the finding names. */
static void forget_other_objects(struct vfiosim_report *r)
{
	for (guint i = 0; i < r->objects->len;) {
		const char *text = g_ptr_array_index(r->objects, i);
		g_autofree char *name = g_strndup(text, strcspn(text, ":"));

		if (i < OBJECTS_MAX && report_names(r, name))
			i++;
		else
			g_ptr_array_remove_index(r->objects, i);
	}
}

static void replay_failure(struct vfiosim_report *r, const struct exploration *x)
{
	struct run_config config = x->config;
	const struct pending *pending = NULL;
	const struct menu *menu;
	const struct decision *d = (const struct decision *)r->minimized.decisions->data;
	size_t n = r->minimized.decisions->len;
	struct schedule *schedule = schedule_record(&x->config, d, n);

	r->schedule = schedule_to_text(schedule);
	schedule_free(schedule);
	r->token = schedule_to_token(d, n, x->config.faults);
	config.tracing = true;
	config.script = d;
	config.script_length = n;
	run_begin(&config);
	r->first_event = trace_end();
	while ((menu = run_menu())) {
		pending = menu->pending;
		run_step(__builtin_ctzll(menu->enabled ?: menu->signals ?: menu->timeouts),
			 menu->enabled ? ENG_READY : menu->signals ? ENG_SIGNAL : ENG_TIMEOUT);
	}
	take_tasks(r, pending);
	arena_for_each(take_object, r);
	r->last_event = trace_end();
	run_end();
	report_take_run(r);
	if (run_failure())
		r->finding = *run_failure();
	forget_other_objects(r);
}

/* What the run of @decisions does at its step @step, counted from 1. */
static char *describe_step(const struct exploration *x, const GArray *decisions, size_t step)
{
	struct run_config config = x->config;
	char *text = NULL, buffer[96];
	uint64_t first;

	config.tracing = true;
	config.script = (const struct decision *)decisions->data;
	config.script_length = decisions->len;
	run_begin(&config);
	first = trace_end();
	while (run_menu())
		run_step(__builtin_ctzll(run_menu()->enabled), ENG_READY);
	for (size_t i = 0; i < trace_count() && !text; i++) {
		const struct trace_event *e = trace_get(i);

		if (e->kind != TRACE_STEP || e->number < first || --step)
			continue;
		text = g_strdup_printf("%s does %s(%s)%s%s%s", e->task_name, e->what,
				       trace_object(e, buffer, sizeof(buffer)),
				       e->function[0] ? " in " : "", e->function,
				       e->function[0] ? "()" : "");
	}
	run_end();
	return text ?: g_strdup("?");
}

/* The number that step @step of the failing run has in its timeline. */
static uint64_t shown_step(const struct vfiosim_report *r, size_t step)
{
	for (guint i = 0; i < r->events->len; i++) {
		const struct trace_event *e = &g_array_index(r->events, struct trace_event, i);

		if (e->kind == TRACE_STEP && e->number >= r->first_event && !--step)
			return e->step;
	}
	return step;
}

static void take_passing(struct vfiosim_report *r, const struct exploration *x)
{
	const struct minimized *m = &r->minimized;
	g_autofree char *fails = NULL, *passes = NULL;

	if (!m->passing)
		return;
	fails = describe_step(x, m->decisions, m->passing_step);
	passes = describe_step(x, m->passing, m->passing_step);
	r->passing_token = schedule_to_token((const struct decision *)m->passing->data,
					     m->passing->len, x->config.faults);
	r->passing_line = g_strdup_printf("at step %llu %s, where here %s",
					  (unsigned long long)shown_step(r, m->passing_step),
					  passes, fails);
}

static struct vfiosim_report *report_alloc(const struct exploration *x)
{
	struct vfiosim_report *r = g_new0(struct vfiosim_report, 1);

	r->scenario = x->scenario;
	r->options = x->options;
	r->verdict = x->verdict;
	r->runs = x->runs;
	r->cut = x->cut;
	r->steps = x->steps;
	r->states = x->states;
	r->digest = x->digest;
	r->restored = x->restored;
	r->reexecuted = x->reexecuted;
	r->depth_max = x->depth_max;
	r->faults_reached = x->faults_reached;
	r->tasks_max = x->tasks;
	r->live_bytes = x->live_bytes;
	r->seconds = (g_get_monotonic_time() - x->started_us) / 1e6;
	r->why_stopped = g_strdup(x->why_stopped);
	r->estimated = x->estimated;
	r->total = x->total;
	r->total_error = x->total_error;
	r->finding = x->finding;
	r->failed = x->finding.detector[0];
	r->outcomes = g_array_copy(x->outcomes);
	r->warnings = g_ptr_array_new_with_free_func(g_free);
	r->events = g_array_new(FALSE, FALSE, sizeof(struct trace_event));
	r->last_event = UINT64_MAX;
	r->objects = g_ptr_array_new_with_free_func(g_free);
	r->tasks = g_array_new(FALSE, FALSE, sizeof(struct shown_task));
	g_array_set_clear_func(r->tasks, shown_task_clear);
	return r;
}

struct vfiosim_report *report_new(const struct exploration *x)
{
	struct vfiosim_report *r = report_alloc(x);

	if (!r->failed || !x->schedule->len)
		return r;
	if (x->options.no_minimize || g_str_equal(r->finding.detector, "nondeterminism"))
		minimize_not(x, &r->minimized);
	else
		minimize(x, &r->minimized);
	replay_failure(r, x);
	take_passing(r, x);
	return r;
}

void vfiosim_report_free(struct vfiosim_report *r)
{
	if (!r)
		return;
	minimized_clear(&r->minimized);
	g_array_unref(r->outcomes);
	g_ptr_array_unref(r->warnings);
	g_array_unref(r->events);
	g_array_unref(r->tasks);
	g_ptr_array_unref(r->objects);
	g_free(r->why_stopped);
	g_free(r->schedule);
	g_free(r->token);
	g_free(r->passing_token);
	g_free(r->passing_line);
	g_free(r->text);
	g_free(r->json);
	g_free(r->html);
	g_free(r);
}

/* ---- text ---- */

static void add_counts(const struct vfiosim_report *r, GString *out)
{
	bool states = r->options.strategy == VFIOSIM_STATES;

	g_string_append_printf(out, "%s: %s after %llu %s", r->scenario->name,
			       verdict_word(r->verdict), (unsigned long long)r->runs,
			       r->runs == 1 ? "run" : "runs");
	if (states)
		g_string_append_printf(out, ", %llu states", (unsigned long long)r->states);
	if (r->cut && !states)
		g_string_append_printf(out, " (%llu more cut short)", (unsigned long long)r->cut);
	if (r->why_stopped && r->verdict == VFIOSIM_BUDGET)
		g_string_append_printf(out, ": %s; nothing is proven", r->why_stopped);
	g_string_append_c(out, '\n');
}

/* How much is left of what a budget cut short. */
static void add_estimate(const struct vfiosim_report *r, GString *out)
{
	if (r->estimated && r->verdict == VFIOSIM_BUDGET)
		g_string_append_printf(out, "  about %.2g%% of an estimated %.3g +- %.2g runs\n",
				       100 * r->runs / r->total, r->total, r->total_error);
}

/* What random runs may have missed. */
static void add_bound(const struct vfiosim_report *r, GString *out)
{
	double n = MAX(r->tasks_max, 1), k = MAX(r->depth_max, 1), d = r->options.depth;
	double hit = 1 / (n * pow(k, d - 1));
	double missed = exp(r->runs * log1p(-MIN(hit, 1 - 1e-12)));

	if (r->options.strategy == VFIOSIM_RANDOM)
		g_string_append(out, "  a uniform walk gives no bound on what it misses; "
				     "--strategy pct does\n");
	if (r->options.strategy != VFIOSIM_PCT)
		return;
	g_string_append_printf(out,
		"  %.0f tasks, %.0f steps, depth %.0f: one run hits a given bug with p >= %.3g; "
		"after %llu runs it is missed with p <= %.3g\n", n, k, d, hit,
		(unsigned long long)r->runs, missed);
}

static void add_outcomes(const struct vfiosim_report *r, GString *out)
{
	if (!r->options.keep_going)
		return;
	for (guint i = 0; i < r->outcomes->len; i++) {
		const struct outcome *o = &g_array_index(r->outcomes, struct outcome, i);

		g_string_append_printf(out, "  %llu x %s\n", (unsigned long long)o->runs,
				       o->detector);
	}
}

static void add_stacks(const struct vfiosim_report *r, GString *out)
{
	bool heading = false;

	for (guint i = 0; i < r->tasks->len; i++) {
		const struct shown_task *t = &g_array_index(r->tasks, struct shown_task, i);

		if (!t->stack || !t->stack[0] || g_str_equal(t->state, "not started"))
			continue;
		if (!heading)
			g_string_append(out, "\nstacks:\n");
		heading = true;
		g_string_append_printf(out, "  %-12s %s: %s\n", t->name, t->state, t->stack);
	}
}

static void add_objects(const struct vfiosim_report *r, GString *out)
{
	for (guint i = 0; i < r->objects->len; i++)
		g_string_append_printf(out, "%s  %s\n", i ? "" : "\nobjects:\n",
				       (char *)g_ptr_array_index(r->objects, i));
}

static const char *preemptions(unsigned int n)
{
	return n == 1 ? "preemption" : "preemptions";
}

static void add_minimised(const struct vfiosim_report *r, GString *out)
{
	const struct minimized *m = &r->minimized;

	if (m->runs < 2)
		return;
	g_string_append_printf(out,
		"\nminimised from %zu steps, %u %s to %zu steps, %u %s%s (%llu runs)\n",
		m->found.steps, m->found.preemptions, preemptions(m->found.preemptions),
		m->cost.steps, m->cost.preemptions, preemptions(m->cost.preemptions),
		m->fewest_proven ? ", the fewest possible" : "", (unsigned long long)m->runs);
}

static char *replay_command;	/* what the command line said, for the length of the program */

void report_set_replay(char *command)
{
	g_free(replay_command);
	replay_command = command;
}

const char *report_replay(void)
{
	return replay_command ?: "vfiosim replay";
}

static void add_replay(const struct vfiosim_report *r, GString *out)
{
	if (r->passing_line)
		g_string_append_printf(out, "nearest schedule that passes: %s\n  %s\n",
				       r->passing_line, r->passing_token);
	g_string_append_printf(out, "replay: %s %s %s\n", report_replay(), r->scenario->name,
			       r->token);
}

const char *vfiosim_report_text(const struct vfiosim_report *report)
{
	struct vfiosim_report *r = (struct vfiosim_report *)report;
	GString *out;

	if (r->text)
		return r->text;
	out = g_string_new(NULL);
	if (r->failed)
		g_string_append_printf(out, "%s: %s: %s (run %llu)\n", r->scenario->name,
				       r->finding.detector, r->finding.message,
				       (unsigned long long)r->runs);
	else
		add_counts(r, out);
	add_estimate(r, out);
	add_bound(r, out);
	add_outcomes(r, out);
	if (r->failed && r->token) {
		g_string_append_c(out, '\n');
		report_timeline(r, false, out);
		add_stacks(r, out);
		add_objects(r, out);
		add_minimised(r, out);
		add_replay(r, out);
	}
	return r->text = g_string_free(out, FALSE);
}

/* ---- the public face ---- */

enum vfiosim_verdict vfiosim_explore(const struct vfiosim_scenario *scenario,
				     const struct vfiosim_options *options,
				     struct vfiosim_report **report_out)
{
	enum vfiosim_verdict verdict;
	struct exploration x;

	exploration_init(&x, scenario, options);
	exploration_run(&x);
	verdict = x.verdict;
	if (report_out)
		*report_out = report_new(&x);
	exploration_clear(&x);
	return verdict;
}

enum vfiosim_verdict vfiosim_report_verdict(const struct vfiosim_report *r)
{
	return r->verdict;
}

uint64_t vfiosim_report_runs(const struct vfiosim_report *r)
{
	return r->runs;
}

uint64_t vfiosim_report_cut(const struct vfiosim_report *r)
{
	return r->cut;
}

uint64_t vfiosim_report_states(const struct vfiosim_report *r)
{
	return r->states;
}

uint64_t vfiosim_report_digest(const struct vfiosim_report *r)
{
	return r->digest;
}

const char *vfiosim_report_detector(const struct vfiosim_report *r)
{
	return r->failed ? r->finding.detector : NULL;
}
