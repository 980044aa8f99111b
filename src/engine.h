/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The door: all that the kernel side may ask of the host side.
 *
 * A kernel-side task runs alone between two choice points. Each operation on
 * something that tasks share announces itself here *before* it happens: another
 * task may run first. What the operation touches, and whether it reads or
 * writes, tells the explorer which steps commute.
 */
#ifndef VFIOSIM_ENGINE_H
#define VFIOSIM_ENGINE_H

#include <vfiosim/kapi/types.h>

#if defined(__SANITIZE_ADDRESS__)
#define VFIOSIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VFIOSIM_ASAN 1
#endif
#endif

struct task_struct;

/*
 * Kinds of operation: enum suffix, the word that schedules and traces show.
 * The word is part of the schedule file format.
 */
#define ENG_OPS(X)					\
	X(START, "start")				\
	X(YIELD, "cond_resched")			\
	X(MUTEX_LOCK, "mutex_lock")			\
	X(MUTEX_TRYLOCK, "mutex_trylock")		\
	X(MUTEX_UNLOCK, "mutex_unlock")			\
	X(SPIN_LOCK, "spin_lock")			\
	X(SPIN_TRYLOCK, "spin_trylock")			\
	X(SPIN_UNLOCK, "spin_unlock")			\
	X(DOWN_READ, "down_read")			\
	X(DOWN_READ_TRYLOCK, "down_read_trylock")	\
	X(UP_READ, "up_read")				\
	X(DOWN_WRITE, "down_write")			\
	X(DOWN_WRITE_QUEUE, "down_write_queue")		\
	X(DOWN_WRITE_TRYLOCK, "down_write_trylock")	\
	X(DOWN_READ_QUEUE, "down_read_queue")		\
	X(UP_WRITE, "up_write")				\
	X(DOWNGRADE_WRITE, "downgrade_write")		\
	X(ATOMIC_READ, "atomic_read")			\
	X(ATOMIC_SET, "atomic_set")			\
	X(ATOMIC_RMW, "atomic_rmw")			\
	X(REFCOUNT_INC, "refcount_inc")			\
	X(REFCOUNT_DEC, "refcount_dec")			\
	X(COMPLETE, "complete")				\
	X(WAIT_COMPLETION, "wait_for_completion")	\
	X(WAKE_UP, "wake_up")				\
	X(WAIT_EVENT, "wait_event")			\
	X(QUEUE_WORK, "queue_work")			\
	X(RUN_WORK, "run_work")				\
	X(FLUSH_WORK, "flush_work")			\
	X(TIMER, "timer")				\
	X(SLEEP, "sleep")				\
	X(TASK_WORK, "task_work")			\
	X(RCU_READ_LOCK, "rcu_read_lock")		\
	X(RCU_READ_UNLOCK, "rcu_read_unlock")		\
	X(CALL_RCU, "call_rcu")				\
	X(GRACE_PERIOD, "grace_period")			\
	X(SYNCHRONIZE_RCU, "synchronize_rcu")		\
	X(READ_ONCE, "read_once")			\
	X(WRITE_ONCE, "write_once")			\
	X(MODULE_GET, "module_get")			\
	X(MODULE_PUT, "module_put")			\
	X(MODULE_STATE, "module_state")			\
	X(PTE, "pte")					\
	X(SIGNAL, "signal")				\
	X(PLAIN_READ, "load")				\
	X(PLAIN_WRITE, "store")				\
	X(STEP, "step")

enum eng_op {
#define X(name, word) ENG_OP_##name,
	ENG_OPS(X)
#undef X
	ENG_OP_MAX
};

enum eng_access {
	ENG_READ,	/* commutes with other reads of the same object */
	ENG_WRITE,	/* dependent on every other operation on the object */
};

/* How a blocked operation ended. */
enum eng_wake {
	ENG_READY,	/* the condition held; the operation may be carried out */
	ENG_TIMEOUT,	/* virtual time passed, or the schedule let it pass early */
	ENG_SIGNAL,	/* a signal that the wait listens to is pending */
};

#define ENG_FOREVER (~0ULL)

/* Where all kernel memory lies. Memcheck is fast below 128 GiB; ASan's shadow is there. */
#ifdef VFIOSIM_ASAN
#define ENG_MEMORY 0x110000000000UL
#else
#define ENG_MEMORY 0x800000000UL
#endif
#define ENG_MEMORY_SIZE (8UL << 30)

/* ---- what is asked at every step, and answered faster than a call takes ---- */

/* The first words of that memory. */
struct eng_front {
	struct task_struct *acting;	/* get_current() */
	u64 steps;			/* choice points passed */
	u32 number;			/* of the current task */
};
#define ENG_FRONT ((struct eng_front *)ENG_MEMORY)

static inline struct task_struct *eng_current(void)
{
	return ENG_FRONT->acting;
}

/*
 * A task of setup or teardown runs, and nobody records it: it is alone, and a choice
 * point is only counted. Never under Valgrind, which is to see no look at freed memory.
 */
extern bool eng_alone SIM(eng_alone);

