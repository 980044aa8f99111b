// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local search over schedules, then a search with a bound on preemptions that
 * either finds a schedule with fewer or proves that there is none.
 *
 * A candidate is a list of decisions that is followed where it can be: a step
 * that is not possible is left out, and after the end of the list the running
 * task goes on as long as it can. What the run then did is the next candidate.
 */
#include <string.h>

#include "minimize.h"

#define TRIES_MAX 4000
#define SEARCH_RUNS_MAX 20000
#define SEARCH_MS_MAX 2000
#define STEPS_ALONE_MAX 1000	/* of a task that goes on as far as it can */

struct block {
	guint from, to;			/* decisions */
	unsigned int task;
};

struct trial {
	const struct exploration *x;
	GArray *decisions;		/* what the last candidate did */
	struct cost cost;
	uint64_t runs;
};

static bool same_failure(const struct exploration *x, const struct finding *f)
{
	if (!f || !g_str_equal(f->detector, x->finding.detector))
		return false;
	return !g_str_equal(f->detector, "expectation") ||
	       g_str_equal(f->message, x->finding.message);
}

static bool can_step(const struct menu *menu, unsigned int task, uint8_t how)
{
	uint64_t mask = how == ENG_TIMEOUT ? menu->timeouts :
			how == ENG_SIGNAL ? menu->signals : menu->enabled;

	return mask >> task & 1;
}

static void measured_step(struct trial *t, const struct menu *menu, unsigned int task, uint8_t how,
			  uint64_t *tasks)
{
	bool first = !t->cost.steps;

	t->cost.preemptions += !first && task != menu->current &&
			       (menu->enabled >> menu->current & 1);
	t->cost.steps++;
	*tasks |= 1ULL << task;
	run_step(task, how);
}

static void go_on(struct trial *t, const struct menu *menu, uint64_t *tasks)
{
	uint64_t ready = menu->enabled ?: menu->signals ?: menu->timeouts;
	unsigned int task = ready >> menu->current & 1 ? menu->current : __builtin_ctzll(ready);
	uint8_t how = menu->enabled ? ENG_READY : menu->signals ? ENG_SIGNAL : ENG_TIMEOUT;

	measured_step(t, menu, task, how, tasks);
}

/* The data choices that follow decision @i; returns where the next step begins. */
static guint give_data(const GArray *list, guint i)
{
	uint16_t values[256];
	size_t n = 0;

	for (i++; i < list->len; i++) {
		const struct decision *d = &g_array_index(list, struct decision, i);

		if (d->kind != DECIDE_DATA)
			break;
		if (n < G_N_ELEMENTS(values))
			values[n++] = d->value;
	}
	run_next_data(values, n);
	return i;
}

/* Run the candidate; true if it fails as the original does. */
static bool try(struct trial *t, const GArray *list)
{
	const struct menu *menu;
	const struct decision *all;
	uint64_t tasks = 0;
	guint i = 0;
	size_t n;

	t->runs++;
	memset(&t->cost, 0, sizeof(t->cost));
	exploration_begin(t->x, NULL, 0);
	while (!run_failure() && (menu = run_menu())) {
		const struct decision *d = &g_array_index(list, struct decision, i);
		guint at = i;

		if (i >= list->len) {
			run_next_data(NULL, 0);
			go_on(t, menu, &tasks);
			continue;
		}
		i = give_data(list, i);
		if (at < list->len && d->kind == DECIDE_TASK && can_step(menu, d->value, d->how))
			measured_step(t, menu, d->value, d->how, &tasks);
	}
	/* What comes after the failure does not matter. */
	n = run_decisions(&all);
	g_array_set_size(t->decisions, 0);
	g_array_append_vals(t->decisions, all, n);
	run_end();
	t->cost.tasks = __builtin_popcountll(tasks);
	t->cost.faults = exploration_count_faults((const struct decision *)t->decisions->data, n);
	return same_failure(t->x, run_failure());
}

/* The last candidate becomes the answer. */
static void take(const struct trial *t, struct minimized *m)
{
	g_array_set_size(m->decisions, 0);
	g_array_append_vals(m->decisions, t->decisions->data, t->decisions->len);
	m->cost = t->cost;
}

static int compare(const struct cost *a, const struct cost *b)
{
	if (a->faults != b->faults)
		return a->faults < b->faults ? -1 : 1;
	if (a->preemptions != b->preemptions)
		return a->preemptions < b->preemptions ? -1 : 1;
	if (a->steps != b->steps)
		return a->steps < b->steps ? -1 : 1;
	return (a->tasks > b->tasks) - (a->tasks < b->tasks);
}

