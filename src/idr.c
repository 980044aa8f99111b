// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers to pointers. The results are lib/idr.c's and lib/xarray.c's, the data
 * structures are not: arrays and a sorted list do for the sizes seen here.
 *
 * Lock order: xa_lock is innermost and not held while memory is allocated.
 */
#include <vfiosim/kapi/idr.h>
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/string.h>

#include "engine.h"

/* ---- idr: the caller locks ---- */

void idr_init(struct idr *idr)
{
	*idr = (struct idr){ .slots = NULL };
}

static int idr_grow(struct idr *idr, u32 size)
{
	void **slots;
	u32 room = idr->size ? idr->size : 8;

	while (room < size)
		room *= 2;
	slots = eng_alloc_nofail(room * sizeof(*slots), "idr_slots", true,
				 __builtin_return_address(0));
	if (idr->slots)
		memcpy(slots, idr->slots, idr->size * sizeof(*slots));
	kfree(idr->slots);
	idr->slots = slots;
	idr->size = room;
	return 0;
}

static int first_free(const struct idr *idr, u32 from, u32 end)
{
	for (u32 id = from; id < end; id++)
		if (id >= idr->size || !idr->slots[id])
			return id;
	return -ENOSPC;
}

static int idr_set(struct idr *idr, int id, void *ptr)
{
	if (id < 0)
		return id;
	if ((u32)id >= idr->size)
		idr_grow(idr, id + 1);
	idr->slots[id] = ptr;
	return id;
}

static u32 last_of(int end)
{
	return end > 0 ? (u32)end : (u32)INT_MAX;
}

int idr_alloc(struct idr *idr, void *ptr, int start, int end, gfp_t flags)
{
	if (WARN_ON_ONCE(start < 0))
		return -EINVAL;
	if (eng_fail_here("idr"))
		return -ENOMEM;
	return idr_set(idr, first_free(idr, start, last_of(end)), ptr);
}

int idr_alloc_cyclic(struct idr *idr, void *ptr, int start, int end, gfp_t flags)
{
	u32 from = idr->next > (u32)start ? idr->next : (u32)start;
	int id;

	if (eng_fail_here("idr"))
		return -ENOMEM;
	id = first_free(idr, from, last_of(end));
	if (id < 0)
		id = first_free(idr, start, last_of(end));
	if (id >= 0)
		idr->next = id + 1;
	return idr_set(idr, id, ptr);
}

void *idr_find(const struct idr *idr, unsigned long id)
{
	return id < idr->size ? idr->slots[id] : NULL;
}

/* Memory goes when the last number does, so that an idle idr is no leak. */
void *idr_remove(struct idr *idr, unsigned long id)
{
	void *old = idr_find(idr, id);

	if (!old)
		return NULL;
	idr->slots[id] = NULL;
	if (idr_is_empty(idr)) {
		kfree(idr->slots);
		idr->slots = NULL;
		idr->size = 0;
	}
	return old;
}

void *idr_replace(struct idr *idr, void *ptr, unsigned long id)
{
	void *old = idr_find(idr, id);

	if (!old)
		return ERR_PTR(-ENOENT);
	idr->slots[id] = ptr;
	return old;
}

void *idr_get_next(struct idr *idr, int *id)
{
	for (u32 at = *id; at < idr->size; at++) {
		if (idr->slots[at]) {
			*id = at;
			return idr->slots[at];
		}
	}
	return NULL;
}

bool idr_is_empty(const struct idr *idr)
{
	for (u32 id = 0; id < idr->size; id++)
		if (idr->slots[id])
			return false;
	return true;
}

int idr_for_each(const struct idr *idr, int (*fn)(int id, void *p, void *data), void *data)
{
	int ret;

	for (u32 id = 0; id < idr->size; id++) {
		ret = idr->slots[id] ? fn(id, idr->slots[id], data) : 0;
		if (ret)
			return ret;
	}
	return 0;
}

void idr_destroy(struct idr *idr)
{
	kfree(idr->slots);
	idr_init(idr);
}

/* ---- ida: one step each ---- */

#define WORD_BITS 64

void ida_init(struct ida *ida)
{
	*ida = (struct ida){ .bits = NULL };
}

static bool ida_has(const struct ida *ida, u32 id)
{
	return id / WORD_BITS < ida->words && ida->bits[id / WORD_BITS] >> id % WORD_BITS & 1;
}

static void ida_grow(struct ida *ida, u32 words)
{
	unsigned long *bits = eng_alloc_nofail(words * sizeof(*bits), "ida_bits", true,
					       __builtin_return_address(0));

	if (ida->bits)
		memcpy(bits, ida->bits, ida->words * sizeof(*bits));
	kfree(ida->bits);
	ida->bits = bits;
	ida->words = words;
}

int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t flags)
{
	u32 id = min, last = max > INT_MAX ? INT_MAX : max;

	if ((int)min < 0)
		return -ENOSPC;
	if (eng_fail_here("ida"))
		return -ENOMEM;
	eng_point(ENG_OP_ATOMIC_RMW, ida, ENG_WRITE);
	while (id <= last && ida_has(ida, id))
		id++;
	if (id > last)
		return -ENOSPC;
	if (id / WORD_BITS >= ida->words)
		ida_grow(ida, id / WORD_BITS + 1);
	ida->bits[id / WORD_BITS] |= 1UL << id % WORD_BITS;
	return id;
}

