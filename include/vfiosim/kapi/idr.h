/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers to pointers: idr (the caller locks), ida (locks itself) and a small
 * xarray. The lowest free number is taken, as in the kernel.
 */
#ifndef VFIOSIM_KAPI_IDR_H
#define VFIOSIM_KAPI_IDR_H

#include <vfiosim/kapi/lock.h>
#include <vfiosim/kapi/slab.h>

struct idr {
	void **slots;		/* index = number */
	u32 size;
	u32 next;		/* idr_alloc_cyclic() */
};

#define IDR_INIT(name) { .slots = NULL }
#define DEFINE_IDR(name) struct idr name = IDR_INIT(name)

/*
 * Numbers from 0 on; the caller locks. Find, remove and replace return what stood there, or
 * NULL (replace: -ENOENT as an error pointer). idr_destroy() frees the memory, not what is in.
 */
void idr_init(struct idr *idr) KAPI(idr_init);
/* -ENOSPC when [start, end) is full (end 0: no limit), -ENOMEM. Fault point "idr". */
int idr_alloc(struct idr *idr, void *ptr, int start, int end, gfp_t flags) KAPI(idr_alloc);
int idr_alloc_cyclic(struct idr *idr, void *ptr, int start, int end, gfp_t flags)
	KAPI(idr_alloc_cyclic);
void *idr_find(const struct idr *idr, unsigned long id) KAPI(idr_find);
void *idr_remove(struct idr *idr, unsigned long id) KAPI(idr_remove);
void *idr_replace(struct idr *idr, void *ptr, unsigned long id) KAPI(idr_replace);
void *idr_get_next(struct idr *idr, int *id) KAPI(idr_get_next);
bool idr_is_empty(const struct idr *idr) KAPI(idr_is_empty);
void idr_destroy(struct idr *idr) KAPI(idr_destroy);
int idr_for_each(const struct idr *idr, int (*fn)(int id, void *p, void *data), void *data)
	KAPI(idr_for_each);
#define idr_for_each_entry(idr, entry, id) \
	for (id = 0; ((entry) = idr_get_next(idr, &(id))) != NULL; (id)++)

struct ida {
	unsigned long *bits;
	u32 words;
};

#define IDA_INIT(name) { .bits = NULL }
#define DEFINE_IDA(name) struct ida name = IDA_INIT(name)

/* Bare numbers; locks itself. Context: may sleep with GFP_KERNEL. */
void ida_init(struct ida *ida) KAPI(ida_init);
/* A choice point on @ida, and fault point "ida". */
int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t flags)
	KAPI(ida_alloc_range);
#define ida_alloc(ida, flags) ida_alloc_range(ida, 0, ~0u, flags)
#define ida_alloc_min(ida, min, flags) ida_alloc_range(ida, min, ~0u, flags)
#define ida_alloc_max(ida, max, flags) ida_alloc_range(ida, 0, max, flags)
void ida_free(struct ida *ida, unsigned int id) KAPI(ida_free);
bool ida_is_empty(const struct ida *ida) KAPI(ida_is_empty);
void ida_destroy(struct ida *ida) KAPI(ida_destroy);

struct xa_node;

struct xarray {
	spinlock_t xa_lock;
	struct xa_node *first;	/* by rising index */
};

#define XARRAY_INIT(name) { .xa_lock = __SPIN_LOCK_UNLOCKED((name).xa_lock) }
#define DEFINE_XARRAY(name) struct xarray name = XARRAY_INIT(name)
#define xa_lock(xa) spin_lock(&(xa)->xa_lock)
#define xa_unlock(xa) spin_unlock(&(xa)->xa_lock)

/*
 * Entries by index; takes xa_lock. Store and erase return what stood there, or NULL; store
 * gives an error pointer, told apart by xa_is_err(), whose errno is xa_err(): -ENOMEM.
 */
void __xa_init(struct xarray *xa, const char *name) KAPI(__xa_init);
#define xa_init(xa) __xa_init(xa, #xa)
bool xa_is_err(const void *entry) KAPI(xa_is_err);
int xa_err(void *entry) KAPI(xa_err);
void *xa_load(struct xarray *xa, unsigned long index) KAPI(xa_load);
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t flags)
	KAPI(xa_store);
void *xa_erase(struct xarray *xa, unsigned long index) KAPI(xa_erase);
/* The two below are for callers that hold xa_lock; the first may drop it to allocate. */
void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
		   gfp_t flags) KAPI(__xa_cmpxchg);
void *__xa_erase(struct xarray *xa, unsigned long index) KAPI(__xa_erase);
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max) SIM(xa_find);
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max)
	SIM(xa_find_after);
#define xa_for_each(xa, index, entry)						\
	for (index = 0, entry = xa_find(xa, &(index), ULONG_MAX); entry;	\
	     entry = xa_find_after(xa, &(index), ULONG_MAX))
bool xa_empty(const struct xarray *xa) KAPI(xa_empty);
void xa_destroy(struct xarray *xa) KAPI(xa_destroy);

#endif
