// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data races by happens-before, on unmodified C. The compiler (gcc or clang,
 * -fsanitize=thread when compiling, not when linking) puts the calls; a task's
 * clock advances when it releases something and takes over the clock of what it
 * acquires. All of it is forgotten when a run begins and none of it is in
 * snapshots, so runs that are watched are re-executed from their beginning.
 *
 * READ_ONCE() acquires and WRITE_ONCE() releases here, since the kernel's
 * smp_load_acquire() and rcu_dereference() are no other operations to the engine;
 * a race that only their absence would cause is not seen.
 */
#include "tsan.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "symbols.h"

/* gcc with another sanitizer on believes to know one of these, and wrongly. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wbuiltin-declaration-mismatch"
#endif

#define GRANULE 8
#define CELLS 6
#define TABLE_FIRST 1024	/* entries */

struct clock {
	u32 of[TASKS_MAX];
};

/* One access to some bytes of a granule. */
struct cell {
	u32 time;
	u8 task;
	u8 bytes;			/* mask */
	u8 write;
	u8 marked;
	const void *site;
};

/* How both kinds of table entries begin; those of older generations are free. */
struct entry {
	unsigned long key;		/* an address */
	u32 generation;
};

struct granule {
	unsigned long key;
	u32 generation;
	u8 next;			/* cell to be replaced when all are in use */
	struct cell cells[CELLS];
};

/* What was released to an object: by anybody, and by those who hold it exclusively. */
struct sync {
	unsigned long key;
	u32 generation;
	struct clock all, exclusive;
};

/* Open addressing; the size is a power of two. */
struct table {
	size_t entry_size;
	size_t size, used;
	char *entries;
};

bool tsan_watching;
unsigned int tsan_paused;

static bool present, points, reporting;
static u32 generation;
static struct clock clocks[TASKS_MAX];
static struct table granules = { .entry_size = sizeof(struct granule) };
static struct table syncs = { .entry_size = sizeof(struct sync) };

bool tsan_present(void)
{
	return present;
}

void tsan_begin(bool watch, bool want_points)
{
	tsan_watching = watch || want_points;
	reporting = watch;
	points = want_points;
	tsan_paused = 0;
	if (!tsan_watching)
		return;
	generation++;
	granules.used = syncs.used = 0;
	memset(clocks, 0, sizeof(clocks));
	for (unsigned int i = 0; i < TASKS_MAX; i++)
		clocks[i].of[i] = 1;
}

/* ---- tables ---- */

/* The entry of @key, or the one that it would have. */
static struct entry *find(const struct table *t, unsigned long key)
{
	size_t i = key * 0x9e3779b97f4a7c15UL >> 20;
	struct entry *e;

	do
		e = (struct entry *)(t->entries + (i++ & (t->size - 1)) * t->entry_size);
	while (e->generation == generation && e->key != key);
	return e;
}

static void grow(struct table *t)
{
	struct table old = *t;

	t->size = old.size ? old.size * 2 : TABLE_FIRST;
	t->entries = calloc(t->size, t->entry_size);
	if (!t->entries)
		abort();
	for (size_t i = 0; i < old.size; i++) {
		const struct entry *e = (void *)(old.entries + i * t->entry_size);

		if (e->generation == generation)
			memcpy(find(t, e->key), e, t->entry_size);
	}
	free(old.entries);
}

static void *entry_of(struct table *t, unsigned long key)
{
	struct entry *e;

	if (t->used * 2 >= t->size)
		grow(t);
	e = find(t, key);
	if (e->generation != generation) {
		memset(e, 0, t->entry_size);
		e->generation = generation;
		e->key = key;
		t->used++;
	}
	return e;
}

/* ---- what orders tasks ---- */

static void join(struct clock *into, const struct clock *from)
{
	for (unsigned int i = 0; i < ENGINE->n_tasks; i++)
		if (into->of[i] < from->of[i])
			into->of[i] = from->of[i];
}

