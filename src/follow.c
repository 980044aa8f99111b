// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets one core follow the schedule of another, step by step, and compares what
 * the two runs left in the trace. Host side.
 *
 * The leader announces its lockless accesses of its own fields ("marks"); in an
 * unmodified kernel file these are plain accesses, which are steps only if the
 * file was instrumented and plain points are on. So a task of the follower takes
 * plain accesses that nobody asked for at once, as the leader's would, and stops
 * at one only if it is a mark of the leader's next stretch.
 */
#include "follow.h"

#include <string.h>

#include "core_load.h"
#include "trace.h"

struct line {
	uint64_t now;
	int16_t task;
	uint8_t kind, how;
	char *what, *object, *text;
};

struct recording {
	GPtrArray *lines;		/* of struct line */
	guint begin, end;		/* those of the run itself: between setup and teardown */
	char *failure;			/* detector, or NULL */
	bool cut;			/* the trace holds not all of it */
};

struct following {
	const struct recording *leader;
	GArray *steps;			/* of guint: the leader's steps among its lines */
	guint at;			/* the next of them */
	GArray *data[TASKS_MAX];	/* of uint16_t: the leader's data choices */
	guint data_used[TASKS_MAX];
	bool overtook;			/* a mark was skipped where another task had just run */
};

/* ---- recordings ---- */

static void line_free(void *data)
{
	struct line *line = data;

	g_free(line->what);
	g_free(line->object);
	g_free(line->text);
	g_free(line);
}

static void recording_clear(struct recording *r)
{
	g_clear_pointer(&r->lines, g_ptr_array_unref);
	g_clear_pointer(&r->failure, g_free);
}

/* The cores' statics of one name are told apart by a prefix, which says nothing here. */
static char *common_name(const char *name)
{
	GString *text = g_string_new(name);

	g_string_replace(text, "port_vfio", "vfio", 0);
	g_string_replace(text, "merged_vfio", "vfio", 0);
	return g_string_free(text, FALSE);
}

static struct line *copy_event(const struct trace_event *e)
{
	struct line *line = g_new0(struct line, 1);

	line->now = e->now;
	line->task = e->task;
	line->kind = e->kind;
	line->how = e->how;
	line->what = g_strdup(e->what);
	line->object = common_name(e->object);
	line->text = common_name(e->text);
	return line;
}

static void recording_take(struct recording *r)
{
	const struct finding *failure = run_failure();

	r->lines = g_ptr_array_new_with_free_func(line_free);
	for (size_t i = 0; i < trace_count(); i++)
		g_ptr_array_add(r->lines, copy_event(trace_get(i)));
	r->cut = trace_count() && trace_get(0)->number;
	r->failure = failure ? g_strdup(failure->detector) : NULL;
}

static const struct line *line_of(const struct recording *r, guint i)
{
	return g_ptr_array_index(r->lines, i);
}

static void lead(const struct run_config *config, const struct decision *decisions, size_t n,
		 struct recording *r)
{
	struct run_config plain = *config;

	plain.script = decisions;
	plain.script_length = n;
	plain.tracing = true;
	plain.plain_points = plain.races = false;
	run_begin(&plain);
	r->begin = trace_count();
	while (run_menu())
		run_step(__builtin_ctzll(run_menu()->enabled), ENG_READY);
	r->end = trace_count();
	run_end();
	recording_take(r);
}

/* ---- marks and plain accesses ---- */

static bool is_plain(enum eng_op op)
{
	return op == ENG_OP_PLAIN_READ || op == ENG_OP_PLAIN_WRITE;
}

static bool is_step_of(const struct line *line, enum eng_op op)
{
	return line->kind == TRACE_STEP && g_str_equal(line->what, op_word(op));
}

/*
 * A lockless access of memory that belongs to a core, the struct vfio_device that
 * drivers embed included: kapi's own do not count.
 */
static bool is_mark(const struct line *line)
{
	static const char *const owned[] = {
		"vfio.", "vfio+", "group#", "container#", "vfio_pci_device#", "mdev_state#",
		"core_object#", "NULL+", NULL
	};
	bool lockless = is_step_of(line, ENG_OP_READ_ONCE) || is_step_of(line, ENG_OP_WRITE_ONCE);

	if (!lockless)
		return false;
	for (guint i = 0; owned[i]; i++)
		if (g_str_has_prefix(line->object, owned[i]))
			return true;
	return g_str_equal(line->object, "vfio") || g_str_has_prefix(line->object, "vfio_");
}

static bool is_plain_line(const struct line *line)
{
	return is_step_of(line, ENG_OP_PLAIN_READ) || is_step_of(line, ENG_OP_PLAIN_WRITE);
}

/* ---- following ---- */

