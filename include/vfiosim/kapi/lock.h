/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spinlocks, mutexes and fair reader-writer semaphores.
 *
 * A lock's class is the expression that it was initialised with, as in the
 * kernel's lockdep: lock order is checked between classes.
 */
#ifndef VFIOSIM_KAPI_LOCK_H
#define VFIOSIM_KAPI_LOCK_H

#include <vfiosim/kapi/list.h>

/* @owner is a task number plus one; 0 is nobody. */
typedef struct spinlock {
	u32 owner;
	u32 nested;		/* subclass it was taken with */
	const char *name;
} spinlock_t;

struct mutex {
	u32 owner;
	u32 nested;
	const char *name;
};

/*
 * First come, first served: a queued writer holds off later readers, so a
 * recursive read behind a queued writer deadlocks, as in the kernel.
 */
struct rw_semaphore {
	u32 owner;		/* the writer */
	u32 readers;
	struct list_head wait_list;
	const char *name;
};

#define __SPIN_LOCK_UNLOCKED(lock) { .name = #lock }
#define MUTEX_INIT(lock) { .name = #lock }
#define __MUTEX_INITIALIZER(lock) MUTEX_INIT(lock)
#define __RWSEM_INITIALIZER(lock) \
	{ .wait_list = LIST_HEAD_INIT((lock).wait_list), .name = #lock }
#define DEFINE_SPINLOCK(lock) spinlock_t lock = __SPIN_LOCK_UNLOCKED(lock)
#define DEFINE_MUTEX(lock) struct mutex lock = MUTEX_INIT(lock)
#define DECLARE_RWSEM(lock) struct rw_semaphore lock = __RWSEM_INITIALIZER(lock)

/* @name is the class for lock order, and must outlive the lock. */
void __spin_lock_init(spinlock_t *lock, const char *name) KAPI(__spin_lock_init);
void __mutex_init(struct mutex *lock, const char *name) KAPI(__mutex_init);
void __init_rwsem(struct rw_semaphore *sem, const char *name) KAPI(__init_rwsem);
#define spin_lock_init(lock) __spin_lock_init(lock, #lock)
#define mutex_init(lock) __mutex_init(lock, #lock)
#define init_rwsem(sem) __init_rwsem(sem, #sem)

/* ---- spinlocks: atomic context until released ---- */
/*
 * Context: any; taking one that the task holds is a deadlock. The irq forms also forbid
 * interrupts, and nest. spin_trylock() never waits.
 */
void spin_lock(spinlock_t *lock) KAPI(spin_lock);
void spin_lock_nested(spinlock_t *lock, unsigned int subclass) KAPI(spin_lock_nested);
void spin_unlock(spinlock_t *lock) KAPI(spin_unlock);
bool spin_trylock(spinlock_t *lock) KAPI(spin_trylock);
bool spin_is_locked(const spinlock_t *lock) KAPI(spin_is_locked);
void spin_lock_irq(spinlock_t *lock) KAPI(spin_lock_irq);
void spin_unlock_irq(spinlock_t *lock) KAPI(spin_unlock_irq);
unsigned long __spin_lock_irqsave(spinlock_t *lock) KAPI(__spin_lock_irqsave);
void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags) KAPI(spin_unlock_irqrestore);
void spin_lock_bh(spinlock_t *lock) KAPI(spin_lock_bh);
void spin_unlock_bh(spinlock_t *lock) KAPI(spin_unlock_bh);
#define spin_lock_irqsave(lock, flags) ((flags) = __spin_lock_irqsave(lock))
#define raw_spinlock_t spinlock_t
#define raw_spin_lock(lock) spin_lock(lock)
#define raw_spin_unlock(lock) spin_unlock(lock)

/* Nests; between the two nothing may sleep. */
void preempt_disable(void) KAPI(preempt_disable);
void preempt_enable(void) KAPI(preempt_enable);

