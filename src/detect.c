// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the engine finds wrong: the texts, and the checks that are made when a
 * run has come to rest. docs/detectors.md lists the names.
 */
#include <stdio.h>
#include <string.h>

#include "run.h"
#include "statics.h"
#include "symbols.h"
#include "trace.h"

const char *const detector_names[] = {
	"bad-free", "bug", "crash", "data-race", "deadlock", "double-free", "endless-fault",
	"error-pointer", "exit-with-lock", "expectation", "f-mapping-changed", "fd-reserved",
	"file-count", "hung-task", "inode-count", "inode-outlives-super", "invariant", "leak",
	"lock-inversion", "misuse", "module-gone", "mount-published", "no-nsproxy",
	"no-progress", "nondeterminism", "not-linearizable", "pin-count", "pte-during-reset",
	"pte-while-memory-off", "refcount", "released-file", "sleeping-while-atomic",
	"stack-overflow", "stale-mapping", "step-limit", "unlock-by-stranger",
	"use-after-free", "warn", NULL
};

bool detector_tolerated(const char *detector)
{
	const char *list = run.scenario ? run.scenario->tolerate : NULL;
	size_t length = strlen(detector);

	while (list && *list) {
		if (!strncmp(list, detector, length) && (!list[length] || list[length] == ','))
			return true;
		list = strchr(list, ',');
		list = list ? list + 1 : NULL;
	}
	return false;
}

static void keep(const struct finding *finding)
{
	if (run.n_findings < FINDINGS_MAX)
		run.findings[run.n_findings++] = *finding;
	if (!run.failed && !detector_tolerated(finding->detector)) {
		run.failed = true;
		run.failure = *finding;
	}
	trace_add(TRACE_FINDING, finding->detector, NULL, finding->message);
}

static void find(const char *detector, const void *object, const char *format, va_list args)
{
	struct finding finding = {
		.task = run.in_task ? (int)ENGINE->current : -1,
		.step = ENGINE->steps,
	};
	int n = 0;

	snprintf(finding.detector, sizeof(finding.detector), "%s", detector);
	if (object)
		n = snprintf(finding.message, sizeof(finding.message), "%s: ",
			     object_name(object));
	vsnprintf(finding.message + n, sizeof(finding.message) - n, format, args);
	keep(&finding);
}

void eng_vfail(const char *detector, const void *object, const char *format, va_list args)
{
	find(detector, object, format, args);
	run.over = true;
	if (run.in_task)
		run_abandon();
}

void eng_fail(const char *detector, const void *object, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	eng_vfail(detector, object, format, args);
	va_end(args);
	fprintf(stderr, "vfiosim: %s outside of a task: %s\n", run.failure.detector,
		run.failure.message);
	__builtin_abort();
}

void eng_report(const char *detector, const void *object, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	find(detector, object, format, args);
	va_end(args);
}

/* ---- use after free ---- */

static void report_use(const struct object *object, const char *who)
{
	struct obituary words = object_obituary(object);

	eng_report("use-after-free", object_body(object),
		   "%s uses it after it was freed by %s in %s(); allocated in %s()", who,
		   ENGINE->tasks[words.task].ts.comm,
		   symbol_function((void *)(unsigned long)words.site),
		   symbol_function((void *)(unsigned long)object->site));
	run.over = true;
	if (run.in_task)
		run_abandon();
}

/* Only called when the memory at @object looks like poison. */
void check_use(const void *object, const struct task *task)
{
	const struct object *found = arena_object(object);

	if (found && found->state == OBJECT_FREED)
		report_use(found, task->ts.comm);
}

void eng_check(const void *pointer)
{
	const struct object *found = arena_holds(pointer) ? arena_object(pointer) : NULL;

	if (found && (found->state == OBJECT_FREED || found->state == OBJECT_CACHED))
		report_use(found, current_task()->ts.comm);
}

/* ---- memory: the door ---- */

/* Allocations and frees are events only where somebody asked for them. */
static void *noted(const char *what, void *body)
{
	if (eng_tracing_memory && body)
		trace_add(TRACE_EVENT, what, body, type_name(arena_object(body)->type));
	return body;
}

void *eng_alloc(size_t size, const char *type, bool zero, const void *site)
{
	unsigned int id = type_id(type);

	if (eng_fail_here(type_name(id)))
		return NULL;
	return noted("alloc", arena_alloc_typed(size, id, zero, site));
}

