// SPDX-License-Identifier: GPL-2.0-only
/*
 * See workloads.h. What varies between scenarios is set before a run begins and
 * not changed by it, so it is no state of the modelled kernel.
 */
#include "workloads.h"

#include <vfiosim/kapi.h>

#include "engine.h"

/* ---- w1 ---- */

struct counter {
	struct mutex lock;
	int value;
};

static unsigned int w1_rounds;
static unsigned int w1_tasks;

static void w1_setup(void *fixture)
{
	struct counter *c = fixture;

	mutex_init(&c->lock);
}

static void w1_task(void *fixture)
{
	struct counter *c = fixture;

	for (unsigned int i = 0; i < w1_rounds; i++) {
		mutex_lock(&c->lock);
		c->value++;
		mutex_unlock(&c->lock);
	}
}

static void w1_teardown(void *fixture)
{
	vfiosim_expect(((struct counter *)fixture)->value == (int)(w1_tasks * w1_rounds));
}

const struct vfiosim_scenario *workload_w1(unsigned int tasks, unsigned int rounds)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
	static struct vfiosim_scenario w1;

	w1 = (struct vfiosim_scenario){
		.name = "w1", .fixture_size = sizeof(struct counter),
		.setup = w1_setup, .teardown = w1_teardown,
	};
	w1_tasks = tasks;
	w1_rounds = rounds;
	for (unsigned int i = 0; i < tasks; i++)
		w1.tasks[i] = (struct vfiosim_task){ names[i], w1_task };
	return &w1;
}

/* ---- w2 ---- */

struct thing {
	struct kref ref;
	struct list_head link;
	int value;
};

struct shelf {
	struct mutex lock;
	struct list_head things;
	struct thing *thing;
};

static KSTATE struct shelf *the_shelf;

static void w2_setup(void *fixture)
{
	struct shelf *s = fixture;
	struct thing *t = kzalloc(sizeof(*t), GFP_KERNEL);

	the_shelf = s;
	mutex_init(&s->lock);
	INIT_LIST_HEAD(&s->things);
	kref_init(&t->ref);
	kref_get(&t->ref);
	t->value = 42;
	list_add(&t->link, &s->things);
	s->thing = t;
}

static void w2_release(struct kref *ref)
{
	struct thing *t = container_of(ref, struct thing, ref);

	list_del(&t->link);
	mutex_unlock(&the_shelf->lock);
	kfree(t);
}

static void w2_put(void *fixture)
{
	struct shelf *s = fixture;

	kref_put_mutex(&s->thing->ref, w2_release, &s->lock);
}

static void w2_use(struct shelf *s, struct thing *t)
{
	eng_check(&t->value);
	vfiosim_expect(t->value == 42);
	kref_put_mutex(&t->ref, w2_release, &s->lock);
}

static void w2_lookup(void *fixture)
{
	struct shelf *s = fixture;
	struct thing *found = NULL;

	mutex_lock(&s->lock);
	if (!list_empty(&s->things)) {
		found = list_first_entry(&s->things, struct thing, link);
		kref_get(&found->ref);
	}
	mutex_unlock(&s->lock);
	if (found)
		w2_use(s, found);
}

static void w2_lookup_without_lock(void *fixture)
{
	struct shelf *s = fixture;
	struct thing *found = NULL;

	eng_point(ENG_OP_READ_ONCE, &s->things, ENG_READ);
	if (!list_empty(&s->things)) {
		found = list_first_entry(&s->things, struct thing, link);
		kref_get(&found->ref);
	}
	if (found)
		w2_use(s, found);
}

/* Whoever reads without the lock sees the list change. */
static void w2_release_announced(struct kref *ref)
{
	eng_point(ENG_OP_WRITE_ONCE, &the_shelf->things, ENG_WRITE);
	w2_release(ref);
}

static void w2_put_announced(void *fixture)
{
	struct shelf *s = fixture;

	kref_put_mutex(&s->thing->ref, w2_release_announced, &s->lock);
}

const struct vfiosim_scenario workload_w2 = {
	.name = "w2", .fixture_size = sizeof(struct shelf), .setup = w2_setup,
	.tasks = { { "put1", w2_put }, { "put2", w2_put }, { "lookup", w2_lookup } },
};

const struct vfiosim_scenario workload_w2_bug = {
	.name = "w2-bug", .fixture_size = sizeof(struct shelf), .setup = w2_setup,
	.tasks = { { "put1", w2_put_announced }, { "put2", w2_put_announced },
		   { "lookup", w2_lookup_without_lock } },
};

