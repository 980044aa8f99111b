// SPDX-License-Identifier: GPL-2.0-only
/* Reading, writing and following schedules; see schedule.h. */
#include <stdlib.h>
#include <string.h>

#include "dpor.h"
#include "schedule.h"
#include "trace.h"

#define HEAD "# vfiosim schedule 1"
#define FAULTS_PREFIX "f."
/* How far to look for the place where a changed task meets the schedule again. */
#define LOOK_AHEAD 8

G_DEFINE_QUARK(vfiosim-schedule-error, schedule_error)

static const char *const hows[] = { "", "timeout", "signal" };

static void wanted_data_clear(void *data)
{
	g_free(((struct wanted_data *)data)->what);
}

static void wanted_free(void *data)
{
	struct wanted *w = data;

	g_free(w->task);
	g_free(w->op);
	g_free(w->object);
	g_array_unref(w->data);
	g_array_unref(w->values);
	g_free(w);
}

static struct wanted *wanted_new(unsigned int line)
{
	struct wanted *w = g_new0(struct wanted, 1);

	w->line = line;
	w->data = g_array_new(FALSE, FALSE, sizeof(struct wanted_data));
	g_array_set_clear_func(w->data, wanted_data_clear);
	w->values = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	return w;
}

static struct schedule *schedule_new(const char *source)
{
	struct schedule *schedule = g_new0(struct schedule, 1);

	schedule->source = g_strdup(source);
	schedule->steps = g_ptr_array_new_with_free_func(wanted_free);
	return schedule;
}

void schedule_free(struct schedule *schedule)
{
	if (!schedule)
		return;
	g_ptr_array_unref(schedule->steps);
	g_free(schedule->source);
	g_free(schedule->scenario);
	g_free(schedule->detector);
	g_free(schedule);
}

/* ---- parsing ---- */

static bool fail_at(GError **error, const struct schedule *schedule, unsigned int line,
		    const char *what, const char *word)
{
	g_set_error(error, SCHEDULE_ERROR, 0, "%s:%u: %s%s%s%s", schedule->source, line, what,
		    word ? " \"" : "", word ?: "", word ? "\"" : "");
	return false;
}

static bool is_operation(const char *word)
{
#define X(name, text) if (g_str_equal(word, text)) return true;
	ENG_OPS(X)
#undef X
	return false;
}

static bool parse_number(const char *word, unsigned int max, unsigned int *out)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(word, 10, 0, max, &value, NULL))
		return false;
	*out = value;
	return true;
}

/* "+ fail SITE [NTH]" or "+ choose WHAT VALUE [NTH]" belongs to the step above it. */
static bool parse_data(struct schedule *schedule, unsigned int line, int argc, char **argv,
		       GError **error)
{
	struct wanted_data d = { .nth = 1, .value = 1 };
	struct wanted *w;
	unsigned int value = 1;
	int nth = 3;

	if (!schedule->steps->len)
		return fail_at(error, schedule, line, "a data choice before the first step", NULL);
	w = g_ptr_array_index(schedule->steps, schedule->steps->len - 1);
	d.fault = argc > 1 && g_str_equal(argv[1], "fail");
	if (!d.fault) {
		if (argc < 4 || !g_str_equal(argv[1], "choose"))
			return fail_at(error, schedule, line,
				       "expected \"+ fail SITE [NTH]\" or "
				       "\"+ choose WHAT VALUE [NTH]\"", NULL);
		if (!parse_number(argv[3], UINT16_MAX, &value))
			return fail_at(error, schedule, line, "not a value:", argv[3]);
		nth = 4;
	}
	if (argc < nth || argc > nth + 1)
		return fail_at(error, schedule, line, "wrong number of words", NULL);
	if (argc > nth && (!parse_number(argv[nth], 1000000, &d.nth) || !d.nth))
		return fail_at(error, schedule, line, "not a count:", argv[nth]);
	d.value = value;
	schedule->faults |= d.fault;
	d.what = g_strdup(argv[2]);
	g_array_append_val(w->data, d);
	return true;
}

static bool parse_step(struct schedule *schedule, unsigned int line, int argc, char **argv,
		       GError **error)
{
	struct wanted *w;

	if (argc < 3 || argc > 4)
		return fail_at(error, schedule, line,
			       "expected TASK OPERATION OBJECT [timeout|signal]", NULL);
	if (!is_operation(argv[1]))
		return fail_at(error, schedule, line, "no such operation:", argv[1]);
	w = wanted_new(line);
	g_ptr_array_add(schedule->steps, w);
	w->task = g_strdup(argv[0]);
	w->op = g_strdup(argv[1]);
	w->object = g_str_equal(argv[2], "-") ? NULL : g_strdup(argv[2]);
	if (argc == 3)
		return true;
	for (w->how = 1; w->how < G_N_ELEMENTS(hows); w->how++)
		if (g_str_equal(argv[3], hows[w->how]))
			return true;
	return fail_at(error, schedule, line, "expected timeout or signal, not", argv[3]);
}