void *eng_alloc_nofail(size_t size, const char *type, bool zero, const void *site)
{
	return noted("alloc", arena_alloc(size, type, zero, site));
}

void *eng_alloc_cached(size_t size, const char *type, const void *site)
{
	return noted("alloc", arena_alloc_cached(size, type, site));
}

static struct object *to_be_freed(const void *body, const void *site)
{
	struct object *object = arena_holds(body) ? arena_object(body) : NULL;

	if (!object || body != object_body(object))
		eng_fail("bad-free", body, "%s frees in %s() what no allocation returned",
			 current_task()->ts.comm, symbol_function(site));
	if (object->state == OBJECT_FREED || object->state == OBJECT_CACHED) {
		struct obituary words = object_obituary(object);

		eng_fail("double-free", body,
			 "%s frees it again in %s(); freed by %s in %s(), allocated in %s()",
			 current_task()->ts.comm, symbol_function(site),
			 ENGINE->tasks[words.task].ts.comm,
			 symbol_function((void *)(unsigned long)words.site),
			 symbol_function((void *)(unsigned long)object->site));
	}
	if (run.n_freed < RUN_FREED_MAX)
		run.freed[run.n_freed++] = body;
	return object;
}

void eng_free(const void *body, const void *site)
{
	struct object *object = to_be_freed(body, site);

	noted("free", object_body(object));
	arena_free(object, site, ENGINE->current);
}

void eng_cache_put(const void *body, void **list, const void *site)
{
	arena_cache_put(to_be_freed(body, site), list, site, ENGINE->current);
}

void *eng_cache_get(void **list, const void *site)
{
	return arena_cache_get(list, site);
}

size_t eng_size(const void *body)
{
	const struct object *object = arena_object(body);

	return object ? object->size : 0;
}

void eng_not_leak(const void *body)
{
	struct object *object = arena_object(body);

	if (object && object->state == OBJECT_LIVE) {
		object->state = OBJECT_IMMORTAL;
		ENGINE->heap.live--;
	}
}

bool object_lookup(const void *pointer, struct object_info *info_out)
{
	const struct object *object = arena_holds(pointer) ? arena_object(pointer) : NULL;
	struct object_info *info = info_out;
	unsigned int setup = run.setup_task;

	if (!object)
		return false;
	*info = (struct object_info){
		.start = object_body(object),
		.size = object->size,
		.type = type_name(object->type),
		.alloc_site = (void *)(unsigned long)object->site,
		.alloc_task = object->task == setup ? -1 : (int)object->task,
		.free_task = -1,
	};
	if (object->state == OBJECT_FREED || object->state == OBJECT_CACHED) {
		struct obituary words = object_obituary(object);

		info->free_site = (void *)(unsigned long)words.site;
		info->free_task = words.task == setup ? -1 : (int)words.task;
	}
	return true;
}

/* ---- at rest ---- */

/* Somebody who still points into @target: the end of a reference that was never dropped. */
struct referrer {
	const struct object *target;
	const struct object *found;
	const void *field;
};

static bool points_into(const void *pointer, const struct object *object)
{
	const char *body = object_body(object);

	return (const char *)pointer >= body && (const char *)pointer < body + object->size;
}

static const void *find_pointer(const void *from, size_t size, const struct object *target)
{
	const void *const *word = from;

	for (size_t i = 0; i < size / sizeof(*word); i++)
		if (points_into(word[i], target))
			return &word[i];
	return NULL;
}

static void look_for_referrer(struct object *object, void *data)
{
	struct referrer *search = data;

	if (search->found || object == search->target ||
	    (object->state != OBJECT_LIVE && object->state != OBJECT_IMMORTAL))
		return;
	search->field = find_pointer(object_body(object), object->size, search->target);
	if (search->field)
		search->found = object;
}

static const void *find_static_pointer(const struct object *target)
{
	const void *start, *found = NULL;
	size_t size;

	for (unsigned int n = 0; !found && statics_range(n, &start, &size); n++)
		found = find_pointer(start, size, target);
	return found;
}

/* "file#2 <- fdtable#1 <- static": up to four steps, and not in circles. */
static size_t add_path(char *text, size_t size, const struct object *object)
{
	const struct object *seen = object;
	size_t n = 0;

	for (int step = 0; step < 4 && n < size; step++) {
		struct referrer search = { .target = object };
		const void *global = find_static_pointer(object);

		if (global)
			return n + snprintf(text + n, size - n, " <- %s", object_name(global));
		arena_for_each(look_for_referrer, &search);
		if (!search.found || search.found == seen)
			break;
		n += snprintf(text + n, size - n, " <- %s", object_name(search.field));
		object = search.found;
	}
	return n;
}

