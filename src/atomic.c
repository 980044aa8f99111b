// SPDX-License-Identifier: GPL-2.0-only
/*
 * Atomics and refcount_t. Each operation is one choice point on its object; those
 * that change nothing say so afterwards. Follows lib/refcount.c and the generic
 * atomic definitions; no locks of its own.
 */
#include <vfiosim/kapi/atomic.h>
#include <vfiosim/kapi/lock.h>

#include "engine.h"

#undef atomic_set
#undef atomic_long_set
#undef atomic64_set

void atomic_name(const void *v, const char *expression)
{
	eng_learn_field(v, expression);
}

#define DEFINE_ATOMIC_FAMILY(prefix, word)					\
word prefix##_read(const prefix##_t *v)						\
{										\
	eng_point(ENG_OP_ATOMIC_READ, v, ENG_READ);				\
	return v->counter;							\
}										\
void prefix##_set(prefix##_t *v, word i)					\
{										\
	eng_point(ENG_OP_ATOMIC_SET, v, ENG_WRITE);				\
	v->counter = i;								\
}										\
void prefix##_or(word i, prefix##_t *v)						\
{										\
	eng_point(ENG_OP_ATOMIC_RMW, v, ENG_WRITE);				\
	v->counter |= i;							\
}										\
void prefix##_and(word i, prefix##_t *v)					\
{										\
	eng_point(ENG_OP_ATOMIC_RMW, v, ENG_WRITE);				\
	v->counter &= i;							\
}										\
word prefix##_fetch_add(word i, prefix##_t *v)					\
{										\
	word old;								\
										\
	eng_point(ENG_OP_ATOMIC_RMW, v, ENG_WRITE);				\
	old = v->counter;							\
	__builtin_add_overflow(old, i, &v->counter);				\
	return old;								\
}										\
word prefix##_add_return(word i, prefix##_t *v)					\
{										\
	word sum;								\
										\
	__builtin_add_overflow(prefix##_fetch_add(i, v), i, &sum);		\
	return sum;								\
}										\
word prefix##_sub_return(word i, prefix##_t *v)					\
{										\
	return prefix##_add_return(-i, v);					\
}										\
void prefix##_add(word i, prefix##_t *v)					\
{										\
	prefix##_fetch_add(i, v);						\
}										\
void prefix##_sub(word i, prefix##_t *v)					\
{										\
	prefix##_fetch_add(-i, v);						\
}										\
void prefix##_inc(prefix##_t *v)						\
{										\
	prefix##_fetch_add(1, v);						\
}										\
void prefix##_dec(prefix##_t *v)						\
{										\
	prefix##_fetch_add(-1, v);						\
}										\
word prefix##_inc_return(prefix##_t *v)						\
{										\
	return prefix##_add_return(1, v);					\
}										\
word prefix##_dec_return(prefix##_t *v)						\
{										\
	return prefix##_add_return(-1, v);					\
}										\
bool prefix##_inc_and_test(prefix##_t *v)					\
{										\
	return prefix##_add_return(1, v) == 0;					\
}										\
bool prefix##_dec_and_test(prefix##_t *v)					\
{										\
	return prefix##_add_return(-1, v) == 0;					\
}										\
bool prefix##_sub_and_test(word i, prefix##_t *v)				\
{										\
	return prefix##_add_return(-i, v) == 0;					\
}										\
bool prefix##_add_negative(word i, prefix##_t *v)				\
{										\
	return prefix##_add_return(i, v) < 0;					\
}										\
word prefix##_fetch_add_unless(prefix##_t *v, word a, word u)			\
{										\
	word old;								\
										\
	eng_point(ENG_OP_ATOMIC_RMW, v, ENG_WRITE);				\
	old = v->counter;							\
	if (old == u)								\
		eng_only_read();						\
	else									\
		__builtin_add_overflow(old, a, &v->counter);			\
	return old;								\
}										\
bool prefix##_add_unless(prefix##_t *v, word a, word u)				\
{										\
	return prefix##_fetch_add_unless(v, a, u) != u;				\
}										\
bool prefix##_inc_not_zero(prefix##_t *v)					\
{										\
	return prefix##_fetch_add_unless(v, 1, 0) != 0;				\
}										\
static word prefix##_step_if(prefix##_t *v, word step, bool (*fits)(word old))	\
{										\
	word old;								\
										\
	eng_point(ENG_OP_ATOMIC_RMW, v, ENG_WRITE);				\
	old = v->counter;							\
	if (fits(old))								\
		v->counter += step;						\
	else									\
		eng_only_read();						\
	return old;								\
}										\
static bool prefix##_is_not_negative(word old)					\
{										\
	return old >= 0;							\
}										\
static bool prefix##_is_not_positive(word old)					\
{										\
	return old <= 0;							\
}										\
static bool prefix##_is_positive(word old)					\
{										\
	return old > 0;								\
}										\
bool prefix##_inc_unless_negative(prefix##_t *v)				\
{										\
	return prefix##_step_if(v, 1, prefix##_is_not_negative) >= 0;		\
}										\
bool prefix##_dec_unless_positive(prefix##_t *v)				\
{										\
	return prefix##_step_if(v, -1, prefix##_is_not_positive) <= 0;		\
}										\
word prefix##_dec_if_positive(prefix##_t *v)					\
{										\
	return prefix##_step_if(v, -1, prefix##_is_positive) - 1;		\
}										\
word prefix##_cmpxchg(prefix##_t *v, word old, word new)			\
{										\
	word found;								\
										\
	eng_point(ENG_OP_ATOMIC_RMW, v, ENG_WRITE);				\
	found = v->counter;							\
	if (found == old)							\
		v->counter = new;						\
	else									\
		eng_only_read();						\
	return found;								\
}										\
bool prefix##_try_cmpxchg(prefix##_t *v, word *old, word new)			\
{										\
	word found = prefix##_cmpxchg(v, *old, new);				\
	bool done = found == *old;						\
										\
	*old = found;								\
	return done;								\
}										\
word prefix##_xchg(prefix##_t *v, word new)					\
{										\
	word old;								\
										\
	eng_point(ENG_OP_ATOMIC_RMW, v, ENG_WRITE);				\
	old = v->counter;							\
	v->counter = new;							\
	return old;								\
}

DEFINE_ATOMIC_FAMILY(atomic, int)
DEFINE_ATOMIC_FAMILY(atomic_long, long)
DEFINE_ATOMIC_FAMILY(atomic64, s64)

void shared_read_as(const void *object, const char *expression)
{
	eng_learn_field(object, expression);
	eng_point(ENG_OP_READ_ONCE, object, ENG_READ);
}

void shared_write_as(const void *object, const char *expression)
{
	eng_learn_field(object, expression);
	eng_point(ENG_OP_WRITE_ONCE, object, ENG_WRITE);
}

void shared_read(const void *object)
{
	eng_point(ENG_OP_READ_ONCE, object, ENG_READ);
}

void shared_write(const void *object)
{
	eng_point(ENG_OP_WRITE_ONCE, object, ENG_WRITE);
}

/* ---- refcount_t ---- */

static void saturate(refcount_t *r, const char *what)
{
	r->refs.counter = REFCOUNT_SATURATED;
	eng_report("refcount", r, "%s", what);
}

/* The count stays saturated, quietly, once it is. */
static bool is_saturated(int old)
{
	return old < 0;
}

void refcount_set(refcount_t *r, int n)
{
	eng_learn(r, "refcount");
	eng_point(ENG_OP_ATOMIC_SET, r, ENG_WRITE);
	r->refs.counter = n;
}

unsigned int refcount_read(const refcount_t *r)
{
	eng_point(ENG_OP_ATOMIC_READ, r, ENG_READ);
	return r->refs.counter;
}

static void add_to(refcount_t *r, int i)
{
	int old = r->refs.counter;

	if (old == 0)
		saturate(r, "addition on 0: the object is being released already");
	else if (is_saturated(old))
		r->refs.counter = REFCOUNT_SATURATED;
	else if (__builtin_add_overflow(old, i, &r->refs.counter))
		saturate(r, "overflow: references were leaked");
}

void refcount_add(int i, refcount_t *r)
{
	eng_point(ENG_OP_REFCOUNT_INC, r, ENG_WRITE);
	add_to(r, i);
}

void refcount_inc(refcount_t *r)
{
	refcount_add(1, r);
}

bool refcount_add_not_zero(int i, refcount_t *r)
{
	eng_point(ENG_OP_REFCOUNT_INC, r, ENG_WRITE);
	if (!r->refs.counter) {
		eng_only_read();
		return false;
	}
	add_to(r, i);
	return true;
}

bool refcount_inc_not_zero(refcount_t *r)
{
	return refcount_add_not_zero(1, r);
}

/* Takes @i off; true when nothing is left. */
static bool take_off(refcount_t *r, int i)
{
	int old = r->refs.counter;

	if (old == i) {
		r->refs.counter = 0;
		return true;
	}
	if (old < i && !is_saturated(old))
		saturate(r, "underflow: more references were dropped than taken");
	else if (!is_saturated(old))
		r->refs.counter = old - i;
	return false;
}

bool refcount_sub_and_test(int i, refcount_t *r)
{
	eng_point(ENG_OP_REFCOUNT_DEC, r, ENG_WRITE);
	return take_off(r, i);
}

bool refcount_dec_and_test(refcount_t *r)
{
	return refcount_sub_and_test(1, r);
}

/* For a reference that is not the last one. */
void refcount_dec(refcount_t *r)
{
	eng_point(ENG_OP_REFCOUNT_DEC, r, ENG_WRITE);
	if (r->refs.counter == 1)
		saturate(r, "decrement hit 0 in refcount_dec(): the object is leaked");
	else
		take_off(r, 1);
}

bool refcount_dec_if_one(refcount_t *r)
{
	eng_point(ENG_OP_REFCOUNT_DEC, r, ENG_WRITE);
	if (r->refs.counter != 1) {
		eng_only_read();
		return false;
	}
	r->refs.counter = 0;
	return true;
}

/* False, with nothing done, for the last reference. */
bool refcount_dec_not_one(refcount_t *r)
{
	eng_point(ENG_OP_REFCOUNT_DEC, r, ENG_WRITE);
	if (r->refs.counter == 1) {
		eng_only_read();
		return false;
	}
	take_off(r, 1);
	return true;
}

/* Locks: returns holding @lock when true. */
bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock)
{
	if (refcount_dec_not_one(r))
		return false;
	mutex_lock(lock);
	if (refcount_dec_and_test(r))
		return true;
	mutex_unlock(lock);
	return false;
}

bool refcount_dec_and_lock(refcount_t *r, struct spinlock *lock)
{
	if (refcount_dec_not_one(r))
		return false;
	spin_lock(lock);
	if (refcount_dec_and_test(r))
		return true;
	spin_unlock(lock);
	return false;
}

bool atomic_dec_and_lock(atomic_t *v, struct spinlock *lock)
{
	if (atomic_add_unless(v, -1, 1))
		return false;
	spin_lock(lock);
	if (atomic_dec_and_test(v))
		return true;
	spin_unlock(lock);
	return false;
}

bool atomic_dec_and_mutex_lock(atomic_t *v, struct mutex *lock)
{
	if (atomic_add_unless(v, -1, 1))
		return false;
	mutex_lock(lock);
	if (atomic_dec_and_test(v))
		return true;
	mutex_unlock(lock);
	return false;
}