/* ---- w3 ---- */

struct gadget {
	int refs;		/* under the lock */
	struct completion released;
	int value;
};

struct registry {
	struct mutex lock;
	bool registered;
	struct gadget *gadget;
};

static void w3_setup(void *fixture)
{
	struct registry *r = fixture;

	mutex_init(&r->lock);
	r->gadget = kzalloc(sizeof(*r->gadget), GFP_KERNEL);
	r->gadget->refs = 1;
	r->gadget->value = 42;
	init_completion(&r->gadget->released);
	r->registered = true;
}

static void w3_put_locked(struct gadget *g)
{
	if (--g->refs == 0)
		complete(&g->released);
}

static void w3_unregister(void *fixture)
{
	struct registry *r = fixture;

	mutex_lock(&r->lock);
	r->registered = false;
	w3_put_locked(r->gadget);
	mutex_unlock(&r->lock);
	wait_for_completion(&r->gadget->released);
	mutex_lock(&r->lock);
	kfree(r->gadget);
	mutex_unlock(&r->lock);
}

static void w3_use(struct registry *r)
{
	eng_check(&r->gadget->value);
	vfiosim_expect(r->gadget->value == 42);
	mutex_lock(&r->lock);
	w3_put_locked(r->gadget);
	mutex_unlock(&r->lock);
}

static void w3_open(void *fixture)
{
	struct registry *r = fixture;
	bool open;

	mutex_lock(&r->lock);
	open = r->registered;
	if (open)
		r->gadget->refs++;
	mutex_unlock(&r->lock);
	if (open)
		w3_use(r);
}

static void w3_open_unasked(void *fixture)
{
	struct registry *r = fixture;

	mutex_lock(&r->lock);
	eng_check(r->gadget);
	r->gadget->refs++;
	mutex_unlock(&r->lock);
	w3_use(r);
}

static const struct vfiosim_scenario *make_w3(struct vfiosim_scenario *s, const char *name,
					      unsigned int openers, void (*open)(void *fixture))
{
	static const char *const names[] = { "open1", "open2", "open3", "open4", "open5" };

	*s = (struct vfiosim_scenario){
		.name = name, .fixture_size = sizeof(struct registry), .setup = w3_setup,
		.tasks = { { "unregister", w3_unregister } },
	};
	for (unsigned int i = 0; i < openers; i++)
		s->tasks[i + 1] = (struct vfiosim_task){ names[i], open };
	return s;
}

const struct vfiosim_scenario *workload_w3(unsigned int openers)
{
	static struct vfiosim_scenario w3;

	return make_w3(&w3, "w3", openers, w3_open);
}

const struct vfiosim_scenario *workload_w3_bug(unsigned int openers)
{
	static struct vfiosim_scenario w3;

	return make_w3(&w3, "w3-bug", openers, w3_open_unasked);
}

/* ---- AB-BA ---- */

struct two_locks {
	struct mutex a, b;
};

static void abba_setup(void *fixture)
{
	struct two_locks *l = fixture;

	mutex_init(&l->a);
	mutex_init(&l->b);
}

static void abba_ab(void *fixture)
{
	struct two_locks *l = fixture;

	mutex_lock(&l->a);
	mutex_lock(&l->b);
	mutex_unlock(&l->b);
	mutex_unlock(&l->a);
}

static void abba_ba(void *fixture)
{
	struct two_locks *l = fixture;

	mutex_lock(&l->b);
	mutex_lock(&l->a);
	mutex_unlock(&l->a);
	mutex_unlock(&l->b);
}

/* The order alone is a finding; here the deadlock itself is looked for. */
const struct vfiosim_scenario workload_abba = {
	.name = "abba", .fixture_size = sizeof(struct two_locks), .setup = abba_setup,
	.tolerate = "lock-inversion",
	.tasks = { { "alice", abba_ab }, { "bob", abba_ba } },
};

/* ---- random programs ---- */

#define TASKS 3
#define OPS_MAX 16

enum kind {
	READ, WRITE, ADD, CAS, GET, PUT, COMPLETE, WAIT, WAIT_TIMEOUT, TRYLOCK, CHOOSE, LOCK,
	KINDS = LOCK,			/* LOCK is not drawn, but put around others */
};

struct op {
	u8 kind;
	u8 object;
};

struct board {
	atomic_t variables[3];
	refcount_t refs;
	struct mutex locks[2];
	struct completion done;
};