static void parse_comment(struct schedule *schedule, const char *text)
{
	if (g_str_has_prefix(text, "# scenario: ") && !schedule->scenario)
		schedule->scenario = g_strdup(text + strlen("# scenario: "));
	else if (g_str_has_prefix(text, "# detector: ") && !schedule->detector)
		schedule->detector = g_strdup(text + strlen("# detector: "));
}

static bool parse_line(struct schedule *schedule, unsigned int line, char *text, GError **error)
{
	g_auto(GStrv) argv = NULL;
	g_autoptr(GError) shell = NULL;
	int argc;

	g_strstrip(text);
	if (text[0] == '#')
		parse_comment(schedule, text);
	if (!text[0] || text[0] == '#')
		return true;
	if (!g_shell_parse_argv(text, &argc, &argv, &shell))
		return fail_at(error, schedule, line, shell->message, NULL);
	if (g_str_equal(argv[0], "+"))
		return parse_data(schedule, line, argc, argv, error);
	return parse_step(schedule, line, argc, argv, error);
}

/* ---- tokens: "0*7.1t.d0*3.d1.2", or "f." and that if fault points are choices ---- */

static bool parse_item(struct schedule *schedule, const char *item, GError **error)
{
	bool data = item[0] == 'd';
	char *end;
	unsigned long value = strtoul(item + data, &end, 10);
	unsigned long count = 1;
	uint8_t how = ENG_READY;

	if (end == item + data || value > (data ? UINT16_MAX : TASKS_MAX - 1))
		return fail_at(error, schedule, 1, "bad item in the schedule:", item);
	if (!data && *end == 't')
		how = ENG_TIMEOUT;
	else if (!data && *end == 's')
		how = ENG_SIGNAL;
	end += how != ENG_READY;
	if (*end == '*')
		count = strtoul(end + 1, &end, 10);
	if (*end || !count || count > DECISIONS_MAX || (data && !schedule->steps->len))
		return fail_at(error, schedule, 1, "bad item in the schedule:", item);
	while (count--) {
		struct wanted *w;
		uint16_t v = value;

		if (data) {
			w = g_ptr_array_index(schedule->steps, schedule->steps->len - 1);
			g_array_append_val(w->values, v);
			continue;
		}
		w = wanted_new(1);
		w->number = value;
		w->how = how;
		g_ptr_array_add(schedule->steps, w);
	}
	return true;
}

bool schedule_is_token(const char *text)
{
	if (g_str_has_prefix(text, FAULTS_PREFIX))
		text += strlen(FAULTS_PREFIX);
	return strspn(text, "0123456789.*dts\n") == strlen(text) && g_ascii_isdigit(text[0]);
}

static bool parse_token(struct schedule *schedule, const char *text, GError **error)
{
	g_autofree char *token = g_strchomp(g_strdup(text));
	size_t skip = g_str_has_prefix(text, FAULTS_PREFIX) ? strlen(FAULTS_PREFIX) : 0;
	g_auto(GStrv) items = g_strsplit(token + skip, ".", -1);

	schedule->faults = skip;
	for (char **item = items; *item; item++)
		if (!parse_item(schedule, *item, error))
			return false;
	return true;
}

struct schedule *schedule_parse(const char *text, const char *source, GError **error)
{
	struct schedule *schedule = schedule_new(source);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	bool good = true;

	if (schedule_is_token(text)) {
		good = parse_token(schedule, text, error);
	} else {
		for (unsigned int i = 0; lines[i] && good; i++)
			good = parse_line(schedule, i + 1, lines[i], error);
		if (good && !schedule->steps->len)
			good = fail_at(error, schedule, 1, "no steps: not a schedule", NULL);
	}
	if (good)
		return schedule;
	schedule_free(schedule);
	return NULL;
}

struct schedule *schedule_load(const char *file, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) why = NULL;

	if (g_file_get_contents(file, &text, NULL, &why))
		return schedule_parse(text, file, error);
	g_set_error_literal(error, SCHEDULE_ERROR, 0, why->message);
	return NULL;
}

/* ---- writing ---- */

