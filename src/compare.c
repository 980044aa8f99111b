// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command compare: which outcomes of a scenario does only one of two cores
 * have? An outcome is what can be seen from outside: each task's results in
 * order, the lines that the scenario said, and the detector that fired.
 *
 * With --traces it asks more: the first core is explored, and the second one
 * must leave the same trace of events under each of those schedules.
 */
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "core_load.h"
#include "explore.h"
#include "follow.h"

struct seen {
	uint64_t runs;
	char *token;			/* of the first run that had it */
};

struct side {
	const char *core;
	GHashTable *outcomes;		/* text: struct seen */
	struct exploration x;
};

static void seen_free(void *data)
{
	struct seen *seen = data;

	g_free(seen->token);
	g_free(seen);
}

static bool is_result(const struct trace_event *e)
{
	return e->kind == TRACE_EVENT && g_str_equal(e->what, "return");
}

static bool is_said(const struct trace_event *e)
{
	return e->kind == TRACE_EVENT && g_str_equal(e->what, "say");
}

static void add_results(GString *out, int task)
{
	bool any = false;

	for (size_t i = 0; i < trace_count(); i++) {
		const struct trace_event *e = trace_get(i);
		long result;

		if (e->task != task || !is_result(e))
			continue;
		if (!any)
			g_string_append_printf(out, "%s%s:", out->len ? "; " : "", e->task_name);
		any = true;
		result = strtol(e->text, NULL, 10);
		g_string_append_printf(out, " %s", result < 0 ? vfiosim_error_name(result) : "ok");
	}
}

/* The outcome of the run that has just ended. */
static char *outcome_text(void)
{
	GString *out = g_string_new(NULL);

	for (int task = 0; task < TASKS_MAX; task++)
		add_results(out, task);
	for (size_t i = 0; i < trace_count(); i++)
		if (is_said(trace_get(i)))
			g_string_append_printf(out, "%s\"%s\"", out->len ? "; " : "",
					       trace_get(i)->text);
	g_string_append_printf(out, "%s%s", out->len ? "; " : "",
			       run_failure() ? run_failure()->detector : "ends well");
	return g_string_free(out, FALSE);
}

static void on_run(void *data, enum vfiosim_verdict verdict, uint64_t trace)
{
	struct side *side = data;
	g_autofree char *text = outcome_text();
	struct seen *seen = g_hash_table_lookup(side->outcomes, text);
	const struct decision *d;
	size_t n;

	if (!seen) {
		seen = g_new0(struct seen, 1);
		n = run_decisions(&d);
		seen->token = schedule_to_token(d, n, side->x.config.faults);
		g_hash_table_insert(side->outcomes, g_steal_pointer(&text), seen);
	}
	seen->runs++;
}

static bool explore_side(struct cli *cli, struct side *side, const char *core,
			 const struct vfiosim_scenario *scenario)
{
	struct vfiosim_options options = cli->options;
	g_autoptr(GError) error = NULL;

	side->core = core;
	if (!core_select(core, &error)) {
		cli_complain(cli, "%s", error->message);
		return false;
	}
	/* The trace of a run is whole only if the run was made from its beginning. */
	options.backtracking = VFIOSIM_REEXECUTE;
	options.keep_going = true;
	options.on_run = on_run;
	options.data = side;
	side->outcomes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, seen_free);
	exploration_init(&side->x, scenario, &options);
	side->x.config.tracing = true;
	exploration_run(&side->x);
	return true;
}