static struct op programs[TASKS][OPS_MAX];
static unsigned int lengths[TASKS];

static void random_setup(void *fixture)
{
	struct board *b = fixture;

	mutex_init(&b->locks[0]);
	mutex_init(&b->locks[1]);
	init_completion(&b->done);
	refcount_set(&b->refs, 1);
}

static void variable_op(struct board *b, const struct op *op)
{
	atomic_t *v = &b->variables[op->object % 3];

	switch (op->kind) {
	case READ:
		if (atomic_read(v) == 2)
			atomic_inc(&b->variables[0]);
		break;
	case WRITE:
		atomic_set(v, op->object);
		break;
	case ADD:
		atomic_inc(v);
		break;
	case CAS:
		if (atomic_cmpxchg(v, 0, 1) == 0)
			atomic_inc(&b->variables[2]);
		break;
	case GET:
		if (refcount_inc_not_zero(&b->refs))
			atomic_inc(v);
		break;
	case PUT:
		if (!refcount_dec_not_one(&b->refs))
			atomic_set(v, 7);
		break;
	}
}

static void blocking_op(struct board *b, const struct op *op)
{
	struct mutex *lock = &b->locks[op->object % 2];

	switch (op->kind) {
	case COMPLETE:
		complete(&b->done);
		break;
	case WAIT:
		wait_for_completion(&b->done);
		break;
	case WAIT_TIMEOUT:
		if (!wait_for_completion_timeout(&b->done, 10))
			atomic_inc(&b->variables[1]);
		break;
	case TRYLOCK:
		if (mutex_trylock(lock))
			mutex_unlock(lock);
		break;
	case CHOOSE:
		atomic_add(eng_choose("coin", 2), &b->variables[op->object % 3]);
		break;
	}
}

static void carry_out(struct board *b, const struct op *op)
{
	if (op->kind < COMPLETE)
		variable_op(b, op);
	else
		blocking_op(b, op);
}

static void interpret(struct board *b, unsigned int task)
{
	for (unsigned int i = 0; i < lengths[task]; i++) {
		const struct op *op = &programs[task][i];

		if (op->kind != LOCK) {
			carry_out(b, op);
			continue;
		}
		mutex_lock(&b->locks[op->object % 2]);
		if (++i < lengths[task] && programs[task][i].kind != TRYLOCK &&
		    programs[task][i].kind != LOCK)
			carry_out(b, &programs[task][i]);
		mutex_unlock(&b->locks[op->object % 2]);
	}
}

static void random_task0(void *fixture)
{
	interpret(fixture, 0);
}

static void random_task1(void *fixture)
{
	interpret(fixture, 1);
}

static void random_task2(void *fixture)
{
	interpret(fixture, 2);
}

static unsigned int draw(u64 *state, unsigned int bound)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*state >> 33) % bound;
}

static char description[TASKS * OPS_MAX * 4];

/* "p: L0 R3 | q: W1": what to look at when a test fails. */
static void describe(unsigned int tasks)
{
	static const char letters[] = "RWACGPcwtTh";
	char *at = description;

	for (unsigned int t = 0; t < tasks; t++) {
		*at++ = 'p' + t;
		*at++ = ':';
		for (unsigned int i = 0; i < lengths[t]; i++) {
			*at++ = programs[t][i].kind == LOCK ? 'L' : letters[programs[t][i].kind];
			*at++ = '0' + programs[t][i].object;
			*at++ = ' ';
		}
	}
	*at = 0;
}

const struct vfiosim_scenario *workload_random(unsigned int seed)
{
	static struct vfiosim_scenario scenario;
	u64 state = seed;
	unsigned int tasks = 2 + draw(&state, 2);

	scenario = (struct vfiosim_scenario){
		.name = "random", .fixture_size = sizeof(struct board), .setup = random_setup,
		.tasks = { { "p", random_task0 }, { "q", random_task1 } },
	};
	if (tasks == 3)
		scenario.tasks[2] = (struct vfiosim_task){ "r", random_task2 };
	for (unsigned int t = 0; t < tasks; t++) {
		lengths[t] = 1 + draw(&state, tasks == 2 ? 5 : 3);
		for (unsigned int i = 0; i < lengths[t]; i++) {
			programs[t][i].kind = draw(&state, 6) ? draw(&state, KINDS) : LOCK;
			programs[t][i].object = draw(&state, 6);
		}
	}
	describe(tasks);
	scenario.summary = description;
	return &scenario;
}
