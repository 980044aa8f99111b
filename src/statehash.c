// SPDX-License-Identifier: GPL-2.0-only
/*
 * Search over states: depth first, and each state once. For scenarios whose
 * schedules converge on few states this visits far less than there are traces.
 *
 * A state is known by a 64-bit hash of all that decides the future. Two states
 * with one hash would be taken for the same: with n states the chance of that
 * is below n^2 / 2^65, which the report prints.
 */
#include <string.h>

#include "dpor.h"
#include "explore.h"

#define TABLE_FIRST (1u << 16)

struct table {
	uint64_t *hashes;
	size_t size;		/* a power of two */
	size_t used;
};

struct level {
	uint64_t left;		/* tasks to try */
	uint64_t enabled, timeouts, signals;
	size_t decision;
	size_t snapshot;
	uint16_t timeouts_used;
	uint16_t faults_used;
	uint8_t task;
	uint8_t hows;
};

struct search {
	struct exploration *x;
	struct table seen;
	GArray *levels;
	GArray *decisions;
	GArray *data;
	GByteArray *pool;
	bool snapshots;
	bool is_there;			/* the run has just arrived at the last level */
	unsigned int faults_here;
};

static bool table_add(struct table *t, uint64_t hash);

static void table_grow(struct table *t)
{
	uint64_t *old = t->hashes;
	size_t size = t->size;

	t->size = size ? size * 2 : TABLE_FIRST;
	t->hashes = g_new0(uint64_t, t->size);
	t->used = 0;
	for (size_t i = 0; i < size; i++)
		if (old[i])
			table_add(t, old[i]);
	g_free(old);
}

/* True if @hash was not there yet. */
static bool table_add(struct table *t, uint64_t hash)
{
	size_t i;

	if (t->used * 4 >= t->size * 3)
		table_grow(t);
	hash += !hash;
	for (i = hash & (t->size - 1); t->hashes[i]; i = (i + 1) & (t->size - 1))
		if (t->hashes[i] == hash)
			return false;
	t->hashes[i] = hash;
	t->used++;
	return true;
}

static struct level *last_level(struct search *s)
{
	return &g_array_index(s->levels, struct level, s->levels->len - 1);
}

static bool early_allowed(const struct search *s, const struct level *l)
{
	return l->timeouts_used < s->x->options.timeouts_max || !(l->enabled | l->signals);
}

static void push(struct search *s, const struct menu *menu)
{
	struct level l = {
		.enabled = menu->enabled, .timeouts = menu->timeouts, .signals = menu->signals,
		.decision = s->decisions->len, .snapshot = s->pool->len,
	};

	if (s->levels->len) {
		const struct level *up = last_level(s);

		l.timeouts_used = up->timeouts_used;
		l.faults_used = up->faults_used + s->faults_here;
	}
	l.left = l.enabled | l.signals;
	if (early_allowed(s, &l))
		l.left |= l.timeouts;
	if (s->snapshots) {
		g_byte_array_set_size(s->pool, l.snapshot + ((snapshot_size() + 63) & ~63u));
		snapshot_save(s->pool->data + l.snapshot);
	}
	g_array_append_val(s->levels, l);
	s->is_there = true;
	s->x->depth_max = MAX(s->x->depth_max, s->levels->len);
}

static void come_back(struct search *s)
{
	struct level *l = last_level(s);

	if (s->is_there)
		return;
	if (s->snapshots) {
		snapshot_restore(s->pool->data + l->snapshot,
				 (const struct decision *)s->decisions->data);
		s->x->restored++;
	} else {
		exploration_begin(s->x, (const struct decision *)s->decisions->data, l->decision);
		s->x->reexecuted++;
	}
	run_menu();
}

static void take_step(struct search *s)
{
	struct level *l = last_level(s);
	const struct decision *all;
	size_t n;

	s->is_there = false;
	if (s->data->len)
		run_next_data((const uint16_t *)s->data->data, s->data->len);
	run_step(l->task, l->hows & 7 ? (enum eng_wake)__builtin_ctz(l->hows) : ENG_READY);
	n = run_decisions(&all);
	g_array_set_size(s->decisions, l->decision);
	g_array_append_vals(s->decisions, all + l->decision, n - l->decision);
	s->faults_here = exploration_count_faults(all + l->decision, n - l->decision);
	s->x->steps++;
}

