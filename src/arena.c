// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arena: reserve, size classes, quarantine, and what Valgrind and ASan are
 * told about it. See arena.h for the layout.
 *
 * Everything that a run changes is in struct heap, in the block table below the
 * top, and in the objects themselves, so that a snapshot finds it.
 */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hash.h"
#include "memcheck.h"
#include "run.h"

#ifdef VFIOSIM_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)
#define ASAN_UNPOISON_MEMORY_REGION(address, size)
#endif

#define LARGE 0xfe
#define TAIL 0xff
#define GRAIN 16

struct block {
	u8 kind;		/* size class, LARGE or TAIL */
	u32 span;		/* LARGE: blocks; TAIL: blocks back to the first */
};

#define BLOCKS ((struct block *)ARENA_META)
#define HEAP (&ENGINE->heap)

/* Sizes with the header; each divides a block with little waste. */
static const u16 class_size[CLASSES] = {
	48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256,
	288, 320, 352, 384, 448, 512, 576, 640, 704, 768, 896, 1024,
	1152, 1280, 1536, 1808, 2048, 2336, 2720, 3264, 4096, 5456, 8192,
};
#define CLASS_COUNT 37
#define CLASS_MAX 8192
#define LARGE_LIST (CLASSES - 1)	/* its .free holds freed spans */

static u8 class_of_grains[CLASS_MAX / GRAIN + 1];
static u32 class_inverse[CLASS_COUNT];	/* 2^32 / size, rounded up */
static bool on_valgrind;
static size_t arena_size;
static size_t quarantine_max = 1 << 20;

#if defined(VFIOSIM_ASAN)
#define STACK_MAPPED (256UL << 10)
#else
#define STACK_MAPPED (128UL << 10)
#endif
#define STACK_SLOT (2 * STACK_MAPPED)
/* Valgrind walks no stack of which fewer than 512 bytes are in use. */
#define STACK_HEADROOM 1024
const size_t arena_stack_size = STACK_MAPPED - STACK_HEADROOM;

/* Asked before there is an arena as well. */
bool running_on_valgrind(void)
{
	return RUNNING_ON_VALGRIND;
}

/* ---- types: a number for each name, the same for the whole process ---- */

static struct {
	const char *key;	/* the pointer that was passed */
	u16 id;
} type_index[TYPES_MAX * 2];
static char *type_names[TYPES_MAX];
static u32 type_count;
static u32 serials[TYPES_MAX];

/* "sizeof(struct vfio_group)" or "sizeof(*group)" is a group. */
static char *plain_type(const char *text)
{
	static const char *const noise[] = { "sizeof(", "sizeof (", "*", "struct ", "union " };
	size_t length;
	char *name;

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (!strncmp(text, noise[i], strlen(noise[i])))
			text += strlen(noise[i]);
	for (const char *p = text; *p; p++)
		if ((*p == '>' || *p == '.') && p[1] && p[1] != ')')
			text = p + 1;
	length = strcspn(text, ")( +");
	name = strndup(text, length);
	if (!name)
		abort();
	return name;
}

static unsigned int type_add(const char *text)
{
	char *name = plain_type(text);

	for (u32 i = 0; i < type_count; i++) {
		if (!strcmp(type_names[i], name)) {
			free(name);
			return i;
		}
	}
	if (type_count == TYPES_MAX - 1) {
		fprintf(stderr, "vfiosim: more than %d types of object\n", TYPES_MAX - 1);
		abort();
	}
	type_names[type_count] = name;
	return type_count++;
}

unsigned int type_id(const char *name)
{
	size_t mask = TYPES_MAX * 2 - 1;
	size_t at = ((unsigned long)name >> 2) * 0x9e3779b1UL >> 7 & mask;

	while (type_index[at].key != name) {
		if (!type_index[at].key) {
			type_index[at].id = type_add(name);
			type_index[at].key = name;
		}
		else
			at = (at + 1) & mask;
	}
	return type_index[at].id;
}

const char *type_name(unsigned int type)
{
	return type_names[type];
}

/* ---- the reserve ---- */

