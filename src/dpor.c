// SPDX-License-Identifier: GPL-2.0-only
/*
 * Source-set DPOR with sleep sets.
 *
 * After Abdulla, Aronis, Jonsson, Sagonas: Source Sets (JACM 2017), with the
 * engine's blocking operations as enabledness. Where this departs from it:
 *
 *   - An unlock and the lock that waited for it do not race: the lock could not
 *     have come first. What races is the lock with the previous lock.
 *   - A step that makes another task able or unable to run happens before that
 *     task's next step, whatever objects the two name.
 *   - A step that frees an object writes all of it.
 *   - Timeouts are ordered among each other, as they move one clock. Whether a
 *     timeout is early depends on who else could run, so with a bound on early
 *     timeouts they are ordered with everything.
 *   - A step may have variants (data choices, the way a wait ends). Its task
 *     goes to sleep when all of them are explored.
 *   - With a preemption bound, sleep sets are off, and each backtrack point is
 *     also set where the running task was switched to (Coons, Musuvathi,
 *     McKinley: Bounded Partial-Order Reduction, OOPSLA 2013).
 *
 * Events are numbered from 1 by their place in the path: event i is the step of
 * node i - 1. Clocks count each task's own events, so that they are the same in
 * every schedule of a trace.
 */
#include <glib.h>
#include <string.h>

#include "dpor.h"

#define BIT(task) (1ULL << (task))
#define NO_TASK 0xff
#define LANES 8
#define SERIAL_MAX INT16_MAX

typedef int16_t lanes __attribute__((vector_size(LANES * sizeof(int16_t))));
typedef uint64_t words __attribute__((vector_size(LANES * sizeof(int16_t))));

/* The last event on each object. */
struct slot {
	const void *object;
	uint32_t head;
	uint32_t next_near;		/* the next slot of the same quarter, plus 1 */
};

/* Addresses are told apart by QUARTER bytes to find the slots that an object holds. */
#define QUARTER_SHIFT 9
#define QUARTERS 512

/* What a step that is asleep would free; live while the node stands. */
struct extent {
	const char *start;
	size_t size;
	uint32_t depth;
	uint8_t task;
};

struct dpor {
	struct path path;		/* first: see dpor.h */
	struct dpor_config config;
	size_t capacity;
	lanes *clocks;			/* blocks per event: (capacity + 1) * blocks */
	size_t blocks;			/* of LANES tasks each */
	struct slot *slots;		/* one for each object that was met */
	size_t slots_used;
	uint32_t slot_of_task[TASKS_MAX];	/* that its last step was on */
	uint32_t near[QUARTERS];	/* the last slot with such an address, plus 1 */
	uint32_t *index;		/* hash table: a slot's number plus 1 */
	size_t index_size;		/* a power of two, at least twice the slots */
	uint32_t last[TASKS_MAX];	/* event */
	uint32_t created_by[TASKS_MAX];	/* event */
	uint32_t last_flip;		/* event */
	uint64_t *elsewhere;		/* scratch: a bit for each event; all 0 */
	size_t elsewhere_words;		/* of these, how many may hold any */
	GArray *extents;		/* what steps that are asleep would free */
	GArray *freed;			/* of struct extent: what the last step freed */
	uint64_t next_sleep;		/* for the node to be pushed */
	uint64_t next_sleep_reads;
	uint64_t next_sleep_frees;
	unsigned int timeouts;		/* steps of the path that are one */
	const struct pending *pending;
};

/* The step whose races are looked for. */
struct candidate {
	const void *object;
	unsigned int task;
	uint32_t event;			/* its number, or where it would come */
	uint32_t slot;
	bool writes;
	bool blocking;
	bool acquires;
	bool timed_out;
	size_t freed;
};

static lanes *clock_of(const struct dpor *d, uint32_t event)
{
	return d->clocks + (size_t)event * d->blocks;
}

static int16_t lane(const lanes *clock, unsigned int task)
{
	return ((const int16_t *)clock)[task];
}

/* By vectors: a vector that is read after a store to a part of it costs 15 cycles. */
static void set_lane(lanes *clock, unsigned int task, int16_t serial)
{
	const lanes numbers = { 0, 1, 2, 3, 4, 5, 6, 7 };
	lanes *block = &clock[task / LANES];
	lanes chosen = numbers == (int16_t)(task % LANES);

	*block = (*block & ~chosen) | (serial & chosen);
}