void ida_free(struct ida *ida, unsigned int id)
{
	eng_point(ENG_OP_ATOMIC_RMW, ida, ENG_WRITE);
	if (!ida_has(ida, id)) {
		WARN(1, "ida_free of %u, which is not allocated", id);
		return;
	}
	ida->bits[id / WORD_BITS] &= ~(1UL << id % WORD_BITS);
	if (ida_is_empty(ida))
		ida_destroy(ida);
}

bool ida_is_empty(const struct ida *ida)
{
	for (u32 i = 0; i < ida->words; i++)
		if (ida->bits[i])
			return false;
	return true;
}

void ida_destroy(struct ida *ida)
{
	kfree(ida->bits);
	ida_init(ida);
}

/* ---- xarray ---- */

struct xa_node {
	struct xa_node *next;
	unsigned long index;
	void *entry;
};

void __xa_init(struct xarray *xa, const char *name)
{
	__spin_lock_init(&xa->xa_lock, name);
	xa->first = NULL;
}

/* Errors are told from entries by their two low bits, as in the kernel. */
static void *xa_mk_error(int error)
{
	return (void *)(((unsigned long)(long)error << 2) | 2);
}

int xa_err(void *entry)
{
	return xa_is_err(entry) ? (int)((long)entry >> 2) : 0;
}

bool xa_is_err(const void *entry)
{
	return ((unsigned long)entry & 3) == 2 && (unsigned long)entry >= (unsigned long)
		xa_mk_error(-MAX_ERRNO);
}

static struct xa_node **xa_place(struct xarray *xa, unsigned long index)
{
	struct xa_node **at = &xa->first;

	while (*at && (*at)->index < index)
		at = &(*at)->next;
	return at;
}

static struct xa_node *xa_node_at(struct xarray *xa, unsigned long index)
{
	struct xa_node *node = *xa_place(xa, index);

	return node && node->index == index ? node : NULL;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	struct xa_node *node;

	eng_point(ENG_OP_READ_ONCE, &xa->first, ENG_READ);
	node = xa_node_at(xa, index);
	return node ? node->entry : NULL;
}

/* Locks: holds xa_lock. */
static void xa_insert(struct xarray *xa, struct xa_node *node)
{
	struct xa_node **at = xa_place(xa, node->index);

	eng_point(ENG_OP_WRITE_ONCE, &xa->first, ENG_WRITE);
	node->next = *at;
	*at = node;
}

static void *xa_change(struct xarray *xa, struct xa_node *node, void *entry)
{
	void *old = node->entry;

	eng_point(ENG_OP_WRITE_ONCE, &xa->first, ENG_WRITE);
	if (entry) {
		node->entry = entry;
	} else {
		*xa_place(xa, node->index) = node->next;
		kfree(node);
	}
	return old;
}

/* Drops the lock to allocate when @flags say that this may sleep. */
static struct xa_node *xa_new_node(struct xarray *xa, unsigned long index, void *entry,
				   gfp_t flags)
{
	bool sleeps = flags & __GFP_DIRECT_RECLAIM;
	struct xa_node *node;

	if (sleeps)
		xa_unlock(xa);
	node = kzalloc(sizeof(*node), flags);
	if (sleeps)
		xa_lock(xa);
	if (node) {
		node->index = index;
		node->entry = entry;
	}
	return node;
}

void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
		   gfp_t flags)
{
	struct xa_node *node = xa_node_at(xa, index), *fresh;

	if (node)
		return node->entry == old ? xa_change(xa, node, entry) : node->entry;
	if (old || !entry)
		return NULL;
	fresh = xa_new_node(xa, index, entry, flags);
	if (!fresh)
		return xa_mk_error(-ENOMEM);
	node = xa_node_at(xa, index);
	if (node) {
		kfree(fresh);
		return node->entry;
	}
	xa_insert(xa, fresh);
	return NULL;
}

/* Locks: holds xa_lock. */
void *__xa_erase(struct xarray *xa, unsigned long index)
{
	struct xa_node *node = xa_node_at(xa, index);

	return node ? xa_change(xa, node, NULL) : NULL;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	void *old;

	xa_lock(xa);
	old = __xa_erase(xa, index);
	xa_unlock(xa);
	return old;
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t flags)
{
	struct xa_node *node;
	void *old = NULL;

	if (!entry)
		return xa_erase(xa, index);
	xa_lock(xa);
	node = xa_node_at(xa, index);
	if (node)
		old = xa_change(xa, node, entry);
	else
		old = __xa_cmpxchg(xa, index, NULL, entry, flags);
	xa_unlock(xa);
	return old;
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max)
{
	struct xa_node *node;

	eng_point(ENG_OP_READ_ONCE, &xa->first, ENG_READ);
	node = *xa_place(xa, *index);
	if (!node || node->index > max)
		return NULL;
	*index = node->index;
	return node->entry;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max)
{
	if (*index == ULONG_MAX)
		return NULL;
	++*index;
	return xa_find(xa, index, max);
}

bool xa_empty(const struct xarray *xa)
{
	eng_point(ENG_OP_READ_ONCE, &xa->first, ENG_READ);
	return !xa->first;
}

void xa_destroy(struct xarray *xa)
{
	struct xa_node *node, *next;

	xa_lock(xa);
	for (node = xa->first; node; node = next) {
		next = node->next;
		kfree(node);
	}
	xa->first = NULL;
	xa_unlock(xa);
}
