// SPDX-License-Identifier: GPL-2.0-only
/* docs/explorer.md lists the members. 64-bit numbers that are no counts are hex strings. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "core_load.h"
#include "json.h"
#include "schedule.h"

static void add_text(JsonBuilder *b, const char *name, const char *value)
{
	json_builder_set_member_name(b, name);
	if (value)
		json_builder_add_string_value(b, value);
	else
		json_builder_add_null_value(b);
}

static void add_number(JsonBuilder *b, const char *name, uint64_t value)
{
	json_builder_set_member_name(b, name);
	json_builder_add_int_value(b, value);
}

static void add_hex(JsonBuilder *b, const char *name, uint64_t value)
{
	g_autofree char *text = g_strdup_printf("%016llx", (unsigned long long)value);

	add_text(b, name, text);
}

static void add_flag(JsonBuilder *b, const char *name, bool value)
{
	json_builder_set_member_name(b, name);
	json_builder_add_boolean_value(b, value);
}

static void begin_object(JsonBuilder *b, const char *name)
{
	json_builder_set_member_name(b, name);
	json_builder_begin_object(b);
}

static void begin_array(JsonBuilder *b, const char *name)
{
	json_builder_set_member_name(b, name);
	json_builder_begin_array(b);
}

static void add_options(JsonBuilder *b, const struct vfiosim_report *r)
{
	static const char *const strategies[] = {
		"exhaustive", "naive", "pct", "random", "states"
	};
	const struct vfiosim_options *o = &r->options;

	begin_object(b, "options");
	add_text(b, "strategy", strategies[o->strategy]);
	add_number(b, "seed", o->seed);
	add_number(b, "depth", o->depth);
	add_number(b, "steps_max", o->steps_max);
	add_number(b, "faults_max", o->faults_max);
	add_number(b, "timeouts_max", o->timeouts_max);
	if (o->preemptions_bounded)
		add_number(b, "preemptions_max", o->preemptions_max);
	add_flag(b, "keep_going", o->keep_going);
	add_text(b, "kernel", kernel_names[run_kernel(r->scenario)]);
	add_text(b, "core", r->scenario->core ?: core_selected());
	json_builder_end_object(b);
	begin_object(b, "shard");
	add_number(b, "index", o->shard_index);
	add_number(b, "count", o->shard_count);
	json_builder_end_object(b);
}

static void add_outcomes(JsonBuilder *b, const struct vfiosim_report *r)
{
	begin_array(b, "outcomes");
	for (guint i = 0; i < r->outcomes->len; i++) {
		const struct outcome *o = &g_array_index(r->outcomes, struct outcome, i);

		json_builder_begin_object(b);
		add_text(b, "detector", o->detector);
		add_number(b, "runs", o->runs);
		json_builder_end_object(b);
	}
	json_builder_end_array(b);
}

static const char *kind_word(uint8_t kind)
{
	static const char *const words[] = {
		[TRACE_STEP] = "step", [TRACE_EVENT] = "event", [TRACE_PRINTK] = "printk",
		[TRACE_DATA] = "choice", [TRACE_FINDING] = "finding", [TRACE_TASK] = "task",
	};

	return words[kind];
}

static void add_timeline(JsonBuilder *b, const struct vfiosim_report *r)
{
	begin_array(b, "timeline");
	for (guint i = 0; i < r->events->len; i++) {
		const struct trace_event *e = &g_array_index(r->events, struct trace_event, i);

		json_builder_begin_object(b);
		add_number(b, "step", e->step);
		add_number(b, "now_ns", e->now);
		add_text(b, "task", e->task < 0 ? NULL : e->task_name);
		add_text(b, "kind", kind_word(e->kind));
		add_text(b, "what", e->what);
		add_text(b, "object", e->object[0] ? e->object : NULL);
		if (e->text[0])
			add_text(b, "text", e->text);
		if (e->how)
			add_text(b, "how", e->how == ENG_TIMEOUT ? "timeout" : "signal");
		json_builder_end_object(b);
	}
	json_builder_end_array(b);
}

static void add_tasks(JsonBuilder *b, const struct vfiosim_report *r)
{
	begin_array(b, "tasks");
	for (guint i = 0; i < r->tasks->len; i++) {
		const struct shown_task *t = &g_array_index(r->tasks, struct shown_task, i);

		json_builder_begin_object(b);
		add_text(b, "name", t->name);
		add_text(b, "state", t->state);
		add_text(b, "stack", t->stack);
		json_builder_end_object(b);
	}
	json_builder_end_array(b);
}

static void add_failure(JsonBuilder *b, const struct vfiosim_report *r)
{
	const struct minimized *m = &r->minimized;

	begin_object(b, "failure");
	add_text(b, "detector", r->finding.detector);
	add_text(b, "message", r->finding.message);
	add_number(b, "step", r->finding.step);
	add_text(b, "schedule", r->schedule);
	add_text(b, "token", r->token);
	add_number(b, "preemptions", m->cost.preemptions);
	add_number(b, "steps", m->cost.steps);
	add_number(b, "faults", m->cost.faults);
	add_flag(b, "fewest_preemptions_proven", m->fewest_proven);
	add_text(b, "passing_token", r->passing_token);
	add_text(b, "passing", r->passing_line);
	add_tasks(b, r);
	json_builder_end_object(b);
}

static void add_counts(JsonBuilder *b, const struct vfiosim_report *r)
{
	add_number(b, "runs", r->runs);
	add_number(b, "cut", r->cut);
	add_number(b, "steps", r->steps);
	add_number(b, "states", r->states);
	add_number(b, "longest_run", r->depth_max);
	add_number(b, "live_bytes", r->live_bytes);
	add_hex(b, "digest", r->digest);
	if (r->estimated) {
		json_builder_set_member_name(b, "estimated_runs");
		json_builder_add_double_value(b, r->total);
		json_builder_set_member_name(b, "estimated_runs_error");
		json_builder_add_double_value(b, r->total_error);
	}
	json_builder_set_member_name(b, "seconds");
	json_builder_add_double_value(b, r->seconds);
}

char *report_json(const struct vfiosim_report *r)
{
	g_autoptr(JsonBuilder) b = json_builder_new();
	g_autoptr(JsonNode) root = NULL;
	g_autofree char *text = NULL;

	json_builder_begin_object(b);
	add_number(b, "vfiosim_report", 1);
	add_text(b, "scenario", r->scenario->name);
	add_text(b, "verdict", verdict_word(r->verdict));
	add_text(b, "why_stopped", r->why_stopped);
	add_counts(b, r);
	add_options(b, r);
	add_outcomes(b, r);
	if (r->failed)
		add_failure(b, r);
	if (r->events->len)
		add_timeline(b, r);
	json_builder_end_object(b);
	root = json_builder_get_root(b);
	text = json_to_string(root, TRUE);
	return g_strconcat(text, "\n", NULL);
}

/* ---- reading ---- */

