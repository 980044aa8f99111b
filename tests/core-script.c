// SPDX-License-Identifier: GPL-2.0-only
/* See core-script.h. */
#include "core-script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core-random.h"
#include "core-world.h"
#include "invariants_vfio.h"
#include "sched.h"
#include "trace.h"

/* ---- sections ---- */

static struct core_section *new_section(const char *header, int line)
{
	struct core_section *section = g_new0(struct core_section, 1);
	g_auto(GStrv) parts = g_strsplit(header + 3, " ", 2);

	section->id = g_strdup(parts[0]);
	section->title = g_strstrip(g_strdup(parts[1] ? parts[1] : ""));
	section->lines = g_ptr_array_new();
	section->line = line;
	return section;
}

GPtrArray *core_read_sections(const char *path)
{
	GPtrArray *sections = g_ptr_array_new();
	struct core_section *section = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(path, &text, NULL, &error))
		g_error("%s", error->message);
	lines = g_strsplit(text, "\n", 0);
	for (int i = 0; lines[i]; i++) {
		if (g_str_has_prefix(lines[i], "## ")) {
			section = new_section(lines[i], i + 1);
			g_ptr_array_add(sections, section);
		} else if (section && *lines[i]) {
			g_ptr_array_add(section->lines, g_strdup(lines[i]));
		}
	}
	return sections;
}

const struct core_section *core_find_section(GPtrArray *sections, const char *id)
{
	for (guint i = 0; i < sections->len; i++) {
		const struct core_section *section = g_ptr_array_index(sections, i);

		if (!strcmp(section->id, id))
			return section;
	}
	return NULL;
}

/* ---- scripts ---- */

/* What scripts are made of lives as long as the process, also where parsing fails. */
static void *kept(void *part)
{
	static GPtrArray *volatile parts;

	if (!parts)
		parts = g_ptr_array_new();
	g_ptr_array_add(parts, part);
	return part;
}

/* Whether @n words behind the name are what @usage says. */
static bool usage_fits(const char *usage, unsigned int n)
{
	g_auto(GStrv) words = g_strsplit(usage, " ", 0);
	unsigned int least = 0, most = *usage ? g_strv_length(words) : 0;

	for (unsigned int i = 0; i < most; i++)
		least += *words[i] != '[';
	return n >= least && n <= most;
}

static struct core_command *parse_command(const char *text, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \t", 0);
	struct core_command *command = kept(g_new0(struct core_command, 1));
	const char *usage;
	int n = 0;

	for (int i = 0; words[i]; i++)
		if (*words[i] && n < CORE_WORDS)
			command->word[n++] = g_strdup(words[i]);
	usage = core_command_usage(command->word[0]);
	if (usage && usage_fits(usage, n - 1))
		return command;
	if (usage)
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "\"%s\": want %s %s", text,
			    command->word[0], usage);
	else
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "no command \"%s\"", text);
	return NULL;
}

static bool parse_commands(struct core_step *step, const char *text, GError **error)
{
	g_auto(GStrv) commands = g_strsplit(text, ";", 0);
	struct core_command **link = &step->first;

	for (int i = 0; commands[i]; i++) {
		g_strstrip(commands[i]);
		if (!*commands[i])
			continue;
		*link = parse_command(commands[i], error);
		if (!*link)
			return false;
		link = &(*link)->next;
	}
	return true;
}

/* `"name": command; command`, or commands alone. */
static struct core_step *parse_step(const char *text, GError **error)
{
	struct core_step *step = kept(g_new0(struct core_step, 1));

	if (*text == '"') {
		const char *end = strchr(text + 1, '"');

		if (!end) {
			g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "no second quote");
			return NULL;
		}
		step->name = g_strndup(text + 1, end - text - 1);
		text = end + 1;
		text += *text == ':';
	}
	return parse_commands(step, text, error) ? step : NULL;
}