static const struct line *leader_step(const struct following *f, guint i)
{
	return line_of(f->leader, g_array_index(f->steps, guint, i));
}

/* Does the leader's @task announce @object before its next step that is no mark? */
static bool is_wanted_mark(const struct following *f, int task, const char *object)
{
	for (guint i = f->at; i < f->steps->len; i++) {
		const struct line *line = leader_step(f, i);

		if (line->task != task)
			continue;
		if (!is_mark(line))
			return false;
		if (g_str_equal(line->object, object))
			return true;
	}
	return false;
}

static char *pending_name(const struct pending *pending)
{
	return common_name(object_name_op(pending->op, pending->object));
}

/* One step of @task, with those data choices that the leader's task made next. */
static void step(struct following *f, unsigned int task, enum eng_wake how)
{
	GArray *data = f->data[task];
	guint used = f->data_used[task];
	const struct decision *d;
	size_t before = run_decisions(&d), after;

	if (data && used < data->len)
		run_next_data(&g_array_index(data, uint16_t, used), data->len - used);
	run_step(task, how);
	after = run_decisions(&d);
	for (size_t i = before; i < after; i++)
		f->data_used[task] += d[i].kind == DECIDE_DATA;
}

/* Takes @task through plain accesses that are no step of the leader's. */
static void settle(struct following *f, unsigned int task)
{
	const struct menu *menu;

	while ((menu = run_menu()) && (menu->enabled >> task & 1) &&
	       is_plain(menu->pending[task].op)) {
		g_autofree char *name = pending_name(&menu->pending[task]);

		if (is_wanted_mark(f, task, name))
			return;
		step(f, task, ENG_READY);
	}
}

static bool can_take(const struct menu *menu, const struct line *line)
{
	uint64_t bit = 1ULL << line->task;

	switch (line->how) {
	case ENG_TIMEOUT:
		return menu->timeouts & bit;
	case ENG_SIGNAL:
		return menu->signals & bit;
	default:
		return menu->enabled & bit;
	}
}

static bool fits(const struct menu *menu, const struct line *line)
{
	const struct pending *pending = &menu->pending[line->task];
	g_autofree char *name = NULL;

	if (!can_take(menu, line))
		return false;
	name = pending_name(pending);
	if (!g_str_equal(name, line->object))
		return false;
	return g_str_equal(op_word(pending->op), line->what) ||
	       (is_plain(pending->op) && is_mark(line));
}

/* The follower's next step of the leader's task is another one: is that all right? */
static bool pass_over(struct following *f, const struct line *line, struct follow_count *count)
{
	if (!is_mark(line))
		return false;
	count->marks++;
	if (f->at && leader_step(f, f->at - 1)->task != line->task)
		f->overtook = true;
	return true;
}

/* Has some task of the follower's already done what the leader's will only announce? */
static bool runs_ahead(const struct following *f)
{
	uint64_t seen = 0;

	for (guint i = f->at; i < f->steps->len; i++) {
		const struct line *line = leader_step(f, i);
		uint64_t bit = 1ULL << line->task;

		if (!(seen & bit) && is_mark(line))
			return true;
		seen |= bit;
	}
	return false;
}

/* Ends where the follower cannot go on as the leader did: then the traces differ. */
static void follow(struct following *f, struct follow_count *count)
{
	for (; f->at < f->steps->len; f->at++) {
		const struct line *line = leader_step(f, f->at);
		const struct menu *menu = run_menu();

		if (menu && fits(menu, line)) {
			f->at++;
			step(f, line->task, line->how);
			settle(f, line->task);
			f->at--;
			count->steps++;
		} else if (!menu || !pass_over(f, line, count)) {
			f->overtook |= runs_ahead(f);
			return;
		}
	}
}

static void collect_steps(struct following *f)
{
	f->steps = g_array_new(FALSE, FALSE, sizeof(guint));
	for (guint i = f->leader->begin; i < f->leader->end; i++)
		if (line_of(f->leader, i)->kind == TRACE_STEP)
			g_array_append_val(f->steps, i);
}

static void collect_data(struct following *f, const struct decision *d, size_t n)
{
	unsigned int task = 0;

	for (size_t i = 0; i < n; i++) {
		if (d[i].kind == DECIDE_TASK) {
			task = d[i].value;
			continue;
		}
		if (!f->data[task])
			f->data[task] = g_array_new(FALSE, FALSE, sizeof(uint16_t));
		g_array_append_val(f->data[task], d[i].value);
	}
}

static void following_clear(struct following *f)
{
	g_array_unref(f->steps);
	for (unsigned int i = 0; i < TASKS_MAX; i++)
		g_clear_pointer(&f->data[i], g_array_unref);
}

/* ---- comparing ---- */

