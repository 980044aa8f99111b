// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both sides of a differential run, and delta debugging: pieces of a differing
 * sequence are left out for as long as the rest, recorded again on the live
 * kernel and replayed in the model, still differs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compare.h"
#include "live.h"

#define GONE 255		/* a process that a shortened sequence does not have */

static struct recording *start(unsigned int window)
{
	const char *why;
	struct recording *recording = recording_start(window, &why);

	if (recording)
		return recording;
	printf("SKIP: the live kernel cannot be used here: %s\n", why);
	exit(LIVE_SKIP);
}

struct mmtrace *record_random(const struct profile *profile, uint64_t seed, unsigned int count)
{
	struct recording *recording = start(profile->window);
	g_autofree char *number = g_strdup_printf("%llu", (unsigned long long)seed);
	struct generator generator;

	generator_init(&generator, profile, seed);
	for (unsigned int i = 0; i < count; i++) {
		struct mmop op;

		generate(&generator, recording, &op);
		recording_step(recording, &op);
	}
	return recording_finish(recording, number, profile->name);
}

/* Operations name processes; where forks were left out, the numbers shift. */
static bool renumber(struct mmop *op, uint8_t *number, const struct mmstate *state)
{
	uint8_t proc = number[op->proc];

	if (op->kind == MMOP_FORK) {
		number[op->child] = proc == GONE ? GONE : state->procs;
		op->child = state->procs;
	}
	if (proc == GONE)
		return false;
	op->proc = proc;
	return true;
}

static bool file_is_kept(const struct recording *recording, const struct mmop *op)
{
	switch (op->kind) {
	case MMOP_OPEN:
	case MMOP_DROP:
	case MMOP_TRUNC:
	case MMOP_PUNCH:
	case MMOP_FREAD:
	case MMOP_FWRITE:
		return !recording_dropped(recording, op->file);
	default:
		return true;
	}
}

struct mmtrace *record_operations(const struct mmop *ops, unsigned int count,
				  unsigned int window, const char *seed, const char *profile)
{
	struct recording *recording = start(window);
	uint8_t number[MMOP_PROCS_MAX];
	struct mmtext_why why;

	memset(number, GONE, sizeof(number));
	number[0] = 0;
	for (unsigned int i = 0; i < count; i++) {
		const struct mmstate *state = recording_state(recording);
		struct mmop op = ops[i];

		if (renumber(&op, number, state) && mmstate_possible(state, &op, &why) &&
		    file_is_kept(recording, &op))
			recording_step(recording, &op);
	}
	return recording_finish(recording, seed, profile);
}

/* ---- the model's side ---- */

static void replay_and_tell(const struct mmtrace *trace, const struct mmreplay_options *options,
			    int pipe)
{
	struct mmreplay_report report;
	FILE *stream = fdopen(pipe, "w");

	mmreplay(trace, options, &report);
	fprintf(stream, "%u\n%s", report.difference, report.text ? report.text : "");
	fclose(stream);
	_exit(0);
}

static GString *read_pipe(int pipe)
{
	GString *text = g_string_new(NULL);
	char block[4096];
	ssize_t length;

	while ((length = read(pipe, block, sizeof(block))) > 0)
		g_string_append_len(text, block, length);
	close(pipe);
	return text;
}

unsigned int compare(const struct mmtrace *trace, const struct mmreplay_options *options,
		     char **text)
{
	unsigned int step;
	GString *told;
	int ends[2], status;
	pid_t pid;

	*text = NULL;
	fflush(NULL);
	if (pipe(ends))
		live_die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		live_die("fork: %s", strerror(errno));
	if (pid == 0)
		replay_and_tell(trace, options, ends[1]);
	close(ends[1]);
	told = read_pipe(ends[0]);
	waitpid(pid, &status, 0);
	step = atoi(told->str);
	if (!WIFEXITED(status) || WEXITSTATUS(status) || !told->len) {
		step = trace->steps->len;
		*text = g_strdup_printf("the model crashed: signal %d, exit status %d\n",
					WIFSIGNALED(status) ? WTERMSIG(status) : 0,
					WIFEXITED(status) ? WEXITSTATUS(status) : 0);
	} else if (step) {
		*text = g_strdup(strchr(told->str, '\n') + 1);
	}
	g_string_free(told, TRUE);
	return step;
}

/* ---- minimising ---- */

struct reduction {
	GArray *ops;		/* struct mmop; they differ */
	struct mmtrace *trace;	/* of them */
	const struct mmreplay_options *options;
};

static void take_operations(struct reduction *r, struct mmtrace *trace, unsigned int step)
{
	mmtrace_free(r->trace);
	r->trace = trace;
	g_array_set_size(r->ops, 0);
	/* Nothing behind the first difference is needed. */
	for (unsigned int i = 0; i < step; i++)
		g_array_append_val(r->ops,
				   g_array_index(trace->steps, struct mmtrace_step, i).op);
}

/* Leaves out @count operations from @from on, if the rest still differs. */
static bool leave_out(struct reduction *r, unsigned int from, unsigned int count)
{
	g_autoptr(GArray) rest = g_array_sized_new(FALSE, FALSE, sizeof(struct mmop),
						   r->ops->len);
	g_autofree char *text = NULL;
	const struct mmop *ops = &g_array_index(r->ops, struct mmop, 0);
	struct mmtrace *trace;
	unsigned int step;

	g_array_append_vals(rest, ops, from);
	g_array_append_vals(rest, ops + from + count, r->ops->len - from - count);
	trace = record_operations(&g_array_index(rest, struct mmop, 0), rest->len,
				  r->trace->window, r->trace->seed, r->trace->profile);
	step = compare(trace, r->options, &text);
	if (!step || step > rest->len) {
		mmtrace_free(trace);
		return false;
	}
	take_operations(r, trace, step);
	return true;
}

/* One pass from the end to the start, in pieces of @chunk. */
static bool shorten(struct reduction *r, unsigned int chunk)
{
	unsigned int from = r->ops->len, before = r->ops->len;

	while (from > 0) {
		from = MIN(from, r->ops->len);
		from -= MIN(chunk, from);
		leave_out(r, from, MIN(chunk, r->ops->len - from));
	}
	return r->ops->len < before;
}

struct mmtrace *minimise(const struct mmtrace *trace, const struct mmreplay_options *options)
{
	struct reduction r = { .ops = g_array_new(FALSE, FALSE, sizeof(struct mmop)),
			       .options = options };
	g_autofree char *text = NULL;
	unsigned int step;

	/* Recording again shows whether the difference is there each time. */
	for (unsigned int i = 0; i < trace->steps->len; i++)
		g_array_append_val(r.ops, g_array_index(trace->steps, struct mmtrace_step, i).op);
	r.trace = record_operations(&g_array_index(r.ops, struct mmop, 0), r.ops->len,
				    trace->window, trace->seed, trace->profile);
	step = compare(r.trace, options, &text);
	if (step)
		g_array_set_size(r.ops, step);
	for (unsigned int chunk = r.ops->len / 2; step && chunk > 1; chunk /= 2)
		shorten(&r, chunk);
	while (step && shorten(&r, 1))
		;
	g_array_free(r.ops, TRUE);
	return r.trace;
}