static void copy_clock(lanes *to, const lanes *from, size_t blocks)
{
	*to = *from;
	if (blocks > 1)
		memcpy(to + 1, from + 1, (blocks - 1) * sizeof(*to));
}

static void join(lanes *into, const lanes *from, size_t blocks)
{
	for (size_t i = 0; i < blocks; i++) {
		lanes newer = from[i] > into[i];

		into[i] = (from[i] & newer) | (into[i] & ~newer);
	}
}

/* Does @clock reach any of the events in @first? */
static bool reaches(const lanes *clock, const lanes *first, size_t blocks)
{
	for (size_t i = 0; i < blocks; i++) {
		words hit = (words)(clock[i] >= first[i]);

		if (hit[0] | hit[1])
			return true;
	}
	return false;
}

static uint64_t previous_bit(const struct node *node)
{
	return node->previous == NO_TASK ? 0 : BIT(node->previous);
}

static struct node *node_of(const struct dpor *d, uint32_t event)
{
	return &d->path.nodes[event - 1];
}

static bool covers(const struct dpor *d, const lanes *clock, uint32_t event)
{
	const struct node *e = node_of(d, event);

	return lane(clock, e->task) >= e->serial;
}

/* ---- storage ---- */

static void grow_path(struct dpor *d)
{
	d->capacity = d->capacity ? d->capacity * 2 : 256;
	d->path.nodes = g_renew(struct node, d->path.nodes, d->capacity);
	d->clocks = g_renew(lanes, d->clocks, (d->capacity + 1) * d->blocks);
	g_free(d->elsewhere);
	d->elsewhere = g_new0(uint64_t, d->capacity / 64 + 1);
}

/* More tasks than the clocks have room for: lay them out anew. */
static void widen_clocks(struct dpor *d, size_t blocks)
{
	lanes *wide = g_new0(lanes, (d->capacity + 1) * blocks);

	for (size_t event = 0; event <= d->path.depth; event++)
		memcpy(wide + event * blocks, d->clocks + event * d->blocks,
		       d->blocks * sizeof(*wide));
	g_free(d->clocks);
	d->clocks = wide;
	d->blocks = blocks;
}

/* Where the number of @object's slot is, or will be. */
static uint32_t *slot_index(const struct dpor *d, const void *object)
{
	size_t mask = d->index_size - 1;
	size_t i = ((uintptr_t)object * 0x9e3779b97f4a7c15ULL) >> 32 & mask;

	while (d->index[i] && d->slots[d->index[i] - 1].object != object)
		i = (i + 1) & mask;
	return &d->index[i];
}

static void slots_grow(struct dpor *d)
{
	d->index_size *= 2;
	g_free(d->index);
	d->index = g_new0(uint32_t, d->index_size);
	d->slots = g_renew(struct slot, d->slots, d->index_size / 2);
	for (size_t i = 0; i < d->slots_used; i++)
		*slot_index(d, d->slots[i].object) = i + 1;
}

static uint32_t *near_of(struct dpor *d, uintptr_t quarter)
{
	return &d->near[quarter % QUARTERS];
}

static uint32_t find_slot(struct dpor *d, const void *object)
{
	uint32_t *at = slot_index(d, object), *near;

	if (*at)
		return *at - 1;
	if (d->slots_used == d->index_size / 2) {
		slots_grow(d);
		at = slot_index(d, object);
	}
	near = near_of(d, (uintptr_t)object >> QUARTER_SHIFT);
	d->slots[d->slots_used] = (struct slot){ .object = object, .next_near = *near };
	*near = *at = ++d->slots_used;
	return *at - 1;
}

static uint32_t slot_of(struct dpor *d, unsigned int task, const void *object)
{
	uint32_t *last = &d->slot_of_task[task];

	if (*last >= d->slots_used || d->slots[*last].object != object)
		*last = find_slot(d, object);
	return *last;
}

struct dpor *dpor_new(const struct dpor_config *config)
{
	struct dpor *d = g_new0(struct dpor, 1);