/* ---- candidates ---- */

static GArray *blocks_of(const GArray *list)
{
	GArray *blocks = g_array_new(FALSE, FALSE, sizeof(struct block));

	for (guint i = 0; i < list->len; i++) {
		const struct decision *d = &g_array_index(list, struct decision, i);
		struct block *last = blocks->len ?
			&g_array_index(blocks, struct block, blocks->len - 1) : NULL;
		struct block fresh = { i, i + 1, d->value };

		if (last && (d->kind == DECIDE_DATA || last->task == d->value))
			last->to = i + 1;
		else if (d->kind == DECIDE_TASK)
			g_array_append_val(blocks, fresh);
	}
	return blocks;
}

static void append_block(GArray *out, const GArray *list, const GArray *blocks, guint i)
{
	const struct block *b = &g_array_index(blocks, struct block, i);

	g_array_append_vals(out, &g_array_index(list, struct decision, b->from), b->to - b->from);
}

static GArray *without(const GArray *list, const GArray *blocks, guint skip)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(struct decision));

	for (guint i = 0; i < blocks->len; i++)
		if (i != skip)
			append_block(out, list, blocks, i);
	return out;
}

/* Block @from moved to just before block @to, or after it if it comes from before. */
static GArray *moved(const GArray *list, const GArray *blocks, guint from, guint to)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(struct decision));

	for (guint i = 0; i < blocks->len; i++) {
		if (i == from)
			continue;
		if (i == to)
			append_block(out, list, blocks, from);
		append_block(out, list, blocks, i);
	}
	return out;
}

static int next_of_task(const GArray *blocks, guint i)
{
	unsigned int task = g_array_index(blocks, struct block, i).task;

	for (guint k = i + 1; k < blocks->len; k++)
		if (g_array_index(blocks, struct block, k).task == task)
			return k;
	return -1;
}

static GArray *without_fault(const GArray *list, guint nth)
{
	GArray *out = g_array_copy((GArray *)list);

	for (guint i = 0; i < out->len; i++) {
		struct decision *d = &g_array_index(out, struct decision, i);

		if (d->fault && d->value && !nth--) {
			d->value = 0;
			return out;
		}
	}
	g_array_unref(out);
	return NULL;
}

/* Candidate number @n made from @list; NULL when there are no more. */
static GArray *candidate(const GArray *list, const GArray *blocks, guint n, unsigned int faults)
{
	guint i;
	int next;

	if (n < faults)
		return without_fault(list, n);
	i = (n - faults) / 3;
	if (i >= blocks->len)
		return NULL;
	next = next_of_task(blocks, i);
	switch ((n - faults) % 3) {
	case 0:
		return without(list, blocks, i);
	case 1:		/* bring the task's next block up to this one */
		return next < 0 || i + 1 >= blocks->len ? g_array_copy((GArray *)list) :
							  moved(list, blocks, next, i + 1);
	default:	/* put this block off to the task's next one */
		return next < 0 ? g_array_copy((GArray *)list) : moved(list, blocks, i, next);
	}
}

/* One pass: the first candidate that is better; false if there is none. */
static bool improve(struct trial *t, struct minimized *m)
{
	g_autoptr(GArray) blocks = blocks_of(m->decisions);
	bool better = false;

	for (guint n = 0; !better && t->runs < TRIES_MAX; n++) {
		g_autoptr(GArray) list = candidate(m->decisions, blocks, n, m->cost.faults);

		if (!list)
			return false;
		better = try(t, list) && compare(&t->cost, &m->cost) < 0;
	}
	if (better)
		take(t, m);
	return better;
}

/* ---- fewer preemptions, by search ---- */

static unsigned int early_timeouts(const GArray *list)
{
	unsigned int n = 0;

	for (guint i = 0; i < list->len; i++) {
		const struct decision *d = &g_array_index(list, struct decision, i);

		n += d->kind == DECIDE_TASK && d->how == ENG_TIMEOUT;
	}
	return n;
}

