// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rows of a run, one column per task. Of a failing run only those are shown
 * that could matter: steps on objects that several tasks touch, and the places
 * where the run changes from one task to another.
 */
#include <string.h>

#include "report.h"

#define STRIDE_MAX 24		/* from one column to the next; longer texts run over */
#define ROWS_FEW 16		/* so many are shown whatever they are */
#define ROWS_HEAD 12
#define ROWS_TAIL 70

struct rows {
	const struct vfiosim_report *report;
	bool all;
	GPtrArray *events;		/* of const struct trace_event *: the possible rows */
	bool *elided;			/* for each of them */
	int column[TASKS_MAX];		/* -1: none */
	size_t at[TASKS_MAX];		/* by task: where its column begins */
};

/* How an object was used over the whole run. */
struct use {
	uint64_t tasks;
	bool written;
	bool ordered;			/* by something else than counting up and down */
};

/* ---- what could be a row ---- */

static bool is_alone(const struct trace_event *e)
{
	return g_str_equal(e->task_name, "setup") || g_str_equal(e->task_name, "teardown") ||
	       g_str_equal(e->task_name, "shutdown");
}

static bool is_shown(const struct vfiosim_report *r, const struct trace_event *e, bool all)
{
	if (all)
		return true;
	if (e->kind == TRACE_FINDING)
		return true;
	if (e->task < 0 || (e->kind != TRACE_STEP && e->kind != TRACE_DATA))
		return false;
	return !is_alone(e) && e->number >= r->first_event && e->number < r->last_event;
}

static int column_of(const struct rows *rows, const struct trace_event *e)
{
	return e->task < 0 ? -1 : rows->column[e->task];
}

/* ---- what matters ---- */

static bool only_reads(const struct trace_event *e)
{
	static const char *const words[] = {
		"read_once", "atomic_read", "rcu_read_lock", "rcu_read_unlock", "load", "signal",
		"module_state",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_equal(e->what, words[i]))
			return true;
	return false;
}

static bool only_counts(const struct trace_event *e)
{
	static const char *const words[] = {
		"atomic_rmw", "refcount_inc", "refcount_dec", "module_get", "module_put",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_equal(e->what, words[i]))
			return true;
	return false;
}

static GHashTable *uses_of(const struct rows *rows)
{
	GHashTable *uses = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

	for (guint i = 0; i < rows->events->len; i++) {
		const struct trace_event *e = g_ptr_array_index(rows->events, i);
		struct use *use = g_hash_table_lookup(uses, e->object);

		if (e->kind != TRACE_STEP || e->task < 0)
			continue;
		if (!use) {
			use = g_new0(struct use, 1);
			g_hash_table_insert(uses, (void *)e->object, use);
		}
		use->tasks |= 1ULL << e->task;
		use->written |= !only_reads(e);
		use->ordered |= !only_counts(e);
	}
	return uses;
}

bool report_names(const struct vfiosim_report *r, const char *object)
{
	g_autofree char *name = g_strndup(object, strcspn(object, ".+"));
	const char *at = r->finding.message;

	if (!strchr(name, '#'))
		return false;
	while ((at = strstr(at, name))) {
		at += strlen(name);
		if (!g_ascii_isdigit(*at))
			return true;
	}
	return false;
}

/* Whether two tasks would notice in which order they come to the object. */
static bool is_contended(const struct use *use, bool named)
{
	return use && (named || (use->written && use->ordered)) &&
	       (use->tasks & (use->tasks - 1));
}

static bool is_last_of_task(const struct rows *rows, guint i)
{
	const struct trace_event *e = g_ptr_array_index(rows->events, i);

	for (guint k = i + 1; k < rows->events->len; k++) {
		const struct trace_event *later = g_ptr_array_index(rows->events, k);

		if (later->task == e->task && later->kind == TRACE_STEP)
			return false;
	}
	return true;
}

