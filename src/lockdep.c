// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lock bookkeeping: who holds what, and the order of lock classes in this run.
 *
 * A class is where a lock was initialised, with its subclass, as in the kernel's
 * lockdep. An edge says that a task took the second class while it held the
 * first; an edge that closes a circle is an inversion, whether or not the
 * deadlock strikes in this schedule.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfiosim/kapi/lock.h>

#include "run.h"
#include "symbols.h"
#include "trace.h"

#define LOCK_CLASSES_MAX 512
#define EDGES_MAX 2048

struct edge {
	u16 from, to;
	u16 task;
	u16 pad;
	const void *where;	/* who took the second lock */
};

/* Classes live as long as the process; they are only ever compared and named. */
static struct {
	const char *name;
	unsigned int subclass;
	u16 id;
} class_index[LOCK_CLASSES_MAX * 2];
static const char *class_names[LOCK_CLASSES_MAX];
static u16 n_classes;

/* The graph of this run: a list, and the same as a matrix of bits. */
static struct edge edges[EDGES_MAX];
static u32 n_edges;
static u64 follows[LOCK_CLASSES_MAX][LOCK_CLASSES_MAX / 64];

static void add_class(size_t at, const char *name, unsigned int subclass)
{
	if (n_classes == LOCK_CLASSES_MAX) {
		fprintf(stderr, "vfiosim: more than %d lock classes\n", LOCK_CLASSES_MAX);
		abort();
	}
	class_index[at].name = name;
	class_index[at].subclass = subclass;
	class_index[at].id = n_classes;
	class_names[n_classes++] = name;
}

static inline u16 class_of(const char *name, unsigned int subclass)
{
	size_t mask = LOCK_CLASSES_MAX * 2 - 1;
	size_t at = (((unsigned long)name >> 1) + subclass * 77) * 0x9e3779b1UL >> 9 & mask;

	while (class_index[at].name != name || class_index[at].subclass != subclass) {
		if (!class_index[at].name)
			add_class(at, name, subclass);
		else
			at = (at + 1) & mask;
	}
	return class_index[at].id;
}

static inline bool has_edge(u16 from, u16 to)
{
	return follows[from][to / 64] >> to % 64 & 1;
}

static void set_edge(u16 from, u16 to, bool on)
{
	u64 bit = 1ULL << to % 64;

	if (on)
		follows[from][to / 64] |= bit;
	else
		follows[from][to / 64] &= ~bit;
}

void lockdep_reset(void)
{
	for (u32 i = 0; i < n_edges; i++)
		set_edge(edges[i].from, edges[i].to, false);
	n_edges = 0;
}

size_t lockdep_size(void)
{
	return sizeof(n_edges) + sizeof(u32) + n_edges * sizeof(edges[0]);
}

void *lockdep_save(void *buffer)
{
	u64 count = n_edges;
	char *to = mempcpy(buffer, &count, sizeof(count));

	return mempcpy(to, edges, n_edges * sizeof(edges[0]));
}

const void *lockdep_restore(const void *buffer)
{
	const char *from = buffer;
	u64 count;

	lockdep_reset();
	memcpy(&count, from, sizeof(count));
	n_edges = count;
	memcpy(edges, from + sizeof(count), n_edges * sizeof(edges[0]));
	for (u32 i = 0; i < n_edges; i++)
		set_edge(edges[i].from, edges[i].to, true);
	return from + sizeof(count) + n_edges * sizeof(edges[0]);
}

static const char *class_text(u16 class)
{
	const char *name = class_names[class];

	return *name == '&' ? name + 1 : name;
}

static const struct edge *find_edge(u16 from, u16 to)
{
	for (u32 i = 0; i < n_edges; i++)
		if (edges[i].from == from && edges[i].to == to)
			return &edges[i];
	return NULL;
}

/*
 * A way from @from to @to in the graph, shortest first: the edges that were taken
 * are left in @path; returns their number, 0 for none.
 */
