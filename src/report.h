/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an exploration has to say: as text for a terminal, JSON for programs and
 * a page of HTML for people. A failing schedule is minimised and replayed with
 * tracing on, so that the report can show every step, stack and object.
 */
#ifndef VFIOSIM_REPORT_H
#define VFIOSIM_REPORT_H

#include "explore.h"
#include "minimize.h"
#include "trace.h"

struct shown_task {
	char *name;
	char *stack;			/* "mutex_lock < vfio_open < task_entry", or NULL */
	char *state;			/* what it was about to do at the end */
};

struct vfiosim_report {
	const struct vfiosim_scenario *scenario;
	struct vfiosim_options options;
	enum vfiosim_verdict verdict;
	uint64_t runs, cut, steps, states, digest, restored, reexecuted;
	uint64_t depth_max, faults_reached;
	unsigned int tasks_max;
	size_t live_bytes;
	double seconds;
	bool estimated;			/* how many runs there are: */
	double total, total_error;
	char *why_stopped;
	struct finding finding;
	bool failed;
	GArray *outcomes;		/* of struct outcome */
	GPtrArray *warnings;		/* of char *: findings that are not failures */

	/* Only if failed: */
	struct minimized minimized;
	GArray *events;			/* of struct trace_event, of the failing run */
	uint64_t first_event;		/* between setup and teardown: the first, by number, */
	uint64_t last_event;		/* and the one after the last */
	GPtrArray *objects;		/* of char *: what is known of those that matter */
	GArray *tasks;			/* of struct shown_task, by number */
	char *schedule;			/* as text */
	char *token;
	char *passing_token;
	char *passing_line;

	char *text, *json, *html;	/* made when asked for */
};

/* Takes what it needs from @x; minimises and replays a failure. */
struct vfiosim_report *report_new(const struct exploration *x) SIM(report_new);
/* One replayed run, which is not ended yet, as a report of its own. */
void report_take_run(struct vfiosim_report *report) SIM(report_take_run);

/* As reports and JSON spell it. */
const char *verdict_word(enum vfiosim_verdict verdict) SIM(verdict_word);
/* The columns of a run: @all also shows events between steps, and elides nothing. */
void report_timeline(const struct vfiosim_report *report, bool all, GString *out)
	SIM(report_timeline);
/*
 * How to run a schedule again, up to the scenario's name: the program as it was called and
 * the options without which the schedule would be another run. Takes over @command.
 */
void report_set_replay(char *command) SIM(report_set_replay);
const char *report_replay(void) SIM(report_replay);
/* Whether the finding's message names @object, or that of which @object is a field. */
bool report_names(const struct vfiosim_report *report, const char *object) SIM(report_names);
/* One event as the text of a table cell; the caller frees it. */
char *report_cell(const struct trace_event *event) SIM(report_cell);

#endif