void shard_report_free(struct shard_report *r)
{
	if (!r)
		return;
	g_free(r->file);
	g_free(r->scenario);
	g_free(r->options);
	g_free(r->failure);
	g_free(r->token);
	g_array_unref(r->outcomes);
	g_free(r);
}

static bool fail(GError **error, const char *file, const char *what)
{
	g_set_error(error, SCHEDULE_ERROR, 0, "%s: %s", file, what);
	return false;
}

static JsonNode *member(JsonObject *o, const char *name, GType type)
{
	JsonNode *node = o && json_object_has_member(o, name) ? json_object_get_member(o, name) :
								NULL;

	return node && json_node_get_value_type(node) == type ? node : NULL;
}

static bool get_count(JsonObject *o, const char *name, uint64_t *out)
{
	JsonNode *node = member(o, name, G_TYPE_INT64);

	if (!node || json_node_get_int(node) < 0)
		return false;
	*out = json_node_get_int(node);
	return true;
}

static const char *get_text(JsonObject *o, const char *name)
{
	JsonNode *node = member(o, name, G_TYPE_STRING);

	return node ? json_node_get_string(node) : NULL;
}

static JsonObject *get_object(JsonObject *o, const char *name)
{
	JsonNode *node = o && json_object_has_member(o, name) ? json_object_get_member(o, name) :
								NULL;

	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static bool read_verdict(struct shard_report *r, const char *word)
{
	for (int v = VFIOSIM_OK; word && v <= VFIOSIM_BUDGET; v++) {
		if (!g_str_equal(word, verdict_word(v)))
			continue;
		r->verdict = v;
		return true;
	}
	return false;
}

static void read_outcomes(struct shard_report *r, JsonObject *root)
{
	JsonArray *list = json_object_has_member(root, "outcomes") ?
		json_object_get_array_member(root, "outcomes") : NULL;

	for (guint i = 0; list && i < json_array_get_length(list); i++) {
		JsonNode *node = json_array_get_element(list, i);
		struct outcome o = { "", 0 };
		JsonObject *object;

		if (!JSON_NODE_HOLDS_OBJECT(node))
			continue;
		object = json_node_get_object(node);
		g_strlcpy(o.detector, get_text(object, "detector") ?: "?", sizeof(o.detector));
		get_count(object, "runs", &o.runs);
		g_array_append_val(r->outcomes, o);
	}
}

static void read_failure(struct shard_report *r, JsonObject *failure)
{
	if (!failure)
		return;
	r->failure = g_strdup_printf("%s: %s", get_text(failure, "detector") ?: "?",
				     get_text(failure, "message") ?: "?");
	r->token = g_strdup(get_text(failure, "token"));
}

static bool read_root(struct shard_report *r, JsonObject *root, GError **error)
{
	JsonObject *shard = get_object(root, "shard");
	JsonObject *options = get_object(root, "options");
	g_autoptr(JsonNode) node = NULL;
	uint64_t index, count;

	if (!member(root, "vfiosim_report", G_TYPE_INT64) || !shard || !options)
		return fail(error, r->file, "not a report of vfiosim explore --json");
	if (!get_text(root, "scenario") || !read_verdict(r, get_text(root, "verdict")) ||
	    !get_count(root, "runs", &r->runs) || !get_count(root, "cut", &r->cut) ||
	    !get_count(root, "steps", &r->steps) || !get_count(shard, "index", &index) ||
	    !get_count(shard, "count", &count) || !get_text(root, "digest"))
		return fail(error, r->file, "a member is missing or of the wrong type");
	r->scenario = g_strdup(get_text(root, "scenario"));
	r->digest = g_ascii_strtoull(get_text(root, "digest"), NULL, 16);
	r->index = index;
	r->count = count;
	node = json_node_alloc();
	json_node_init_object(node, options);
	r->options = json_to_string(node, FALSE);
	read_outcomes(r, root);
	read_failure(r, get_object(root, "failure"));
	return true;
}

struct shard_report *shard_report_load(const char *file, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	g_autoptr(GError) why = NULL;
	struct shard_report *r;
	JsonNode *root;

	if (!json_parser_load_from_file(parser, file, &why)) {
		g_set_error(error, SCHEDULE_ERROR, 0, "%s: %s", file, why->message);
		return NULL;
	}
	r = g_new0(struct shard_report, 1);
	r->file = g_strdup(file);
	r->outcomes = g_array_new(FALSE, FALSE, sizeof(struct outcome));
	root = json_parser_get_root(parser);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root))
		fail(error, file, "not a report of vfiosim explore --json");
	else if (read_root(r, json_node_get_object(root), error))
		return r;
	shard_report_free(r);
	return NULL;
}