struct leaks {
	unsigned int count;
	size_t used;
	char text[400];
};

static void add_leak(struct object *object, void *data)
{
	struct leaks *leaks = data;
	size_t room = sizeof(leaks->text);

	if (object->state != OBJECT_LIVE)
		return;
	if (leaks->count++ >= 6 || leaks->used >= room)
		return;
	leaks->used += snprintf(leaks->text + leaks->used, room - leaks->used, "%s%s from %s()",
				leaks->count > 1 ? ", " : "", object_name(object_body(object)),
				symbol_function((void *)(unsigned long)object->site));
	if (leaks->used < room)
		leaks->used += add_path(leaks->text + leaks->used, room - leaks->used, object);
}

static void report_leaks(void)
{
	struct leaks leaks = { 0 };

	arena_for_each(add_leak, &leaks);
	eng_report("leak", NULL, "%u object%s never freed: %s%s", leaks.count,
		   leaks.count == 1 ? " was" : "s were", leaks.text,
		   leaks.count > 6 ? ", ..." : "");
}

void check_at_rest(void)
{
	struct object *object = arena_find_overwritten();

	if (object && !obituary_is_intact(object))
		eng_report("use-after-free", object_body(object),
			   "written to after it was freed; allocated in %s()",
			   symbol_function((void *)(unsigned long)object->site));
	else if (object)
		eng_report("use-after-free", object_body(object),
			   "written to after it was freed by %s in %s(); allocated in %s()",
			   ENGINE->tasks[object_obituary(object).task].ts.comm,
			   symbol_function((void *)(unsigned long)object_obituary(object).site),
			   symbol_function((void *)(unsigned long)object->site));
	if (ENGINE->heap.live)
		report_leaks();
}

/* ---- deadlock and hung tasks ---- */

static size_t add_held(char *text, size_t size, const struct task *task)
{
	size_t n = 0;

	for (unsigned int i = 0; i < task->n_held && n < size; i++) {
		const char *name = task->held[i].name;

		n += snprintf(text + n, size - n, "%s%s%s", i ? ", " : " holding ",
			      *name == '&' ? name + 1 : name,
			      task->held[i].shared ? " (read)" : "");
	}
	return n;
}

static size_t add_stack(char *text, size_t size, unsigned int task)
{
	const void *frames[12];
	size_t depth = run_stack(task, frames, 12), n = 0;

	for (size_t i = 0; i < depth && n < size; i++) {
		const char *name = symbol_function(frames[i]);

		if (i && !symbol_is_scaffold(name))
			n += snprintf(text + n, size - n, "%s%s", n ? " < " : " in ", name);
	}
	return n;
}

static size_t describe(char *text, size_t size, const struct task *task)
{
	const struct pending *pending = &ENGINE->pending[task->number];
	size_t n = snprintf(text, size, "%s waits in %s(%s)", task->ts.comm,
			    op_word(pending->op), object_name_op(pending->op, pending->object));

	if (n < size)
		n += add_held(text + n, size - n, task);
	if (n < size)
		n += add_stack(text + n, size - n, task->number);
	return n;
}

void report_deadlock(void)
{
	char text[440];
	size_t n = 0;

	for (unsigned int i = 0; i < ENGINE->n_tasks && n + 1 < sizeof(text); i++) {
		const struct task *task = &ENGINE->tasks[i];

		if (!(ENGINE->alive >> i & 1) || (task->background && !task->n_held))
			continue;
		if (n)
			n += snprintf(text + n, sizeof(text) - n, "; ");
		if (n < sizeof(text))
			n += describe(text + n, sizeof(text) - n, task);
	}
	eng_report("deadlock", NULL, "nobody can run: %s", text);
	run.over = true;
}

void report_hung(struct task *task, u64 since)
{
	char text[400];

	if (task->wait.hung)
		return;
	task->wait.hung = 1;
	describe(text, sizeof(text), task);
	eng_report("hung-task", NULL, "for %llu s %s", (ENGINE->now - since) / 1000000000ULL,
		   text);
}

void report_in_vain(const struct eng_promise *promise, const char *why)
{
	char text[400];

	describe(text, sizeof(text), promise->by->engine);
	eng_report("no-progress", promise->object, "%s, yet %s", why, text);
}

const struct finding *run_failure(void)
{
	return run.failed ? &run.failure : NULL;
}
