// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of objects, and the ring of events. Addresses never reach a text: two
 * runs of the same schedule must print the same bytes.
 */
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfiosim/kapi/lock.h>

#include "run.h"
#include "symbols.h"

/* An address below this is a field of no object. */
#define NULL_FIELDS 4096

bool eng_tracing;
bool eng_tracing_memory;

/* Grows to TRACE_EVENTS_MAX, then the oldest events give way. */
static struct trace_event *ring;
static size_t ring_size;
static uint64_t n_events;

const char *op_word(enum eng_op op)
{
	static const char *const words[] = {
#define X(name, word) word,
		ENG_OPS(X)
#undef X
	};

	return op < ENG_OP_MAX ? words[op] : "?";
}

/* ---- fields that were learned ---- */

#define LEARNED_MAX 4096

struct learned {
	u32 key;		/* type and offset, plus 1 */
	char name[28];
};

static struct learned learned[LEARNED_MAX];
/*
 * Learned while tracing, from whichever access came first. Traces are compared, so
 * they must not depend on it: only reports put these names in.
 */
static struct learned fields[LEARNED_MAX];

/* "&inode->i_data.i_mmap_rwsem" is the field i_mmap_rwsem. */
static const char *last_part(const char *expression)
{
	const char *part = expression;

	for (const char *p = expression; *p; p++)
		if ((*p == '.' || *p == '>' || *p == '&') && p[1])
			part = p + 1;
	return part;
}

static struct learned *learned_slot(struct learned *table, u32 key)
{
	unsigned int at = key * 0x9e3779b1U >> 20;

	for (unsigned int i = 0; i < LEARNED_MAX; i++, at = (at + 1) % LEARNED_MAX)
		if (table[at].key == key || !table[at].key)
			break;
	return &table[at];
}

static u32 field_key(const struct object *object, const void *address)
{
	unsigned long offset = (const char *)address - (const char *)object_body(object);

	return offset < 1 << 20 ? (u32)object->type << 20 | (offset + 1) : 0;
}

static void learn(struct learned *table, const void *address, const char *expression)
{
	struct object *object = arena_object(address);
	u32 key = object ? field_key(object, address) : 0;
	struct learned *slot = learned_slot(table, key);

	if (!key || slot->key)
		return;
	slot->key = key;
	snprintf(slot->name, sizeof(slot->name), "%.*s",
		 (int)strcspn(last_part(expression), ")[ "), last_part(expression));
}

void eng_learn(const void *address, const char *expression)
{
	learn(learned, address, expression);
}

void eng_learn_field_slow(const void *address, const char *expression)
{
	/* Nothing can be learned from a bare variable, and little from an array's element. */
	if (arena_holds(address) && strpbrk(expression, ".>") && !strpbrk(expression, "[("))
		learn(fields, address, expression);
}

/* ---- names ---- */

static bool looks_valid(const char *text)
{
	unsigned long top = (unsigned long)text >> 48;

	return text && !top && (unsigned long)text >= PAGE_SIZE;
}

/* The name that a lock carries itself; NULL if @op is not about a lock. */
static const char *lock_name(enum eng_op op, const void *object)
{
	const char *name = NULL;

	if (op >= ENG_OP_MUTEX_LOCK && op <= ENG_OP_MUTEX_UNLOCK)
		name = ((const struct mutex *)object)->name;
	else if (op >= ENG_OP_SPIN_LOCK && op <= ENG_OP_SPIN_UNLOCK)
		name = ((const spinlock_t *)object)->name;
	else if (op >= ENG_OP_DOWN_READ && op <= ENG_OP_DOWNGRADE_WRITE)
		name = ((const struct rw_semaphore *)object)->name;
	return looks_valid(name) ? name : NULL;
}

static const char *given_name(const void *body)
{
	const struct given_name *given = ENGINE->heap.names;

	for (; given; given = given->next)
		if (given->object == body)
			return given->text;
	return NULL;
}

static void name_heap(char *buffer, size_t size, const struct object *object,
		      const void *address, const char *field)
{
	const char *name = object->named ? given_name(object_body(object)) : NULL;
	unsigned long offset = (const char *)address - (const char *)object_body(object);
	u32 key = field_key(object, address);
	const struct learned *slot = learned_slot(learned, key);
	int n;

	if (name)
		n = snprintf(buffer, size, "%s", name);
	else
		n = snprintf(buffer, size, "%s#%u", type_name(object->type), object->serial);
	if (!offset && !field)
		return;
	if (field)
		snprintf(buffer + n, size - n, ".%s", last_part(field));
	else if (key && slot->key)
		snprintf(buffer + n, size - n, ".%s", slot->name);
	else
		snprintf(buffer + n, size - n, "+0x%lx", offset);
}