static void build_class_table(void)
{
	unsigned int class = 0;

	for (unsigned int grains = 0; grains <= CLASS_MAX / GRAIN; grains++) {
		while (class_size[class] < grains * GRAIN)
			class++;
		class_of_grains[grains] = class;
	}
	for (class = 0; class < CLASS_COUNT; class++)
		class_inverse[class] = ((1ULL << 32) + class_size[class] - 1) / class_size[class];
}

void arena_init(void)
{
	void *base;

	if (arena_size)
		return;
	on_valgrind = RUNNING_ON_VALGRIND;
	arena_size = on_valgrind ? ARENA_SIZE_VALGRIND : ARENA_SIZE;
	base = mmap((void *)ARENA_BASE, arena_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (base != (void *)ARENA_BASE) {
		fprintf(stderr, "vfiosim: cannot reserve %lu MiB of address space at 0x%lx; "
			"is \"ulimit -v\" set?\n", arena_size >> 20, ARENA_BASE);
		exit(2);
	}
	build_class_table();
	/* A page fault costs microseconds: one for 2 MiB instead of 512. */
	madvise((void *)ARENA_HEAP, ARENA_BASE + arena_size - ARENA_HEAP, MADV_HUGEPAGE);
	if (on_valgrind) {
		/* What is not in use must not be searched for leaks: that takes seconds. */
		VALGRIND_MAKE_MEM_NOACCESS(ENGINE + 1, ARENA_BASE + arena_size -
					   (unsigned long)(ENGINE + 1));
		VALGRIND_CREATE_MEMPOOL(ARENA_HEAP, 0, 0);
	}
	HEAP->top = ARENA_HEAP;
}

void arena_forget_objects(void)
{
	if (on_valgrind) {
		VALGRIND_DESTROY_MEMPOOL(ARENA_HEAP);
		VALGRIND_CREATE_MEMPOOL(ARENA_HEAP, 0, 0);
		VALGRIND_MAKE_MEM_DEFINED(ARENA_HEAP, HEAP->top - ARENA_HEAP);
	}
	ASAN_UNPOISON_MEMORY_REGION((void *)ARENA_HEAP, HEAP->top - ARENA_HEAP);
}

/* Memory above this mark has never been used, so it costs nothing to keep. */
#define KEEP_BYTES (64UL << 20)

void arena_reset(void)
{
	arena_forget_objects();
	if (HEAP->top > ARENA_HEAP + KEEP_BYTES)
		madvise((void *)(ARENA_HEAP + KEEP_BYTES), HEAP->top - ARENA_HEAP - KEEP_BYTES,
			MADV_DONTNEED);
	memset(HEAP, 0, sizeof(*HEAP));
	HEAP->top = ARENA_HEAP;
	memset(serials, 0, type_count * sizeof(serials[0]));
}

void arena_set_quarantine(size_t bytes)
{
	quarantine_max = bytes;
}

char *arena_stack(unsigned int slot)
{
	static u64 made;
	char *guard = (char *)(ARENA_STACKS + slot * STACK_SLOT);
	char *low = guard + STACK_SLOT - STACK_MAPPED;

	if (!(made & 1ULL << slot)) {
		made |= 1ULL << slot;
		if (mprotect(guard, STACK_SLOT - STACK_MAPPED, PROT_NONE))
			abort();
		fiber_announce_stack(low, STACK_MAPPED);
		if (on_valgrind)
			VALGRIND_MAKE_MEM_DEFINED(low, STACK_MAPPED);
	}
	ASAN_UNPOISON_MEMORY_REGION(low, STACK_MAPPED);
	return low;
}

bool arena_is_guard(const void *address)
{
	unsigned long offset = (unsigned long)address - ARENA_STACKS;

	return offset < TASKS_MAX * STACK_SLOT && offset % STACK_SLOT < STACK_SLOT - STACK_MAPPED;
}

/* ---- from address to object ---- */

static struct object *at_offset(u32 grains)
{
	return (struct object *)(ARENA_HEAP + (u64)grains * GRAIN);
}

static u32 to_offset(const void *address)
{
	return ((unsigned long)address - ARENA_HEAP) / GRAIN;
}

void *object_body(const struct object *object)
{
	return (void *)(object + 1);
}

static struct block *block_of(const void *address)
{
	return &BLOCKS[((unsigned long)address - ARENA_HEAP) >> BLOCK_SHIFT];
}

static size_t capacity(const struct object *object)
{
	const struct block *block = block_of(object);

	return block->kind == LARGE ? block->span * BLOCK_SIZE : class_size[block->kind];
}

static inline struct obituary *tail_at(const struct object *object, size_t capacity)
{
	return (struct obituary *)((char *)object + capacity) - 1;
}

static struct obituary *tail_of(const struct object *object)
{
	return tail_at(object, capacity(object));
}

/* Around our own looks at memory that is freed for everybody else. */
static inline void memcheck_off(void)
{
	if (__builtin_expect(on_valgrind, 0)) {
		VALGRIND_DISABLE_ERROR_REPORTING;
	}
}

static inline void memcheck_on(void)
{
	if (__builtin_expect(on_valgrind, 0)) {
		VALGRIND_ENABLE_ERROR_REPORTING;
	}
}

NO_ASAN static struct obituary read_tail(const struct obituary *tail)
{
	struct obituary copy;

	memcheck_off();
	copy = *tail;
	memcheck_on();
	return copy;
}

struct obituary object_obituary(const struct object *object)
{
	return read_tail(tail_of(object));
}

static inline unsigned int sum_of(struct obituary words)
{
	u64 sum = words.site ^ (u64)words.task << 50 ^ (unsigned long)words.next >> 4;

	return sum * 0x9e3779b97f4a7c15ULL >> 54;
}

bool obituary_is_intact(const struct object *object)
{
	struct obituary words = object_obituary(object);

	return words.sum == sum_of(words);
}

NO_ASAN static void write_tail(struct obituary *tail, struct obituary words)
{
	words.sum = sum_of(words);
	memcheck_off();
	*tail = words;
	memcheck_on();
}

static inline void link_tail(struct obituary *tail, struct obituary words, struct object *next)
{
	words.next = next;
	write_tail(tail, words);
}

static inline void obituary_link(struct object *object, struct object *next)
{
	struct obituary *tail = tail_of(object);

	link_tail(tail, read_tail(tail), next);
}

static struct object *in_block(struct block *block, unsigned long address)
{
	unsigned long start = ARENA_HEAP + ((u64)(block - BLOCKS) << BLOCK_SHIFT);
	u32 size = class_size[block->kind];
	/* Exact, as an offset in a block has 14 bits; a division takes ten times as long. */
	u32 index = (address - start) * class_inverse[block->kind] >> 32;
	struct object *object = (void *)(start + index * size);
	const struct size_class *class = &HEAP->classes[block->kind];

	if ((unsigned long)object + size > start + BLOCK_SIZE)
		return NULL;
	/* In the block that is being filled, the part above has no objects yet. */
	if (to_offset(object) >= class->bump &&
	    to_offset(object) / (BLOCK_SIZE / GRAIN) == (class->bump - 1) / (BLOCK_SIZE / GRAIN))
		return NULL;
	return object;
}

struct object *arena_object(const void *pointer)
{
	unsigned long address = (unsigned long)pointer;
	struct block *block;

	if (address < ARENA_HEAP || address >= HEAP->top)
		return NULL;
	block = block_of(pointer);
	if (block->kind == TAIL)
		block -= block->span;
	if (block->kind == LARGE)
		return (void *)(ARENA_HEAP + ((u64)(block - BLOCKS) << BLOCK_SHIFT));
	return in_block(block, address);
}

static unsigned long block_used(const struct block *block, unsigned long start)
{
	const struct size_class *class = &HEAP->classes[block->kind];
	u32 size = class_size[block->kind];
	unsigned long bump = ARENA_HEAP + (u64)class->bump * GRAIN;

	if (bump > start && bump <= start + BLOCK_SIZE)
		return bump - start;
	return BLOCK_SIZE / size * size;
}

void arena_for_each(void (*fn)(struct object *object, void *data), void *data)
{
	unsigned long start = ARENA_HEAP;

	while (start < HEAP->top) {
		struct block *block = block_of((void *)start);

		if (block->kind == LARGE) {
			fn((void *)start, data);
			start += block->span * BLOCK_SIZE;
			continue;
		}
		for (unsigned long at = start; at < start + block_used(block, start);
		     at += class_size[block->kind])
			fn((void *)at, data);
		start += BLOCK_SIZE;
	}
}

/* ---- allocation ---- */

static void *new_blocks(u8 kind, u32 count)
{
	void *start = (void *)HEAP->top;
	struct block *block = block_of(start);

	if (HEAP->top + count * BLOCK_SIZE > ARENA_BASE + arena_size) {
		fprintf(stderr, "vfiosim: the run uses more than %lu MiB of kernel memory\n",
			arena_size >> 20);
		abort();
	}
	HEAP->top += count * BLOCK_SIZE;
	if (on_valgrind) {
		VALGRIND_MAKE_MEM_DEFINED(block, count * sizeof(*block));
		VALGRIND_MAKE_MEM_DEFINED(start, count * BLOCK_SIZE);
	}
	block[0] = (struct block){ .kind = kind, .span = count };
	for (u32 i = 1; i < count; i++)
		block[i] = (struct block){ .kind = TAIL, .span = i };
	ASAN_POISON_MEMORY_REGION(start, count * BLOCK_SIZE);
	return start;
}

static inline struct object *pop_free(struct size_class *class, size_t size)
{
	struct object *object = at_offset(class->free - 1);
	struct obituary words = read_tail(tail_at(object, size));

	if (words.sum != sum_of(words))
		eng_fail("use-after-free", object_body(object),
			 "written to after it was freed; found when its memory was used again");
	class->free = words.next ? to_offset(words.next) + 1 : 0;
	if (words.next)
		__builtin_prefetch(tail_at(words.next, size));
	return object;
}

static inline struct object *take_small(unsigned int kind)
{
	struct size_class *class = &HEAP->classes[kind];
	struct object *object;

	if (class->free)
		return pop_free(class, class_size[kind]);
	if (class->bump == class->end) {
		class->bump = to_offset(new_blocks(kind, 1));
		class->end = class->bump +
			     BLOCK_SIZE / class_size[kind] * (class_size[kind] / GRAIN);
	}
	object = at_offset(class->bump);
	class->bump += class_size[kind] / GRAIN;
	return object;
}

static struct object *take_large(size_t total)
{
	u32 count = (total + BLOCK_SIZE - 1) >> BLOCK_SHIFT;
	struct size_class *list = &HEAP->classes[LARGE_LIST];
	struct object *object, *next, *previous = NULL;

	object = list->free ? at_offset(list->free - 1) : NULL;
	for (; object; previous = object, object = next) {
		next = object_obituary(object).next;
		if (block_of(object)->span != count)
			continue;
		if (previous)
			obituary_link(previous, next);
		else
			list->free = next ? to_offset(next) + 1 : 0;
		return object;
	}
	return new_blocks(LARGE, count);
}

/* Memory is never read before it was written, whoever looks. */
static void make_usable(struct object *object, size_t size, bool zero)
{
	void *body = object_body(object);

	ASAN_UNPOISON_MEMORY_REGION(object, sizeof(*object) + size);
	if (!on_valgrind) {
		memset(body, zero ? 0 : (int)(POISON_NEW & 0xff), size);
		return;
	}
	VALGRIND_DISABLE_ERROR_REPORTING;
	memset(body, zero ? 0 : (int)(POISON_NEW & 0xff), size);
	VALGRIND_ENABLE_ERROR_REPORTING;
	VALGRIND_MEMPOOL_ALLOC(ARENA_HEAP, body, size);
	if (zero)
		VALGRIND_MAKE_MEM_DEFINED(body, size);
}

static inline struct object *take(size_t size, unsigned int type, bool zero, const void *site,
				  size_t behind)
{
	size_t total = sizeof(struct object) + size + behind;
	struct object *object;

	if (total <= CLASS_MAX)
		object = take_small(class_of_grains[(total + GRAIN - 1) / GRAIN]);
	else
		object = take_large(total);
	make_usable(object, size, zero);
	*object = (struct object){
		.site = (unsigned long)site,
		.type = type,
		.state = OBJECT_LIVE,
		.serial = ++serials[type],
		.task = ENGINE->current,
		.size = size,
	};
	HEAP->live++;
	return object;
}

void *arena_alloc_typed(size_t size, unsigned int type, bool zero, const void *site)
{
	if (size >= 1UL << 32)
		return NULL;
	return object_body(take(size, type, zero, site, 0));
}

void *arena_alloc(size_t size, const char *type, bool zero, const void *site)
{
	return arena_alloc_typed(size, type_id(type), zero, site);
}

void *arena_alloc_cached(size_t size, const char *type, const void *site)
{
	return object_body(take(size, type_id(type), true, site, sizeof(struct obituary)));
}

/* ---- freeing ---- */

/* @object, with @words at @tail, may be used again. */
static inline void release(struct object *object, struct obituary *tail, struct obituary words)
{
	const struct block *block = block_of(object);
	struct size_class *class =
		&HEAP->classes[block->kind == LARGE ? LARGE_LIST : block->kind];

	link_tail(tail, words, class->free ? at_offset(class->free - 1) : NULL);
	class->free = to_offset(object) + 1;
}

static inline void leave_quarantine(struct object *object)
{
	struct obituary *tail = tail_of(object);
	struct obituary words = read_tail(tail);

	HEAP->oldest = words.next;
	if (!words.next)
		HEAP->newest = NULL;
	else
		/* Freed so long ago that it has left the cache; it goes at the next free. */
		__builtin_prefetch(tail_of(words.next), 1);
	HEAP->quarantined_bytes -= object->size;
	release(object, tail, words);
}

static inline void enter_quarantine(struct object *object)
{
	if (HEAP->newest)
		obituary_link(HEAP->newest, object);
	else
		HEAP->oldest = object;
	HEAP->newest = object;
	HEAP->quarantined_bytes += object->size;
	while (HEAP->quarantined_bytes > quarantine_max)
		leave_quarantine(HEAP->oldest);
}

/* Nobody may use @object's @room bytes any more; the last of them say who ended it. */
static inline void die(struct object *object, size_t room, enum object_state state,
		       struct obituary words)
{
	void *body = object_body(object);

	if (object->state == OBJECT_LIVE)
		HEAP->live--;
	object->state = state;
	if (state == OBJECT_FREED)
		memset(body, (int)(POISON_FREE & 0xff), room - sizeof(*object) - sizeof(words));
	write_tail(tail_at(object, room), words);
	if (__builtin_expect(on_valgrind, 0))
		VALGRIND_MEMPOOL_FREE(ARENA_HEAP, body);
	ASAN_POISON_MEMORY_REGION(body, room - sizeof(*object));
}

/* The slack behind a body is poisoned for ASan, but the poison goes there too. */
static inline void open_slack(struct object *object, size_t room)
{
	ASAN_UNPOISON_MEMORY_REGION(object, room);
	if (__builtin_expect(on_valgrind, 0))
		VALGRIND_MAKE_MEM_DEFINED((char *)object_body(object) + object->size,
					  room - sizeof(*object) - object->size);
}

void arena_free(struct object *object, const void *site, unsigned int task)
{
	struct obituary words = { .site = (unsigned long)site, .task = task };
	size_t room = capacity(object);

	open_slack(object, room);
	die(object, room, OBJECT_FREED, words);
	if (quarantine_max)
		enter_quarantine(object);
	else
		release(object, tail_at(object, room), words);
}

void arena_cache_put(struct object *object, void **list, const void *site, unsigned int task)
{
	size_t room = capacity(object);

	open_slack(object, room);
	die(object, room, OBJECT_CACHED,
	    (struct obituary){ .site = (unsigned long)site, .task = task, .next = *list });
	*list = object;
}

void *arena_cache_get(void **list, const void *site)
{
	struct object *object = *list;
	void *body = object_body(object);

	*list = object_obituary(object).next;
	ASAN_UNPOISON_MEMORY_REGION(body, object->size);
	if (on_valgrind) {
		VALGRIND_MEMPOOL_ALLOC(ARENA_HEAP, body, object->size);
		VALGRIND_MAKE_MEM_DEFINED(body, object->size);
	}
	object->state = OBJECT_LIVE;
	object->site = (unsigned long)site;
	object->serial = ++serials[object->type];
	object->task = ENGINE->current;
	HEAP->live++;
	return body;
}

#ifdef VFIOSIM_ASAN
struct object *arena_find_overwritten(void)
{
	return NULL;
}
#else
typedef u64 grain __attribute__((vector_size(GRAIN)));

/* Differences are collected, not jumped at: this looks at all that was freed after each run. */
static bool is_overwritten(const struct object *object, const struct obituary *words)
{
	const grain *at = object_body(object), *end = (const grain *)words;
	const grain poison = { POISON_FREE, POISON_FREE };
	grain difference = { 0, 0 };

	for (; at < end; at++)
		difference |= *at ^ poison;
	return (difference[0] | difference[1]) || words->sum != sum_of(*words);
}

struct object *arena_find_overwritten(void)
{
	struct object *object = on_valgrind ? NULL : HEAP->oldest;

	while (object) {
		const struct obituary *words = tail_of(object);

		if (is_overwritten(object, words))
			return object;
		object = words->next;
	}
	return NULL;
}
#endif

/* ---- snapshots ---- */

static size_t span_bytes(const struct block *block, unsigned long start, size_t *advance)
{
	*advance = block->kind == LARGE ? block->span * BLOCK_SIZE : BLOCK_SIZE;
	if (block->kind != LARGE)
		return block_used(block, start);
	return (sizeof(struct object) + ((struct object *)start)->size + 7) & ~7UL;
}

static size_t table_bytes(void)
{
	return (HEAP->top - ARENA_HEAP) / BLOCK_SIZE * sizeof(struct block);
}

size_t arena_heap_size(void)
{
	size_t advance, sum = table_bytes() + sizeof(type_count) + type_count * sizeof(serials[0]);

	for (unsigned long at = ARENA_HEAP; at < HEAP->top; at += advance)
		sum += span_bytes(block_of((void *)at), at, &advance);
	return sum;
}

void *arena_heap_save(void *buffer)
{
	char *to = buffer;
	size_t advance, bytes;

	to = mempcpy(to, BLOCKS, table_bytes());
	/* More types may be known by the time that this is restored. */
	to = mempcpy(to, &type_count, sizeof(type_count));
	to = mempcpy(to, serials, type_count * sizeof(serials[0]));
	for (unsigned long at = ARENA_HEAP; at < HEAP->top; at += advance) {
		bytes = span_bytes(block_of((void *)at), at, &advance);
		to = mempcpy(to, (void *)at, bytes);
	}
	return to;
}

/* struct heap has been restored already: the size of the parts follows from it. */
const void *arena_heap_restore(const void *buffer)
{
	const char *from = buffer;
	size_t advance, bytes;
	u32 types_then;

	memcpy(BLOCKS, from, table_bytes());
	from += table_bytes();
	memcpy(&types_then, from, sizeof(types_then));
	from += sizeof(types_then);
	memset(serials, 0, type_count * sizeof(serials[0]));
	memcpy(serials, from, types_then * sizeof(serials[0]));
	from += types_then * sizeof(serials[0]);
	for (unsigned long at = ARENA_HEAP; at < HEAP->top; at += advance) {
		const struct block *block = block_of((void *)at);

		if (block->kind == LARGE)
			memcpy((void *)at, from, sizeof(struct object));
		bytes = span_bytes(block, at, &advance);
		memcpy((void *)at, from, bytes);
		from += bytes;
	}
	return from;
}

static void hash_object(struct object *object, void *data)
{
	u64 *hash = data;

	if (object->state == OBJECT_LIVE || object->state == OBJECT_IMMORTAL)
		*hash = hash_bytes(hash_word(*hash, (unsigned long)object),
				   object_body(object), object->size);
}

/* Live objects only: what was freed decides nothing but where the next ones go. */
u64 arena_heap_hash(u64 hash)
{
	arena_for_each(hash_object, &hash);
	return hash;
}