/* The next variant of the last level's step goes to s->data; false when all are tried. */
static bool next_data(struct search *s)
{
	const struct level *l = last_level(s);

	return s->decisions->len > l->decision + 1 &&
	       exploration_next_data(s->x, (const struct decision *)s->decisions->data,
				     l->decision + 1, s->decisions->len, l->faults_used, s->data);
}

/* Choose the next way to go on from the last level; false if there is none. */
static bool next_choice(struct search *s)
{
	struct level *l = last_level(s);
	uint64_t bit;

	g_array_set_size(s->data, 0);
	l->hows &= l->hows - 1;
	if (l->hows)
		return true;
	if (!l->left)
		return false;
	bit = l->left & -l->left;
	l->left &= ~bit;
	l->task = __builtin_ctzll(bit);
	if (l->enabled & bit) {
		l->hows = 1 << ENG_READY;
		return true;
	}
	if (l->signals & bit)
		l->hows |= 1 << ENG_SIGNAL;
	if ((l->timeouts & bit) && early_allowed(s, l))
		l->hows |= 1 << ENG_TIMEOUT;
	return true;
}

static bool is_early_timeout(const struct level *l)
{
	return (l->hows & 7) && __builtin_ctz(l->hows) == ENG_TIMEOUT &&
	       (l->enabled | l->signals);
}

/* Where the step led: a new level, a state seen before, or the run's end. */
static void arrive(struct search *s)
{
	const struct menu *menu = run_failure() ? NULL : run_menu();
	struct level *l = last_level(s);
	uint64_t hash;

	if (!menu) {
		exploration_finish(s->x, 0);
		return;
	}
	/* What the bounds still allow is part of the state. */
	hash = dpor_mix(snapshot_hash(), (uint64_t)(l->timeouts_used + is_early_timeout(l)) << 32 |
						 (l->faults_used + s->faults_here));
	if (!table_add(&s->seen, hash)) {
		s->x->cut++;
		return;
	}
	push(s, menu);
	l = last_level(s) - 1;
	last_level(s)->timeouts_used += is_early_timeout(l);
}

static void pop(struct search *s)
{
	const struct level *l = last_level(s);

	s->is_there = false;
	g_byte_array_set_size(s->pool, l->snapshot);
	g_array_set_size(s->decisions, l->decision);
	g_array_set_size(s->levels, s->levels->len - 1);
}

static void search_all(struct search *s)
{
	while (s->levels->len && !s->x->stopped) {
		if (next_data(s) || next_choice(s)) {
			come_back(s);
			take_step(s);
			arrive(s);
		} else {
			pop(s);
		}
	}
}

static void clear(struct search *s)
{
	g_free(s->seen.hashes);
	g_array_unref(s->levels);
	g_array_unref(s->decisions);
	g_array_unref(s->data);
	g_byte_array_unref(s->pool);
}

void explore_states(struct exploration *x)
{
	struct search s = {
		.x = x,
		.levels = g_array_new(FALSE, FALSE, sizeof(struct level)),
		.decisions = g_array_new(FALSE, FALSE, sizeof(struct decision)),
		.data = g_array_new(FALSE, FALSE, sizeof(uint16_t)),
		.pool = g_byte_array_new(),
		.snapshots = x->options.backtracking != VFIOSIM_REEXECUTE && snapshot_possible(),
	};
	const struct menu *menu;

	x->config.clean_stacks = true;
	exploration_begin(x, NULL, 0);
	x->live_bytes = snapshot_size();
	menu = run_menu();
	if (menu) {
		table_add(&s.seen, dpor_mix(snapshot_hash(), 0));
		push(&s, menu);
		search_all(&s);
	} else {
		exploration_finish(x, 0);
	}
	x->states = s.seen.used;
	clear(&s);
}
