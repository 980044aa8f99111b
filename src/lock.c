// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spinlocks, mutexes and reader-writer semaphores over the engine's guarded
 * choice points: a task that waits is not enabled, and which of several waiters
 * gets a mutex is the schedule's choice. Follows kernel/locking/.
 *
 * Lock order: none of its own.
 */
#include <vfiosim/kapi/lock.h>
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/sched.h>

#include "context.h"

/* One function from the caller to the switch: see sched.c. */
#define ON_SWITCH_PATH static inline __attribute__((always_inline))

static u32 self(void)
{
	return eng_current_number() + 1;
}

static void check_initialised(const void *lock, const char *name)
{
	if (unlikely(!name))
		eng_fail("bug", lock, "a lock is used that was never initialised");
}

static void check_not_owned(const void *lock, u32 owner)
{
	if (unlikely(owner == self()))
		eng_fail("deadlock", lock, "%s takes a lock again that it holds",
			 current->comm);
}

/* ---- spinlocks ---- */

void __spin_lock_init(spinlock_t *lock, const char *name)
{
	*lock = (spinlock_t){ .name = name };
	eng_learn(lock, name);
}

static bool spin_is_free(const void *lock)
{
	return !((const spinlock_t *)lock)->owner;
}

ON_SWITCH_PATH void lock_spin(spinlock_t *lock, unsigned int subclass)
{
	check_initialised(lock, lock->name);
	check_not_owned(lock, lock->owner);
	eng_wait(ENG_OP_SPIN_LOCK, lock, ENG_WRITE, spin_is_free, lock, ENG_FOREVER,
		 ENG_UNINTERRUPTIBLE);
	lock->owner = self();
	eng_current()->preempt_count++;
	eng_lock_acquired(lock, lock->name, subclass, false, false);
}

/* Context: any; atomic from here on. */
void spin_lock_nested(spinlock_t *lock, unsigned int subclass)
{
	lock_spin(lock, subclass);
}

void spin_lock(spinlock_t *lock)
{
	lock_spin(lock, 0);
}

bool spin_trylock(spinlock_t *lock)
{
	check_initialised(lock, lock->name);
	eng_point(ENG_OP_SPIN_TRYLOCK, lock, ENG_WRITE);
	if (lock->owner) {
		eng_only_read();
		return false;
	}
	lock->owner = self();
	eng_current()->preempt_count++;
	eng_lock_acquired(lock, lock->name, 0, false, true);
	return true;
}

void spin_unlock(spinlock_t *lock)
{
	eng_point(ENG_OP_SPIN_UNLOCK, lock, ENG_WRITE);
	eng_lock_released(lock);
	lock->owner = 0;
	eng_current()->preempt_count--;
}

bool spin_is_locked(const spinlock_t *lock)
{
	eng_point(ENG_OP_READ_ONCE, lock, ENG_READ);
	return lock->owner;
}

void spin_lock_irq(spinlock_t *lock)
{
	current->irqs_disabled++;
	spin_lock(lock);
}

void spin_unlock_irq(spinlock_t *lock)
{
	spin_unlock(lock);
	current->irqs_disabled--;
}

unsigned long __spin_lock_irqsave(spinlock_t *lock)
{
	unsigned long flags = current->irqs_disabled;

	spin_lock_irq(lock);
	return flags;
}

void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	spin_unlock(lock);
	current->irqs_disabled = flags;
}

/* Softirq work runs on tasks of its own here, so spin_lock() keeps it out as well. */
void spin_lock_bh(spinlock_t *lock)
{
	spin_lock(lock);
}

void spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock(lock);
}

void preempt_disable(void)
{
	eng_current()->preempt_count++;
}

void preempt_enable(void)
{
	eng_current()->preempt_count--;
}

/* ---- mutexes ---- */

void __mutex_init(struct mutex *lock, const char *name)
{
	*lock = (struct mutex){ .name = name };
	eng_learn(lock, name);
}

static bool mutex_is_free(const void *lock)
{
	return !((const struct mutex *)lock)->owner;
}