	d->config = *config;
	if (config->preemptions_max >= 0)
		d->config.sleep = false;
	d->blocks = 1;
	grow_path(d);
	memset(d->clocks, 0, sizeof(*d->clocks));
	d->index_size = 256;
	slots_grow(d);
	d->extents = g_array_new(FALSE, FALSE, sizeof(struct extent));
	d->freed = g_array_new(FALSE, FALSE, sizeof(struct extent));
	return d;
}

void dpor_free(struct dpor *d)
{
	if (!d)
		return;
	g_array_unref(d->extents);
	g_array_unref(d->freed);
	g_free(d->elsewhere);
	g_free(d->slots);
	g_free(d->index);
	g_free(d->clocks);
	g_free(d->path.nodes);
	g_free(d);
}

/* ---- nodes ---- */

static uint64_t available_at(const struct dpor *d, const struct node *node)
{
	uint64_t ready = node->enabled | node->signals;
	uint64_t available = ready;

	/* With nobody else able to run, time passes: that is not early. */
	if (!ready || node->timeouts_used < d->config.timeouts_max)
		available |= node->timeouts;
	if (d->config.preemptions_max >= 0 &&
	    node->preemptions >= d->config.preemptions_max &&
	    (node->enabled & previous_bit(node)))
		available &= previous_bit(node);
	return available;
}

static void count_bounds(struct node *node, const struct node *parent)
{
	bool could_go_on = parent->enabled & previous_bit(parent);
	bool early = parent->how == ENG_TIMEOUT && (parent->enabled | parent->signals);

	node->preemptions = parent->preemptions +
			    (could_go_on && parent->task != parent->previous);
	node->timeouts_used = parent->timeouts_used + early;
	node->faults_used = parent->faults_used + parent->faults_here;
}

static void note_new_tasks(struct dpor *d, struct node *node, uint64_t known)
{
	uint64_t born = (node->enabled | node->timeouts | node->signals) & ~known;

	node->known = known | born;
	if (born && 63 - __builtin_clzll(born) >= d->blocks * LANES)
		widen_clocks(d, (63 - __builtin_clzll(born)) / LANES + 1);
	for (; born; born &= born - 1)
		d->created_by[__builtin_ctzll(born)] = d->path.depth;
}

/*
 * The step of @node let the tasks in @flipped run or stopped them. Who waits for
 * the very object that the step names is ordered with it anyhow; the others are
 * kept, and the steps that have any are linked.
 */
static void note_flipped(struct dpor *d, struct node *node, uint64_t flipped)
{
	for (uint64_t left = flipped; left; left &= left - 1)
		if (d->pending[__builtin_ctzll(left)].object == node->object)
			flipped &= ~(left & -left);
	node->flipped = flipped;
	if (!flipped)
		return;
	node->before_flip = d->last_flip;
	d->last_flip = d->path.depth;
}

bool dpor_is_full(const struct dpor *d)
{
	return d->path.depth + 2 > UINT16_MAX;
}

bool dpor_push(struct dpor *d, const struct menu *menu)
{
	uint64_t flipped;
	struct node *node, *parent;

	if (dpor_is_full(d))
		return false;
	if (d->path.depth + 1 >= d->capacity)
		grow_path(d);
	node = &d->path.nodes[d->path.depth];
	memset(node, 0, sizeof(*node));
	node->enabled = menu->enabled;
	node->timeouts = menu->timeouts;
	node->signals = menu->signals;
	node->previous = d->path.depth ? menu->current : NO_TASK;
	node->task = NO_TASK;
	d->pending = menu->pending;
	if (!d->path.depth) {
		note_new_tasks(d, node, 0);
	} else {
		parent = node - 1;
		note_new_tasks(d, node, parent->known);
		flipped = (parent->enabled ^ node->enabled) & parent->known & ~BIT(parent->task);
		note_flipped(d, parent, flipped);
		count_bounds(node, parent);
		node->sleep = d->next_sleep & ~flipped;
		node->sleep_reads = d->next_sleep_reads;
		node->sleep_frees = d->next_sleep_frees;
	}
	node->available = available_at(d, node);
	d->path.depth++;
	return true;
}

static void drop_extents(struct dpor *d)
{
	while (d->extents->len &&
	       g_array_index(d->extents, struct extent, d->extents->len - 1).depth >= d->path.depth)
		g_array_set_size(d->extents, d->extents->len - 1);
}

