// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recorded operations go through the model one by one, in a run of their own,
 * as its setup: nothing else runs, so choice points have nothing to choose.
 * After each step the model's results, pages and mappings of all processes are
 * compared with the recorded ones; unchanged ones must be found unchanged.
 *
 * What was found at the first difference is kept as it was and put into words
 * after the run, on the host's stack.
 */
#include <stdio.h>
#include <string.h>

#include "mmreplay.h"
#include "mmrun.h"
#include "sched.h"

#define PER_ROW 64		/* pages in a line of a report */

struct replay {
	const struct mmtrace *trace;
	unsigned int level;
	bool zeropage;
	bool values;
	bool all_pages;			/* also those that the format leaves open */
	uint8_t allowed[128];		/* allowed_pages() by state */
	struct mmstate expected;	/* after the step at hand */
	unsigned int step;		/* index; steps->len after the last one */
	/* The difference; `differs` says which of them is one. */
	enum { SAME, RESULT, LIVES, PAGES, MAPPINGS } differs;
	unsigned int proc;
	struct mmop_result result;
	/* What the model shows of the process looked at last. */
	unsigned int nvma;
	struct mmop_vma vma[MMOP_WINDOW_MAX + 1];
	uint8_t page[MMOP_WINDOW_MAX];
	/* Scratch. */
	struct mmop_vma joined[2][MMOP_WINDOW_MAX + 1];
};

/* The setup of a scenario gets no argument from the host. */
static struct replay *replay;

/*
 * Bit per enum mmrun_page that a page state allows; '.' shows in the mappings.
 * The format leaves '?' and 'o' open, yet says what the kernel has there.
 */
static unsigned int allowed_pages(char state)
{
	const unsigned int any_present = 1U << MMRUN_FILE | 1U << MMRUN_PRIVATE | 1U << MMRUN_ZERO;

	switch (state) {
	case 'F':
		return 1U << MMRUN_FILE;
	case 'A':
		return 1U << MMRUN_PRIVATE;
	case 'Z':
		return 1U << MMRUN_PRIVATE | 1U << MMRUN_ZERO;
	case '?':
		return any_present | (replay->all_pages ? 0 : 1U << MMRUN_ABSENT);
	case 'o':
		return 1U << MMRUN_ABSENT | (replay->all_pages ? 0 : any_present);
	default:
		return 1U << MMRUN_ABSENT;
	}
}

static bool same_result(const struct mmop_result *kernel, const struct mmop_result *model)
{
	if (kernel->outcome != model->outcome || kernel->error != model->error)
		return false;
	return !replay->values || kernel->value == model->value;
}

static bool same_pages(const struct mmstate_proc *proc)
{
	for (unsigned int i = 0; i < replay->trace->window; i++)
		if (!(replay->allowed[(unsigned char)proc->state[i]] >> replay->page[i] & 1))
			return false;
	return true;
}

/* Whether the model has mappings exactly where the recorded states have. */
static bool same_coverage(const struct mmstate_proc *proc)
{
	const struct mmop_vma *vma = replay->vma, *end = vma + replay->nvma;

	for (unsigned int page = 0; page < replay->trace->window; page++) {
		while (vma < end && vma->end <= page)
			vma++;
		if ((vma < end && vma->start <= page) != (proc->state[page] != '.'))
			return false;
	}
	return true;
}

static bool same_list(const struct mmop_vma *a, unsigned int na, const struct mmop_vma *b,
		      unsigned int nb)
{
	if (na != nb)
		return false;
	for (unsigned int i = 0; i < na; i++)
		if (!mmstate_same_vma(&a[i], &b[i]))
			return false;
	return true;
}

static bool same_joined(const struct mmstate_proc *proc)
{
	unsigned int n[2];

	memcpy(replay->joined[0], proc->vma, proc->nvma * sizeof(*proc->vma));
	memcpy(replay->joined[1], replay->vma, replay->nvma * sizeof(*replay->vma));
	n[0] = mmstate_join(replay->joined[0], proc->nvma);
	n[1] = mmstate_join(replay->joined[1], replay->nvma);
	return same_list(replay->joined[0], n[0], replay->joined[1], n[1]);
}

static bool same_mappings(const struct mmstate_proc *proc)
{
	/* Equal lists cover the same pages: the reader has checked its own. */
	if (replay->level >= MMREPLAY_EXACT)
		return same_list(proc->vma, proc->nvma, replay->vma, replay->nvma);
	if (!same_coverage(proc))
		return false;
	return replay->level < MMREPLAY_JOINED || same_joined(proc);
}

static void differ(unsigned int what, unsigned int proc)
{
	replay->differs = what;
	replay->proc = proc;
}

static bool compare_process(unsigned int id)
{
	const struct mmstate_proc *proc = replay->expected.proc[id];

	if ((proc != NULL) != mmrun_alive(id)) {
		differ(LIVES, id);
		return false;
	}
	if (!proc)
		return true;
	replay->nvma = mmrun_mappings(id, replay->vma, G_N_ELEMENTS(replay->vma), proc->vma,
				      proc->nvma);
	mmrun_pages(id, replay->page);
	if (!same_mappings(proc)) {
		differ(MAPPINGS, id);
		return false;
	}
	if (!same_pages(proc)) {
		differ(PAGES, id);
		return false;
	}
	return true;
}

