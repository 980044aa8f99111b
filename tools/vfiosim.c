// SPDX-License-Identifier: GPL-2.0-only
/* The vfiosim command: finds the sub-command that does the work. */
#include <stdio.h>
#include <string.h>

#include "commands.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "mm-replay", cmd_mm_replay, "replay traces recorded on a live kernel's memory" },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *stream)
{
	fputs("usage: vfiosim COMMAND [ARGUMENT]...\n", stream);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(stream, "  %-12s %s\n", commands[i].name, commands[i].summary);
	return stream == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help")))
		return usage(stdout);
	for (size_t i = 0; argc > 1 && i < N_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	if (argc > 1)
		fprintf(stderr, "vfiosim: no command %s\n", argv[1]);
	return usage(stderr);
}