void dpor_unstep(struct dpor *d)
{
	struct node *node = &d->path.nodes[d->path.depth - 1];

	if (!node->serial)
		return;
	d->timeouts -= node->how == ENG_TIMEOUT;
	d->last[node->task] = node->before_of_task;
	if (node->object)
		d->slots[node->slot].head = node->before_on_object;
	if (node->flipped)
		d->last_flip = node->before_flip;
	node->flipped = 0;
	node->serial = 0;
	node->object = NULL;
}

void dpor_pop(struct dpor *d)
{
	dpor_unstep(d);
	d->path.depth--;
	drop_extents(d);
}

/* All variants of the task's step are explored. */
static void finish_task(struct dpor *d, struct node *node)
{
	uint64_t bit = BIT(node->task);

	node->done |= bit;
	if (!d->config.sleep || node->failed)
		return;
	node->sleep |= bit;
	node->sleep_reads &= ~bit;
	node->sleep_frees &= ~bit;
	if (!node->any_write)
		node->sleep_reads |= bit;
	if (node->any_free)
		node->sleep_frees |= bit;
}

static void first_choice(struct dpor *d, struct node *node)
{
	uint64_t awake = node->available & ~node->sleep;

	if (!d->config.reduce || d->path.depth <= d->config.full_depth)
		node->backtrack = node->available;
	else if (awake & previous_bit(node))
		node->backtrack = previous_bit(node);
	else
		node->backtrack = awake & -awake;
}

bool dpor_pick(struct dpor *d)
{
	struct node *node = &d->path.nodes[d->path.depth - 1];
	uint64_t left;

	dpor_unstep(d);
	if (node->task == NO_TASK) {
		first_choice(d, node);
	} else if (node->hows_left) {
		node->how = __builtin_ctz(node->hows_left);
		node->hows_left &= node->hows_left - 1;
		return true;
	} else {
		finish_task(d, node);
	}

	left = node->available & node->backtrack & ~node->done & ~node->sleep;
	if (!left)
		return false;
	node->task = left & previous_bit(node) ? node->previous : __builtin_ctzll(left);
	node->any_write = node->any_free = node->failed = 0;
	node->how = ENG_READY;
	node->hows_left = 0;
	if (node->enabled & BIT(node->task))
		return true;
	if (node->signals & BIT(node->task))
		node->hows_left |= 1 << ENG_SIGNAL;
	if ((node->timeouts & BIT(node->task)) &&
	    (node->timeouts_used < d->config.timeouts_max || !(node->enabled | node->signals)))
		node->hows_left |= 1 << ENG_TIMEOUT;
	node->how = __builtin_ctz(node->hows_left);
	node->hows_left &= node->hows_left - 1;
	return true;
}

/* ---- races ---- */

static bool is_release(unsigned int op)
{
	return op == ENG_OP_MUTEX_UNLOCK || op == ENG_OP_SPIN_UNLOCK ||
	       op == ENG_OP_UP_READ || op == ENG_OP_UP_WRITE;
}

static bool is_acquire(unsigned int op)
{
	return op == ENG_OP_MUTEX_LOCK || op == ENG_OP_SPIN_LOCK ||
	       op == ENG_OP_DOWN_READ || op == ENG_OP_DOWN_WRITE;
}

/* Could the candidate have been carried out just before @event? */
static bool reversible(const struct dpor *d, const struct candidate *c, uint32_t event)
{
	const struct node *e = node_of(d, event);

	if (!c->blocking)
		return true;
	if (d->last[c->task] < event && (e->known & BIT(c->task)))
		return (e->available | e->enabled) & BIT(c->task);
	return !(c->acquires && is_release(e->op));
}

/*
 * The tasks that could go first in what is left of the path after @event when
 * @event and all that depends on it is taken out, the candidate last. @past is
 * what the candidate depends on in that order.
 */
static uint64_t initials(const struct dpor *d, const struct candidate *c, uint32_t event,
			 const lanes *past)
{
	lanes first[TASKS_MAX / LANES];
	const struct node *e = node_of(d, event);
	uint64_t seen = 0, found = 0;

	memset(first, 0x7f, d->blocks * sizeof(*first));
	for (uint32_t i = event + 1; i < c->event; i++) {
		const struct node *f = node_of(d, i);
		const lanes *clock = clock_of(d, i);

		if ((seen & BIT(f->task)) || lane(clock, e->task) >= e->serial)
			continue;
		if (!reaches(clock, first, d->blocks))
			found |= BIT(f->task);
		seen |= BIT(f->task);
		set_lane(first, f->task, f->serial);
	}
	if (!(seen & BIT(c->task)) && !reaches(past, first, d->blocks))
		found |= BIT(c->task);
	return found;
}