static bool same_line(const struct line *a, const struct line *b)
{
	if (a->kind != b->kind || a->task != b->task || a->how != b->how || a->now != b->now ||
	    !g_str_equal(a->what, b->what))
		return false;
	/* What a line of the log says is the kernel's own text; that there is one counts. */
	if (a->kind == TRACE_PRINTK)
		return true;
	/* Messages name functions, and a function of ours may be a part of the kernel's. */
	if (a->kind == TRACE_FINDING)
		return g_str_equal(a->object, b->object);
	return g_str_equal(a->object, b->object) && g_str_equal(a->text, b->text);
}

/* Events by which the library's cores tell of themselves: a kernel has none there. */
static bool is_own_event(const struct line *line)
{
	static const char *const own[] = {
		"attach", "detach", "f_mapping_set", "group_free", "group_new", "register",
		"set_iommu", "unregister", NULL
	};

	return line->kind == TRACE_EVENT && g_strv_contains(own, line->what);
}

static bool may_be_alone(const struct line *line)
{
	return is_mark(line) || is_plain_line(line) || is_own_event(line);
}

static char *show(const struct recording *r, guint i)
{
	static const char *const endings[] = { "", " timed out", " interrupted" };
	const struct line *line;

	if (i >= r->lines->len)
		return g_strdup("the end");
	line = line_of(r, i);
	if (line->kind == TRACE_STEP)
		return g_strdup_printf("task %d: %s(%s)%s", line->task, line->what, line->object,
				       endings[line->how]);
	return g_strdup_printf("task %d: %s %s %s", line->task, line->what, line->object,
			       line->text);
}

static char *describe(const struct recording *a, guint i, const struct recording *b, guint k)
{
	g_autofree char *one = show(a, i), *other = show(b, k);
	g_autofree char *before = i ? show(a, i - 1) : g_strdup("the beginning");

	return g_strdup_printf("after %u events, the last one %s:\n"
			       "    one core: %s\n    the other: %s", i, before, one, other);
}

static char *compare_recordings(const struct recording *a, const struct recording *b,
				struct follow_count *count)
{
	guint i = 0, k = 0;

	while (i < a->lines->len || k < b->lines->len) {
		if (i < a->lines->len && k < b->lines->len &&
		    same_line(line_of(a, i), line_of(b, k))) {
			i++;
			k++;
			count->events++;
		} else if (i < a->lines->len && may_be_alone(line_of(a, i))) {
			i++;
		} else if (k < b->lines->len && may_be_alone(line_of(b, k))) {
			k++;
		} else {
			return describe(a, i, b, k);
		}
	}
	if (g_strcmp0(a->failure, b->failure))
		return g_strdup_printf("one core: %s; the other: %s", a->failure ?: "ends well",
				       b->failure ?: "ends well");
	return NULL;
}

/* What it touched there was freed: a core without plain points touches it unseen. */
static bool fails_at_mark(const struct recording *r)
{
	if (g_strcmp0(r->failure, "use-after-free"))
		return false;
	for (guint i = r->end; i-- > r->begin;)
		if (line_of(r, i)->kind == TRACE_STEP)
			return is_mark(line_of(r, i));
	return false;
}

/* ---- the door ---- */

static void run_follower(struct following *f, const struct run_config *config,
			 struct recording *r, struct follow_count *count)
{
	struct run_config plain = *config;

	plain.script = NULL;
	plain.script_length = 0;
	plain.tracing = true;
	run_begin(&plain);
	r->begin = trace_count();
	follow(f, count);
	r->end = trace_count();
	run_end();
	recording_take(r);
}

char *follow_compare(const struct run_config *config, const char *leader, const char *follower,
		     const struct decision *decisions, size_t n, struct follow_count *count)
{
	g_autofree struct decision *copy = g_memdup2(decisions, n * sizeof(*decisions));
	struct recording a = { NULL }, b = { NULL };
	struct following f = { .leader = &a };
	char *difference;

	if (!core_select(follower, NULL))
		return g_strdup_printf("no core %s", follower);
	if (!core_select(leader, NULL))
		return g_strdup_printf("no core %s", leader);
	lead(config, copy, n, &a);
	count->runs++;
	if (a.cut) {
		count->too_long++;
		recording_clear(&a);
		return NULL;
	}
	collect_steps(&f);
	collect_data(&f, copy, n);
	core_select(follower, NULL);
	run_follower(&f, config, &b, count);
	difference = compare_recordings(&a, &b, count);
	if (difference && (f.overtook || (!config->plain_points && fails_at_mark(&a)))) {
		count->unreached++;
		g_clear_pointer(&difference, g_free);
	}
	following_clear(&f);
	recording_clear(&a);
	recording_clear(&b);
	return difference;
}