static bool is_edge(const struct rows *rows, guint i)
{
	const struct trace_event *e = g_ptr_array_index(rows->events, i);
	const struct trace_event *before = i ? g_ptr_array_index(rows->events, i - 1) : NULL;
	const struct trace_event *after = i + 1 < rows->events->len ?
		g_ptr_array_index(rows->events, i + 1) : NULL;

	return !before || !after || before->task != e->task || after->task != e->task;
}

static bool matters(const struct rows *rows, GHashTable *uses, guint i)
{
	const struct trace_event *e = g_ptr_array_index(rows->events, i);

	return e->kind != TRACE_STEP || e->how != ENG_READY || is_edge(rows, i) ||
	       is_last_of_task(rows, i) ||
	       is_contended(g_hash_table_lookup(uses, e->object),
			    report_names(rows->report, e->object));
}

static void elide(struct rows *rows)
{
	g_autoptr(GHashTable) uses = uses_of(rows);
	guint n = rows->events->len, left = 0;

	for (guint i = 0; i < n; i++)
		rows->elided[i] = !matters(rows, uses, i);
	/* A single one takes no more room than to say that it is not there. */
	for (guint i = 0; i < n; i++)
		if (rows->elided[i] && (!i || !rows->elided[i - 1]) &&
		    (i + 1 == n || !rows->elided[i + 1]))
			rows->elided[i] = false;
	for (guint i = 0; i < n; i++)
		left += !rows->elided[i];
	if (left <= ROWS_HEAD + ROWS_TAIL)
		return;
	for (guint i = 0, row = 0; i < n; i++) {
		if (rows->elided[i])
			continue;
		row++;
		rows->elided[i] = row > ROWS_HEAD && row + ROWS_TAIL <= left;
	}
}

/* ---- layout ---- */

char *report_cell(const struct trace_event *e)
{
	static const char *const hows[] = { "", " TIMEOUT", " SIGNAL" };
	g_autofree char *upper = NULL;
	char buffer[96];

	switch (e->kind) {
	case TRACE_STEP:
		return g_strdup_printf("%s(%s)%s", e->what,
				       trace_object(e, buffer, sizeof(buffer)), hows[e->how]);
	case TRACE_FINDING:
		upper = g_ascii_strup(e->what, -1);
		return g_strdup_printf("** %s **", upper);
	case TRACE_DATA:
		return g_strdup_printf("! %s %s", e->what, e->text);
	default:
		return g_strdup_printf("  %s%s%s %s", e->what, e->object[0] ? " " : "", e->object,
				       e->text);
	}
}

static const char *task_name(const struct rows *rows, int task)
{
	for (guint i = 0; i < rows->events->len; i++) {
		const struct trace_event *e = g_ptr_array_index(rows->events, i);

		if (e->task == task)
			return e->task_name;
	}
	return "?";
}

static size_t widest(const struct rows *rows, int task)
{
	size_t width = 0;

	for (guint i = 0; i < rows->events->len; i++) {
		const struct trace_event *e = g_ptr_array_index(rows->events, i);
		g_autofree char *text = e->task == task && !rows->elided[i] ? report_cell(e) : NULL;

		width = MAX(width, text ? strlen(text) : 0);
	}
	return width;
}

static void lay_out(struct rows *rows)
{
	size_t at = 6;
	uint64_t seen = 0;
	int n = 0;

	for (guint i = 0; i < rows->events->len; i++) {
		const struct trace_event *e = g_ptr_array_index(rows->events, i);

		if (e->task >= 0 && (rows->all || !is_alone(e)))
			seen |= 1ULL << e->task;
	}
	for (int i = 0; i < TASKS_MAX; i++) {
		rows->column[i] = seen >> i & 1 ? n++ : -1;
		if (rows->column[i] < 0)
			continue;
		rows->at[i] = at;
		at += 2 + MAX(strlen(task_name(rows, i)),
			      MIN(widest(rows, i), STRIDE_MAX - 2));
	}
}