static void add_bounded(struct dpor *d, struct node *node, unsigned int task)
{
	node->backtrack |= node->available & BIT(task) ? BIT(task) : node->available;
}

/*
 * A bound can forbid the switch before @event, and allow the same order of
 * these two steps by a switch where the task was switched to.
 */
static void backtrack_bounded(struct dpor *d, const struct candidate *c, uint32_t event)
{
	struct node *node = node_of(d, event);

	add_bounded(d, node, c->task);
	while (node > d->path.nodes && node[-1].task == node->task)
		node--;
	add_bounded(d, node, c->task);
}

static void backtrack_at(struct dpor *d, const struct candidate *c, uint32_t event,
			 const lanes *past)
{
	struct node *node = node_of(d, event);
	uint64_t first;

	if (!d->config.reduce)
		return;
	if (d->config.preemptions_max >= 0) {
		backtrack_bounded(d, c, event);
		return;
	}
	first = initials(d, c, event, past);
	if (first & (node->backtrack | node->sleep))
		return;
	first &= node->available;
	node->backtrack |= first & BIT(c->task) ? BIT(c->task) : first & -first;
}

/*
 * An event that conflicts with the candidate: order them, and see if they race. What
 * @past covers, @clock does too.
 */
static void conflict(struct dpor *d, const struct candidate *c, uint32_t event,
		     lanes *clock, lanes *past)
{
	if (covers(d, past, event))
		return;
	join(clock, clock_of(d, event), d->blocks);
	if (!reversible(d, c, event))
		return;
	backtrack_at(d, c, event, past);
	join(past, clock_of(d, event), d->blocks);
}

/* Walk back over the object's events as far as a write that could come later. */
static void conflicts_on_object(struct dpor *d, const struct candidate *c, lanes *clock,
				lanes *past)
{
	uint32_t event = d->slots[c->slot].head;

	for (; event; event = node_of(d, event)->before_on_object) {
		const struct node *e = node_of(d, event);

		if (!c->writes && e->access == ENG_READ)
			continue;
		if (e->access == ENG_WRITE && covers(d, past, event))
			return;
		conflict(d, c, event, clock, past);
		if (e->access == ENG_WRITE && covers(d, past, event))
			return;
	}
}

/* Does @object lie in what the last step freed? */
static bool in_freed(const struct dpor *d, const void *object)
{
	for (size_t i = 0; i < d->freed->len; i++) {
		const struct extent *x = &g_array_index(d->freed, struct extent, i);

		if ((size_t)((const char *)object - x->start) < x->size)
			return true;
	}
	return false;
}

/* With a bound on early timeouts, where each of them comes makes a difference. */
static bool counts_timeouts(const struct dpor *d)
{
	return d->config.timeouts_max && d->config.timeouts_max != UINT32_MAX;
}

static void gather(struct dpor *d, uint32_t event)
{
	d->elsewhere[event / 64] |= BIT(event % 64);
	if (d->elsewhere_words <= event / 64)
		d->elsewhere_words = event / 64 + 1;
}

/* The latest event that was gathered and not yet taken, or 0. */
static uint32_t take_gathered(struct dpor *d)
{
	while (d->elsewhere_words) {
		uint64_t *word = &d->elsewhere[d->elsewhere_words - 1];

		if (*word) {
			unsigned int last = 63 - __builtin_clzll(*word);

			*word &= ~BIT(last);
			return (d->elsewhere_words - 1) * 64 + last;
		}
		d->elsewhere_words--;
	}
	return 0;
}

/* The rare kinds of conflict: with the steps that let the task run, or stopped it, ... */
static void gather_flips(struct dpor *d, const struct candidate *c)
{
	uint32_t event = c->blocking ? d->last_flip : 0;

	for (; event > d->last[c->task]; event = node_of(d, event)->before_flip)
		if (node_of(d, event)->flipped & BIT(c->task))
			gather(d, event);
}