static bool replay_step(const struct mmtrace_step *step)
{
	mmtrace_apply(replay->trace, step, &replay->expected);
	mmrun_operation(&step->op, replay->step + 1, &replay->result);
	if (!same_result(&step->result, &replay->result)) {
		differ(RESULT, step->op.proc);
		return false;
	}
	for (unsigned int id = 0; id < replay->expected.procs; id++)
		if (!compare_process(id))
			return false;
	return true;
}

static void replay_all(void *fixture)
{
	const GArray *steps = replay->trace->steps;

	mmrun_start(mmreplay_kernel(replay->trace->release), replay->zeropage,
		    replay->trace->overcommit, replay->trace->base, replay->trace->window);
	for (; replay->step < steps->len; replay->step++)
		if (!replay_step(&g_array_index(steps, struct mmtrace_step, replay->step)))
			break;
	mmrun_end();
}

/* ---- putting a difference into words ---- */

static void append_pages(GString *text, const char *who, const char *states, unsigned int from,
			 unsigned int to)
{
	g_string_append_printf(text, "  %-8s %.*s\n", who, (int)(to - from), states + from);
}

/* The model's pages in the letters of the format; P is a pfn without a page. */
static void model_states(char *states)
{
	memset(states, '.', replay->trace->window);
	for (unsigned int k = 0; k < replay->nvma; k++)
		for (unsigned int i = replay->vma[k].start;
		     i < replay->vma[k].end && i < replay->trace->window; i++)
			states[i] = "-FAZP"[replay->page[i]];
}

static bool page_differs(char kernel, char model)
{
	const char *at = strchr("-FAZP", model);

	if (kernel == '.' || model == '.')
		return kernel != model;
	return !(allowed_pages(kernel) >> (at - "-FAZP") & 1);
}

static void describe_pages(GString *text, const struct mmstate_proc *proc)
{
	unsigned int window = replay->trace->window;
	char states[MMOP_WINDOW_MAX], marks[MMOP_WINDOW_MAX];

	model_states(states);
	for (unsigned int i = 0; i < window; i++)
		marks[i] = page_differs(proc->state[i], states[i]) ? '^' : ' ';
	for (unsigned int from = 0; from < window; from += PER_ROW) {
		unsigned int to = MIN(from + PER_ROW, window);

		if (!memchr(marks + from, '^', to - from) && window > PER_ROW)
			continue;
		g_string_append_printf(text, "  pages %u to %u of p%u:\n", from, to - 1,
				       replay->proc);
		append_pages(text, "kernel", proc->state, from, to);
		append_pages(text, "model", states, from, to);
		if (memchr(marks + from, '^', to - from))
			append_pages(text, "", marks, from, to);
	}
}

static void append_column(GString *text, const struct mmop_vma *vma, bool there)
{
	g_autoptr(GString) words = g_string_new(NULL);

	if (there)
		mmtext_append_vma(words, vma);
	g_string_append_printf(text, " %-34s", words->str);
}

/* Both lists by ascending start; a line that holds only one of them is marked. */
static void describe_mappings(GString *text, const struct mmstate_proc *proc)
{
	unsigned int i = 0, k = 0;

	g_string_append_printf(text, "  mappings of p%u:\n    %-34s %s\n", replay->proc, "kernel",
			       "model");
	while (i < proc->nvma || k < replay->nvma) {
		const struct mmop_vma *a = &proc->vma[i], *b = &replay->vma[k];
		bool left = i < proc->nvma && (k == replay->nvma || a->start <= b->start);
		bool right = k < replay->nvma && (i == proc->nvma || b->start <= a->start);
		bool same = left && right && mmstate_same_vma(a, b);

		g_string_append(text, same ? "   " : "  *");
		append_column(text, a, left);
		append_column(text, b, right);
		g_strchomp(text->str);
		text->len = strlen(text->str);
		g_string_append_c(text, '\n');
		i += left;
		k += right;
	}
}

static void append_result(GString *text, const char *who, const struct mmop_result *result)
{
	g_string_append_printf(text, "  %-8s ", who);
	mmtext_append_result(text, result);
	g_string_append_c(text, '\n');
}

static void describe_step(GString *text, const struct mmtrace_step *step)
{
	g_string_append(text, replay->trace->name);
	if (step->line)		/* it was read from a file */
		g_string_append_printf(text, ":%u", step->line);
	g_string_append_printf(text, ": step %u differs: ", replay->step + 1);
	mmtext_append_op(text, &step->op);
	g_string_append_c(text, '\n');
}

