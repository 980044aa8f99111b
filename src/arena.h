/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All memory of the modelled kernel: one reserve at a fixed address, so that
 * addresses repeat between runs.
 *
 *	ARENA_BASE	struct engine (run.h)
 *	+ 16 MiB	what each heap block holds
 *	+ 32 MiB	stacks of the tasks, a guard page below each
 *	+ 128 MiB	the heap, growing up
 *
 * The heap hands out size classes from 16 KiB blocks. An object has 16 bytes in
 * front: allocation site, type, state, serial number and size. Freed objects are
 * poisoned and stay in a bounded quarantine; both sites remain readable.
 */
#ifndef VFIOSIM_ARENA_H
#define VFIOSIM_ARENA_H

#include <vfiosim/kapi/types.h>

#include "engine.h"
#include "fiber.h"

#define ARENA_BASE ENG_MEMORY
#define ARENA_SIZE ENG_MEMORY_SIZE
#define ARENA_META (ARENA_BASE + (16UL << 20))
#define ARENA_STACKS (ARENA_BASE + (32UL << 20))
#define ARENA_HEAP (ARENA_BASE + (128UL << 20))
#define ARENA_END (ARENA_BASE + ARENA_SIZE)
/* Valgrind looks at every page of a mapping when it is made. */
#define ARENA_SIZE_VALGRIND (512UL << 20)

#define BLOCK_SHIFT 14
#define BLOCK_SIZE (1UL << BLOCK_SHIFT)
#define CLASSES 40
#define TYPES_MAX 1024

#define POISON_FREE ((u64)ENG_POISON_FREE << 32 | ENG_POISON_FREE)
#define POISON_NEW 0x5a5a5a5a5a5a5a5aULL

enum object_state {
	OBJECT_NONE,
	OBJECT_LIVE,
	OBJECT_IMMORTAL,	/* live, and no leak */
	OBJECT_FREED,		/* poisoned */
	OBJECT_CACHED,		/* freed to a kmem_cache: constructed, not poisoned */
};

struct object {
	u64 site : 48;
	u64 type : 11;
	u64 named : 1;		/* by eng_name() */
	u64 state : 4;
	u32 serial : 26;
	u32 task : 6;		/* that allocated it */
	u32 size;
};

/* Last words of a freed object's memory. */
struct obituary {
	u64 site : 48;
	u64 task : 6;
	u64 sum : 10;		/* over the rest: a write after free may hit this too */
	struct object *next;	/* in quarantine, then in the free list */
};

/* Offsets from ARENA_HEAP, so that they take 4 bytes (in units of 16). */
struct size_class {
	u32 bump;
	u32 end;
	u32 free;
};

struct given_name {
	struct given_name *next;
	const void *object;
	char text[];
};

struct heap {
	u64 top;		/* end of the used part */
	u64 live;		/* objects, the immortal ones left out */
	u64 quarantined_bytes;
	struct object *oldest;	/* in quarantine, first freed first */
	struct object *newest;
	struct given_name *names;	/* by eng_name(), newest first */
	struct size_class classes[CLASSES];
};

/* A function that looks at memory which ASan keeps everybody else out of. */
#ifdef VFIOSIM_ASAN
#define NO_ASAN __attribute__((no_sanitize_address, noinline))
#else
#define NO_ASAN inline
#endif

/* Once a program. Exits with status 2 where the address space is taken or limited. */
void arena_init(void) SIM(arena_init);
/* Everything is forgotten: addresses and serial numbers begin anew. */
void arena_reset(void) SIM(arena_reset);
/* For Valgrind and ASan nothing is allocated or freed any more; for us everything stays. */
void arena_forget_objects(void) SIM(arena_forget_objects);

/* Bytes that freed objects may take before the oldest is used again; 0: none. */
void arena_set_quarantine(size_t bytes) SIM(arena_set_quarantine);

/* NULL from 4 GiB on; a full arena aborts. Failing on purpose is eng_alloc()'s. */
void *arena_alloc(size_t size, const char *type, bool zero, const void *site) SIM(arena_alloc);
/* The same for who knows type_id() of the name already. */
void *arena_alloc_typed(size_t size, unsigned int type, bool zero, const void *site)
	SIM(arena_alloc_typed);
void arena_free(struct object *object, const void *site, unsigned int task) SIM(arena_free);

/*
 * For caches whose objects stay constructed: @object is not poisoned, goes to the
 * front of *@list, and comes back as it was left. Such objects are allocated with
 * arena_alloc_cached(), which leaves room for the link behind them.
 */
void *arena_alloc_cached(size_t size, const char *type, const void *site)
	SIM(arena_alloc_cached);
void arena_cache_put(struct object *object, void **list, const void *site, unsigned int task)
	SIM(arena_cache_put);
void *arena_cache_get(void **list, const void *site) SIM(arena_cache_get);

static inline bool arena_holds(const void *pointer)
{
	return (unsigned long)pointer - ARENA_HEAP < ARENA_END - ARENA_HEAP;
}

/* The object that @pointer lies in, or NULL. */
struct object *arena_object(const void *pointer) SIM(arena_object);
void *object_body(const struct object *object) SIM(object_body);
/* Who freed it; only for OBJECT_FREED and OBJECT_CACHED. */
struct obituary object_obituary(const struct object *object) SIM(object_obituary);
const char *type_name(unsigned int type) SIM(type_name);
unsigned int type_id(const char *name) SIM(type_id);

/* Calls @fn for each object ever handed out and not yet reused. */
void arena_for_each(void (*fn)(struct object *object, void *data), void *data)
	SIM(arena_for_each);
/* Whether the last words of a freed object are as they were written. */
bool obituary_is_intact(const struct object *object) SIM(obituary_is_intact);
/* A quarantined object whose poison was written over, or NULL. */
struct object *arena_find_overwritten(void) SIM(arena_find_overwritten);

/* The low end of the stack in @slot, made at the first call. */
char *arena_stack(unsigned int slot) SIM(arena_stack);
extern const size_t arena_stack_size SIM(arena_stack_size);
/* Whether @address is in the guard page under a stack. */
bool arena_is_guard(const void *address) SIM(arena_is_guard);

/* Snapshots: the used parts of the heap, one piece per block. */
size_t arena_heap_size(void) SIM(arena_heap_size);
void *arena_heap_save(void *buffer) SIM(arena_heap_save);
const void *arena_heap_restore(const void *buffer) SIM(arena_heap_restore);
u64 arena_heap_hash(u64 hash) SIM(arena_heap_hash);

bool running_on_valgrind(void) SIM(running_on_valgrind);

#endif