/* ... with all steps on what it frees, ... */
static void gather_extent(struct dpor *d, const struct extent *x)
{
	uintptr_t first = (uintptr_t)x->start >> QUARTER_SHIFT;
	uintptr_t last = ((uintptr_t)x->start + x->size) >> QUARTER_SHIFT;

	for (uintptr_t q = first; q <= last && q < first + QUARTERS; q++) {
		uint32_t near = *near_of(d, q);

		for (; near; near = d->slots[near - 1].next_near) {
			const struct slot *slot = &d->slots[near - 1];
			uint32_t event = slot->head;

			if ((size_t)((const char *)slot->object - x->start) >= x->size)
				continue;
			for (; event; event = node_of(d, event)->before_on_object)
				gather(d, event);
		}
	}
}

/* ... and among timeouts, which move the same clock. */
static void gather_timeouts(struct dpor *d, const struct candidate *c)
{
	for (uint32_t event = c->event - 1; event; event--) {
		bool late = node_of(d, event)->how == ENG_TIMEOUT;

		if (counts_timeouts(d) ? c->timed_out || late : c->timed_out && late)
			gather(d, event);
	}
}

static void conflicts_elsewhere(struct dpor *d, const struct candidate *c, lanes *clock,
				lanes *past)
{
	uint32_t event;

	gather_flips(d, c);
	for (guint i = 0; c->freed && i < d->freed->len; i++)
		gather_extent(d, &g_array_index(d->freed, struct extent, i));
	if (c->timed_out || (d->timeouts && counts_timeouts(d)))
		gather_timeouts(d, c);
	while ((event = take_gathered(d)))
		if (node_of(d, event)->task != c->task)
			conflict(d, c, event, clock, past);
}

/* Fill @clock with what the candidate depends on, and note its races. */
static void find_races(struct dpor *d, const struct candidate *c, lanes *clock)
{
	lanes past[TASKS_MAX / LANES];
	uint32_t before = d->last[c->task] ?: d->created_by[c->task];

	copy_clock(clock, clock_of(d, before), d->blocks);
	copy_clock(past, clock, d->blocks);
	if (c->freed || c->timed_out || (d->timeouts && counts_timeouts(d)) ||
	    (c->blocking && d->last_flip > d->last[c->task]))
		conflicts_elsewhere(d, c, clock, past);
	if (c->object)
		conflicts_on_object(d, c, clock, past);
}

/* ---- sleep ---- */

/* Would the step of @task, which is asleep, free what the step of @node uses? */
static bool sleeper_frees(const struct dpor *d, const struct node *node, unsigned int task)
{
	for (size_t i = d->extents->len; i-- > 0;) {
		const struct extent *x = &g_array_index(d->extents, struct extent, i);

		if (x->task == task && x->depth >= d->last[task] && node->object &&
		    (const char *)node->object >= x->start &&
		    (const char *)node->object < x->start + x->size)
			return true;
	}
	return false;
}

static bool wakes(const struct dpor *d, const struct node *node, unsigned int task)
{
	const struct pending *p = &d->pending[task];

	if (p->object && p->object == node->object &&
	    (node->access == ENG_WRITE || !(node->sleep_reads & BIT(task))))
		return true;
	if (node->how == ENG_TIMEOUT && !(node->enabled & BIT(task)))
		return true;
	if (counts_timeouts(d) &&
	    (node->how == ENG_TIMEOUT || (node->timeouts & ~node->enabled & BIT(task))))
		return true;
	if (node->frees && p->object && in_freed(d, p->object))
		return true;
	return (node->sleep_frees & BIT(task)) && sleeper_frees(d, node, task);
}

/* Who of those asleep still sleeps after the step of @node. */
static void filter_sleep(struct dpor *d, const struct node *node)
{
	uint64_t sleep = node->sleep & ~BIT(node->task);

	for (uint64_t left = sleep; left; left &= left - 1)
		if (wakes(d, node, __builtin_ctzll(left)))
			sleep &= ~(left & -left);
	d->next_sleep = sleep;
	d->next_sleep_reads = node->sleep_reads & sleep;
	d->next_sleep_frees = node->sleep_frees & sleep;
}