static void name_static(char *buffer, size_t size, const void *address, const char *field)
{
	const char *given = given_name(address);
	size_t offset = 0;
	const char *symbol = given ? given : symbol_lookup(address, &offset);

	if (field && *field == '&')
		snprintf(buffer, size, "%s", field + 1);
	else if (!symbol)
		snprintf(buffer, size, "%s", field ? field : "static");
	else if (field && strcmp(field, symbol) && !strstr(field, symbol))
		snprintf(buffer, size, "%s.%s", symbol, last_part(field));
	else if (field || !offset)
		snprintf(buffer, size, "%s", field ? field : symbol);
	else
		snprintf(buffer, size, "%s+0x%zx", symbol, offset);
}

static bool name_of_task_memory(char *buffer, size_t size, const void *address)
{
	for (unsigned int i = 0; i < ENGINE->n_tasks; i++) {
		const struct task *task = &ENGINE->tasks[i];

		if ((const char *)address >= (const char *)task &&
		    (const char *)address < (const char *)(task + 1)) {
			snprintf(buffer, size, "task:%s", task->ts.comm);
			return true;
		}
		if ((const char *)address - task->fiber.stack_low < task->fiber.stack_size &&
		    (const char *)address >= task->fiber.stack_low) {
			snprintf(buffer, size, "stack:%s", task->ts.comm);
			return true;
		}
	}
	return false;
}

static void name_into(char *buffer, size_t size, enum eng_op op, const void *object)
{
	const struct object *found;

	if (!object) {
		snprintf(buffer, size, "NULL");
		return;
	}
	if ((unsigned long)object < NULL_FIELDS) {
		snprintf(buffer, size, "NULL+0x%lx", (unsigned long)object);
		return;
	}
	found = arena_holds(object) ? arena_object(object) : NULL;
	if (found)
		name_heap(buffer, size, found, object,
			  found->state == OBJECT_FREED ? NULL : lock_name(op, object));
	else if (!name_of_task_memory(buffer, size, object))
		name_static(buffer, size, object, lock_name(op, object));
}

const char *object_name_op(enum eng_op op, const void *object)
{
	static char names[4][96];
	static unsigned int next;
	char *buffer = names[next++ % 4];

	name_into(buffer, sizeof(names[0]), op, object);
	return buffer;
}

const char *object_name(const void *object)
{
	return object_name_op(ENG_OP_STEP, object);
}

void eng_name(const void *object, const char *name)
{
	struct object *found = arena_holds(object) ? arena_object(object) : NULL;
	struct given_name *given;

	given = arena_alloc(sizeof(*given) + strlen(name) + 1, "name", false, NULL);
	eng_not_leak(given);
	strcpy(given->text, name);
	given->object = object;
	given->next = ENGINE->heap.names;
	ENGINE->heap.names = given;
	if (found && object == object_body(found))
		found->named = 1;
}

/* ---- events ---- */

/* What a kernel function calls to pass a choice point: of no interest in a report. */
static bool is_primitive(const char *function)
{
	static const char *const prefixes[] = {
		"eng_", "trace_", "point_", "choose_", "run_", "schedule", "shared_",
		"atomic", "refcount_", "kref_", "cmpxchg", "test_and_", "set_bit", "clear_bit",
		"mutex_", "__mutex", "spin_", "_spin", "raw_spin", "down_", "up_", "downgrade_",
		"read_lock", "write_lock", "lock_", "take_", "do_read", "do_write", "rcu_read",
		"wait_", "do_wait", "try_wait", "prepare_to_", "finish_wait", "wake_up",
		"__wake_up", "complete",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(function, prefixes[i], strlen(prefixes[i])))
			return true;
	return symbol_is_scaffold(function);
}

/* The function that a step belongs to, in the words of the source. */
static const char *function_of(const struct task *task)
{
	const void *frames[16];
	size_t n = run_stack(task->number, frames, ARRAY_SIZE(frames));

	for (size_t i = 0; i < n; i++) {
		const char *function = symbol_function(frames[i]);

		if (!is_primitive(function))
			return function;
	}
	return "";
}

/* What to look a field's name up by, where the name of the object ends without one. */
static u32 unnamed_field(const struct trace_event *event, const void *object)
{
	const struct object *found = arena_holds(object) ? arena_object(object) : NULL;

	if (!found || (object != object_body(found) && !strstr(event->object, "+0x")))
		return 0;
	return field_key(found, object);
}

const char *trace_object(const struct trace_event *event, char *buffer, size_t size)
{
	const struct learned *slot = event->field ? learned_slot(fields, event->field) : NULL;

	if (!slot || !slot->key)
		return event->object;
	snprintf(buffer, size, "%.*s.%s", (int)strcspn(event->object, "+"), event->object,
		 slot->name);
	return buffer;
}

void trace_reset(bool tracing)
{
	eng_tracing = tracing;
	n_events = 0;
}