/* ---- mutexes ---- */
/*
 * Context: may sleep, all but trylock, unlock and is_locked. Only the owner unlocks.
 * The interruptible and killable forms: 0, or -EINTR without the lock.
 */
void mutex_lock(struct mutex *lock) KAPI(mutex_lock);
void mutex_lock_nested(struct mutex *lock, unsigned int subclass) KAPI(mutex_lock_nested);
int mutex_lock_interruptible(struct mutex *lock) KAPI(mutex_lock_interruptible);
int mutex_lock_killable(struct mutex *lock) KAPI(mutex_lock_killable);
bool mutex_trylock(struct mutex *lock) KAPI(mutex_trylock);
void mutex_unlock(struct mutex *lock) KAPI(mutex_unlock);
bool mutex_is_locked(const struct mutex *lock) KAPI(mutex_is_locked);
void mutex_destroy(struct mutex *lock) KAPI(mutex_destroy);

/* ---- reader-writer semaphores ---- */
/*
 * Context: may sleep, but for the trylocks, up_*() and downgrade_write(). Not recursive,
 * not for reading either. The killable and interruptible forms: 0, or -EINTR without the
 * lock. downgrade_write() keeps it for reading, and lets readers in.
 */
void down_read(struct rw_semaphore *sem) KAPI(down_read);
void down_read_nested(struct rw_semaphore *sem, unsigned int subclass) KAPI(down_read_nested);
int down_read_killable(struct rw_semaphore *sem) KAPI(down_read_killable);
int down_read_interruptible(struct rw_semaphore *sem) KAPI(down_read_interruptible);
bool down_read_trylock(struct rw_semaphore *sem) KAPI(down_read_trylock);
void up_read(struct rw_semaphore *sem) KAPI(up_read);
void down_write(struct rw_semaphore *sem) KAPI(down_write);
void down_write_nested(struct rw_semaphore *sem, unsigned int subclass) KAPI(down_write_nested);
int down_write_killable(struct rw_semaphore *sem) KAPI(down_write_killable);
bool down_write_trylock(struct rw_semaphore *sem) KAPI(down_write_trylock);
void up_write(struct rw_semaphore *sem) KAPI(up_write);
void downgrade_write(struct rw_semaphore *sem) KAPI(downgrade_write);
bool rwsem_is_locked(const struct rw_semaphore *sem) KAPI(rwsem_is_locked);
bool rwsem_is_contended(const struct rw_semaphore *sem) KAPI(rwsem_is_contended);

#define SINGLE_DEPTH_NESTING 1

/*
 * No order is checked between @mutex and other locks. The kernel does so for
 * device locks: they are taken at every depth, of parents and children, of a bus
 * device and of the class devices that its driver makes.
 */
extern const char lockdep_no_validate[] SIM(lockdep_no_validate);
#define lockdep_set_novalidate_class(mutex) ((mutex)->name = lockdep_no_validate)

/* ---- executed locking rules: a lock that is not held is a BUG ---- */
void lockdep_assert_held_at(const void *lock, int mode, const char *what, const char *file,
			    int line) SIM(lockdep_assert_held_at);
enum { LOCKDEP_ANY, LOCKDEP_WRITE, LOCKDEP_READ, LOCKDEP_NONE };
#define lockdep_assert_held(lock) \
	lockdep_assert_held_at(lock, LOCKDEP_ANY, #lock, __FILE__, __LINE__)
#define lockdep_assert_held_write(lock) \
	lockdep_assert_held_at(lock, LOCKDEP_WRITE, #lock, __FILE__, __LINE__)
#define lockdep_assert_held_read(lock) \
	lockdep_assert_held_at(lock, LOCKDEP_READ, #lock, __FILE__, __LINE__)
#define lockdep_assert_not_held(lock) \
	lockdep_assert_held_at(lock, LOCKDEP_NONE, #lock, __FILE__, __LINE__)
bool lockdep_is_held(const void *lock) SIM(lockdep_is_held);

#endif