static void rows_init(struct rows *rows, const struct vfiosim_report *r, bool all)
{
	*rows = (struct rows){ .report = r, .all = all, .events = g_ptr_array_new() };
	for (guint i = 0; i < r->events->len; i++) {
		const struct trace_event *e = &g_array_index(r->events, struct trace_event, i);

		if (is_shown(r, e, all))
			g_ptr_array_add(rows->events, (void *)e);
	}
	rows->elided = g_new0(bool, rows->events->len + 1);
	if (!all && rows->events->len > ROWS_FEW)
		elide(rows);
	lay_out(rows);
}

static void rows_clear(struct rows *rows)
{
	g_ptr_array_unref(rows->events);
	g_free(rows->elided);
}

/* ---- text ---- */

static void pad(GString *out, gsize start, size_t to)
{
	while (out->len - start < to)
		g_string_append_c(out, ' ');
}

static void add_heading(const struct rows *rows, GString *out)
{
	gsize start = out->len;

	g_string_append(out, "   #");
	for (int i = 0; i < TASKS_MAX; i++) {
		if (rows->column[i] < 0)
			continue;
		pad(out, start, rows->at[i]);
		g_string_append(out, task_name(rows, i));
	}
	g_string_append_c(out, '\n');
}

/* The function, where it is another one than in the task's last row. */
static void add_function(const struct rows *rows, guint i, GString *out)
{
	const struct trace_event *e = g_ptr_array_index(rows->events, i);

	if (e->kind != TRACE_STEP || !e->function[0] || g_str_equal(e->what, "start"))
		return;
	for (guint k = i; k-- > 0;) {
		const struct trace_event *before = g_ptr_array_index(rows->events, k);

		if (before->task != e->task || before->kind != TRACE_STEP || rows->elided[k])
			continue;
		if (g_str_equal(before->function, e->function))
			return;
		break;
	}
	g_string_append_printf(out, " in %s()", e->function);
}

static void add_row(const struct rows *rows, guint i, GString *out)
{
	const struct trace_event *e = g_ptr_array_index(rows->events, i);
	g_autofree char *text = report_cell(e);
	gsize start = out->len;
	bool in_column = column_of(rows, e) >= 0;

	if (e->kind == TRACE_STEP)
		g_string_append_printf(out, "%4llu", (unsigned long long)e->step);
	pad(out, start, in_column ? rows->at[e->task] : 6);
	g_string_append(out, text);
	add_function(rows, i, out);
	if (e->kind == TRACE_FINDING && !in_column && is_alone(e))
		g_string_append_printf(out, " in %s", e->task_name);
	if (e->kind == TRACE_FINDING &&
	    !g_str_has_prefix(rows->report->finding.message, e->text))
		g_string_append_printf(out, " %s", e->text);
	g_string_append_c(out, '\n');
}

/* Says in one row how many are missing from @i on; returns the last of them. */
static guint add_gap(const struct rows *rows, guint i, GString *out)
{
	const struct trace_event *e = g_ptr_array_index(rows->events, i);
	gsize start = out->len;
	guint end = i;

	while (end < rows->events->len && rows->elided[end] &&
	       ((const struct trace_event *)g_ptr_array_index(rows->events, end))->task == e->task)
		end++;
	pad(out, start, column_of(rows, e) >= 0 ? rows->at[e->task] : 6);
	g_string_append_printf(out, "... %u steps\n", end - i);
	return end - 1;
}

void report_timeline(const struct vfiosim_report *r, bool all, GString *out)
{
	bool gaps = false;
	struct rows rows;

	rows_init(&rows, r, all);
	add_heading(&rows, out);
	for (guint i = 0; i < rows.events->len; i++) {
		gaps |= rows.elided[i];
		if (rows.elided[i])
			i = add_gap(&rows, i, out);
		else
			add_row(&rows, i, out);
	}
	if (gaps)
		g_string_append(out, "      (-v shows the steps that are left out)\n");
	rows_clear(&rows);
}