/* Context: may sleep. Returns 0 holding @lock, or -EINTR. */
ON_SWITCH_PATH int lock_mutex(struct mutex *lock, unsigned int subclass, unsigned int mode)
{
	must_be_able_to_sleep();
	check_initialised(lock, lock->name);
	check_not_owned(lock, lock->owner);
	if (eng_wait(ENG_OP_MUTEX_LOCK, lock, ENG_WRITE, mutex_is_free, lock, ENG_FOREVER,
		     mode) == ENG_SIGNAL)
		return -EINTR;
	lock->owner = self();
	eng_lock_acquired(lock, lock->name, subclass, false, false);
	return 0;
}

void mutex_lock(struct mutex *lock)
{
	lock_mutex(lock, 0, ENG_UNINTERRUPTIBLE);
}

void mutex_lock_nested(struct mutex *lock, unsigned int subclass)
{
	lock_mutex(lock, subclass, ENG_UNINTERRUPTIBLE);
}

int mutex_lock_interruptible(struct mutex *lock)
{
	return lock_mutex(lock, 0, ENG_INTERRUPTIBLE);
}

int mutex_lock_killable(struct mutex *lock)
{
	return lock_mutex(lock, 0, ENG_KILLABLE);
}

bool mutex_trylock(struct mutex *lock)
{
	check_initialised(lock, lock->name);
	eng_point(ENG_OP_MUTEX_TRYLOCK, lock, ENG_WRITE);
	if (lock->owner) {
		eng_only_read();
		return false;
	}
	lock->owner = self();
	eng_lock_acquired(lock, lock->name, 0, false, true);
	return true;
}

void mutex_unlock(struct mutex *lock)
{
	eng_point(ENG_OP_MUTEX_UNLOCK, lock, ENG_WRITE);
	eng_lock_released(lock);
	lock->owner = 0;
}

bool mutex_is_locked(const struct mutex *lock)
{
	eng_point(ENG_OP_READ_ONCE, lock, ENG_READ);
	return lock->owner;
}

void mutex_destroy(struct mutex *lock)
{
	WARN(lock->owner, "a mutex is destroyed while it is locked");
	lock->name = NULL;
}

/* ---- reader-writer semaphores ---- */

/* On the stack of the task that waits; first come, first served. */
struct rwsem_waiter {
	struct list_head list;
	struct rw_semaphore *sem;
	bool write;
};

void __init_rwsem(struct rw_semaphore *sem, const char *name)
{
	*sem = (struct rw_semaphore){ .name = name };
	INIT_LIST_HEAD(&sem->wait_list);
	eng_learn(sem, name);
}

static bool has_room(const struct rw_semaphore *sem, bool write)
{
	return !sem->owner && (!write || !sem->readers);
}

/* A reader's turn has come when no writer is in front of it. */
static bool is_next(const void *arg)
{
	const struct rwsem_waiter *waiter = arg;
	const struct list_head *head = &waiter->sem->wait_list;
	const struct list_head *at;

	if (!has_room(waiter->sem, waiter->write))
		return false;
	if (waiter->write)
		return head->next == &waiter->list;
	for (at = head->next; at != &waiter->list; at = at->next)
		if (list_entry(at, struct rwsem_waiter, list)->write)
			return false;
	return true;
}

/* The lock is taken: queueing up was a step of its own. Returns 0, or -EINTR. */
static int queue_up(struct rw_semaphore *sem, bool write, unsigned int mode)
{
	struct rwsem_waiter waiter = { .sem = sem, .write = write };
	enum eng_wake how;

	eng_became(write ? ENG_OP_DOWN_WRITE_QUEUE : ENG_OP_DOWN_READ_QUEUE);
	list_add_tail(&waiter.list, &sem->wait_list);
	how = eng_wait(write ? ENG_OP_DOWN_WRITE : ENG_OP_DOWN_READ, sem, ENG_WRITE, is_next,
		       &waiter, ENG_FOREVER, mode);
	list_del(&waiter.list);
	return how == ENG_SIGNAL ? -EINTR : 0;
}

ON_SWITCH_PATH int down(struct rw_semaphore *sem, bool write, unsigned int subclass,
			unsigned int mode)
{
	int ret = 0;

	must_be_able_to_sleep();
	check_initialised(sem, sem->name);
	check_not_owned(sem, sem->owner);
	eng_point(write ? ENG_OP_DOWN_WRITE : ENG_OP_DOWN_READ, sem, ENG_WRITE);
	if (!has_room(sem, write) || !list_empty(&sem->wait_list))
		ret = queue_up(sem, write, mode);
	if (ret)
		return ret;
	if (write)
		sem->owner = self();
	else
		sem->readers++;
	eng_lock_acquired(sem, sem->name, subclass, !write, false);
	return 0;
}