/* What the step that was just carried out freed: objects, whole. */
static void take_freed(struct dpor *d, const struct node *node)
{
	const void *const *freed = run_freed();

	g_array_set_size(d->freed, 0);
	for (size_t i = 0; i < node->frees; i++) {
		struct object_info info;
		struct extent x = { .depth = d->path.depth, .task = node->task };

		if (!object_lookup(freed[i], &info))
			continue;
		x.start = info.start;
		x.size = info.size;
		g_array_append_val(d->freed, x);
	}
}

/* ---- steps ---- */

static void hash_event(struct node *node, const lanes *clock, size_t blocks, uint64_t data)
{
	uint64_t hash = data;

	for (size_t i = 0; i < blocks; i++) {
		words w = (words)clock[i];

		hash += w[0] * (0x9e3779b97f4a7c15ULL + 4 * i);
		hash += w[1] * (0xc2b2ae3d27d4eb4fULL + 4 * i);
	}
	node->digest = dpor_mix(hash, node->task | node->how << 8 | node->op << 16);
}

static void record(struct dpor *d, struct node *node, const struct step *step)
{
	node->object = step->object;
	node->op = step->op;
	node->access = step->access;
	node->frees = step->freed;
	d->timeouts += node->how == ENG_TIMEOUT;
	node->any_write |= step->access == ENG_WRITE;
	node->any_free |= step->freed > 0;
	node->serial = 1;
	node->before_of_task = d->last[node->task];
	if (node->before_of_task)
		node->serial += node_of(d, node->before_of_task)->serial;
}

void dpor_step(struct dpor *d, const struct step *step, bool blocking, uint64_t data)
{
	struct node *node = &d->path.nodes[d->path.depth - 1];
	lanes *clock = clock_of(d, d->path.depth);
	struct candidate c = {
		.object = step->object, .task = node->task, .event = d->path.depth,
		.writes = step->access == ENG_WRITE, .blocking = blocking,
		.acquires = is_acquire(step->op),
		.timed_out = node->how == ENG_TIMEOUT, .freed = step->freed,
	};

	record(d, node, step);
	if (step->freed)
		take_freed(d, node);
	if (node->object)
		node->slot = c.slot = slot_of(d, c.task, node->object);
	find_races(d, &c, clock);
	set_lane(clock, node->task, node->serial);
	if (node->object) {
		node->before_on_object = d->slots[node->slot].head;
		d->slots[node->slot].head = d->path.depth;
	}
	hash_event(node, clock, d->blocks, data);
	if (d->path.depth > 1)
		node->digest += node[-1].digest;
	if (d->config.sleep)
		filter_sleep(d, node);
	if (step->freed && d->config.sleep)
		g_array_append_vals(d->extents, d->freed->data, d->freed->len);
	d->last[node->task] = d->path.depth;
}

void dpor_blocked(struct dpor *d, unsigned int task, const struct pending *pending)
{
	lanes clock[TASKS_MAX / LANES];
	struct candidate c = {
		.object = pending->object, .task = task, .event = d->path.depth + 1,
		.writes = pending->access == ENG_WRITE, .blocking = true,
		.acquires = is_acquire(pending->op),
	};

	if (c.object)
		c.slot = slot_of(d, task, c.object);
	find_races(d, &c, clock);
}

void dpor_failed(struct dpor *d)
{
	struct node *node = &d->path.nodes[d->path.depth - 1];

	node->backtrack |= node->available;
	node->failed = 1;
}

bool dpor_extent(const struct dpor *d, size_t index, const char **start, size_t *size,
		 size_t *depth, unsigned int *task)
{
	const struct extent *x;

	if (index >= d->extents->len)
		return false;
	x = &g_array_index(d->extents, struct extent, index);
	*start = x->start;
	*size = x->size;
	*depth = x->depth;
	*task = x->task;
	return true;
}

void dpor_forget_extents(struct dpor *d)
{
	g_array_set_size(d->extents, 0);
}

void dpor_add_extent(struct dpor *d, const char *start, size_t size, size_t depth,
		     unsigned int task)
{
	struct extent x = { .start = start, .size = size, .depth = depth, .task = task };

	g_array_append_val(d->extents, x);
}

uint64_t dpor_digest(const struct dpor *d)
{
	return d->path.depth ? d->path.nodes[d->path.depth - 1].digest : 0;
}
