/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line that every program of scenarios has. Each command gets its
 * own words, parsed, and returns the exit status.
 */
#ifndef VFIOSIM_CLI_H
#define VFIOSIM_CLI_H

#include <glib.h>

#include "report.h"
#include "schedule.h"

/* Exit statuses. */
enum {
	EXIT_GOOD = 0,
	EXIT_FOUND = 1,		/* a failure, or a difference */
	EXIT_INPUT = 2,		/* what was asked for makes no sense */
	EXIT_BUDGET = 3,	/* not finished: nothing is proven */
};

/* What the options of a command said. */
struct cli {
	const char *program;		/* without its folder */
	const char *called;		/* as it was typed */
	const struct vfiosim_scenario *const *scenarios;
	GPtrArray *chosen;		/* of const struct vfiosim_scenario * */
	char **words;			/* the rest: replay's schedule, merge's files */
	char **arguments;		/* all after the command's name, as they were given */
	struct vfiosim_options options;
	const char *expect;
	const char *json_file, *html_file, *save_file;
	const char *core_a, *core_b;
	bool verbose, quiet, strict, valgrind, gdb, timeline, lines, traces;
	unsigned int kernel;		/* enum vfiosim_kernel */
};

/* Each prints what it has to say, problems to stderr, and returns an exit status. */
int command_list(struct cli *cli) SIM(command_list);
int command_run(struct cli *cli) SIM(command_run);
int command_explore(struct cli *cli) SIM(command_explore);
int command_replay(struct cli *cli) SIM(command_replay);
int command_faults(struct cli *cli) SIM(command_faults);
int command_compare(struct cli *cli) SIM(command_compare);
int command_merge(struct cli *cli) SIM(command_merge);

/* What replay --valgrind and --gdb do. */
int replay_elsewhere(struct cli *cli, const struct vfiosim_scenario *scenario,
		     const struct schedule *schedule) SIM(replay_elsewhere);

/* Prints one line "PROGRAM: what" to stderr; returns EXIT_INPUT. */
int cli_complain(const struct cli *cli, const char *format, ...) SIM(cli_complain)
	G_GNUC_PRINTF(2, 3);
/* The version that --kernel named, as it names it. */
const char *cli_kernel(const struct cli *cli) SIM(cli_kernel);
int cli_status(enum vfiosim_verdict verdict) SIM(cli_status);
/* Which of two exit statuses counts: a failure outweighs a budget, bad input both. */
int cli_worse(int a, int b) SIM(cli_worse);
/* Writes @text to @file, or says why not. */
bool cli_write(const struct cli *cli, const char *file, const char *text) SIM(cli_write);
/* Whether there is hope for that; asked before hours of work, or says why not. */
bool cli_may_write(const struct cli *cli, const char *file) SIM(cli_may_write);

#endif
