// SPDX-License-Identifier: GPL-2.0-only
/* The text report, and what all three forms of report are made from. */
#include <math.h>
#include <string.h>

#include "report.h"
#include "schedule.h"
#include "symbols.h"

#define FRAMES_MAX 24
#define COLUMN_MAX 40
#define ROWS_HEAD 12
#define ROWS_TAIL 70

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

		if (g_str_has_prefix(function, "eng_") || g_str_equal(function, "?"))
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
	while ((menu = run_menu())) {
		pending = menu->pending;
		run_step(__builtin_ctzll(menu->enabled ?: menu->signals ?: menu->timeouts),
			 menu->enabled ? ENG_READY : menu->signals ? ENG_SIGNAL : ENG_TIMEOUT);
	}
	take_tasks(r, pending);
	run_end();
	report_take_run(r);
	if (run_failure())
		r->finding = *run_failure();
}

/* What goes on at the step where a schedule that passes leaves this one. */
static char *describe_step(const struct exploration *x, const GArray *decisions, size_t step,
			   const char **task_name)
{
	struct schedule *s = schedule_record(&x->config,
					     (const struct decision *)decisions->data,
					     decisions->len);
	const struct wanted *w = step <= s->steps->len ?
		g_ptr_array_index(s->steps, step - 1) : NULL;
	char *text = w ? g_strdup_printf("%s(%s)", w->op, w->object ?: "") : g_strdup("?");

	if (task_name)
		*task_name = g_intern_string(w ? w->task : "?");
	schedule_free(s);
	return text;
}

