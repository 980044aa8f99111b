// SPDX-License-Identifier: GPL-2.0-only
/*
 * A text file: what is explored, the counts so far, then a line for each node
 * of the path. Numbers are hexadecimal. Written anew and renamed over the old.
 */
#include <stdio.h>
#include <string.h>

#include "checkpoint.h"
#include "core_load.h"
#include "schedule.h"

#define HEAD "vfiosim checkpoint 1"

/* What has to be the same for the rest of the search to make sense. */
static char *identity(const struct exploration *x)
{
	const struct vfiosim_options *o = &x->options;

	return g_strdup_printf("%s strategy=%d seed=%llx depth=%x steps=%llx preemptions=%d "
			       "faults=%x timeouts=%x shard=%x/%x keep_going=%d races=%d points=%d "
			       "kernel=%s core=%s",
			       x->scenario->name, o->strategy, (unsigned long long)o->seed,
			       o->depth, (unsigned long long)o->steps_max,
			       o->preemptions_bounded ? (int)o->preemptions_max : -1,
			       o->faults_max, o->timeouts_max, o->shard_index, o->shard_count,
			       o->keep_going, o->races, o->plain_points,
			       kernel_names[run_kernel(x->scenario)],
			       x->scenario->core ?: core_selected());
}

/* ---- saving ---- */

/* The node's step took the decisions from its own up to @end. */
static void add_node(GString *out, const struct node *n, const struct decision *decisions,
		     size_t end)
{
	g_string_append_printf(out, "node %x %x %x %llx %llx %llx %llx %llx %x %x %x :",
			       n->task, n->how, n->hows_left, (unsigned long long)n->backtrack,
			       (unsigned long long)n->done, (unsigned long long)n->sleep,
			       (unsigned long long)n->sleep_reads,
			       (unsigned long long)n->sleep_frees, n->any_write, n->any_free,
			       n->failed);
	for (size_t i = n->decision + 1; i < end; i++)
		g_string_append_printf(out, " %x", decisions[i].value);
	g_string_append_c(out, '\n');
}

static void add_counts(GString *out, const struct exploration *x)
{
	g_string_append_printf(out, "counts %llx %llx %llx %llx %llx %llx\n",
			       (unsigned long long)x->runs, (unsigned long long)x->cut,
			       (unsigned long long)x->steps, (unsigned long long)x->depth_max,
			       (unsigned long long)x->digest, (unsigned long long)x->pieces);
	for (guint i = 0; i < x->outcomes->len; i++) {
		const struct outcome *o = &g_array_index(x->outcomes, struct outcome, i);

		g_string_append_printf(out, "outcome %s %llx\n", o->detector,
				       (unsigned long long)o->runs);
	}
}

/* What failed before does not come again. */
static void add_failure(GString *out, const struct exploration *x)
{
	if (!x->finding.detector[0])
		return;
	g_string_append_printf(out, "failure %x %s %s\nschedule", x->verdict,
			       x->finding.detector, x->finding.message);
	for (guint i = 0; i < x->schedule->len; i++) {
		const struct decision *d = &g_array_index(x->schedule, struct decision, i);

		g_string_append_printf(out, " %x.%x.%x.%x", d->kind, d->how, d->fault, d->value);
	}
	g_string_append_c(out, '\n');
}

bool checkpoint_save(const struct exploration *x, struct dpor *dpor,
		     const struct decision *decisions, size_t n)
{
	g_autofree char *is = identity(x);
	g_autoptr(GString) out = g_string_new(HEAD "\n");
	g_autoptr(GError) error = NULL;
	const char *start;
	size_t size, freed_depth;
	unsigned int task;

	g_string_append_printf(out, "of %s\n", is);
	add_counts(out, x);
	add_failure(out, x);
	for (size_t i = 0; dpor && dpor_extent(dpor, i, &start, &size, &freed_depth, &task); i++)
		g_string_append_printf(out, "frees %zx %x %zx %zx\n", freed_depth, task,
				       (size_t)start, size);
	for (size_t depth = 0; dpor && depth < dpor_depth(dpor); depth++)
		add_node(out, dpor_node(dpor, depth), decisions,
			 depth + 1 < dpor_depth(dpor) ? dpor_node(dpor, depth + 1)->decision : n);
	g_string_append(out, "end\n");
	if (g_file_set_contents(x->options.checkpoint, out->str, out->len, &error))
		return true;
	fprintf(stderr, "vfiosim: %s\n", error->message);
	return false;
}

/* ---- loading ---- */

static bool fail(GError **error, const char *file, unsigned int line, const char *what)
{
	g_set_error(error, SCHEDULE_ERROR, 0, "%s:%u: %s", file, line, what);
	return false;
}

static bool parse_data(struct saved_node *saved, const char *text)
{
	unsigned int value;
	int used;

	while (sscanf(text, " %x%n", &value, &used) == 1) {
		if (saved->n_data == G_N_ELEMENTS(saved->data) || value > UINT16_MAX)
			return false;
		saved->data[saved->n_data++] = value;
		text += used;
	}
	return text[strspn(text, " ")] == 0;
}