static void acquire(const struct clock *from)
{
	join(&clocks[ENGINE->current], from);
}

static void release(struct clock *to)
{
	unsigned int self = ENGINE->current;

	join(to, &clocks[self]);
	clocks[self].of[self]++;
}

void tsan_sync(enum eng_op op, const void *object)
{
	struct sync *s;

	if (!object || run.phase != PHASE_RUN)
		return;
	s = entry_of(&syncs, (unsigned long)object);
	switch (op) {
	case ENG_OP_PLAIN_READ:
	case ENG_OP_PLAIN_WRITE:
	case ENG_OP_ATOMIC_READ:
	case ENG_OP_REFCOUNT_INC:	/* relaxed */
		break;
	case ENG_OP_DOWN_READ:
	case ENG_OP_DOWN_READ_TRYLOCK:
		acquire(&s->exclusive);
		break;
	case ENG_OP_UP_READ:
		release(&s->all);
		break;
	case ENG_OP_MUTEX_LOCK:
	case ENG_OP_MUTEX_TRYLOCK:
	case ENG_OP_SPIN_LOCK:
	case ENG_OP_SPIN_TRYLOCK:
	case ENG_OP_DOWN_WRITE:
	case ENG_OP_DOWN_WRITE_TRYLOCK:
	case ENG_OP_READ_ONCE:
	case ENG_OP_WAIT_COMPLETION:
		acquire(&s->all);
		break;
	case ENG_OP_WRITE_ONCE:
	case ENG_OP_COMPLETE:
	case ENG_OP_MUTEX_UNLOCK:
	case ENG_OP_SPIN_UNLOCK:
	case ENG_OP_UP_WRITE:
		release(&s->all);
		join(&s->exclusive, &s->all);
		break;
	default:			/* fully ordered */
		acquire(&s->all);
		release(&s->all);
		join(&s->exclusive, &s->all);
	}
}

/* ---- accesses ---- */

static const char *verb(bool write)
{
	return write ? "writes" : "reads";
}

static void report(const struct cell *now, const struct cell *then, const void *address)
{
	void (*say)(const char *, const void *, const char *, ...) =
		detector_tolerated("data-race") ? eng_report : eng_fail;

	say("data-race", address,
	    "%s %s it in %s() and %s %s it in %s(), and nothing orders the two",
	    ENGINE->tasks[then->task].ts.comm, verb(then->write),
	    symbol_function(then->site), ENGINE->tasks[now->task].ts.comm,
	    verb(now->write), symbol_function(now->site));
}

static bool races(const struct cell *now, const struct cell *then)
{
	return then->time && then->task != now->task && (then->bytes & now->bytes) &&
	       (then->write || now->write) && !(then->marked && now->marked) &&
	       clocks[now->task].of[then->task] < then->time;
}

static void remember(struct granule *g, const struct cell *now)
{
	for (unsigned int i = 0; i < CELLS; i++) {
		struct cell *c = &g->cells[i];
		bool replaces = c->task == now->task && c->bytes == now->bytes &&
				c->write <= now->write && c->marked >= now->marked;

		if (!c->time || replaces) {
			*c = *now;
			return;
		}
	}
	g->cells[g->next] = *now;
	g->next = (g->next + 1) % CELLS;
}

static void look(unsigned long address, unsigned int offset, unsigned int size, bool write,
		 bool marked, const void *site)
{
	struct granule *g = entry_of(&granules, address);
	struct cell now = {
		.task = ENGINE->current, .write = write, .marked = marked, .site = site,
		.time = clocks[ENGINE->current].of[ENGINE->current],
		.bytes = ((1u << size) - 1) << offset,
	};

	for (unsigned int i = 0; i < CELLS; i++)
		if (races(&now, &g->cells[i]))
			report(&now, &g->cells[i], (const void *)(address + offset));
	remember(g, &now);
}