static void add_word(GString *out, const char *word)
{
	bool plain = word[0] && !strpbrk(word, " \t\"'\\#&$`");

	if (plain) {
		g_string_append(out, word);
	} else {
		g_autofree char *quoted = g_shell_quote(word);

		g_string_append(out, quoted);
	}
}

static void add_step(GString *out, const struct wanted *w)
{
	add_word(out, w->task);
	g_string_append_printf(out, " %s ", w->op);
	add_word(out, w->object ?: "-");
	if (w->how)
		g_string_append_printf(out, " %s", hows[w->how]);
	g_string_append_c(out, '\n');
	for (guint i = 0; i < w->data->len; i++) {
		const struct wanted_data *d = &g_array_index(w->data, struct wanted_data, i);

		g_string_append(out, d->fault ? "  + fail " : "  + choose ");
		add_word(out, d->what);
		if (!d->fault)
			g_string_append_printf(out, " %u", d->value);
		if (d->nth > 1)
			g_string_append_printf(out, " %u", d->nth);
		g_string_append_c(out, '\n');
	}
}

char *schedule_to_text(const struct schedule *schedule)
{
	GString *out = g_string_new(HEAD "\n");

	if (schedule->scenario)
		g_string_append_printf(out, "# scenario: %s\n", schedule->scenario);
	if (schedule->detector)
		g_string_append_printf(out, "# detector: %s\n", schedule->detector);
	for (guint i = 0; i < schedule->steps->len; i++)
		add_step(out, g_ptr_array_index(schedule->steps, i));
	return g_string_free(out, FALSE);
}

static void add_item(GString *out, const struct decision *d, size_t count)
{
	if (out->len)
		g_string_append_c(out, '.');
	if (d->kind == DECIDE_DATA)
		g_string_append_c(out, 'd');
	g_string_append_printf(out, "%u", d->value);
	if (d->kind == DECIDE_TASK && d->how != ENG_READY)
		g_string_append_c(out, d->how == ENG_TIMEOUT ? 't' : 's');
	if (count > 1)
		g_string_append_printf(out, "*%zu", count);
}

static bool same_item(const struct decision *a, const struct decision *b)
{
	return a->kind == b->kind && a->value == b->value &&
	       (a->kind == DECIDE_DATA || a->how == b->how);
}

/* Data choices of 0 at the end of a step say nothing. */
static bool says_nothing(const struct decision *d, size_t n, size_t i)
{
	for (; i < n && d[i].kind == DECIDE_DATA; i++)
		if (d[i].value)
			return false;
	return true;
}

char *schedule_to_token(const struct decision *d, size_t n, bool faults)
{
	GString *out = g_string_new(NULL);
	const struct decision *pending = NULL;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (d[i].kind == DECIDE_DATA && says_nothing(d, n, i))
			continue;
		if (pending && same_item(pending, &d[i])) {
			count++;
			continue;
		}
		if (pending)
			add_item(out, pending, count);
		pending = &d[i];
		count = 1;
	}
	if (pending)
		add_item(out, pending, count);
	if (faults)
		g_string_prepend(out, FAULTS_PREFIX);
	return g_string_free(out, FALSE);
}

/* ---- recording ---- */

static const char *pending_object(const struct pending *p)
{
	return p->object ? object_name_op(p->op, p->object) : NULL;
}

static struct wanted *record_step(const struct menu *menu, const struct decision *d)
{
	const struct pending *p = &menu->pending[d->value];
	struct wanted *w = wanted_new(0);

	w->task = g_strdup(run_task_name(d->value));
	w->number = d->value;
	w->op = g_strdup(op_word(p->op));
	w->object = g_strdup(pending_object(p));
	w->how = d->how;
	return w;
}

/* How often @what was asked for in the step before decision @i. */
static unsigned int times_before(const struct decision *step, size_t i)
{
	unsigned int times = 0;

	for (size_t k = 1; k < i; k++)
		times += g_str_equal(step[k].what, step[i].what);
	return times;
}

static void record_data(struct wanted *w, const struct decision *step, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct wanted_data d = {
			.value = step[i].value, .fault = step[i].fault,
			.nth = 1 + times_before(step, i),
		};

		g_array_append_val(w->values, step[i].value);
		if (!step[i].value)
			continue;
		d.what = g_strdup(step[i].what);
		g_array_append_val(w->data, d);
	}
}

static size_t step_length(const struct decision *d, size_t n)
{
	size_t i = 1;

	while (i < n && d[i].kind == DECIDE_DATA)
		i++;
	return i;
}

