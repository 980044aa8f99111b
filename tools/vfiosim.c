// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vfiosim command: the command line of vfiosim_main() over the scenarios of
 * all examples, which are linked in, and the commands that are about memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfiosim.h>

#include "commands.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "mm-replay", cmd_mm_replay, "replay traces recorded on a live kernel's memory" },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* One pointer for each scenario of an example; see VFIOSIM_PROGRAM(). */
extern const struct vfiosim_scenario *const __start_vfiosim_scenarios[] __attribute__((weak));
extern const struct vfiosim_scenario *const __stop_vfiosim_scenarios[] __attribute__((weak));

static int compare_names(const void *a, const void *b)
{
	const struct vfiosim_scenario *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Ordered by name, and ended by NULL. */
static const struct vfiosim_scenario **collect(void)
{
	const struct vfiosim_scenario *const *at = __start_vfiosim_scenarios;
	const struct vfiosim_scenario **all;
	size_t n = 0;

	all = calloc(__stop_vfiosim_scenarios - at + 1, sizeof(*all));
	if (!all)
		abort();
	/* The linker may leave gaps between the parts. */
	for (; at < __stop_vfiosim_scenarios; at++)
		if (*at)
			all[n++] = *at;
	qsort(all, n, sizeof(*all), compare_names);
	return all;
}

static bool asks_for_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h");
}

static void add_usage(void)
{
	printf("\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-12s %s\n", commands[i].name, commands[i].summary);
}

int main(int argc, char **argv)
{
	const struct vfiosim_scenario **scenarios;
	static char help[] = "help";
	char *no_words[] = { argv[0], help, NULL };
	int status;

	for (size_t i = 0; argc > 1 && i < N_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	scenarios = collect();
	status = argc > 1 ? vfiosim_main(argc, argv, scenarios) :
			    vfiosim_main(2, no_words, scenarios);
	if (argc <= 1 || (argc == 2 && asks_for_help(argv[1])))
		add_usage();
	free(scenarios);
	return status;
}
