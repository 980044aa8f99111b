// SPDX-License-Identifier: GPL-2.0-only
/*
 * Depth-first exploration: drives the runs that dpor.c asks for.
 *
 * To come back to a branch point it restores the nearest snapshot at or above
 * it, or begins the run anew, and carries out the steps in between by script.
 */
#include <string.h>

#include "checkpoint.h"
#include "dpor.h"
#include "explore.h"

/* Above this, copying the live state costs more than running again. */
#define SNAPSHOT_BYTES_MAX (64 * 1024)
/*
 * What a step by script costs, in bytes of a snapshot that could be copied
 * instead, and the steps that a snapshot costs however small it is. From these
 * follows how many steps a snapshot is worth. Whoever comes back
 * over twice as many leaves one that far above: most of the next branch points lie
 * below it. On the way down, where nobody may ever come back to, they are rarer.
 */
#define BYTES_PER_STEP 4096
#define STEPS_PER_SNAPSHOT 4
#define FURTHER_DOWN 4
/* All snapshots of a path together. */
#define POOL_BYTES_MAX (256u << 20)
#define PIECES_PER_SHARD 16
#define CUT_DEPTH_MAX 64

/* A snapshot at a node of the path. */
struct saved {
	size_t depth;
	size_t offset;
};

struct dfs {
	struct exploration *x;
	struct dpor *dpor;
	const struct decision *decisions;	/* the path's: the engine's own list */
	size_t n_decisions;
	GArray *data;			/* of uint16_t: for the step to be run */
	char *pool;			/* snapshots, as a stack */
	size_t pool_used;
	size_t pool_size;
	GArray *saved;			/* of struct saved: what is in the pool */
	size_t spacing;			/* steps between them that are worth one */
	const struct pending *pending;	/* the engine's, by task */
	bool snapshots;
	bool in_step;			/* of the last node, which is not yet recorded */
	bool blocking;			/* its operation has a condition */
	bool asleep;			/* all that could run at the last node */
	/* Shards: where the tree is cut, and how many pieces were met. */
	size_t cut_depth;
	bool only_count;
};

static struct node *last_node(struct dfs *s)
{
	return dpor_node(s->dpor, dpor_depth(s->dpor) - 1);
}

/* ---- snapshots ---- */

static bool choose_snapshots(struct exploration *x)
{
	if (x->options.backtracking == VFIOSIM_REEXECUTE || !snapshot_possible())
		return false;
	x->live_bytes = snapshot_size();
	return x->options.backtracking == VFIOSIM_SNAPSHOT || x->live_bytes <= SNAPSHOT_BYTES_MAX;
}

/* The engine is at the node at @depth. */
static void save(struct dfs *s, size_t depth)
{
	size_t size = (snapshot_size() + 63) & ~(size_t)63;
	struct saved saved = { depth, s->pool_used };

	if (s->pool_used + size > s->pool_size) {
		size_t larger = MAX(s->pool_size * 2, s->pool_used + size);

		if (larger > POOL_BYTES_MAX)
			return;
		s->pool = g_realloc(s->pool, larger);
		s->pool_size = larger;
	}
	snapshot_save(s->pool + s->pool_used);
	g_array_append_val(s->saved, saved);
	s->pool_used += size;
	s->spacing = size / BYTES_PER_STEP + STEPS_PER_SNAPSHOT;
}

static const struct saved *last_saved(const struct dfs *s)
{
	return s->saved->len ? &g_array_index(s->saved, struct saved, s->saved->len - 1) : NULL;
}

/* On the way down, at the last node: is a snapshot worth its copy? */
static void save_on_the_way(struct dfs *s)
{
	const struct saved *last = last_saved(s);
	size_t depth = dpor_depth(s->dpor) - 1;

	if (!last || depth - last->depth >= FURTHER_DOWN * s->spacing)
		save(s, depth);
}

static void pop(struct dfs *s)
{
	const struct saved *last = last_saved(s);

	dpor_pop(s->dpor);
	if (last && last->depth == dpor_depth(s->dpor)) {
		s->pool_used = last->offset;
		g_array_set_size(s->saved, s->saved->len - 1);
	}
}

/* ---- steps ---- */

static void clear_data(struct dfs *s)
{
	if (s->data->len)
		g_array_set_size(s->data, 0);
}

static uint64_t hash_data(const struct decision *d, size_t n)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < n; i++)
		hash = dpor_mix(hash, d[i].value + 1);
	return hash;
}

/* Before the step that is chosen at the last node; s->data is for its data choices. */
static void begin_step(struct dfs *s, const struct node *node, const struct menu *menu)
{
	s->in_step = true;
	s->blocking = menu->pending[node->task].blocking;
	if (s->data->len)
		run_next_data((const uint16_t *)s->data->data, s->data->len);
}

