/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Schedules as text: one line per step, with the names of the task, the
 * operation and the object, so that a schedule outlives small edits of its
 * scenario. docs/explorer.md describes the format.
 *
 * The token is the short form, one word of task numbers. It is exact, and only
 * good for the very same scenario.
 */
#ifndef VFIOSIM_SCHEDULE_H
#define VFIOSIM_SCHEDULE_H

#include <glib.h>

#include "sched.h"

/* A data choice that was not 0: the @nth of that name in the step. */
struct wanted_data {
	char *what;
	unsigned int nth;		/* from 1 */
	uint16_t value;
	bool fault;
};

struct wanted {
	char *task;			/* a name; from a token: NULL, and number counts */
	char *op;			/* NULL: any */
	char *object;			/* NULL: any */
	GArray *data;			/* of struct wanted_data */
	GArray *values;			/* of uint16_t: from a token */
	unsigned int number;
	unsigned int line;
	uint8_t how;			/* enum eng_wake */
};

struct schedule {
	char *source;			/* file name, for messages */
	char *scenario;			/* NULL: not said */
	char *detector;			/* NULL: not said */
	GPtrArray *steps;		/* of struct wanted */
	bool faults;			/* it was made with fault points as choices */
};

struct replay {
	bool strict;
	uint64_t seed;			/* of the rule that goes on after a divergence */
	GPtrArray *divergences;		/* of char *; filled in */
	enum vfiosim_verdict verdict;
	size_t steps;			/* that were taken */
	/* Called before each step, if set. */
	void (*on_step)(void *data, const struct menu *menu, unsigned int task);
	void *data;
};

#define SCHEDULE_ERROR (schedule_error_quark())
GQuark schedule_error_quark(void) SIM(schedule_error_quark);

/* @source names @text in messages, which begin with source:line. */
struct schedule *schedule_parse(const char *text, const char *source, GError **error)
	SIM(schedule_parse);
struct schedule *schedule_load(const char *file, GError **error) SIM(schedule_load);
void schedule_free(struct schedule *schedule) SIM(schedule_free);

/* Runs @decisions again and writes down the names; the run is ended after it. */
struct schedule *schedule_record(const struct run_config *config,
				 const struct decision *decisions, size_t n)
	SIM(schedule_record);
char *schedule_to_text(const struct schedule *schedule) SIM(schedule_to_text);
char *schedule_to_token(const struct decision *decisions, size_t n, bool faults)
	SIM(schedule_to_token);
bool schedule_is_token(const char *text) SIM(schedule_is_token);

/*
 * For debuggers: vfiosim_stop_here() is called before the step of this number,
 * counted from 1.
 */
extern volatile uint64_t vfiosim_stop_at;
void vfiosim_stop_here(void);

/*
 * Runs the scenario by @schedule, to the end of the run. Where the scenario no
 * longer fits, says so in replay->divergences and goes on: with the step that
 * the task now takes, or by a seeded rule. Returns false, with the run not
 * ended, if it does not fit and replay->strict.
 */
bool schedule_replay(const struct run_config *config, const struct schedule *schedule,
		     struct replay *replay) SIM(schedule_replay);

#endif