static unsigned int find_path(u16 from, u16 to, const struct edge **path, unsigned int max)
{
	static u16 came_from[LOCK_CLASSES_MAX], queue[LOCK_CLASSES_MAX];
	unsigned int head = 0, tail = 0, n = 0;

	memset(came_from, 0xff, sizeof(came_from));
	queue[tail++] = from;
	while (head < tail && came_from[to] == 0xffff) {
		u16 class = queue[head++];

		for (u32 i = 0; i < n_edges; i++) {
			if (edges[i].from != class || came_from[edges[i].to] != 0xffff)
				continue;
			came_from[edges[i].to] = class;
			queue[tail++] = edges[i].to;
		}
	}
	if (came_from[to] == 0xffff)
		return 0;
	for (u16 at = to; at != from && n < max; at = came_from[at])
		path[n++] = find_edge(came_from[at], at);
	return n;
}

static void report_inversion(const struct held_lock *held, const void *lock, u16 class)
{
	const struct edge *path[8];
	unsigned int n = find_path(class, held->class, path, 8);
	char text[300] = "";
	size_t used = 0;

	for (unsigned int i = n; i-- > 0 && used < sizeof(text); )
		used += snprintf(text + used, sizeof(text) - used, "; %s in %s() took %s inside %s",
				 ENGINE->tasks[path[i]->task].ts.comm,
				 symbol_function(path[i]->where), class_text(path[i]->to),
				 class_text(path[i]->from));
	eng_report("lock-inversion", lock, "%s takes %s while it holds %s%s",
		   current_task()->ts.comm, class_text(class), class_text(held->class), text);
}

/* The name that device locks carry; see lockdep_set_novalidate_class(). */
const char lockdep_no_validate[] = "dev->mutex";

/* The first time in this run that @class is taken inside @held. */
static __attribute__((noinline)) void check_order(const struct held_lock *held, const void *lock,
						  u16 class, const void *where)
{
	const struct edge *path[8];

	if (held->class == class) {
		eng_report("lock-inversion", lock,
			   "%s takes %s while it holds one of the same class",
			   current_task()->ts.comm, class_text(class));
		return;
	}
	if (find_path(class, held->class, path, 8))
		report_inversion(held, lock, class);
	if (n_edges == EDGES_MAX)
		return;
	set_edge(held->class, class, true);
	edges[n_edges++] = (struct edge){
		.from = held->class, .to = class, .task = ENGINE->current, .where = where,
	};
}

void eng_lock_acquired(const void *lock, const char *class_name, unsigned int subclass,
		       bool shared, bool trylock)
{
	struct task *task = current_task();
	u16 class = class_of(class_name, subclass);
	const struct held_lock *held;

	/* A trylock cannot wait, so it adds no order; what is taken inside it does. */
	if (!trylock && class_name != lockdep_no_validate) {
		for (unsigned int i = 0; i < task->n_held; i++) {
			held = &task->held[i];
			if (!has_edge(held->class, class) && held->name != lockdep_no_validate)
				check_order(held, lock, class, __builtin_return_address(0));
		}
	}
	if (task->n_held == HELD_MAX)
		eng_fail("bug", lock, "%s holds %d locks already", task->ts.comm, HELD_MAX);
	task->held[task->n_held++] = (struct held_lock){
		.lock = lock, .name = class_name, .class = class,
		.shared = shared, .trylock = trylock,
	};
}

static inline struct held_lock *find_held(struct task *task, const void *lock)
{
	for (unsigned int i = task->n_held; i-- > 0; )
		if (task->held[i].lock == lock)
			return &task->held[i];
	return NULL;
}

void eng_lock_released(const void *lock)
{
	struct task *task = current_task();
	struct held_lock *held = find_held(task, lock);

	if (!held)
		eng_fail("unlock-by-stranger", lock, "%s releases a lock that it does not hold",
			 task->ts.comm);
	task->n_held--;
	for (; held < &task->held[task->n_held]; held++)
		*held = held[1];
}

bool eng_lock_held(const void *lock)
{
	return find_held(current_task(), lock) != NULL;
}

/* For a lock that was downgraded. */
void eng_lock_now_shared(const void *lock)
{
	struct held_lock *held = find_held(current_task(), lock);

	if (held)
		held->shared = true;
}

int eng_lock_mode(const void *lock)
{
	const struct held_lock *held = find_held(current_task(), lock);

	return held ? (held->shared ? 2 : 1) : 0;
}