static void end_step(struct dfs *s, const struct step *step)
{
	struct node *node = last_node(s);
	uint64_t data = 0;
	size_t n;

	s->in_step = false;
	s->n_decisions = run_decisions(&s->decisions);
	n = s->n_decisions - node->decision;
	node->faults_here = 0;
	if (n > 1) {
		data = hash_data(s->decisions + node->decision + 1, n - 1);
		node->faults_here = exploration_count_faults(s->decisions + node->decision, n);
	}
	dpor_step(s->dpor, step, s->blocking, data);
	s->x->steps++;
}

/* Carry out the step that is chosen at the last node. */
static void take_step(struct dfs *s, const struct menu *menu)
{
	const struct node *node = last_node(s);

	begin_step(s, node, menu);
	end_step(s, run_step(node->task, node->how));
}

/* Is it the driver's turn at the node to be pushed? Only it can save, cut and stop. */
static bool is_for_driver(const struct dfs *s)
{
	const struct saved *last = last_saved(s);
	size_t depth = dpor_depth(s->dpor);

	return depth <= s->cut_depth || dpor_is_full(s->dpor) ||
	       (s->snapshots && (!last || depth - last->depth >= FURTHER_DOWN * s->spacing));
}

/* The way down, as far as it needs no driver: see run_steps_by(). */
static bool choose_on_the_way(void *data, const struct step *step, const struct menu *menu,
			      unsigned int *task_out, enum eng_wake *how_out)
{
	struct dfs *s = data;
	struct node *node;

	end_step(s, step);
	if (is_for_driver(s))
		return false;
	clear_data(s);
	dpor_push(s->dpor, menu);
	node = last_node(s);
	node->decision = s->n_decisions;
	s->asleep = !dpor_pick(s->dpor);
	if (s->asleep)
		return false;
	begin_step(s, node, menu);
	*task_out = node->task;
	*how_out = node->how;
	return true;
}

/* Carry out the chosen step, and those after it until the driver must look. */
static void take_steps(struct dfs *s, const struct menu *menu)
{
	const struct node *node = last_node(s);
	const struct step *step;

	begin_step(s, node, menu);
	step = run_steps_by(node->task, node->how, choose_on_the_way, s);
	if (s->in_step)
		end_step(s, step);
}

/* The next variant of the last node's step goes to s->data; false when all are tried. */
static bool next_data(struct dfs *s)
{
	struct node *node = last_node(s);

	return node->serial && s->n_decisions > node->decision + 1 &&
	       exploration_next_data(s->x, s->decisions, node->decision + 1, s->n_decisions,
				     node->faults_used, s->data);
}

/* From a node above, to the one at @depth. */
static const struct menu *follow_to(struct dfs *s, size_t depth)
{
	run_follow(dpor_node(s->dpor, depth)->decision);
	return run_menu();
}

/*
 * Bring the engine back to the last node of the path. Its list of decisions
 * still begins with those that led there.
 */
static const struct menu *come_back(struct dfs *s)
{
	const struct saved *last = last_saved(s);
	size_t depth = dpor_depth(s->dpor) - 1;

	if (!last) {
		exploration_begin(s->x, s->decisions, dpor_node(s->dpor, depth)->decision);
		s->x->reexecuted++;
		return run_menu();
	}
	snapshot_restore(s->pool + last->offset, s->decisions);
	s->x->restored++;
	if (depth - last->depth >= 2 * s->spacing && follow_to(s, depth - s->spacing))
		save(s, depth - s->spacing);
	return follow_to(s, depth);
}

/* The scenario must offer what it offered before. */
static bool check_repeats(struct dfs *s, const struct menu *menu)
{
	const struct node *node = last_node(s);
	g_autofree char *what = NULL;

	if (menu && menu->enabled == node->enabled && menu->timeouts == node->timeouts &&
	    menu->signals == node->signals)
		return true;
	what = g_strdup_printf("step %zu offers other tasks when the same schedule is run again",
			       dpor_depth(s->dpor));
	exploration_does_not_repeat(s->x, s->decisions, s->n_decisions, what);
	return false;
}

/* ---- shards ---- */

/* Does the piece of the tree that begins here belong to somebody else? */
static bool is_foreign(struct dfs *s)
{
	const struct vfiosim_options *o = &s->x->options;

	if (!s->cut_depth)
		return false;
	return s->x->pieces++ % o->shard_count != o->shard_index || s->only_count;
}

/* ---- runs ---- */

static bool may_branch(const struct node *node)
{
	uint64_t awake = node->available & ~node->sleep;

	return awake & (awake - 1);
}