struct schedule *schedule_record(const struct run_config *config, const struct decision *d,
				 size_t n)
{
	struct run_config plain = *config;
	struct schedule *schedule = schedule_new("recording");
	g_autofree struct decision *copy = g_memdup2(d, n * sizeof(*d));
	const struct menu *menu;

	schedule->scenario = g_strdup(config->scenario->name);
	plain.script = NULL;
	plain.script_length = 0;
	run_begin(&plain);
	for (size_t i = 0; i < n && (menu = run_menu());) {
		size_t length = step_length(copy + i, n - i);
		struct wanted *w = record_step(menu, &copy[i]);

		record_data(w, copy + i, length);
		g_ptr_array_add(schedule->steps, w);
		if (w->values->len)
			run_next_data((const uint16_t *)w->values->data, w->values->len);
		run_step(w->number, w->how);
		i += length;
	}
	run_end();
	if (run_failure())
		schedule->detector = g_strdup(run_failure()->detector);
	return schedule;
}

/* ---- following ---- */

struct follower {
	const struct run_config *config;
	const struct schedule *schedule;
	struct replay *replay;
	guint next;			/* step of the schedule */
	uint64_t random;
	size_t steps;
};

static void G_GNUC_PRINTF(3, 4) diverged(struct follower *f, const struct wanted *w,
					 const char *format, ...)
{
	va_list args;
	g_autofree char *what = NULL;
	char *message;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	if (w)
		message = g_strdup_printf("%s:%u: %s", f->schedule->source, w->line, what);
	else
		message = g_strdup_printf("%s: %s", f->schedule->source, what);
	g_ptr_array_add(f->replay->divergences, message);
}

static int task_by_name(const struct menu *menu, const char *name)
{
	uint64_t all = run_alive();

	(void)menu;
	for (; all; all &= all - 1)
		if (g_str_equal(run_task_name(__builtin_ctzll(all)), name))
			return __builtin_ctzll(all);
	return -1;
}

static bool can_step(const struct menu *menu, unsigned int task, uint8_t how)
{
	uint64_t mask = how == ENG_TIMEOUT ? menu->timeouts :
			how == ENG_SIGNAL ? menu->signals : menu->enabled;

	return mask >> task & 1;
}

static bool matches(const struct wanted *w, const struct pending *p)
{
	const char *object = pending_object(p);

	if (w->op && !g_str_equal(w->op, op_word(p->op)))
		return false;
	return !w->object || (object && g_str_equal(object, w->object));
}

/* The place at or soon after f->next where the schedule has what @task is about to do. */
static int find_later(const struct follower *f, const struct wanted *w, const struct pending *p)
{
	unsigned int seen = 0;

	for (guint i = f->next; i < f->schedule->steps->len && seen < LOOK_AHEAD; i++) {
		const struct wanted *other = g_ptr_array_index(f->schedule->steps, i);

		if (!other->task || !g_str_equal(other->task, w->task))
			continue;
		if (matches(other, p))
			return i;
		seen++;
	}
	return -1;
}

/* Positional values from the named ones, as far as the step's choices are known. */
static void wish(const struct wanted *w, const struct decision *step, size_t n, GArray *values)
{
	g_array_set_size(values, 0);
	for (size_t i = 1; i < n; i++) {
		unsigned int nth = 1 + times_before(step, i);
		uint16_t value = 0;

		for (guint k = 0; k < w->data->len; k++) {
			const struct wanted_data *d =
				&g_array_index(w->data, struct wanted_data, k);

			if (d->nth == nth && g_str_equal(d->what, step[i].what))
				value = MIN(d->value, step[i].bound - 1);
		}
		g_array_append_val(values, value);
	}
}

static bool agrees(const struct decision *step, size_t n, const GArray *values)
{
	for (size_t i = 1; i < n; i++)
		if (step[i].value != g_array_index(values, uint16_t, i - 1))
			return false;
	return true;
}

/*
 * Carry out a step whose data choices are given by name. Which choices there
 * are is only known afterwards: run again from the start, with what was learnt,
 * until they agree.
 */
static void step_with_data(struct follower *f, unsigned int task, const struct wanted *w)
{
	g_autoptr(GArray) values = g_array_copy(w->values);
	const struct decision *all;
	size_t before = run_decisions(&all), n;
	g_autofree struct decision *prefix = g_memdup2(all, before * sizeof(*all));

	for (unsigned int tries = 0; tries < 256; tries++) {
		if (values->len)
			run_next_data((const uint16_t *)values->data, values->len);
		run_step(task, w->how);
		n = run_decisions(&all);
		if (!w->data->len)
			return;
		wish(w, all + before, n - before, values);
		if (agrees(all + before, n - before, values))
			return;
		struct run_config again = *f->config;

		again.script = prefix;
		again.script_length = before;
		run_begin(&again);
		run_menu();
	}
}