static int compare_keys(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

static void print_only(const struct cli *cli, const struct side *side, const struct side *other)
{
	GList *keys = g_list_sort(g_hash_table_get_keys(side->outcomes), compare_keys);

	for (GList *k = keys; k; k = k->next) {
		const struct seen *seen = g_hash_table_lookup(side->outcomes, k->data);

		if (g_hash_table_contains(other->outcomes, k->data))
			continue;
		printf("only %s (%llu runs): %s\n", side->core, (unsigned long long)seen->runs,
		       (const char *)k->data);
		printf("  replay: %s replay --core %s %s %s\n", cli->program, side->core,
		       side->x.scenario->name, seen->token);
	}
	g_list_free(keys);
}

/* Sorted, so that the same comparison is the same file. */
static void add_side(JsonBuilder *json, const struct side *side, const struct side *other)
{
	GList *keys = g_list_sort(g_hash_table_get_keys(side->outcomes), compare_keys);

	json_builder_begin_object(json);
	json_builder_add_string_value(json_builder_set_member_name(json, "core"), side->core);
	json_builder_add_int_value(json_builder_set_member_name(json, "runs"), side->x.runs);
	json_builder_add_boolean_value(json_builder_set_member_name(json, "finished"),
				       !side->x.why_stopped);
	json_builder_begin_array(json_builder_set_member_name(json, "outcomes"));
	for (GList *k = keys; k; k = k->next) {
		const struct seen *seen = g_hash_table_lookup(side->outcomes, k->data);

		json_builder_begin_object(json);
		json_builder_add_string_value(json_builder_set_member_name(json, "outcome"),
					      k->data);
		json_builder_add_int_value(json_builder_set_member_name(json, "runs"),
					   seen->runs);
		json_builder_add_string_value(json_builder_set_member_name(json, "token"),
					      seen->token);
		json_builder_add_boolean_value(json_builder_set_member_name(json, "only_here"),
			!g_hash_table_contains(other->outcomes, k->data));
		json_builder_end_object(json);
	}
	json_builder_end_array(json);
	json_builder_end_object(json);
	g_list_free(keys);
}

static bool write_json(const struct cli *cli, const struct side *a, const struct side *b)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	g_autoptr(JsonNode) root = NULL;
	g_autofree char *text = NULL, *whole = NULL;

	json_builder_begin_object(json);
	json_builder_add_string_value(json_builder_set_member_name(json, "scenario"),
				      a->x.scenario->name);
	json_builder_begin_array(json_builder_set_member_name(json, "sides"));
	add_side(json, a, b);
	add_side(json, b, a);
	json_builder_end_array(json);
	json_builder_end_object(json);
	root = json_builder_get_root(json);
	text = json_to_string(root, TRUE);
	whole = g_strconcat(text, "\n", NULL);
	return cli_write(cli, cli->json_file, whole);
}

static unsigned int count_only(const struct side *side, const struct side *other)
{
	GHashTableIter iter;
	unsigned int n = 0;
	void *key;

	g_hash_table_iter_init(&iter, side->outcomes);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		n += !g_hash_table_contains(other->outcomes, key);
	return n;
}

static void print_sides(const struct cli *cli, const struct side *a, const struct side *b,
			unsigned int only, bool complete)
{
	print_only(cli, a, b);
	print_only(cli, b, a);
	printf("%s: %s %u outcomes in %llu runs, %s %u outcomes in %llu runs, %u in only one%s\n",
	       a->x.scenario->name, a->core, g_hash_table_size(a->outcomes),
	       (unsigned long long)a->x.runs, b->core, g_hash_table_size(b->outcomes),
	       (unsigned long long)b->x.runs, only, complete ? "" : " (not finished: a budget)");
}

static int report_sides(const struct cli *cli, const struct side *a, const struct side *b)
{
	bool complete = !a->x.why_stopped && !b->x.why_stopped;
	unsigned int only = count_only(a, b) + count_only(b, a);

	if (cli->json_file && !write_json(cli, a, b))
		return EXIT_INPUT;
	if (!cli->json_file || !g_str_equal(cli->json_file, "-"))
		print_sides(cli, a, b, only, complete);
	if (!complete)
		return EXIT_BUDGET;
	return only ? EXIT_FOUND : EXIT_GOOD;
}
static void side_clear(struct side *side)
{
	if (!side->outcomes)
		return;
	g_hash_table_unref(side->outcomes);
	exploration_clear(&side->x);
}

/* ---- traces ---- */

/* Of one decision, what a script needs. */
struct kept {
	uint8_t kind, how;
	uint16_t value;
};

struct schedules {
	GPtrArray *all;			/* of GArray of struct kept */
	struct vfiosim_scenario scenario;
	struct exploration x;
};

static void keep_schedule(void *data, enum vfiosim_verdict verdict, uint64_t trace)
{
	struct schedules *s = data;
	const struct decision *d;
	size_t n = run_decisions(&d);
	GArray *kept = g_array_sized_new(FALSE, FALSE, sizeof(struct kept), n);

	for (size_t i = 0; i < n; i++) {
		struct kept k = { d[i].kind, d[i].how, d[i].value };

		g_array_append_val(kept, k);
	}
	g_ptr_array_add(s->all, kept);
}

static struct decision *unpack(const GArray *kept)
{
	struct decision *d = g_new0(struct decision, kept->len + 1);

	for (guint i = 0; i < kept->len; i++) {
		const struct kept *k = &g_array_index(kept, struct kept, i);

		d[i] = (struct decision){ .kind = k->kind, .how = k->how, .value = k->value };
	}
	return d;
}

static bool collect_schedules(struct cli *cli, const struct vfiosim_scenario *scenario,
			      struct schedules *s)
{
	struct vfiosim_options options = cli->options;
	g_autoptr(GError) error = NULL;