struct core_step *core_parse_script(const struct core_section *section, const char *path,
				    const char **detector_out, GError **error)
{
	struct core_step *first = NULL, **link = &first;

	*detector_out = NULL;
	for (guint i = 0; i < section->lines->len; i++) {
		const char *line = g_ptr_array_index(section->lines, i);
		int number = section->line + i + 1;

		if (*line == '#')
			continue;
		*link = parse_step(line, error);
		if (!*link) {
			g_prefix_error(error, "%s:%d: ", path, number);
			return NULL;
		}
		(*link)->line = number;
		for (const struct core_command *c = (*link)->first; c; c = c->next)
			if (!strcmp(c->word[0], "expect"))
				*detector_out = c->word[1];
		link = &(*link)->next;
	}
	return first;
}

/* ---- running ---- */

/* NULL: what is carried out is made up. */
static const struct core_step *running;
static uint32_t seed;
static unsigned int seed_steps;

static void setup(void *fixture)
{
	core_setup();
}

static void teardown(void *fixture)
{
	core_teardown();
}

static void main_task(void *fixture)
{
	if (running)
		core_run_script(running);
	else
		core_make_up(seed, seed_steps, !core_check_invariants);
}

bool core_check_invariants = true;

static bool check(const void *fixture)
{
	return !core_check_invariants || vfio_invariants_hold(fixture);
}

static const struct vfiosim_scenario scenario = {
	.name = "recorded-trace",
	.summary = "the steps of one recorded trace",
	.fixture_size = 16,
	.setup = setup,
	.teardown = teardown,
	.check = check,
	.tolerate = "warn",
	.tasks = { { "main", main_task } },
};

/* Tasks of the script, as against workers of the kernel. */
static uint64_t script_tasks(uint64_t tasks)
{
	uint64_t mine = 0;

	for (unsigned int i = 0; tasks >> i; i++) {
		const char *name = run_task_name(i);

		if (tasks >> i & 1 &&
		    (!strcmp(name, "main") || !strcmp(name, "unbinder") || !strcmp(name, "unplug")))
			mine |= 1ULL << i;
	}
	return mine;
}

/*
 * The recording's schedule: the main task first, unless it lets the others get as
 * far as they can; deferred work only when it flushes; time when nobody can run.
 */
static unsigned int choose(const struct menu *menu, enum eng_wake *how)
{
	uint64_t ready = menu->enabled | menu->signals, mine = script_tasks(ready);
	bool settling = menu->pending[0].object == &core_settling, ended = !(mine & 1);

	if (settling && mine & ~1ULL)
		mine &= ~1ULL;
	if (!mine && (core_is_flushing() || (ended && !menu->timeouts)))
		mine = ready;
	if (!mine)
		mine = script_tasks(menu->timeouts);
	if (!mine)
		mine = ready ? ready : menu->timeouts;
	unsigned int task = __builtin_ctzll(mine);

	*how = menu->enabled >> task & 1 ? ENG_READY :
		menu->signals >> task & 1 ? ENG_SIGNAL : ENG_TIMEOUT;
	return task;
}

/* Data choices of the run so far, and the name of the fault that was injected. */
static size_t data_choices(const char **failed_out)
{
	const struct decision *decisions;
	size_t count = run_decisions(&decisions), n = 0;

	for (size_t i = 0; i < count; i++) {
		n += decisions[i].kind == DECIDE_DATA;
		if (decisions[i].fault && decisions[i].value)
			*failed_out = decisions[i].what;
	}
	return n;
}

#define DATA_AHEAD 64	/* choices that one step may take */

/* The fault is data choice @at of the run, 0: none. */
static const char *drive(const struct core_step *script, size_t at)
{
	const struct run_config config = {
		.scenario = &scenario, .tracing = true, .memory = core_trace_memory, .faults = at,
	};
	uint16_t values[DATA_AHEAD] = { 0 };
	const struct menu *menu;
	const char *failed = NULL;

	running = script;
	core_log_used = 0;
	core_log[0] = 0;
	run_begin(&config);
	while ((menu = run_menu())) {
		size_t done = at ? data_choices(&failed) : 0;
		enum eng_wake how;
		unsigned int task = choose(menu, &how);

		if (at > done && at - done <= DATA_AHEAD) {
			values[at - done - 1] = 1;
			run_next_data(values, at - done);
			values[at - done - 1] = 0;
		}
		run_step(task, how);
		if (at)
			data_choices(&failed);
		core_stop_script = failed != NULL;
	}
	run_end();
	return failed;
}

