/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Atomics, refcount_t and kref. Each call is one choice point on its object.
 * Reads announce a read; a conditional operation that changes nothing (a failed
 * compare-and-exchange, inc_not_zero of 0) counts as a read.
 */
#ifndef VFIOSIM_KAPI_ATOMIC_H
#define VFIOSIM_KAPI_ATOMIC_H

#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/types.h>

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;

typedef struct {
	s64 counter;
} atomic64_t;

#define ATOMIC_INIT(i) { (i) }
#define ATOMIC_LONG_INIT(i) { (i) }
#define ATOMIC64_INIT(i) { (i) }

/* One family for each width: the kernel's names, results and conditions. */
#define ATOMIC_FAMILY(prefix, word)						\
word prefix##_read(const prefix##_t *v) KAPI(prefix##_read);			\
void prefix##_set(prefix##_t *v, word i) KAPI(prefix##_set);			\
void prefix##_inc(prefix##_t *v) KAPI(prefix##_inc);				\
void prefix##_dec(prefix##_t *v) KAPI(prefix##_dec);				\
void prefix##_add(word i, prefix##_t *v) KAPI(prefix##_add);			\
void prefix##_sub(word i, prefix##_t *v) KAPI(prefix##_sub);			\
void prefix##_or(word i, prefix##_t *v) KAPI(prefix##_or);			\
void prefix##_and(word i, prefix##_t *v) KAPI(prefix##_and);			\
word prefix##_inc_return(prefix##_t *v) KAPI(prefix##_inc_return);		\
word prefix##_dec_return(prefix##_t *v) KAPI(prefix##_dec_return);		\
word prefix##_add_return(word i, prefix##_t *v) KAPI(prefix##_add_return);	\
word prefix##_sub_return(word i, prefix##_t *v) KAPI(prefix##_sub_return);	\
word prefix##_fetch_add(word i, prefix##_t *v) KAPI(prefix##_fetch_add);	\
bool prefix##_inc_and_test(prefix##_t *v) KAPI(prefix##_inc_and_test);		\
bool prefix##_dec_and_test(prefix##_t *v) KAPI(prefix##_dec_and_test);		\
bool prefix##_sub_and_test(word i, prefix##_t *v) KAPI(prefix##_sub_and_test);	\
bool prefix##_add_negative(word i, prefix##_t *v) KAPI(prefix##_add_negative);	\
bool prefix##_inc_not_zero(prefix##_t *v) KAPI(prefix##_inc_not_zero);		\
bool prefix##_add_unless(prefix##_t *v, word a, word u) KAPI(prefix##_add_unless); \
word prefix##_fetch_add_unless(prefix##_t *v, word a, word u)			\
	KAPI(prefix##_fetch_add_unless);					\
bool prefix##_inc_unless_negative(prefix##_t *v) KAPI(prefix##_inc_unless_negative); \
bool prefix##_dec_unless_positive(prefix##_t *v) KAPI(prefix##_dec_unless_positive); \
/* The new value; or, when that would be negative and nothing was done, it. */	\
word prefix##_dec_if_positive(prefix##_t *v) KAPI(prefix##_dec_if_positive);	\
/* The value found; equal to @old when @new was stored. */			\
word prefix##_cmpxchg(prefix##_t *v, word old, word new) KAPI(prefix##_cmpxchg); \
bool prefix##_try_cmpxchg(prefix##_t *v, word *old, word new)			\
	KAPI(prefix##_try_cmpxchg);						\
word prefix##_xchg(prefix##_t *v, word new) KAPI(prefix##_xchg);

ATOMIC_FAMILY(atomic, int)
ATOMIC_FAMILY(atomic_long, long)
ATOMIC_FAMILY(atomic64, s64)

/* Where a counter is first set, reports learn what the field is called. */
void atomic_name(const void *v, const char *expression) SIM(atomic_name);
#define atomic_set(v, i) ({ atomic_name(v, #v); atomic_set(v, i); })
#define atomic_long_set(v, i) ({ atomic_name(v, #v); atomic_long_set(v, i); })
#define atomic64_set(v, i) ({ atomic_name(v, #v); atomic64_set(v, i); })

struct mutex;
struct spinlock;

/*
 * refcount_t saturates instead of wrapping: at overflow, increment of 0 and
 * underflow the count sticks at REFCOUNT_SATURATED and the run has a finding
 * ("refcount").
 */
typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

#define REFCOUNT_INIT(n) { .refs = ATOMIC_INIT(n) }
#define REFCOUNT_MAX INT_MAX
#define REFCOUNT_SATURATED (INT_MIN / 2)

/*
 * Any context; each is one choice point. _not_zero: false, and nothing happens, at 0.
 * _and_test: true for the one that brought it to 0, who then owns the object.
 * _if_one, _not_one: true when they did it. refcount_dec() may not reach 0.
 */
void refcount_set(refcount_t *r, int n) KAPI(refcount_set);
unsigned int refcount_read(const refcount_t *r) KAPI(refcount_read);
void refcount_inc(refcount_t *r) KAPI(refcount_inc);
void refcount_add(int i, refcount_t *r) KAPI(refcount_add);
void refcount_dec(refcount_t *r) KAPI(refcount_dec);
bool refcount_inc_not_zero(refcount_t *r) KAPI(refcount_inc_not_zero);
bool refcount_add_not_zero(int i, refcount_t *r) KAPI(refcount_add_not_zero);
bool refcount_dec_and_test(refcount_t *r) KAPI(refcount_dec_and_test);
bool refcount_sub_and_test(int i, refcount_t *r) KAPI(refcount_sub_and_test);
bool refcount_dec_if_one(refcount_t *r) KAPI(refcount_dec_if_one);
bool refcount_dec_not_one(refcount_t *r) KAPI(refcount_dec_not_one);
/* True with the lock held when the count fell to 0. */
bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock)
	KAPI(refcount_dec_and_mutex_lock);
bool refcount_dec_and_lock(refcount_t *r, struct spinlock *lock) KAPI(refcount_dec_and_lock);
bool atomic_dec_and_lock(atomic_t *v, struct spinlock *lock) KAPI(atomic_dec_and_lock);
bool atomic_dec_and_mutex_lock(atomic_t *v, struct mutex *lock) KAPI(atomic_dec_and_mutex_lock);

struct kref {
	refcount_t refcount;
};

#define KREF_INIT(n) { .refcount = REFCOUNT_INIT(n) }

static inline void kref_init(struct kref *kref)
{
	refcount_set(&kref->refcount, 1);
}

static inline unsigned int kref_read(const struct kref *kref)
{
	return refcount_read(&kref->refcount);
}

static inline void kref_get(struct kref *kref)
{
	refcount_inc(&kref->refcount);
}

static inline bool __must_check kref_get_unless_zero(struct kref *kref)
{
	return refcount_inc_not_zero(&kref->refcount);
}

static inline int kref_put(struct kref *kref, void (*release)(struct kref *kref))
{
	if (!refcount_dec_and_test(&kref->refcount))
		return 0;
	release(kref);
	return 1;
}

/* @release is called with @lock held and drops it. */
static inline int kref_put_mutex(struct kref *kref, void (*release)(struct kref *kref),
				 struct mutex *lock)
{
	if (!refcount_dec_and_mutex_lock(&kref->refcount, lock))
		return 0;
	release(kref);
	return 1;
}

static inline int kref_put_lock(struct kref *kref, void (*release)(struct kref *kref),
				struct spinlock *lock)
{
	if (!refcount_dec_and_lock(&kref->refcount, lock))
		return 0;
	release(kref);
	return 1;
}

/* Accesses to shared memory without a lock, as choice points of their own. */
void shared_read(const void *object) SIM(shared_read);
void shared_write(const void *object) SIM(shared_write);
/* Reports call the object by the last part of @expression. */
void shared_read_as(const void *object, const char *expression) SIM(shared_read_as);
void shared_write_as(const void *object, const char *expression) SIM(shared_write_as);
#define shared_READ_ONCE(x) ({ shared_read_as(&(x), #x); READ_ONCE(x); })
#define shared_WRITE_ONCE(x, value)					\
	do {								\
		shared_write_as(&(x), #x);				\
		WRITE_ONCE(x, value);					\
	} while (0)
#define smp_load_acquire(p) shared_READ_ONCE(*(p))
#define smp_store_release(p, value) shared_WRITE_ONCE(*(p), value)
/* Runs are sequentially consistent, so these order nothing that is not ordered. */
#define smp_mb() __asm__ volatile("" ::: "memory")
#define smp_rmb() smp_mb()
#define smp_wmb() smp_mb()
#define smp_mb__before_atomic() smp_mb()
#define smp_mb__after_atomic() smp_mb()
#define barrier() smp_mb()

#endif