static bool parse_node(GArray *nodes, const char *line)
{
	unsigned long long backtrack, done, sleep, reads, frees;
	unsigned int task, how, hows, write, free, failed;
	struct saved_node saved = { .n_data = 0 };
	int used = 0;

	if (sscanf(line, "node %x %x %x %llx %llx %llx %llx %llx %x %x %x :%n", &task, &how, &hows,
		   &backtrack, &done, &sleep, &reads, &frees, &write, &free, &failed, &used) < 11 ||
	    !used || task >= TASKS_MAX || how > ENG_SIGNAL || !parse_data(&saved, line + used))
		return false;
	saved.node = (struct node){
		.task = task, .how = how, .hows_left = hows, .backtrack = backtrack,
		.done = done, .sleep = sleep, .sleep_reads = reads, .sleep_frees = frees,
		.any_write = write, .any_free = free, .failed = failed,
	};
	g_array_append_val(nodes, saved);
	return true;
}

static bool parse_counts(struct exploration *x, const char *line)
{
	unsigned long long runs, cut, steps, depth, digest, pieces;

	if (sscanf(line, "counts %llx %llx %llx %llx %llx %llx", &runs, &cut, &steps, &depth,
		   &digest, &pieces) != 6)
		return false;
	x->runs = runs;
	x->cut = cut;
	x->steps = steps;
	x->depth_max = depth;
	x->digest = digest;
	x->pieces = pieces;
	return true;
}

static bool parse_outcome(struct exploration *x, const char *line)
{
	unsigned long long runs;
	char name[32];

	if (sscanf(line, "outcome %31s %llx", name, &runs) != 2)
		return false;
	outcome_of(x->outcomes, name)->runs = runs;
	return true;
}

static bool parse_failure(struct exploration *x, const char *line)
{
	unsigned int verdict;
	int used = 0;

	if (sscanf(line, "failure %x %31s %n", &verdict, x->finding.detector, &used) != 2 ||
	    !used || (verdict != VFIOSIM_VIOLATION && verdict != VFIOSIM_DEADLOCK))
		return false;
	g_strlcpy(x->finding.message, line + used, sizeof(x->finding.message));
	x->verdict = verdict;
	return true;
}

static bool parse_schedule(struct exploration *x, const char *text)
{
	unsigned int kind, how, fault, value;
	int used;

	while (sscanf(text, " %x.%x.%x.%x%n", &kind, &how, &fault, &value, &used) == 4) {
		struct decision d = { .kind = kind, .how = how, .fault = fault, .value = value };

		if (kind > DECIDE_DATA || how > ENG_SIGNAL || fault > 1 || value > UINT16_MAX)
			return false;
		g_array_append_val(x->schedule, d);
		text += used;
	}
	return !*text;
}

static bool parse_frees(GArray *nodes, const char *line)
{
	struct saved_node saved = { .is_extent = true };

	if (sscanf(line, "frees %zx %x %zx %zx", &saved.extent_depth, &saved.extent_task,
		   &saved.extent_start, &saved.extent_size) != 4)
		return false;
	g_array_append_val(nodes, saved);
	return true;
}

static bool parse_line(struct exploration *x, GArray *nodes, const char *line)
{
	if (g_str_has_prefix(line, "node "))
		return parse_node(nodes, line);
	if (g_str_has_prefix(line, "counts "))
		return parse_counts(x, line);
	if (g_str_has_prefix(line, "outcome "))
		return parse_outcome(x, line);
	if (g_str_has_prefix(line, "failure "))
		return parse_failure(x, line);
	if (g_str_has_prefix(line, "schedule "))
		return parse_schedule(x, line + strlen("schedule"));
	if (g_str_has_prefix(line, "frees "))
		return parse_frees(nodes, line);
	return false;
}

static bool parse(struct exploration *x, GArray *nodes, char **lines, GError **error)
{
	const char *file = x->options.checkpoint;
	g_autofree char *is = identity(x);
	unsigned int i = 2;

	if (!lines[0] || !g_str_equal(lines[0], HEAD))
		return fail(error, file, 1, "not a checkpoint");
	if (!lines[1] || !g_str_has_prefix(lines[1], "of "))
		return fail(error, file, 2, "not a checkpoint");
	if (!g_str_equal(lines[1] + 3, is)) {
		g_set_error(error, SCHEDULE_ERROR, 0, "%s:2: of another search: \"%s\", not \"%s\"",
			    file, lines[1] + 3, is);
		return false;
	}
	for (; lines[i] && lines[i][0] && !g_str_equal(lines[i], "end"); i++)
		if (!parse_line(x, nodes, lines[i]))
			return fail(error, file, i + 1, "cannot be read");
	return (lines[i] && lines[i][0]) || fail(error, file, i, "cut short");
}

GArray *checkpoint_load(struct exploration *x, GError **error)
{
	g_autoptr(GArray) nodes = g_array_new(FALSE, FALSE, sizeof(struct saved_node));
	g_autofree char *text = NULL;
	g_autoptr(GError) why = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(x->options.checkpoint, &text, NULL, &why)) {
		g_set_error_literal(error, SCHEDULE_ERROR, 0, why->message);
		return NULL;
	}
	lines = g_strsplit(text, "\n", -1);
	if (!parse(x, nodes, lines, error))
		return NULL;
	return g_steal_pointer(&nodes);
}

bool checkpoint_check(const struct exploration *x, GError **error)
{
	struct exploration scratch;
	GArray *nodes;

	exploration_init(&scratch, x->scenario, &x->options);
	nodes = checkpoint_load(&scratch, error);
	exploration_clear(&scratch);
	if (!nodes)
		return false;
	g_array_unref(nodes);
	return true;
}
