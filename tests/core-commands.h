/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands that a script of steps is made of, and the task that carries
 * them out. tests/data/core-5.14-patched/steps.txt explains each in its head.
 */
#ifndef VFIOSIM_TESTS_CORE_COMMANDS_H
#define VFIOSIM_TESTS_CORE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#define CORE_WORDS 6

struct core_command {
	const char *word[CORE_WORDS];	/* the rest are NULL */
	struct core_command *next;
};

/* @name NULL: carried out without a row. */
struct core_step {
	const char *name;
	struct core_command *first;
	struct core_step *next;
	int line;			/* of the script */
};

/* What follows the name, for instance "DEV [DRIVER]"; NULL: there is no such command. */
const char *core_command_usage(const char *name);

/* Carries out one command: a step that is named as it is. Its return value. */
long core_step(const struct core_command *command);

/* Body of the task "main": carries out @script, rows and remarks go to core_log. */
void core_run_script(const struct core_step *script);
/* No step after the one that is under way, but a last row "flushed" of its own. */
extern bool core_stop_script;

#define CORE_LOG_SIZE (256 * 1024)
extern char core_log[CORE_LOG_SIZE];
extern size_t core_log_used;

#endif