static struct trace_event *next_slot(void)
{
	if (n_events == ring_size && ring_size < TRACE_EVENTS_MAX) {
		ring_size = ring_size ? ring_size * 2 : 256;
		ring = realloc(ring, ring_size * sizeof(*ring));
		if (!ring)
			abort();
	}
	return &ring[n_events % ring_size];
}

static struct trace_event *add(enum trace_kind kind, const char *what, const void *object)
{
	struct trace_event *event = next_slot();
	const struct task *task = run.in_task ? current_task() : NULL;

	event->number = n_events++;
	event->step = ENGINE->steps;
	event->now = ENGINE->now;
	event->kind = kind;
	event->how = 0;
	event->task = task ? task->number : -1;
	event->in_interrupt = task && task->ts.in_interrupt;
	snprintf(event->task_name, sizeof(event->task_name), "%s", task ? task->ts.comm : "-");
	snprintf(event->process, sizeof(event->process), "%s",
		 task && task->acting != &task->ts ? task->acting->comm : "");
	snprintf(event->what, sizeof(event->what), "%s", what);
	event->object[0] = 0;
	event->text[0] = 0;
	event->function[0] = 0;
	event->field = 0;
	if (object)
		snprintf(event->object, sizeof(event->object), "%s", object_name(object));
	return event;
}

void trace_step_slow(enum eng_op op, const void *object, enum eng_wake how)
{
	struct trace_event *event;

	if (!eng_tracing)
		return;
	event = add(TRACE_STEP, op_word(op), NULL);
	event->how = how;
	snprintf(event->object, sizeof(event->object), "%s", object_name_op(op, object));
	event->field = unnamed_field(event, object);
	if (run.in_task)
		snprintf(event->function, sizeof(event->function), "%s",
			 function_of(current_task()));
}

void trace_add(enum trace_kind kind, const char *what, const void *object, const char *text)
{
	struct trace_event *event;

	if (!eng_tracing)
		return;
	event = add(kind, what, object);
	snprintf(event->text, sizeof(event->text), "%s", text ? text : "");
}

/* One conversion of an event's format; @length counts its l's. */
static int convert(char *to, size_t room, char letter, unsigned int length, va_list *args)
{
	long long value;

	if (letter == 's')
		return snprintf(to, room, "%s", va_arg(*args, const char *));
	if (letter == 'O')
		return snprintf(to, room, "%s", object_name(va_arg(*args, const void *)));
	if (letter == '%')
		return snprintf(to, room, "%%");
	value = length ? va_arg(*args, long long) : va_arg(*args, int);
	if (letter == 'd')
		return snprintf(to, room, "%lld", value);
	if (!length)
		value = (unsigned int)value;
	return snprintf(to, room, letter == 'x' ? "%llx" : "%llu", value);
}

static void format_event(char *to, size_t size, const char *format, va_list *args)
{
	size_t n = 0;

	for (const char *p = format; *p && n + 1 < size; p++) {
		unsigned int length = 0;

		if (*p != '%') {
			to[n++] = *p;
			continue;
		}
		for (p++; *p == 'l' || *p == 'z'; p++)
			length++;
		n += convert(to + n, size - n, *p, length, args);
	}
	to[n < size ? n : size - 1] = 0;
}

void eng_event_slow(const char *what, const void *object, const char *format, ...)
{
	struct trace_event *event;
	va_list args;

	if (!eng_tracing)
		return;
	event = add(TRACE_EVENT, what, object);
	va_start(args, format);
	format_event(event->text, sizeof(event->text), format ? format : "", &args);
	va_end(args);
}

void eng_printk(int level, const char *text)
{
	static const char *const levels[] = {
		"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
	};

	trace_add(TRACE_PRINTK, levels[level], NULL, text);
}

size_t trace_count(void)
{
	return n_events < TRACE_EVENTS_MAX ? n_events : TRACE_EVENTS_MAX;
}

uint64_t trace_end(void)
{
	return n_events;
}

const struct trace_event *trace_get(size_t index)
{
	return &ring[(n_events - trace_count() + index) % ring_size];
}

char *trace_format(const struct trace_event *event, char *buffer, size_t size)
{
	static const char *const endings[] = { "", " timed out", " interrupted" };
	int n = snprintf(buffer, size, "%5llu %10.6f %-12s ", (unsigned long long)event->step,
			 event->now / 1e9, event->task_name);

	if (event->kind == TRACE_STEP)
		snprintf(buffer + n, size - n, "%s(%s)%s", event->what, event->object,
			 endings[event->how]);
	else
		snprintf(buffer + n, size - n, "%s%s %s%s%s",
			 event->kind == TRACE_FINDING ? "*** " : ". ", event->what,
			 event->object, event->text[0] ? ": " : "", event->text);
	return buffer;
}