void down_read(struct rw_semaphore *sem)
{
	down(sem, false, 0, ENG_UNINTERRUPTIBLE);
}

void down_read_nested(struct rw_semaphore *sem, unsigned int subclass)
{
	down(sem, false, subclass, ENG_UNINTERRUPTIBLE);
}

int down_read_killable(struct rw_semaphore *sem)
{
	return down(sem, false, 0, ENG_KILLABLE);
}

int down_read_interruptible(struct rw_semaphore *sem)
{
	return down(sem, false, 0, ENG_INTERRUPTIBLE);
}

void down_write(struct rw_semaphore *sem)
{
	down(sem, true, 0, ENG_UNINTERRUPTIBLE);
}

void down_write_nested(struct rw_semaphore *sem, unsigned int subclass)
{
	down(sem, true, subclass, ENG_UNINTERRUPTIBLE);
}

int down_write_killable(struct rw_semaphore *sem)
{
	return down(sem, true, 0, ENG_KILLABLE);
}

/* A trylock does not queue; who did goes first. */
static bool try_down(struct rw_semaphore *sem, bool write)
{
	check_initialised(sem, sem->name);
	eng_point(write ? ENG_OP_DOWN_WRITE_TRYLOCK : ENG_OP_DOWN_READ_TRYLOCK, sem, ENG_WRITE);
	if (!has_room(sem, write) || !list_empty(&sem->wait_list)) {
		eng_only_read();
		return false;
	}
	if (write)
		sem->owner = self();
	else
		sem->readers++;
	eng_lock_acquired(sem, sem->name, 0, !write, true);
	return true;
}

bool down_read_trylock(struct rw_semaphore *sem)
{
	return try_down(sem, false);
}

bool down_write_trylock(struct rw_semaphore *sem)
{
	return try_down(sem, true);
}

void up_read(struct rw_semaphore *sem)
{
	eng_point(ENG_OP_UP_READ, sem, ENG_WRITE);
	/* Nobody writes: then the current task does not, and that is quick to see. */
	if (unlikely(sem->owner) && eng_lock_mode(sem) == 1)
		eng_fail("unlock-by-stranger", sem, "%s holds it for writing but ends a read",
			 current->comm);
	eng_lock_released(sem);
	sem->readers--;
}

void up_write(struct rw_semaphore *sem)
{
	eng_point(ENG_OP_UP_WRITE, sem, ENG_WRITE);
	if (unlikely(sem->owner != self()) && eng_lock_mode(sem) == 2)
		eng_fail("unlock-by-stranger", sem, "%s holds it for reading but ends a write",
			 current->comm);
	eng_lock_released(sem);
	sem->owner = 0;
}

void downgrade_write(struct rw_semaphore *sem)
{
	eng_point(ENG_OP_DOWNGRADE_WRITE, sem, ENG_WRITE);
	if (eng_lock_mode(sem) != 1)
		eng_fail("unlock-by-stranger", sem, "%s downgrades what it does not hold",
			 current->comm);
	sem->owner = 0;
	sem->readers++;
	eng_lock_now_shared(sem);
}

bool rwsem_is_locked(const struct rw_semaphore *sem)
{
	eng_point(ENG_OP_READ_ONCE, sem, ENG_READ);
	return sem->owner || sem->readers;
}

bool rwsem_is_contended(const struct rw_semaphore *sem)
{
	eng_point(ENG_OP_READ_ONCE, sem, ENG_READ);
	return !list_empty(&sem->wait_list);
}

/* ---- assertions ---- */

bool lockdep_is_held(const void *lock)
{
	return eng_lock_held(lock);
}

void lockdep_assert_held_at(const void *lock, int mode, const char *what, const char *file,
			    int line)
{
	int held = eng_lock_mode(lock);
	bool holds = held != 0;

	if (mode == LOCKDEP_NONE)
		holds = !held;
	else if (mode != LOCKDEP_ANY)
		holds = held == mode;
	if (unlikely(!holds))
		bug_at(what, file, line);
}