/* ---- scripts with a "fail" in them ---- */

/* Carries out @decisions, one of which is the fault, and goes on in the usual way. */
static void drive_decisions(const struct decision *decisions, size_t length)
{
	const struct run_config config = {
		.scenario = &scenario, .tracing = true, .memory = core_trace_memory,
		.faults = true, .script = decisions, .script_length = length,
	};
	const struct menu *menu;

	core_log_used = 0;
	core_log[0] = 0;
	run_begin(&config);
	while ((menu = run_menu())) {
		enum eng_wake how;
		unsigned int task = choose(menu, &how);

		run_step(task, how);
	}
	run_end();
}

static bool is_mark(const struct decision *decision)
{
	return decision->kind == DECIDE_DATA && !strcmp(decision->what, "core_fail");
}

static bool is_site(const struct decision *decision, const char *site)
{
	return decision->kind == DECIDE_DATA && decision->fault &&
	       (!strcmp(site, "any") || !strcmp(site, decision->what));
}

/* Where in the last run the fault point stands that the @index-th "fail" means, or -1. */
static gssize find_fault(const struct core_command *fail, unsigned int index)
{
	long nth = fail->word[2] ? strtol(fail->word[2], NULL, 10) : 1;
	const struct decision *decisions;
	size_t count = run_decisions(&decisions), at = 0;

	for (unsigned int marks = 0; at < count; at++)
		if (is_mark(&decisions[at]) && marks++ == index)
			break;
	for (; at < count; at++)
		if (is_site(&decisions[at], fail->word[1]) && --nth == 0)
			return at;
	return -1;
}

static void run_with_fault(const struct core_command *fail, unsigned int index, int line)
{
	const struct decision *decisions;
	gssize at = find_fault(fail, index);
	struct decision *copy;

	if (at < 0) {
		fprintf(stderr, "line %d of the script: fail %s %s: the run does not come to "
			"that\n", line, fail->word[1], fail->word[2] ? fail->word[2] : "");
		exit(2);
	}
	run_decisions(&decisions);
	copy = g_memdup2(decisions, (at + 1) * sizeof(*copy));
	copy[at].value = 1;
	drive_decisions(copy, at + 1);
	g_free(copy);
}

bool core_trace_memory;

/* Each "fail" is found in the run without it, then carried out in a run of its own. */
void core_run(const struct core_step *script)
{
	unsigned int fails = 0;

	drive(script, 0);
	for (const struct core_step *step = script; step; step = step->next) {
		for (const struct core_command *c = step->first; c; c = c->next) {
			if (strcmp(c->word[0], "fail"))
				continue;
			if (!fails)
				drive(script, SIZE_MAX);
			run_with_fault(c, fails++, step->line);
		}
	}
}

/* ---- sweeps ---- */

/* Which data choice of the run without faults the @nth fault point is, 0: none. */
static size_t fault_choice(const struct core_step *script, unsigned int nth)
{
	static const struct core_step *known;
	static GArray *points;		/* of size_t */
	const struct decision *decisions;
	size_t count, choice = 0;

	if (known != script) {
		known = script;
		points = g_array_new(FALSE, FALSE, sizeof(size_t));
		drive(script, SIZE_MAX);
		count = run_decisions(&decisions);
		for (size_t i = 0; i < count; i++) {
			choice += decisions[i].kind == DECIDE_DATA;
			if (decisions[i].fault)
				g_array_append_val(points, choice);
		}
	}
	return nth && nth <= points->len ? g_array_index(points, size_t, nth - 1) : 0;
}

const char *core_run_failing(const struct core_step *script, unsigned int nth,
			     const char **step_out)
{
	size_t choice = fault_choice(script, nth);
	const char *failed = choice ? drive(script, choice) : NULL;

	*step_out = "";
	for (size_t i = 0; failed && i < trace_count(); i++) {
		const struct trace_event *e = trace_get(i);
		static char name[160];

		if (!strcmp(e->what, "core_step") && strcmp(e->text, "end"))
			*step_out = strcpy(name, e->text);
	}
	return failed;
}

/* ---- made-up steps ---- */