static void note_blocked(struct dfs *s, uint64_t tasks)
{
	for (; tasks; tasks &= tasks - 1) {
		unsigned int task = __builtin_ctzll(tasks);

		dpor_blocked(s->dpor, task, &s->pending[task]);
	}
}

/*
 * Steps that the run's end kept from happening race too: those that are blocked
 * for ever, and everything else when the last step failed the run.
 */
static void note_unfinished(struct dfs *s)
{
	const struct finding *failure = run_failure();
	uint64_t alive = run_alive();

	if (failure && !g_str_equal(failure->detector, "deadlock")) {
		dpor_failed(s->dpor);
		alive &= ~(1ULL << last_node(s)->task);
	}
	note_blocked(s, alive);
}

/*
 * All that could run is asleep: some other run goes on from here. Not so the
 * tasks that are blocked by what this run did.
 */
static void cut_run(struct dfs *s)
{
	struct node *node = last_node(s);
	uint64_t blocked = run_alive() & ~node->available;

	if (dpor_depth(s->dpor) > s->cut_depth || !s->x->options.shard_index)
		s->x->cut++;
	pop(s);
	if (dpor_depth(s->dpor))
		note_blocked(s, blocked);
}

static void end_run(struct dfs *s)
{
	struct exploration *x = s->x;

	if (dpor_depth(s->dpor) <= s->cut_depth && is_foreign(s))
		return;
	if (!dpor_depth(s->dpor)) {
		exploration_finish(x, 0);
		return;
	}
	note_unfinished(s);
	x->depth_max = MAX(x->depth_max, dpor_depth(s->dpor));
	exploration_finish(x, dpor_digest(s->dpor));
}

/* Push the node for @menu and choose its step; false: the run ends here. */
static bool go_to_node(struct dfs *s, const struct menu *menu)
{
	struct node *node;

	s->pending = menu->pending;
	if (dpor_depth(s->dpor) == s->cut_depth && is_foreign(s))
		return false;
	if (!dpor_push(s->dpor, menu)) {
		exploration_stop(s->x, VFIOSIM_BUDGET, "a run is too long to explore");
		return false;
	}
	node = last_node(s);
	node->decision = s->n_decisions;
	if (s->snapshots && may_branch(node))
		save_on_the_way(s);
	s->asleep = !dpor_pick(s->dpor);
	return true;
}

/* Go on from the last node's step, which was carried out, to the run's end. */
static void descend(struct dfs *s)
{
	const struct menu *menu;

	clear_data(s);
	while (!s->asleep && !run_failure() && (menu = run_menu())) {
		if (!go_to_node(s, menu))
			return;
		if (!s->asleep)
			take_steps(s, menu);
	}
	if (s->asleep)
		cut_run(s);
	else
		end_run(s);
	s->asleep = false;
}

/* To the next schedule that has to be run; false if there is none. */
static bool backtrack(struct dfs *s)
{
	while (dpor_depth(s->dpor)) {
		struct node *node = last_node(s);
		bool again = next_data(s);

		if (again)
			dpor_unstep(s->dpor);
		else
			clear_data(s);
		if (again || dpor_pick(s->dpor)) {
			const struct menu *menu = come_back(s);

			if (!check_repeats(s, menu))
				return false;
			take_steps(s, menu);
			return true;
		}
		pop(s);
		s->n_decisions = node->decision;
	}
	return false;
}

static void dfs_init(struct dfs *s, struct exploration *x, size_t cut_depth)
{
	const struct vfiosim_options *o = &x->options;
	struct dpor_config config = {
		.reduce = o->strategy == VFIOSIM_EXHAUSTIVE,
		.sleep = o->strategy == VFIOSIM_EXHAUSTIVE,
		.preemptions_max = o->preemptions_bounded ? (int)o->preemptions_max : -1,
		.timeouts_max = o->timeouts_max,
		.full_depth = cut_depth,
	};

	*s = (struct dfs){ .x = x, .dpor = dpor_new(&config), .cut_depth = cut_depth };
	s->saved = g_array_new(FALSE, FALSE, sizeof(struct saved));
	s->data = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	x->strategy = s;
}

static void dfs_clear(struct dfs *s)
{
	dpor_free(s->dpor);
	g_array_unref(s->data);
	g_array_unref(s->saved);
	g_free(s->pool);
	s->x->strategy = NULL;
}

/* ---- checkpoints and progress ---- */

static bool save_search(const struct exploration *x)
{
	struct dfs *s = x->strategy;

	return checkpoint_save(x, s->dpor, s->decisions, s->n_decisions);
}

/*
 * The part of the tree that is done, if each of a node's children that are known
 * by now were equally large.
 */