static void take_passing(struct vfiosim_report *r, const struct exploration *x)
{
	const struct minimized *m = &r->minimized;
	const char *fails, *passes;
	g_autofree char *failing_step = NULL;
	g_autofree char *passing_step = NULL;

	if (!m->passing)
		return;
	failing_step = describe_step(x, m->decisions, m->passing_step, &fails);
	passing_step = describe_step(x, m->passing, m->passing_step, &passes);
	r->passing_token = schedule_to_token((const struct decision *)m->passing->data,
					     m->passing->len, x->config.faults);
	r->passing_line = g_strdup_printf("at step %zu %s runs %s where this one has %s run %s",
					  m->passing_step, passes, passing_step, fails,
					  failing_step);
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
	r->finding = x->finding;
	r->failed = x->finding.detector[0];
	r->outcomes = g_array_copy(x->outcomes);
	r->warnings = g_ptr_array_new_with_free_func(g_free);
	r->events = g_array_new(FALSE, FALSE, sizeof(struct trace_event));
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

/* ---- the timeline ---- */

static bool is_alone(const struct trace_event *e)
{
	return g_str_equal(e->task_name, "setup") || g_str_equal(e->task_name, "teardown") ||
	       g_str_equal(e->task_name, "shutdown");
}

static bool is_shown(const struct trace_event *e, bool all)
{
	if (!all && is_alone(e) && e->kind == TRACE_STEP)
		return false;
	if (e->task < 0)
		return all || e->kind == TRACE_FINDING;
	return all || e->kind == TRACE_STEP || e->kind == TRACE_FINDING || e->kind == TRACE_DATA;
}

char *report_cell(const struct trace_event *e)
{
	static const char *const hows[] = { "", " TIMEOUT", " SIGNAL" };
	g_autofree char *upper = NULL;

	switch (e->kind) {
	case TRACE_STEP:
		return g_strdup_printf("%s(%s)%s", e->what, e->object, hows[e->how]);
	case TRACE_FINDING:
		upper = g_ascii_strup(e->what, -1);
		return g_strdup_printf("** %s **", upper);
	case TRACE_DATA:
		return g_strdup_printf("! %s %s", e->what, e->text);
	default:
		return g_strdup_printf("  %s%s%s %s", e->what, e->object[0] ? " " : "", e->object,
				       e->text);
	}
}

/* Which column each task gets: those that appear, by number. */
static unsigned int columns(const struct vfiosim_report *r, bool all, int column[TASKS_MAX])
{
	unsigned int n = 0;
	uint64_t seen = 0;

	for (guint i = 0; i < r->events->len; i++) {
		const struct trace_event *e = &g_array_index(r->events, struct trace_event, i);

		if (is_shown(e, all) && e->task >= 0)
			seen |= 1ULL << e->task;
	}
	for (unsigned int i = 0; i < TASKS_MAX; i++)
		column[i] = seen >> i & 1 ? (int)n++ : -1;
	return n;
}

static size_t column_width(const struct vfiosim_report *r, bool all, unsigned int task,
			   const char *name)
{
	size_t width = strlen(name);

	for (guint i = 0; i < r->events->len; i++) {
		const struct trace_event *e = &g_array_index(r->events, struct trace_event, i);
		g_autofree char *text = NULL;

		if (!is_shown(e, all) || e->task != (int)task)
			continue;
		text = report_cell(e);
		width = MAX(width, strlen(text));
	}
	return MIN(width, COLUMN_MAX);
}

static const char *task_name(const struct vfiosim_report *r, unsigned int task)
{
	for (guint i = 0; i < r->events->len; i++) {
		const struct trace_event *e = &g_array_index(r->events, struct trace_event, i);

		if (e->task == (int)task)
			return e->task_name;
	}
	return "?";
}

static void add_heading(const struct vfiosim_report *r, const int *column, const size_t *at,
			GString *out)
{
	gsize start = out->len;

	g_string_append(out, "   #");
	for (unsigned int i = 0; i < TASKS_MAX; i++) {
		if (column[i] < 0)
			continue;
		while (out->len - start < at[column[i]])
			g_string_append_c(out, ' ');
		g_string_append(out, task_name(r, i));
	}
	g_string_append_c(out, '\n');
}

static void add_row(const struct trace_event *e, const int *column, const size_t *at, GString *out)
{
	g_autofree char *text = report_cell(e);
	gsize start = out->len;

	if (e->kind == TRACE_STEP)
		g_string_append_printf(out, "%4llu", (unsigned long long)e->step);
	while (out->len - start < (e->task >= 0 ? at[column[e->task]] : 6))
		g_string_append_c(out, ' ');
	g_string_append_printf(out, "%s\n", text);
}

static guint count_rows(const struct vfiosim_report *r, bool all)
{
	guint rows = 0;

	for (guint i = 0; i < r->events->len; i++)
		rows += is_shown(&g_array_index(r->events, struct trace_event, i), all);
	return rows;
}

void report_timeline(const struct vfiosim_report *r, bool all, GString *out)
{
	int column[TASKS_MAX];
	unsigned int n = columns(r, all, column);
	g_autofree size_t *at = g_new0(size_t, n + 1);
	guint rows = count_rows(r, all), row = 0;
	bool elide = !all && rows > ROWS_HEAD + ROWS_TAIL + 1;

	at[0] = 6;
	for (unsigned int i = 0; i < TASKS_MAX; i++)
		if (column[i] >= 0)
			at[column[i] + 1] = at[column[i]] + 2 +
					    column_width(r, all, i, task_name(r, i));
	add_heading(r, column, at, out);
	for (guint i = 0; i < r->events->len; i++) {
		const struct trace_event *e = &g_array_index(r->events, struct trace_event, i);

		if (!is_shown(e, all))
			continue;
		row++;
		if (elide && row == ROWS_HEAD + 1)
			g_string_append_printf(out, "      ... %u rows; \"replay -v\" shows all\n",
					       rows - ROWS_HEAD - ROWS_TAIL);
		if (elide && row > ROWS_HEAD && row + ROWS_TAIL <= rows)
			continue;
		add_row(e, column, at, out);
	}
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
	add_bound(r, out);
	add_outcomes(r, out);
	if (r->failed && r->token) {
		g_string_append_c(out, '\n');
		report_timeline(r, false, out);
		add_stacks(r, out);
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