	if (!core_select(cli->core_a, &error)) {
		cli_complain(cli, "%s", error->message);
		return false;
	}
	options.keep_going = true;
	options.on_run = keep_schedule;
	options.data = s;
	options.races = options.plain_points = false;
	s->all = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	/* Its check may look into one core's own structures. */
	s->scenario = *scenario;
	s->scenario.check = NULL;
	exploration_init(&s->x, &s->scenario, &options);
	exploration_run(&s->x);
	s->x.config.plain_points = cli->options.plain_points;
	return true;
}

static void print_difference(const struct schedules *s, const struct decision *d, size_t n,
			     const char *text)
{
	g_autofree char *token = schedule_to_token(d, n, s->x.config.faults);

	printf("%s: traces differ %s\n  replay: %s -v %s %s\n",
	       s->x.scenario->name, text, report_replay(), s->x.scenario->name, token);
}

static int report_traces(const struct cli *cli, const struct schedules *s,
			 const struct follow_count *count, uint64_t different)
{
	printf("%s: %llu schedules, %llu steps, %llu events: %llu differ", s->x.scenario->name,
	       (unsigned long long)count->runs, (unsigned long long)count->steps,
	       (unsigned long long)count->events, (unsigned long long)different);
	if (count->marks)
		printf("; %llu lockless accesses that %s does not announce",
		       (unsigned long long)count->marks, cli->core_b);
	if (count->unreached)
		printf("; %llu not followed: they preempt there",
		       (unsigned long long)count->unreached);
	if (count->too_long)
		printf("; %llu too long to compare", (unsigned long long)count->too_long);
	printf("%s\n", s->x.why_stopped ? " (not finished: a budget)" : "");
	if (different)
		return EXIT_FOUND;
	return s->x.why_stopped || count->unreached || count->too_long ? EXIT_BUDGET : EXIT_GOOD;
}

static int compare_traces(struct cli *cli, const struct vfiosim_scenario *scenario)
{
	struct schedules s = { NULL };
	struct follow_count count = { 0 };
	uint64_t different = 0;
	int64_t deadline;
	int status;

	if (!collect_schedules(cli, scenario, &s))
		return EXIT_INPUT;
	/* As much time again as for the search. */
	deadline = g_get_monotonic_time() + 1000 * (int64_t)cli->options.milliseconds_max;
	for (guint i = 0; i < s.all->len; i++) {
		const GArray *kept = g_ptr_array_index(s.all, i);
		g_autofree struct decision *d = unpack(kept);
		g_autofree char *text = follow_compare(&s.x.config, cli->core_a, cli->core_b, d,
						       kept->len, &count);

		if (text && !different++)
			print_difference(&s, d, kept->len, text);
		if (different && !cli->options.keep_going)
			break;
		if (exploration_interrupted ||
		    (s.x.deadline_us && g_get_monotonic_time() > deadline)) {
			s.x.why_stopped = "cut short";
			break;
		}
	}
	status = report_traces(cli, &s, &count, different);
	g_ptr_array_unref(s.all);
	exploration_clear(&s.x);
	return status;
}

static int compare_scenario(struct cli *cli, const struct vfiosim_scenario *scenario)
{
	struct side a = { .core = NULL }, b = { .core = NULL };
	int status = EXIT_INPUT;

	if (scenario->core)
		printf("%s: runs on core %s only: not compared\n", scenario->name,
		       scenario->core);
	else if (cli->traces)
		return compare_traces(cli, scenario);
	else if (explore_side(cli, &a, cli->core_a, scenario) &&
		 explore_side(cli, &b, cli->core_b, scenario))
		status = report_sides(cli, &a, &b);
	side_clear(&a);
	side_clear(&b);
	return scenario->core ? EXIT_GOOD : status;
}

int command_compare(struct cli *cli)
{
	int worst = EXIT_GOOD;

	if (!cli->core_a || !cli->core_b)
		return cli_complain(cli, "compare wants --core twice");
	if (cli->json_file && cli->traces)
		return cli_complain(cli, "compare --traces writes no JSON");
	if (cli->json_file && cli->chosen->len > 1)
		return cli_complain(cli, "one file for %u scenarios: name one scenario",
				    cli->chosen->len);
	for (guint i = 0; i < cli->chosen->len && worst != EXIT_INPUT; i++) {
		worst = cli_worse(worst,
				  compare_scenario(cli, g_ptr_array_index(cli->chosen, i)));
		if (exploration_interrupted)
			break;
	}
	return worst;
}
