// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks, choice points, blocking and virtual time: one run, step by step.
 *
 * The driver (the program's own stack) and the tasks switch to each other as
 * follows. While the script lasts, a task at its choice point goes on, or
 * switches straight to the task that the script names. When it is used up, the
 * task switches to the driver, which looks at the menu and picks a transition.
 * In setup and teardown nobody is asked: a task runs until it blocks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memcheck.h"
#include "run.h"
#include "statics.h"

#include "choice.h"
#include "history.h"
#include "trace.h"
#include "tsan.h"

#define STEPS_MAX_DEFAULT 60000
#define HUNG_NS (120ULL * 1000000000)

struct run run;

/*
 * The processor mispredicts every return past a switch, so the way from a choice
 * point to the switch is one function on each side.
 */
#define ON_SWITCH_PATH static inline __attribute__((always_inline))

/*
 * What goes on without a switch needs few registers and saves none. The rest, which
 * needs them all, is jumped to from there: that makes no return past a switch.
 */
#ifdef __clang__
#define FEW_REGISTERS
#define JUMP __attribute__((musttail)) return
#else
#define FEW_REGISTERS __attribute__((optimize("optimize-sibling-calls")))
#define JUMP return
#endif

/* ---- who can run ---- */

static u64 bit(unsigned int task)
{
	return 1ULL << task;
}

static bool condition_holds(const struct task *task)
{
	return task->wait.ready(task->wait.arg);
}

static bool is_interrupted(const struct task *task)
{
	const struct task_struct *ts = task->acting;
	unsigned long pending = ts->pending;

	if (task->wait.mode == ENG_INTERRUPTIBLE)
		return pending & (~ts->blocked | SIGKILL_BIT);
	return task->wait.mode == ENG_KILLABLE && pending & SIGKILL_BIT;
}

bool eng_alone;

/* Valgrind looks by itself, and minds that we read what was never written. */
static bool valgrind_looks;

ON_SWITCH_PATH bool looks_freed(const void *object)
{
	return !valgrind_looks && eng_looks_freed(object);
}

/* The earliest deadline among @tasks, or ENG_FOREVER. */
static u64 earliest_deadline(u64 tasks)
{
	u64 earliest = ENG_FOREVER;

	for (; tasks; tasks &= tasks - 1) {
		const struct task *task = &ENGINE->tasks[__builtin_ctzll(tasks)];

		if (task->wait.deadline < earliest)
			earliest = task->wait.deadline;
	}
	return earliest;
}

static u64 due_by(u64 tasks, u64 when)
{
	u64 due = 0;

	for (; tasks; tasks &= tasks - 1) {
		unsigned int i = __builtin_ctzll(tasks);

		if (ENGINE->tasks[i].wait.deadline <= when)
			due |= bit(i);
	}
	return due;
}

static void fill_menu(struct menu *menu)
{
	u64 blocked = ENGINE->alive & ENGINE->blocking;
	u64 earliest;

	menu->enabled = ENGINE->alive & ~ENGINE->blocking;
	menu->signals = 0;
	menu->timeouts = 0;
	menu->current = ENGINE->current;
	menu->pending = ENGINE->pending;
	for (; blocked; blocked &= blocked - 1) {
		unsigned int i = __builtin_ctzll(blocked);
		const struct task *task = &ENGINE->tasks[i];

		if (looks_freed(ENGINE->pending[i].object))
			check_use(ENGINE->pending[i].object, task);
		if (condition_holds(task))
			menu->enabled |= bit(i);
		else if (task->wait.mode && is_interrupted(task))
			menu->signals |= bit(i);
		else if (task->wait.deadline != ENG_FOREVER)
			menu->timeouts |= bit(i);
	}
	if (!menu->timeouts)
		return;
	earliest = earliest_deadline(menu->timeouts);
	menu->timeouts = due_by(menu->timeouts, earliest > ENGINE->now ? earliest : ENGINE->now);
}

/* A task that waits without a timeout, while time passes for others, may hang. */
static void look_for_hung(void)
{
	u64 blocked = ENGINE->alive & ENGINE->blocking & ~ENGINE->background;

	for (; blocked; blocked &= blocked - 1) {
		struct task *task = &ENGINE->tasks[__builtin_ctzll(blocked)];
		u64 since = task->wait.since;

		if (task->wait.deadline != ENG_FOREVER)
			since = task->retried_object ? task->retried_since : ENGINE->now;
		if (task->wait.mode != ENG_INTERRUPTIBLE && ENGINE->now - since > HUNG_NS)
			report_hung(task, since);
	}
}

/* Nobody can go on by himself: only time is left to pass. */
static bool all_stand_still(void)
{
	u64 blocked = ENGINE->alive & ENGINE->blocking;

	if (ENGINE->alive & ~ENGINE->blocking)
		return false;
	for (; blocked; blocked &= blocked - 1) {
		const struct task *task = &ENGINE->tasks[__builtin_ctzll(blocked)];

		if (condition_holds(task) || (task->wait.mode && is_interrupted(task)))
			return false;
	}
	return true;
}

/* Who waits for others to let go must not wait when they have. */
static void look_for_broken_promises(void)
{
	struct eng_promise *promise;
	const char *why;

	if (!ENGINE->promises || !all_stand_still())
		return;
	for (promise = ENGINE->promises; promise; promise = promise->next) {
		const struct task *task = promise->by->engine;

		why = promise->in_vain(promise->object, ENGINE->pending[task->number].op);
		if (!why || promise->broken)
			continue;
		promise->broken = true;
		report_in_vain(promise, why);
	}
}

static void pass_time(u64 until)
{
	if (until > ENGINE->now && until != ENG_FOREVER) {
		ENGINE->now = until;
		look_for_hung();
	}
}

/* The transition that happens when nobody chooses; false if there is none. */
static bool default_transition(const struct menu *menu, unsigned int *task, enum eng_wake *how)
{
	u64 ready = menu->enabled | menu->signals;

	if (menu->enabled & bit(menu->current))
		ready = bit(menu->current);
	if (ready) {
		*task = __builtin_ctzll(ready);
		*how = menu->enabled & bit(*task) ? ENG_READY : ENG_SIGNAL;
		return true;
	}
	if (!menu->timeouts)
		return false;
	*task = __builtin_ctzll(menu->timeouts);
	*how = ENG_TIMEOUT;
	return true;
}

static u64 scenario_tasks_alive(void)
{
	return ENGINE->alive & ~ENGINE->background;
}

/* ---- switching ---- */

ON_SWITCH_PATH void switch_from_driver(struct task *to)
{
	set_current_task(to);
	run.in_task = true;
	statics_written = true;
	fiber_switch(&run.driver, &to->fiber, false);
	run.in_task = false;
}

ON_SWITCH_PATH void switch_to_driver(struct task *from, bool final)
{
	run.in_task = false;
	fiber_switch(&from->fiber, &run.driver, final);
	run.in_task = true;
}

/* @task was picked: what this means for it and for the clock. */
static void picked(struct task *task, enum eng_wake how)
{
	unsigned int i = task->number;

	task->wait.how = how;
	ENGINE->steps++;
	if (!(ENGINE->blocking & bit(i)))
		return;
	if (how == ENG_TIMEOUT) {
		look_for_broken_promises();
		pass_time(task->wait.deadline);
		if (task->retried_object != ENGINE->pending[i].object) {
			task->retried_object = ENGINE->pending[i].object;
			task->retried_since = task->wait.since;
		}
	} else if (task->retried_object == ENGINE->pending[i].object) {
		task->retried_object = NULL;
	}
	ENGINE->blocking &= ~bit(i);
}

static bool is_possible(unsigned int i, enum eng_wake how)
{
	const struct task *task = &ENGINE->tasks[i];

	if (i >= ENGINE->n_tasks || !(ENGINE->alive & bit(i)))
		return false;
	if (!(ENGINE->blocking & bit(i)))
		return how == ENG_READY;
	if (how == ENG_READY)
		return condition_holds(task);
	if (condition_holds(task))
		return false;
	if (how == ENG_SIGNAL)
		return is_interrupted(task);
	return task->wait.deadline != ENG_FOREVER;
}

/* The task that the script picks next, or NULL when it has ended or does not fit. */
static struct task *next_of_script(void)
{
	const struct decision *next = &run.decisions[run.n];
	struct task *task;

	/* What blocks in setup is not the script's business. */
	if (run.n >= run.script_n || run.failed || run.phase != PHASE_RUN)
		return NULL;
	if (next->kind != DECIDE_TASK || !is_possible(next->value, next->how)) {
		choice_diverge();
		return NULL;
	}
	task = &ENGINE->tasks[next->value];
	run.decisions[run.n].object = ENGINE->pending[next->value].object;
	run.n++;
	picked(task, next->how);
	return task;
}

/* Whether the background still has something to do that will happen by itself. */
static bool background_is_busy(const struct menu *menu)
{
	u64 due = menu->timeouts & ENGINE->background;

	if (menu->enabled & ENGINE->background)
		return true;
	return due && earliest_deadline(due) <= ENGINE->now + HUNG_NS;
}

/* ---- steps ---- */

static void start_step(unsigned int i, enum eng_wake how)
{
	const struct pending *pending = &ENGINE->pending[i];

	*choice_add() = (struct decision){
		.kind = DECIDE_TASK, .how = how, .op = pending->op,
		.value = i, .object = pending->object,
	};
	run.script_n = run.n;
	run.step = (struct step){
		.object = pending->object, .task = i, .how = how, .op = pending->op,
		.access = pending->access,
	};
	run.data_next = 0;
	run.n_freed = 0;
	picked(&ENGINE->tasks[i], how);
}

static void finish_step(void)
{
	run.data_n = 0;
	run.fill_data = NULL;
	run.script_n = run.n;
	run.step.freed = run.n_freed < 255 ? run.n_freed : 255;
}

/* Whoever chooses needs this much of the stack that it is called on. */
#define CHOOSER_STACK (16 << 10)

/* The task that the driver's chooser picks next, or NULL when the driver must look. */
static struct task *next_of_chooser(const struct task *self)
{
	struct menu *menu = &run.menu;
	unsigned int i = 0;
	enum eng_wake how = ENG_READY;
	bool chosen;

	if (!run.choose || run.failed || run.over || run.n == DECISIONS_MAX ||
	    (char *)__builtin_frame_address(0) - self->fiber.stack_low < CHOOSER_STACK)
		return NULL;
	/* What is found wrong from here to the choice is no fault of this task. */
	run.in_task = false;
	finish_step();
	fill_menu(menu);
	chosen = (menu->enabled | menu->signals | menu->timeouts) &&
		 (scenario_tasks_alive() || background_is_busy(menu)) &&
		 run.choose(run.choose_data, &run.step, menu, &i, &how);
	run.in_task = true;
	if (!chosen)
		return NULL;
	start_step(i, how);
	return &ENGINE->tasks[i];
}

static void ask_check(void)
{
	const struct vfiosim_scenario *scenario = run.scenario;

	tsan_paused++;
	if (scenario->check && !run.failed && !scenario->check(run.fixture))
		eng_report("expectation", NULL, "the scenario's check() is false");
	tsan_paused--;
}

/* At a choice point of @self, whose pending operation is set. */
ON_SWITCH_PATH void choose_next(struct task *self)
{
	struct task *next;

	if (run.scenario->check)
		ask_check();
	next = next_of_script();
	if (!next)
		next = next_of_chooser(self);
	if (next == self)
		return;
	if (next) {
		set_current_task(next);
		fiber_switch(&self->fiber, &next->fiber, false);
		return;
	}
	switch_to_driver(self, false);
}

void run_abandon(void)
{
	run.over = true;
	current_task()->frame = __builtin_frame_address(0);
	switch_to_driver(current_task(), false);
	__builtin_unreachable();
}

static void step_limit(void)
{
	eng_fail("step-limit", NULL, "no end after %llu steps",
		 (unsigned long long)run.steps_max);
}

/* ---- choice points ---- */

ON_SWITCH_PATH void announce(struct task *self, enum eng_op op, const void *object,
		     enum eng_access access)
{
	ENGINE->pending[self->number] = (struct pending){
		.object = object, .op = op, .access = access,
	};
	self->frame = __builtin_frame_address(0);
	if (ENGINE->steps >= run.steps_max)
		step_limit();
}

static __attribute__((noinline)) void point_switch(enum eng_op op, const void *object,
						   enum eng_access access)
{
	struct task *self = current_task();

	if (!run.in_task)
		return;
	if (run.phase != PHASE_RUN) {
		ENGINE->steps++;
	} else {
		announce(self, op, object, access);
		choose_next(self);
	}
	if (looks_freed(object))
		check_use(object, self);
	if (tsan_watching)
		tsan_sync(op, object);
	trace_step(op, object, ENG_READY);
}

FEW_REGISTERS void eng_point_slow(enum eng_op op, const void *object, enum eng_access access)
{
	const struct decision *next = &run.decisions[run.n];

	/* As eng_point() without eng_alone: the driver, Valgrind. */
	if (run.phase != PHASE_RUN && !eng_tracing && !looks_freed(object)) {
		ENGINE->steps += run.in_task;
		return;
	}
	if (run.n < run.fast_until && next->kind == DECIDE_TASK && next->how == ENG_READY &&
	    next->value == ENGINE->current && !looks_freed(object)) {
		run.n++;
		ENGINE->steps++;
		return;
	}
	JUMP point_switch(op, object, access);
}

void eng_only_read(void)
{
	run.step.access = ENG_READ;
}

void eng_became(enum eng_op op)
{
	run.step.op = op;
}

ON_SWITCH_PATH void begin_wait(struct task *self, bool (*ready)(const void *arg), const void *arg,
		       u64 timeout_ns, unsigned int mode)
{
	struct pending *pending = &ENGINE->pending[self->number];
	bool endless = timeout_ns == ENG_FOREVER || ENGINE->now + timeout_ns < ENGINE->now;

	pending->blocking = 1;
	pending->can_time_out = !endless;
	pending->can_be_interrupted = mode != ENG_UNINTERRUPTIBLE;
	self->wait = (struct wait_state){
		.ready = ready,
		.arg = arg,
		.deadline = endless ? ENG_FOREVER : ENGINE->now + timeout_ns,
		.since = ENGINE->now,
		.mode = mode,
	};
	ENGINE->blocking |= bit(self->number);
}

ON_SWITCH_PATH enum eng_wake wait_switch(enum eng_op op, const void *object, enum eng_access access,
			       bool (*ready)(const void *arg), const void *arg,
			       u64 timeout_ns, unsigned int mode)
{
	struct task *self = current_task();

	if (run.phase != PHASE_RUN && ready(arg)) {
		ENGINE->steps++;
		self->wait.how = ENG_READY;
	} else {
		announce(self, op, object, access);
		begin_wait(self, ready, arg, timeout_ns, mode);
		choose_next(self);
	}
	if (looks_freed(object))
		check_use(object, self);
	if (tsan_watching)
		tsan_sync(op, object);
	trace_step(op, object, self->wait.how);
	return self->wait.how;
}

enum eng_wake eng_wait_slow(enum eng_op op, const void *object, enum eng_access access,
			    bool (*ready)(const void *arg), const void *arg, u64 timeout_ns,
			    unsigned int mode)
{
	const struct decision *next = &run.decisions[run.n];

	if (run.n < run.fast_until && next->kind == DECIDE_TASK && next->how == ENG_READY &&
	    next->value == ENGINE->current && !looks_freed(object) && ready(arg)) {
		run.n++;
		ENGINE->steps++;
		if (current_task()->retried_object == object)
			current_task()->retried_object = NULL;
		return ENG_READY;
	}
	return wait_switch(op, object, access, ready, arg, timeout_ns, mode);
}

u64 eng_now(void)
{
	return ENGINE->now;
}

/* ---- tasks ---- */

static void task_entry(void)
{
	struct task *self;

	fiber_entered();
	self = current_task();
	trace_step(ENG_OP_START, &self->ts, ENG_READY);
	self->body(self->arg);
	eng_exit();
}

static struct task *make_task(const char *name, void (*body)(void *), void *arg, bool kthread)
{
	unsigned int i = ENGINE->n_tasks;
	struct task *task = &ENGINE->tasks[i];

	if (i == TASKS_MAX)
		eng_fail("bug", NULL, "the run has more than %d tasks", TASKS_MAX);
	ENGINE->n_tasks++;
	memset(task, 0, offsetof(struct task, held));
	task->number = i;
	task->body = body;
	task->arg = arg;
	task->acting = &task->ts;
	task->ts.pid = task->ts.tgid = ++ENGINE->next_pid;
	task->ts.flags = kthread ? PF_KTHREAD : 0;
	task->ts.engine = task;
	strncpy(task->ts.comm, name, TASK_COMM_LEN - 1);
	ENGINE->pending[i] = (struct pending){
		.object = &task->ts, .op = ENG_OP_START, .access = ENG_WRITE,
	};
	if (run.clean_stacks) {
		VALGRIND_MAKE_MEM_UNDEFINED(arena_stack(i), arena_stack_size);
		memset(arena_stack(i), 0, arena_stack_size);
	}
	fiber_prepare(&task->fiber, arena_stack(i), arena_stack_size, task_entry);
	return task;
}

struct task_struct *eng_spawn(const char *name, void (*body)(void *), void *arg, bool kthread)
{
	struct task *task;

	eng_point(ENG_OP_STEP, &ENGINE->tasks[ENGINE->n_tasks % TASKS_MAX].ts, ENG_WRITE);
	task = make_task(name, body, arg, kthread);
	ENGINE->alive |= bit(task->number);
	return &task->ts;
}

struct task_struct *eng_spawn_background(const char *name, void (*body)(void *), void *arg)
{
	struct task *task = make_task(name, body, arg, true);

	task->background = 1;
	ENGINE->background |= bit(task->number);
	ENGINE->alive |= bit(task->number);
	return &task->ts;
}

static void check_exit(struct task *self)
{
	if (self->n_held)
		eng_fail("exit-with-lock", self->held[0].lock, "%s ends while it holds it",
			 self->ts.comm);
	if (self->acting->preempt_count || self->acting->rcu_read_lock_nesting ||
	    self->acting->irqs_disabled)
		eng_fail("exit-with-lock", NULL, "%s ends in atomic context", self->ts.comm);
}

void eng_exit(void)
{
	struct task *self = current_task(), *next;

	check_exit(self);
	self->ended = 1;
	ENGINE->alive &= ~bit(self->number);
	if (eng_tracing)
		trace_add(TRACE_TASK, "ends", NULL, NULL);
	/* By script or not: the last task's last step is no choice point of anybody. */
	if (run.scenario->check && run.phase == PHASE_RUN && !scenario_tasks_alive())
		ask_check();
	next = run.phase == PHASE_RUN ? next_of_script() : NULL;
	if (!next)
		next = next_of_chooser(self);
	if (next) {
		set_current_task(next);
		fiber_switch(&self->fiber, &next->fiber, true);
	}
	switch_to_driver(self, true);
	__builtin_unreachable();
}

void eng_set_deadline(struct task_struct *ts, u64 deadline_ns)
{
	struct task *task = ts->engine;

	task->wait.deadline = deadline_ns;
	ENGINE->pending[task->number].can_time_out = deadline_ns != ENG_FOREVER;
}

bool eng_never(const void *arg)
{
	return false;
}

bool eng_any_task(bool (*match)(const struct task_struct *task, const void *arg),
		  const void *arg)
{
	for (u64 left = ENGINE->alive; left; left &= left - 1)
		if (match(ENGINE->tasks[__builtin_ctzll(left)].acting, arg))
			return true;
	return false;
}

/* ---- promises ---- */

void eng_promise(struct eng_promise *promise)
{
	promise->by = &current_task()->ts;
	promise->broken = false;
	promise->next = ENGINE->promises;
	ENGINE->promises = promise;
}

void eng_promise_kept(struct eng_promise *promise)
{
	struct eng_promise **link = &ENGINE->promises;

	while (*link != promise)
		link = &(*link)->next;
	*link = promise->next;
}

bool eng_promises_only(void)
{
	const struct eng_promise *promise;
	u64 others = scenario_tasks_alive();

	for (promise = ENGINE->promises; promise; promise = promise->next)
		others &= ~bit(((const struct task *)promise->by->engine)->number);
	return !others;
}

struct task_struct *get_current(void)
{
	return eng_current();
}

struct task_struct *task_become(struct task_struct *task)
{
	struct task *self = current_task();
	struct task_struct *before = self->acting == &self->ts ? NULL : self->acting;

	self->acting = task ? task : &self->ts;
	ENGINE->acting = self->acting;
	return before;
}

/* ---- a run ---- */

/* One transition without asking anybody; false when there is none. */
static bool run_on(void)
{
	enum eng_wake how;
	unsigned int i;

	fill_menu(&run.menu);
	if (run.over || !default_transition(&run.menu, &i, &how))
		return false;
	picked(&ENGINE->tasks[i], how);
	eng_alone = !eng_tracing && !valgrind_looks;
	switch_from_driver(&ENGINE->tasks[i]);
	eng_alone = false;
	return !run.over;
}

/* Runs @body in the task that setup and teardown share, and all that it waits for. */
static void run_alone(enum phase phase, const char *name, void (*body)(void *))
{
	struct task *task = &ENGINE->tasks[run.setup_task];

	if (!body || run.over)
		return;
	run.phase = phase;
	task->body = body;
	task->arg = run.fixture;
	task->ended = 0;
	task->acting = &task->ts;
	strcpy(task->ts.comm, name);
	fiber_prepare(&task->fiber, arena_stack(run.setup_task), arena_stack_size, task_entry);
	ENGINE->pending[run.setup_task].op = ENG_OP_START;
	ENGINE->alive |= bit(run.setup_task);
	set_current_task(task);
	while (!task->ended && run_on())
		continue;
	if (!task->ended && !run.over)
		report_deadlock();
	if (run.failed)
		run.over = true;
}

void eng_at_end(void (*fn)(void))
{
	ENGINE->at_end = fn;
}

static void shut_down(void *fixture)
{
	if (ENGINE->at_end)
		ENGINE->at_end();
}

static void scenario_entry(void *number)
{
	run.scenario->tasks[(unsigned long)number].run(run.fixture);
}

static void make_scenario_tasks(void)
{
	unsigned int n;

	for (n = 0; n < VFIOSIM_TASKS_MAX && run.scenario->tasks[n].name; n++)
		make_task(run.scenario->tasks[n].name, scenario_entry, (void *)(unsigned long)n,
			  false);
	run.setup_task = n;
	make_task("setup", NULL, NULL, false);
}

static void reset(const struct run_config *config)
{
	struct fiber driver = run.driver;

	arena_init();
	crash_install();
	arena_reset();
	lockdep_reset();
	memset(ENGINE, 0, offsetof(struct engine, heap));
	statics_reset();
	memset(&run, 0, offsetof(struct run, data));
	run.driver = driver;
	valgrind_looks = running_on_valgrind();
	run.scenario = config->scenario;
	run.faults = config->faults;
	run.clean_stacks = config->clean_stacks;
	run.steps_max = config->steps_max ? config->steps_max : STEPS_MAX_DEFAULT;
	trace_reset(config->tracing);
	eng_tracing_memory = config->tracing && config->memory;
	choice_begin(config->script, config->script_length);
}

enum vfiosim_kernel run_kernel_default = VFIOSIM_KERNEL_5_14;

static void choose_kernel(const struct vfiosim_scenario *scenario)
{
	kernel_version = KERNEL_5_14 + (run_kernel(scenario) - VFIOSIM_KERNEL_5_14);
}

void run_follow(size_t until)
{
	bool fast = !eng_tracing && !run.scenario->check && !tsan_watching;

	run.script_n = until;
	run.fast_until = fast ? until : 0;
}

void run_begin(const struct run_config *config)
{
	u64 setup_steps;

	reset(config);
	choose_kernel(config->scenario);
	make_scenario_tasks();
	if (config->scenario->fixture_size) {
		run.fixture = arena_alloc(config->scenario->fixture_size, "fixture", true, NULL);
		eng_not_leak(run.fixture);
	}
	if (config->scenario->spec) {
		ENGINE->history = arena_alloc(history_size, "history", true, NULL);
		eng_not_leak(ENGINE->history);
	}
	run_alone(PHASE_SETUP, "setup", config->scenario->setup);
	ENGINE->alive |= bit(run.setup_task) - 1;
	set_current_task(&ENGINE->tasks[0]);
	run.phase = PHASE_RUN;
	setup_steps = ENGINE->steps;
	run.steps_max += setup_steps;
	tsan_begin(config->races, config->plain_points);
	run_follow(run.script_n);
}

/* Follows the script as far as it goes. */
static void run_script(void)
{
	struct task *next = next_of_script();

	if (next)
		switch_from_driver(next);
}

const struct menu *run_menu(void)
{
	struct menu *menu = &run.menu;

	if (run.over || run.phase != PHASE_RUN)
		return NULL;
	while (run.n < run.script_n && !run.over && !run.failed)
		run_script();
	if (run.over || run.failed)
		return NULL;
	fill_menu(menu);
	if (!scenario_tasks_alive() && !background_is_busy(menu)) {
		run.over = true;
		return NULL;
	}
	if (!(menu->enabled | menu->signals | menu->timeouts)) {
		report_deadlock();
		return NULL;
	}
	return menu;
}

const struct step *run_step(unsigned int i, enum eng_wake how)
{
	if (run.n == DECISIONS_MAX) {
		eng_report("step-limit", NULL, "no end after %d decisions", DECISIONS_MAX);
		run.over = true;
		return &run.step;
	}
	start_step(i, how);
	switch_from_driver(&ENGINE->tasks[i]);
	finish_step();
	return &run.step;
}

const struct step *run_steps_by(unsigned int i, enum eng_wake how, run_chooser *choose, void *data)
{
	run.choose = choose;
	run.choose_data = data;
	run_step(i, how);
	run.choose = NULL;
	return &run.step;
}

void run_next_data(const uint16_t *values, size_t count)
{
	run.data_n = count < RUN_DATA_MAX ? count : RUN_DATA_MAX;
	if (run.data_n)
		memcpy(run.data, values, run.data_n * sizeof(*values));
}

void run_data_when_asked(void (*fill)(void *data), void *data)
{
	run.fill_data = fill;
	run.fill_data_for = data;
}

const void *const *run_freed(void)
{
	return run.freed;
}

enum vfiosim_verdict run_end(void)
{
	while (run_menu()) {
		enum eng_wake how;
		unsigned int i;

		if (!default_transition(&run.menu, &i, &how))
			break;
		run_step(i, how);
	}
	if (!run.failed && !scenario_tasks_alive()) {
		run.over = false;
		run_alone(PHASE_TEARDOWN, "teardown", run.scenario->teardown);
		run_alone(PHASE_TEARDOWN, "shutdown", shut_down);
		run.phase = PHASE_TEARDOWN;
		while (!run.over && (fill_menu(&run.menu), background_is_busy(&run.menu)))
			if (!run_on())
				break;
		if (!run.failed)
			check_at_rest();
	}
	run.over = true;
	run.phase = PHASE_IDLE;
	if (!run.failed)
		return VFIOSIM_OK;
	/* What a failed run leaves behind is no leak of the program. */
	arena_forget_objects();
	return strcmp(run.failure.detector, "deadlock") ? VFIOSIM_VIOLATION : VFIOSIM_DEADLOCK;
}

size_t run_decisions(const struct decision **decisions_out)
{
	*decisions_out = run.decisions;
	return run.n;
}

long run_divergence(void)
{
	return run.diverged;
}

uint64_t run_alive(void)
{
	return ENGINE->alive;
}

const char *run_task_name(unsigned int task)
{
	return task < ENGINE->n_tasks ? ENGINE->tasks[task].ts.comm : "?";
}

size_t run_stack(unsigned int i, const void **frames, size_t frames_max)
{
	const struct task *task = &ENGINE->tasks[i];
	void **frame = run.in_task && i == ENGINE->current ? __builtin_frame_address(0)
							    : task->frame;
	char *low = task->fiber.stack_low;
	size_t n = 0;

	while (n < frames_max && (char *)frame > low &&
	       (char *)frame < low + task->fiber.stack_size - 16) {
		if (!frame[1])
			break;
		frames[n++] = frame[1];
		if ((void **)frame[0] <= frame)
			break;
		frame = frame[0];
	}
	return n;
}

static u64 mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* Where an object lies is the same in every run: arena and statics do not move. */
static u64 object_key(const void *object)
{
	unsigned long address = (unsigned long)object;
	long offset;

	if (address - ARENA_BASE < ARENA_SIZE)
		return address - ARENA_BASE;
	offset = statics_offset(object);
	return offset >= 0 ? (u64)offset | 1ULL << 62 : 1ULL << 63;
}

uint64_t run_trace_hash(void)
{
	u64 hash = 1;

	for (size_t i = 0; i < run.n; i++) {
		const struct decision *d = &run.decisions[i];

		hash = mix(hash, d->kind | d->how << 8 | (u64)d->value << 16);
		if (d->kind == DECIDE_TASK)
			hash = mix(hash, object_key(d->object));
	}
	hash = mix(hash, ENGINE->steps);
	return mix(hash, ENGINE->now);
}

void vfiosim_expect_at(bool holds, const char *fact, const char *file, int line)
{
	const char *base = strrchr(file, '/');

	if (!holds)
		eng_fail("expectation", NULL, "%s at %s:%d", fact, base ? base + 1 : file, line);
}