volatile uint64_t vfiosim_stop_at;

__attribute__((noinline)) void vfiosim_stop_here(void)
{
	__asm__ volatile("");
}

static void step(struct follower *f, const struct menu *menu, unsigned int task,
		 const struct wanted *w)
{
	if (f->steps + 1 == vfiosim_stop_at)
		vfiosim_stop_here();
	if (f->replay->on_step)
		f->replay->on_step(f->replay->data, menu, task);
	f->steps++;
	step_with_data(f, task, w);
}

static void step_plainly(struct follower *f, const struct menu *menu, unsigned int task,
			 uint8_t how)
{
	struct wanted *plain = wanted_new(0);

	plain->how = how;
	step(f, menu, task, plain);
	wanted_free(plain);
}

/* The rule after the schedule's end: the same task goes on, else a seeded choice. */
static void step_by_rule(struct follower *f, const struct menu *menu)
{
	uint64_t tasks = menu->enabled | menu->signals ?: menu->timeouts;
	unsigned int nth, task = menu->current;
	uint8_t how = ENG_READY;

	if (!(tasks >> task & 1)) {
		f->random = dpor_mix(f->random, f->steps);
		nth = f->random % __builtin_popcountll(tasks);
		while (nth--)
			tasks &= tasks - 1;
		task = __builtin_ctzll(tasks);
	}
	if (!can_step(menu, task, how))
		how = can_step(menu, task, ENG_SIGNAL) ? ENG_SIGNAL : ENG_TIMEOUT;
	step_plainly(f, menu, task, how);
}

/*
 * The task is there but about to do something else than @w. Either lines of the
 * schedule are gone from the scenario (skip them), or the scenario has a step
 * more (take it, and ask for @w again).
 */
static void realign(struct follower *f, const struct menu *menu, unsigned int task,
		    const struct wanted *w)
{
	const struct pending *p = &menu->pending[task];
	const char *object = pending_object(p);
	int later = find_later(f, w, p);

	diverged(f, w, "%s was to %s %s, but is about to %s %s%s", w->task, w->op,
		 w->object ?: "-", op_word(p->op), object ?: "-",
		 later >= 0 ? "; going on from there" : "; letting it");
	if (later >= 0) {
		f->next++;
		return;
	}
	if (can_step(menu, task, ENG_READY))
		step_plainly(f, menu, task, ENG_READY);
	else
		f->next++;
}

/* Follow one line; false if it does not fit and may not be bent. */
static bool follow(struct follower *f, const struct menu *menu)
{
	const struct wanted *w = g_ptr_array_index(f->schedule->steps, f->next);
	int task = w->task ? task_by_name(menu, w->task) : (int)w->number;
	bool fits = task >= 0 && can_step(menu, task, w->how) &&
		    (!w->task || matches(w, &menu->pending[task]));

	if (fits) {
		f->next++;
		step(f, menu, task, w);
		return true;
	}
	if (task < 0)
		diverged(f, w, "there is no task %s any more", w->task);
	else if (!can_step(menu, task, w->how))
		diverged(f, w, "%s cannot %s%s here", run_task_name(task), w->op ?: "go on",
			 w->how ? " by that end of its wait" : "");
	if (f->replay->strict) {
		if (task >= 0 && can_step(menu, task, w->how))
			realign(f, menu, task, w);
		return false;
	}
	if (task >= 0 && can_step(menu, task, w->how)) {
		realign(f, menu, task, w);
		return true;
	}
	f->next++;
	return true;
}

bool schedule_replay(const struct run_config *config, const struct schedule *schedule,
		     struct replay *replay)
{
	struct follower f = {
		.config = config, .schedule = schedule, .replay = replay,
		.random = dpor_mix(replay->seed, 0x5eed),
	};
	const struct menu *menu;

	if (!replay->divergences)
		replay->divergences = g_ptr_array_new_with_free_func(g_free);
	run_begin(config);
	while ((menu = run_menu())) {
		if (f.next >= schedule->steps->len)
			step_by_rule(&f, menu);
		else if (!follow(&f, menu))
			return false;
	}
	if (f.next < schedule->steps->len && !run_failure()) {
		diverged(&f, g_ptr_array_index(schedule->steps, f.next),
			 "the run is over before this line");
		if (replay->strict)
			return false;
	}
	replay->steps = f.steps;
	replay->verdict = run_end();
	return true;
}