static bool on_own_stack(const void *address)
{
	const struct task *task = current_task();

	return (unsigned long)((const char *)address - (const char *)task->fiber.stack_low) <
	       task->fiber.stack_size;
}

static void access(const void *p, size_t size, bool write, bool marked, const void *site)
{
	unsigned long at = (unsigned long)p, end = at + size;

	if (!tsan_watching || tsan_paused || !run.in_task || run.phase != PHASE_RUN ||
	    on_own_stack(p))
		return;
	if (points && !marked)
		eng_point(write ? ENG_OP_PLAIN_WRITE : ENG_OP_PLAIN_READ, p,
			  write ? ENG_WRITE : ENG_READ);
	if (!reporting)
		return;
	while (at < end) {
		unsigned long granule = at & ~(unsigned long)(GRANULE - 1);
		unsigned long until = granule + GRANULE < end ? granule + GRANULE : end;

		look(granule, at - granule, until - at, write, marked, site);
		at = until;
	}
}

/* ---- what the compilers call ---- */

#define SITE __builtin_return_address(0)
#define ENTRY(name) \
	void name; \
	__attribute__((visibility("default"))) void name

ENTRY(__tsan_init(void))
{
	present = true;
}

ENTRY(__tsan_func_entry(void *caller))
{
}

ENTRY(__tsan_func_exit(void))
{
}

#define ACCESS(size)								\
	ENTRY(__tsan_read##size(void *p)) { access(p, size, false, false, SITE); }	\
	ENTRY(__tsan_write##size(void *p)) { access(p, size, true, false, SITE); }	\
	ENTRY(__tsan_unaligned_read##size(void *p))				\
	{ access(p, size, false, false, SITE); }				\
	ENTRY(__tsan_unaligned_write##size(void *p))				\
	{ access(p, size, true, false, SITE); }					\
	ENTRY(__tsan_volatile_read##size(void *p))				\
	{ access(p, size, false, true, SITE); }					\
	ENTRY(__tsan_volatile_write##size(void *p))				\
	{ access(p, size, true, true, SITE); }					\
	ENTRY(__tsan_unaligned_volatile_read##size(void *p))			\
	{ access(p, size, false, true, SITE); }					\
	ENTRY(__tsan_unaligned_volatile_write##size(void *p))			\
	{ access(p, size, true, true, SITE); }					\
	ENTRY(__tsan_read_write##size(void *p)) { access(p, size, true, false, SITE); }	\
	ENTRY(__tsan_unaligned_read_write##size(void *p))			\
	{ access(p, size, true, false, SITE); }

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

ENTRY(__tsan_read_range(void *p, size_t size))
{
	access(p, size, false, false, SITE);
}

ENTRY(__tsan_write_range(void *p, size_t size))
{
	access(p, size, true, false, SITE);
}

ENTRY(__tsan_vptr_update(void **p, void *value))
{
	access(p, sizeof(*p), true, false, SITE);
}

ENTRY(__tsan_vptr_read(void **p))
{
	access(p, sizeof(*p), false, false, SITE);
}

/* clang calls these instead of the plain ones. */
void *__tsan_memcpy(void *to, const void *from, size_t size);
__attribute__((visibility("default")))
void *__tsan_memcpy(void *to, const void *from, size_t size)
{
	access(from, size, false, false, SITE);
	access(to, size, true, false, SITE);
	return memcpy(to, from, size);
}

void *__tsan_memmove(void *to, const void *from, size_t size);
__attribute__((visibility("default")))
void *__tsan_memmove(void *to, const void *from, size_t size)
{
	access(from, size, false, false, SITE);
	access(to, size, true, false, SITE);
	return memmove(to, from, size);
}

void *__tsan_memset(void *to, int byte, size_t size);
__attribute__((visibility("default")))
void *__tsan_memset(void *to, int byte, size_t size)
{
	access(to, size, true, false, SITE);
	return memset(to, byte, size);
}