static void describe_state(GString *text)
{
	const struct mmstate_proc *proc = replay->expected.proc[replay->proc];

	if (replay->differs == LIVES) {
		g_string_append_printf(text, "  p%u is %s in the kernel, not so in the model\n",
				       replay->proc, proc ? "alive" : "gone");
		return;
	}
	if (replay->level < MMREPLAY_EXACT && replay->differs == MAPPINGS)
		g_string_append(text, "  (the lists are compared after joining neighbours)\n");
	describe_pages(text, proc);
	describe_mappings(text, proc);
}

static void describe_failure(GString *text, const struct finding *finding)
{
	g_string_append_printf(text, "  the model failed: %s: %s\n", finding->detector,
			       finding->message);
}

static char *describe(const struct finding *finding)
{
	GString *text = g_string_new(NULL);

	if (replay->step < replay->trace->steps->len) {
		const struct mmtrace_step *step =
			&g_array_index(replay->trace->steps, struct mmtrace_step, replay->step);

		describe_step(text, step);
		if (replay->differs == RESULT) {
			append_result(text, "kernel", &step->result);
			append_result(text, "model", &replay->result);
		} else if (replay->differs != SAME) {
			describe_state(text);
		}
	} else {
		g_string_append_printf(text, "%s: differs at the end\n", replay->trace->name);
	}
	if (finding)
		describe_failure(text, finding);
	return g_string_free(text, FALSE);
}

/* ---- running ---- */

enum kernel_version mmreplay_kernel(const char *release)
{
	static const struct {
		int number;
		enum kernel_version version;
	} modelled[] = {
		{ 14, KERNEL_5_14 },
		{ 21, KERNEL_6_1 },
		{ 32, KERNEL_6_12 },
		{ 38, KERNEL_6_18 },
	};
	int major = 0, minor = 0, number, best = 0;

	sscanf(release, "%d.%d", &major, &minor);
	/* 5.19 was followed by 6.0. */
	number = (CLAMP(major, 0, 100) - 5) * 20 + CLAMP(minor, 0, 100);
	for (unsigned int i = 1; i < G_N_ELEMENTS(modelled); i++)
		if (ABS(modelled[i].number - number) < ABS(modelled[best].number - number))
			best = i;
	return modelled[best].version;
}

static unsigned int choose_level(const struct mmtrace *trace, unsigned int level)
{
	unsigned int highest = trace->unmerged ? MMREPLAY_JOINED : MMREPLAY_EXACT;

	if (level == MMREPLAY_FORCED)
		return MMREPLAY_EXACT;
	return level ? MIN(level, highest) : highest;
}

static enum vfiosim_verdict run_alone(const struct vfiosim_scenario *scenario)
{
	const struct run_config config = { .scenario = scenario };
	const struct menu *menu;

	run_begin(&config);
	/* Work that the setup left behind, a work item say. */
	while ((menu = run_menu()))
		run_step(__builtin_ctzll(menu->enabled), ENG_READY);
	return run_end();
}

static void replay_on(const struct mmtrace *trace, const struct mmreplay_options *options,
		      bool zeropage, struct mmreplay_report *report)
{
	const struct vfiosim_scenario scenario = {
		.name = "mm-replay",
		.setup = replay_all,
	};
	enum vfiosim_verdict verdict;

	replay = g_new0(struct replay, 1);
	replay->trace = trace;
	replay->zeropage = zeropage;
	replay->values = !options->no_values;
	replay->all_pages = options->level == MMREPLAY_FORCED;
	for (const char *state = ".-FAZ?o"; *state; state++)
		replay->allowed[(unsigned char)*state] = allowed_pages(*state);
	replay->level = choose_level(trace, options->level);
	mmstate_init(&replay->expected, trace->window);

	verdict = run_alone(&scenario);
	*report = (struct mmreplay_report){
		.level = replay->level,
		.zeropage = zeropage,
		.steps = MIN(replay->step + 1, trace->steps->len),
	};
	if (replay->differs != SAME || verdict != VFIOSIM_OK) {
		report->difference = report->steps;
		report->text = describe(verdict != VFIOSIM_OK ? run_failure() : NULL);
	}
	mmstate_clear(&replay->expected);
	g_clear_pointer(&replay, g_free);
}

static void swap_reports(struct mmreplay_report *a, struct mmreplay_report *b)
{
	struct mmreplay_report kept = *a;

	*a = *b;
	*b = kept;
}

/*
 * Two kernels of one release differ here and the header does not tell which it was,
 * so the trace decides as a whole: one of them explains all of it, or it differs.
 */
void mmreplay(const struct mmtrace *trace, const struct mmreplay_options *options,
	      struct mmreplay_report *report)
{
	struct mmreplay_report other;

	replay_on(trace, options, options->zeropage != MMREPLAY_ZEROPAGE_FORBIDDEN, report);
	if (!report->difference || options->zeropage != MMREPLAY_ZEROPAGE_AUTO)
		return;
	replay_on(trace, options, false, &other);
	if (!other.difference || other.difference > report->difference)
		swap_reports(report, &other);
	mmreplay_report_clear(&other);
}

void mmreplay_report_clear(struct mmreplay_report *report)
{
	g_clear_pointer(&report->text, g_free);
}