/* Freed memory is filled with this. */
#define ENG_POISON_FREE 0x6b6b6b6bu

static inline bool eng_looks_freed(const void *object)
{
	unsigned long offset = (unsigned long)object - ENG_MEMORY;
	u32 word;

	if (offset >= ENG_MEMORY_SIZE)
		return false;
	/* An object may be a single byte, anywhere. */
	__builtin_memcpy(&word, (const void *)(ENG_MEMORY + offset), sizeof(word));
	return word == ENG_POISON_FREE;
}

/* The next one is passed by being counted. */
static inline bool eng_pass(const void *object)
{
	return __builtin_expect(eng_alone, 1) && __builtin_expect(!eng_looks_freed(object), 1);
}

/* What ends a wait besides its condition. */
#define ENG_UNINTERRUPTIBLE 0
#define ENG_KILLABLE 1
#define ENG_INTERRUPTIBLE 2

/*
 * A choice point: the current task is about to carry out @op on @object, whose
 * first byte identifies it. On return no other task runs until the next call
 * into this header that says so.
 */
void eng_point_slow(enum eng_op op, const void *object, enum eng_access access)
	SIM(eng_point);
/* What is named as a field here is called so in reports. */
#define eng_point(op, object, access)				\
	do {							\
		const void *eng_object = (object);		\
								\
		if (eng_pass(eng_object)) {			\
			ENG_FRONT->steps++;			\
		} else {					\
			eng_learn_field(eng_object, #object);	\
			eng_point_slow(op, eng_object, access);	\
		}						\
	} while (0)

/*
 * The operation just announced turned out to only read (a failed
 * compare-and-exchange, trylock or inc_not_zero).
 */
void eng_only_read(void) SIM(eng_only_read);
/* The operation just announced turned out to be @op (joined a queue instead). */
void eng_became(enum eng_op op) SIM(eng_became);

/*
 * A choice point that is only enabled while ready(@arg) holds: until then the
 * task is blocked. @ready is called from any context, must be pure and may read
 * kernel memory only. @timeout_ns is virtual time from now or ENG_FOREVER;
 * @mode says which signals end the wait. A wait of over 120 virtual seconds
 * without a timeout is reported as a hung task.
 */
enum eng_wake eng_wait_slow(enum eng_op op, const void *object, enum eng_access access,
			    bool (*ready)(const void *arg), const void *arg,
			    u64 timeout_ns, unsigned int mode) SIM(eng_wait);
static inline enum eng_wake eng_wait(enum eng_op op, const void *object, enum eng_access access,
				     bool (*ready)(const void *arg), const void *arg,
				     u64 timeout_ns, unsigned int mode)
{
	if (!eng_pass(object) || !ready(arg))
		return eng_wait_slow(op, object, access, ready, arg, timeout_ns, mode);
	ENG_FRONT->steps++;
	return ENG_READY;
}

/*
 * The door for data choices: a number below @bound, taken from the schedule;
 * 0 is what happens when nobody explores this dimension. @what is a constant
 * string (the name of the choice in schedules).
 */
unsigned int eng_choose(const char *what, unsigned int bound) SIM(eng_choose);

/*
 * A fault point: true when the step named @site must fail this time. @site is a
 * constant string, e.g. "kmalloc", "anon_dev". Never true unless the run
 * injects faults. Each call counts as one reached site.
 */
bool eng_fail_here_slow(const char *site) SIM(eng_fail_here);
static inline bool eng_fail_here(const char *site)
{
	return !eng_alone && eng_fail_here_slow(site);
}

/* Tasks. The body runs in a new coroutine; it becomes runnable at once. */
struct task_struct *eng_spawn(const char *name, void (*body)(void *), void *arg,
			      bool kthread) SIM(eng_spawn);
/* One that works for others (kworker, rcu): it does not keep the run alive. */
struct task_struct *eng_spawn_background(const char *name, void (*body)(void *), void *arg)
	SIM(eng_spawn_background);
/* Changes when the wait of @task, a background task that is in one, times out. */
void eng_set_deadline(struct task_struct *task, u64 deadline_ns) SIM(eng_set_deadline);
/* From 0; the same for a task in every run. */
static inline unsigned int eng_current_number(void)
{
	return ENG_FRONT->number;
}
/* A condition that never holds: only a timeout or a signal ends the wait. */
bool eng_never(const void *arg) SIM(eng_never);
/* Whether any task of the run that has not ended matches. */
bool eng_any_task(bool (*match)(const struct task_struct *task, const void *arg),
		  const void *arg) SIM(eng_any_task);
void eng_exit(void) SIM(eng_exit) __attribute__((noreturn));

/*
 * @fn runs alone after the scenario's teardown, before anybody asks what was
 * left behind: where the machine is shut down. One per run; the last one counts.
 */
void eng_at_end(void (*fn)(void)) SIM(eng_at_end);

/*
 * The current task is on its way out and waits for others to let go of @object: from
 * eng_promise() to eng_promise_kept() it must get on once nobody holds that any more.
 * @in_vain is asked while the task is blocked in @op, an enum eng_op, and nobody can
 * run until time passes: it is pure, and returns why waiting is in vain (a constant
 * string), or NULL. What it returns is reported as "no-progress". Lies on the task's stack.
 */
struct eng_promise {
	const void *object;
	const char *(*in_vain)(const void *object, unsigned int op);
	struct task_struct *by;
	struct eng_promise *next;
	bool broken;			/* reported */
};
void eng_promise(struct eng_promise *promise) SIM(eng_promise);
void eng_promise_kept(struct eng_promise *promise) SIM(eng_promise_kept);
/* Every task that has not ended, but for background tasks, has given a promise. */
bool eng_promises_only(void) SIM(eng_promises_only);

/* Virtual time since boot of the run, nanoseconds. */
u64 eng_now(void) SIM(eng_now);

/* ---- memory (arena) ---- */

/*
 * @type names the objects ("inode"); a constant string. Returns NULL when a
 * fault is injected at the allocation (site = @type). Zeroed memory if @zero.
 * @site is the address of the caller, for reports.
 */
void *eng_alloc(size_t size, const char *type, bool zero, const void *site) SIM(eng_alloc);
/* For the engine's own needs: no fault point. */
void *eng_alloc_nofail(size_t size, const char *type, bool zero, const void *site)
	SIM(eng_alloc_nofail);
void eng_free(const void *object, const void *site) SIM(eng_free);
/*
 * For caches of constructed objects: eng_cache_put() takes the object out of use
 * as it is and links it into *@list, eng_cache_get() takes the first one back.
 */
void *eng_alloc_cached(size_t size, const char *type, const void *site) SIM(eng_alloc_cached);
void eng_cache_put(const void *object, void **list, const void *site) SIM(eng_cache_put);
void *eng_cache_get(void **list, const void *site) SIM(eng_cache_get);
size_t eng_size(const void *object) SIM(eng_size);

/* A pointer to an object in 4 bytes, for tables that must be dense. */
static inline u32 eng_ref(const void *object)
{
	return ((unsigned long)object - ENG_MEMORY) / 16;
}

static inline void *eng_deref(u32 ref)
{
	return (void *)(ENG_MEMORY + ref * 16UL);
}

/* Marks @object as expected to outlive the run (no leak report). */
void eng_not_leak(const void *object) SIM(eng_not_leak);
/* A second name for an object, shown instead of type#serial ("0000:01:00.0"). */
void eng_name(const void *object, const char *name) SIM(eng_name);
/* The field at @address may be shown as the last part of @expression. */
void eng_learn(const void *address, const char *expression) SIM(eng_learn);
/* As eng_learn(), for reports only: costs nothing while exploring. */
void eng_learn_field_slow(const void *address, const char *expression)
	SIM(eng_learn_field_slow);
/* Fails the run with use-after-free if @pointer lies in freed arena memory. */
void eng_check(const void *pointer) SIM(eng_check);

/* ---- events and failures ---- */

extern bool eng_tracing SIM(eng_tracing);

#define eng_learn_field(address, expression)			\
	do {							\
		if (__builtin_expect(eng_tracing, 0))		\
			eng_learn_field_slow(address, expression); \
	} while (0)

/*
 * Record an event: @what and @format are constant strings. @format knows %d %u
 * %x and their l and ll forms, %s (constant strings or names in kernel memory)
 * and %O (a pointer, shown as an object's name, never as an address). At most
 * four arguments.
 */
void eng_event_slow(const char *what, const void *object, const char *format, ...)
	SIM(eng_event_slow);
#define eng_event(...)					\
	do {						\
		if (__builtin_expect(eng_tracing, 0))	\
			eng_event_slow(__VA_ARGS__);	\
	} while (0)

/* A finished line of the kernel's log. */
void eng_printk(int level, const char *text) SIM(eng_printk);

/*
 * End the run as failed. @detector is one of the stable names in
 * docs/detectors.md ("use-after-free", "deadlock", "bug", ...).
 */
void eng_fail(const char *detector, const void *object, const char *format, ...)
	SIM(eng_fail) __attribute__((noreturn));
/*
 * Record a finding and go on (WARN, lock-order inversion, leak). Whether the
 * run counts as failed is for the scenario's options to say.
 */
void eng_report(const char *detector, const void *object, const char *format, ...)
	SIM(eng_report);

/* ---- lock bookkeeping for the detectors ---- */
/*
 * Called when the lock is taken, in the step that took it. @class_name by address:
 * the text of the initialiser. Reports an order that inverts one seen before.
 */
void eng_lock_acquired(const void *lock, const char *class_name, unsigned int subclass,
		       bool shared, bool trylock) SIM(eng_lock_acquired);
/* Fails the run if the current task does not hold it. */
void eng_lock_released(const void *lock) SIM(eng_lock_released);
bool eng_lock_held(const void *lock) SIM(eng_lock_held);	/* by the current task */
void eng_lock_now_shared(const void *lock) SIM(eng_lock_now_shared);
int eng_lock_mode(const void *lock) SIM(eng_lock_mode);	/* 0 no, 1 exclusive, 2 shared */

#endif