/* Search all schedules with @bound preemptions. True: go on with one more. */
static bool search_bound(struct trial *t, struct minimized *m, unsigned int bound)
{
	struct vfiosim_options options = {
		.preemptions_bounded = true, .preemptions_max = bound,
		.faults_max = m->cost.faults, .timeouts_max = early_timeouts(m->decisions),
		.runs_max = SEARCH_RUNS_MAX, .milliseconds_max = SEARCH_MS_MAX,
		.steps_max = t->x->options.steps_max, .backtracking = t->x->options.backtracking,
	};
	struct exploration search;
	bool found, exhausted;

	exploration_init(&search, t->x->scenario, &options);
	explore_depth_first(&search);
	t->runs += search.runs + search.cut;
	exhausted = search.verdict == VFIOSIM_OK;
	found = search.schedule->len && same_failure(t->x, &search.finding) &&
		try(t, search.schedule) && compare(&t->cost, &m->cost) < 0;
	if (found)
		take(t, m);
	exploration_clear(&search);
	if (found || !exhausted)
		m->fewest_proven = m->fewest_proven && found;
	return exhausted;
}

static void prove_fewest(struct trial *t, struct minimized *m)
{
	unsigned int bound = 0;

	m->fewest_proven = true;
	while (bound < m->cost.preemptions && search_bound(t, m, bound))
		bound++;
}

/* ---- the nearest schedule that passes ---- */

/* The failing schedule up to step @step, then up to @steps of @task, then the rest of it. */
static GArray *deviation(const GArray *list, guint step, unsigned int task, unsigned int steps)
{
	GArray *out = g_array_sized_new(FALSE, FALSE, sizeof(struct decision), list->len + steps);
	const struct decision d = { .kind = DECIDE_TASK, .value = task };

	g_array_append_vals(out, list->data, step);
	while (steps--)
		g_array_append_val(out, d);
	g_array_append_vals(out, &g_array_index(list, struct decision, step), list->len - step);
	return out;
}

static uint64_t others_at(struct trial *t, const GArray *list, guint step)
{
	const struct menu *menu;
	const struct decision *d = &g_array_index(list, struct decision, step);

	exploration_begin(t->x, (const struct decision *)list->data, step);
	menu = run_menu();
	t->runs++;
	return menu ? menu->enabled & ~(1ULL << d->value) : 0;
}

/* @steps: how far another task may go where the two schedules part. */
static bool find_passing_at(struct trial *t, struct minimized *m, guint at, size_t step,
			    unsigned int steps)
{
	uint64_t others = others_at(t, m->decisions, at);

	for (; others; others &= others - 1) {
		g_autoptr(GArray) list = deviation(m->decisions, at,
						   __builtin_ctzll(others), steps);

		try(t, list);
		if (run_failure())
			continue;
		m->passing = g_array_copy(t->decisions);
		m->passing_step = step;
		m->passing_task = __builtin_ctzll(others);
		return true;
	}
	return false;
}

/* From the end backwards: the later the two part, the nearer they are. */
static bool find_passing(struct trial *t, struct minimized *m, unsigned int steps)
{
	uint64_t until = t->runs + TRIES_MAX;
	size_t step = m->cost.steps;

	for (guint i = m->decisions->len; i-- > 0 && t->runs < until;) {
		if (g_array_index(m->decisions, struct decision, i).kind != DECIDE_TASK)
			continue;
		if (find_passing_at(t, m, i, step, steps))
			return true;
		step--;
	}
	return false;
}

static void begin(const struct exploration *x, struct trial *t, struct minimized *m)
{
	*t = (struct trial){ .x = x };
	t->decisions = g_array_new(FALSE, FALSE, sizeof(struct decision));
	memset(m, 0, sizeof(*m));
	m->decisions = g_array_copy(x->schedule);
	/* A schedule from a checkpoint knows no names. */
	if (try(t, m->decisions))
		take(t, m);
	m->cost = m->found = t->cost;
}

void minimize(const struct exploration *x, struct minimized *m)
{
	struct trial t;

	begin(x, &t, m);
	while (t.runs < TRIES_MAX && improve(&t, m))
		;
	prove_fewest(&t, m);
	while (t.runs < 2 * TRIES_MAX && improve(&t, m))
		;
	if (!find_passing(&t, m, 1))
		find_passing(&t, m, STEPS_ALONE_MAX);
	m->runs = t.runs;
	g_array_unref(t.decisions);
}

void minimize_not(const struct exploration *x, struct minimized *m)
{
	struct trial t;

	begin(x, &t, m);
	m->runs = t.runs;
	g_array_unref(t.decisions);
}

void minimized_clear(struct minimized *m)
{
	g_clear_pointer(&m->decisions, g_array_unref);
	g_clear_pointer(&m->passing, g_array_unref);
}
