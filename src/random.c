// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random schedules: the uniform walk, and PCT (Burckhardt, Kothari, Musuvathi,
 * Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of Finding
 * Bugs, ASPLOS 2010). The seeded generator here is the only chance in the
 * library; the same seed gives the same runs.
 *
 * PCT gives each task a random priority and always runs the highest that can
 * run; at depth - 1 random steps the running task's priority drops below all
 * others. A bug that needs d ordered steps among n tasks and k steps is hit by
 * one run with a probability of at least 1/(n k^(d-1)).
 */
#include "checkpoint.h"
#include "dpor.h"
#include "explore.h"

#define DEPTH_MAX 32
#define STEPS_FIRST 64		/* until a run has told how long they are */

struct generator {
	uint64_t state;
};

struct pct {
	uint32_t priority[TASKS_MAX];	/* higher runs first; 0: not yet given */
	uint64_t change_at[DEPTH_MAX];
	unsigned int changes;
};

/* SplitMix64: the n-th number from here is a function of the state plus n steps. */
#define GENERATOR_STEP 0x9e3779b97f4a7c15ULL

static uint64_t draw(struct generator *g)
{
	uint64_t x = g->state += GENERATOR_STEP;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint64_t draw_below(struct generator *g, uint64_t bound)
{
	return (uint64_t)(((unsigned __int128)draw(g) * bound) >> 64);
}

static unsigned int draw_task(struct generator *g, uint64_t tasks)
{
	uint64_t nth = draw_below(g, __builtin_popcountll(tasks));

	while (nth--)
		tasks &= tasks - 1;
	return __builtin_ctzll(tasks);
}

/* ---- PCT ---- */

static void pct_begin(struct pct *pct, struct generator *g, unsigned int depth, uint64_t steps)
{
	*pct = (struct pct){ .changes = MIN(depth, DEPTH_MAX) - 1 };
	for (unsigned int i = 0; i < pct->changes; i++)
		pct->change_at[i] = 1 + draw_below(g, steps);
}

static void pct_meet(struct pct *pct, struct generator *g, uint64_t tasks)
{
	for (; tasks; tasks &= tasks - 1) {
		uint32_t *priority = &pct->priority[__builtin_ctzll(tasks)];

		if (!*priority)
			*priority = DEPTH_MAX + 1 + draw_below(g, 1u << 30);
	}
}

static unsigned int pct_highest(const struct pct *pct, uint64_t tasks)
{
	unsigned int best = __builtin_ctzll(tasks);

	for (; tasks; tasks &= tasks - 1)
		if (pct->priority[__builtin_ctzll(tasks)] > pct->priority[best])
			best = __builtin_ctzll(tasks);
	return best;
}

static unsigned int pct_choose(struct pct *pct, struct generator *g, uint64_t tasks,
			       uint64_t step)
{
	pct_meet(pct, g, tasks);
	for (unsigned int i = 0; i < pct->changes; i++)
		if (pct->change_at[i] == step)
			pct->priority[pct_highest(pct, tasks)] = i + 1;
	return pct_highest(pct, tasks);
}

/* ---- runs ---- */

#define DATA_MAX 16		/* data choices of a step that are drawn */

struct walk {
	struct exploration *x;
	struct generator g;
	struct generator for_data;	/* of the step under way */
	struct pct pct;
	uint64_t trace;
	uint64_t steps;
	uint64_t longest;
	unsigned int timeouts_used;
	unsigned int faults_used;
	size_t decisions;
};

static uint64_t may_run(const struct walk *w, const struct menu *menu)
{
	uint64_t ready = menu->enabled | menu->signals;

	if (!ready || w->timeouts_used < w->x->options.timeouts_max)
		ready |= menu->timeouts;
	return ready;
}

static enum eng_wake how_to_wake(struct walk *w, const struct menu *menu, unsigned int task)
{
	uint64_t bit = 1ULL << task;

	if (menu->enabled & bit)
		return ENG_READY;
	if ((menu->signals & bit) && (!(menu->timeouts & bit) || draw_below(&w->g, 2)))
		return ENG_SIGNAL;
	w->timeouts_used += (menu->enabled | menu->signals) != 0;
	return ENG_TIMEOUT;
}

/*
 * Values for the data choices of a step, before it is known which there are:
 * mostly 0, so that faults are rare, within the bound on faults.
 */
static void draw_data(void *walk)
{
	struct walk *w = walk;
	uint16_t values[DATA_MAX];
	bool may_fail = w->faults_used < w->x->options.faults_max;

	for (size_t n = 0; n < DATA_MAX; n++) {
		values[n] = draw_below(&w->for_data, 8) == 0;
		if (values[n] && w->x->config.faults && !may_fail)
			values[n] = 0;
		if (values[n] && w->x->config.faults)
			may_fail = false;
	}
	run_next_data(values, DATA_MAX);
}

/* Few steps have data choices, so the numbers are set aside, and drawn by whom needs them. */
static void set_data_aside(struct walk *w)
{
	w->for_data = w->g;
	w->g.state += DATA_MAX * GENERATOR_STEP;
	run_data_when_asked(draw_data, w);
}

static void count_faults(struct walk *w)
{
	const struct decision *d;
	size_t n = run_decisions(&d);

	for (; w->decisions < n; w->decisions++)
		w->faults_used += d[w->decisions].fault && d[w->decisions].value;
}

/* Also the chooser of run_steps_by(): what comes after @step. */
static bool choose(void *data, const struct step *step, const struct menu *menu,
		   unsigned int *task_out, enum eng_wake *how_out)
{
	struct walk *w = data;
	uint64_t tasks;

	count_faults(w);
	tasks = may_run(w, menu);
	w->steps++;
	*task_out = w->x->options.strategy == VFIOSIM_PCT ?
			    pct_choose(&w->pct, &w->g, tasks, w->steps) :
			    draw_task(&w->g, tasks);
	w->x->tasks = MAX(w->x->tasks, (unsigned int)__builtin_popcountll(tasks));
	set_data_aside(w);
	*how_out = how_to_wake(w, menu, *task_out);
	w->trace = dpor_mix(w->trace, *task_out);
	return true;
}

static void walk_once(struct walk *w)
{
	const struct menu *menu;
	enum eng_wake how;
	unsigned int task;

	w->timeouts_used = w->faults_used = 0;
	w->decisions = w->trace = w->steps = 0;
	exploration_begin(w->x, NULL, 0);
	pct_begin(&w->pct, &w->g, w->x->options.depth, w->longest ?: STEPS_FIRST);
	while (!run_failure() && (menu = run_menu())) {
		choose(w, NULL, menu, &task, &how);
		run_steps_by(task, how, choose, w);
	}
	w->longest = MAX(w->longest, w->steps);
	w->x->steps += w->steps;
	w->x->depth_max = w->longest;
	exploration_finish(w->x, w->trace);
}

static bool save_walk(const struct exploration *x)
{
	return checkpoint_save(x, NULL, NULL, 0);
}

static void resume(struct exploration *x)
{
	g_autoptr(GArray) nodes = checkpoint_load(x, NULL);

	if (nodes)
		return;
	x->save = NULL;
	exploration_stop(x, VFIOSIM_BUDGET, "the checkpoint cannot be read");
}

void explore_random(struct exploration *x)
{
	const struct vfiosim_options *o = &x->options;
	struct walk w = { .x = x };

	x->save = save_walk;
	if (o->resume)
		resume(x);
	/* Each shard draws runs of its own: run i of shard s is run i*count + s of all. */
	while (!exploration_is_spent(x)) {
		w.g.state = dpor_mix(o->seed, x->runs * o->shard_count + o->shard_index);
		walk_once(&w);
	}
	exploration_leave(x);
	if (x->verdict == VFIOSIM_BUDGET && x->runs >= x->options.runs_max)
		x->why_stopped = "all random runs are made";
}