const char *core_run_made_up(uint32_t number, unsigned int steps, uint32_t fault)
{
	g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(size_t));
	const struct decision *decisions;
	size_t count, choice = 0;

	seed = number;
	seed_steps = steps;
	if (!fault)
		return drive(NULL, 0);
	drive(NULL, SIZE_MAX);
	count = run_decisions(&decisions);
	for (size_t i = 0; i < count; i++) {
		choice += decisions[i].kind == DECIDE_DATA;
		if (decisions[i].kind == DECIDE_DATA &&
		    !strcmp(decisions[i].what, CORE_FAULTS_FROM_HERE))
			g_array_set_size(points, 0);
		if (decisions[i].fault)
			g_array_append_val(points, choice);
	}
	return points->len ? drive(NULL, g_array_index(points, size_t, fault % points->len)) :
		NULL;
}

/* ---- comparing ---- */

static bool is_row(const char *line)
{
	return g_str_has_prefix(line, "step=\"");
}

/* `step="name" a=1 b=2` as a list of strings; the step's name is one of them. */
static GPtrArray *columns_of(const char *row)
{
	GPtrArray *columns = g_ptr_array_new_with_free_func(g_free);
	const char *end = strchr(row + strlen("step=\""), '"');
	g_auto(GStrv) rest = NULL;

	if (!end)
		return columns;
	g_ptr_array_add(columns, g_strndup(row, end + 1 - row));
	rest = g_strsplit(end + 1, " ", 0);
	for (int i = 0; rest[i]; i++)
		if (*rest[i])
			g_ptr_array_add(columns, g_strdup(rest[i]));
	return columns;
}

/* The column of the same name, or NULL. */
static const char *column_in(GPtrArray *columns, const char *column)
{
	size_t key = strcspn(column, "=") + 1;

	for (guint i = 0; i < columns->len; i++)
		if (!strncmp(g_ptr_array_index(columns, i), column, key))
			return g_ptr_array_index(columns, i);
	return NULL;
}

static void compare_row(const char *recorded, const char *modelled, const char *id, GString *out)
{
	g_autoptr(GPtrArray) want = columns_of(recorded);
	g_autoptr(GPtrArray) have = NULL;
	const char *step = want->len ? g_ptr_array_index(want, 0) : recorded;

	if (!want->len || !is_row(modelled)) {
		g_string_append_printf(out, "%s: %s: the model made no row\n", id, step);
		return;
	}
	have = columns_of(modelled);
	for (guint i = 0; i < want->len; i++) {
		const char *w = g_ptr_array_index(want, i), *h = column_in(have, w);

		if (!h)
			g_string_append_printf(out, "%s: %s: recorded %s, a column that the model "
					       "does not know\n", id, step, w);
		else if (strcmp(w, h))
			g_string_append_printf(out, "%s: %s: recorded %s, model %s\n", id, step,
					       w, h);
	}
	for (guint i = 0; i < have->len; i++) {
		const char *h = g_ptr_array_index(have, i);

		if (!column_in(want, h))
			g_string_append_printf(out, "%s: %s: not recorded: %s\n", id, step, h);
	}
}

char *core_compare(const struct core_section *recorded, const char *log, unsigned int *rows_out,
		   unsigned int *skipped_out)
{
	g_auto(GStrv) lines = g_strsplit(log, "\n", 0);
	GString *out = g_string_new(NULL);
	int at = 0;

	*rows_out = *skipped_out = 0;
	for (guint i = 0; i < recorded->lines->len; i++) {
		const char *want = g_ptr_array_index(recorded->lines, i);
		const char *have = lines[at] ? lines[at] : "";

		if (is_row(want)) {
			for (; lines[at] && *lines[at] && !is_row(lines[at]); at++)
				g_string_append_printf(out, "%s: not recorded here: %s\n",
						       recorded->id, lines[at]);
			have = lines[at] ? lines[at] : "";
			compare_row(want, have, recorded->id, out);
			++*rows_out;
			at += *have != 0;
		} else if (!strcmp(want, have)) {
			at++;
		} else {
			++*skipped_out;
		}
	}
	for (; lines[at] && *lines[at]; at++)
		g_string_append_printf(out, "%s: not recorded: %s\n", recorded->id, lines[at]);
	return g_string_free(out, FALSE);
}