static double fraction_done(const struct exploration *x)
{
	struct dfs *s = x->strategy;
	double done = 0, share = 1;

	for (size_t i = 0; i < dpor_depth(s->dpor); i++) {
		const struct node *n = dpor_node(s->dpor, i);
		uint64_t known = n->available & n->backtrack & ~(n->sleep & ~n->done);
		unsigned int children = MAX(__builtin_popcountll(known), 1);

		done += share * __builtin_popcountll(n->done & known) / children;
		share /= children;
	}
	return done + share;
}

/* Go down the saved path again; what is left to try comes from the file. */
static bool go_down(struct dfs *s, const struct saved_node *saved)
{
	const struct menu *menu = run_menu();
	struct node *node;

	if (!menu || !dpor_push(s->dpor, menu))
		return false;
	s->pending = menu->pending;
	node = last_node(s);
	if (!(node->available >> saved->node.task & 1))
		return false;
	node->decision = s->n_decisions;
	node->backtrack = saved->node.backtrack;
	node->done = saved->node.done;
	node->sleep = saved->node.sleep;
	node->sleep_reads = saved->node.sleep_reads;
	node->sleep_frees = saved->node.sleep_frees;
	node->task = saved->node.task;
	node->how = saved->node.how;
	node->hows_left = saved->node.hows_left;
	node->any_write = saved->node.any_write;
	node->any_free = saved->node.any_free;
	if (s->snapshots && may_branch(node))
		save_on_the_way(s);
	g_array_set_size(s->data, 0);
	g_array_append_vals(s->data, saved->data, saved->n_data);
	take_step(s, menu);
	s->x->steps--;		/* it was counted before */
	node->failed = saved->node.failed;
	return true;
}

/* In place of those that the way down has left: the saved ones hold them, too. */
static void take_extents(struct dfs *s, const GArray *nodes)
{
	dpor_forget_extents(s->dpor);
	for (guint i = 0; i < nodes->len; i++) {
		const struct saved_node *saved = &g_array_index(nodes, struct saved_node, i);

		if (saved->is_extent)
			dpor_add_extent(s->dpor, (const char *)saved->extent_start,
					saved->extent_size, saved->extent_depth,
					saved->extent_task);
	}
}

static bool resume(struct dfs *s)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) nodes = checkpoint_load(s->x, &error);
	bool fits = nodes != NULL;

	for (guint i = 0; fits && i < nodes->len; i++) {
		const struct saved_node *saved = &g_array_index(nodes, struct saved_node, i);

		fits = saved->is_extent || go_down(s, saved);
	}
	if (fits) {
		take_extents(s, nodes);
		return true;
	}
	/* The file may still be of use for what it was made by. */
	s->x->save = NULL;
	exploration_stop(s->x, VFIOSIM_BUDGET, error ? "the checkpoint cannot be read" :
						       "the checkpoint does not fit the scenario");
	return false;
}

static void search(struct dfs *s)
{
	struct exploration *x = s->x;

	exploration_begin(x, NULL, 0);
	s->snapshots = choose_snapshots(x);
	if (x->options.resume && (!resume(s) || exploration_is_spent(x) || !backtrack(s)))
		return;
	do
		descend(s);
	while (!x->stopped && backtrack(s));
}

static uint64_t count_pieces(const struct exploration *x, size_t depth)
{
	struct exploration count;
	struct vfiosim_options options = x->options;
	uint64_t pieces;
	struct dfs s;

	options.on_run = NULL;
	options.checkpoint = NULL;
	options.resume = false;
	options.progress = false;
	exploration_init(&count, x->scenario, &options);
	dfs_init(&s, &count, depth);
	s.only_count = true;
	search(&s);
	dfs_clear(&s);
	pieces = count.pieces;
	exploration_clear(&count);
	return pieces;
}

/*
 * So deep that each shard gets several pieces of the tree, which are not equally
 * large. All shards come to the same answer.
 */
static size_t choose_cut_depth(const struct exploration *x)
{
	uint64_t enough = (uint64_t)PIECES_PER_SHARD * x->options.shard_count, before = 0, pieces;
	unsigned int same = 0;
	size_t depth;

	if (x->options.shard_count < 2)
		return 0;
	for (depth = 1; depth < CUT_DEPTH_MAX && same < 8; depth++) {
		pieces = count_pieces(x, depth);
		if (pieces >= enough)
			break;
		same = pieces == before ? same + 1 : 0;
		before = pieces;
	}
	return depth;
}

void explore_depth_first(struct exploration *x)
{
	size_t cut_depth = choose_cut_depth(x);
	struct dfs s;

	dfs_init(&s, x, cut_depth);
	x->fraction_done = fraction_done;
	x->save = save_search;
	search(&s);
	exploration_leave(x);
	dfs_clear(&s);
}
