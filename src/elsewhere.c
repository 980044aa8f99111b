// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay --valgrind and replay --gdb: the same program again, with the same
 * schedule, under memcheck or in gdb. The schedule goes there as a file, since
 * a word that was typed here is not known to be one there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

#ifndef VFIOSIM_DATADIR
#define VFIOSIM_DATADIR "/usr/share/vfiosim"
#endif

#define MEMCHECK_FOUND 42

static char *own_path(void)
{
	return g_file_read_link("/proc/self/exe", NULL);
}

/* vfiosim-gdb.py lies beside an installed program's data, or in the source's tools/. */
static char *find_printers(void)
{
	static const char *const places[] = {
		VFIOSIM_DATADIR "/vfiosim-gdb.py", VFIOSIM_TOOLS "/vfiosim-gdb.py",
	};
	const char *given = g_getenv("VFIOSIM_GDB");

	if (given)
		return g_strdup(given);
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
		if (g_file_test(places[i], G_FILE_TEST_EXISTS))
			return g_strdup(places[i]);
	return NULL;
}

/* The step to stop before: the last one, which fails or leaves nobody to go on. */
static uint64_t failing_step(const struct vfiosim_scenario *scenario,
			     const struct schedule *schedule)
{
	struct run_config config = { .scenario = scenario, .faults = schedule->faults };
	struct replay replay = { .seed = 1 };

	schedule_replay(&config, schedule, &replay);
	g_ptr_array_unref(replay.divergences);
	return replay.steps;
}

static void add(GPtrArray *argv, const char *word)
{
	g_ptr_array_add(argv, g_strdup(word));
}

/* At the first finding: what a run does after a bad access, and calls "ok", says nothing. */
static void add_valgrind(GPtrArray *argv)
{
	add(argv, "valgrind");
	add(argv, "--quiet");
	add(argv, "--leak-check=no");
	add(argv, "--exit-on-first-error=yes");
	add(argv, "--error-exitcode=" G_STRINGIFY(MEMCHECK_FOUND));
	add(argv, "--num-callers=30");
}

static void add_command(GPtrArray *argv, const char *command)
{
	add(argv, "-ex");
	add(argv, command);
}

static void add_gdb(GPtrArray *argv, uint64_t step, bool batch)
{
	g_autofree char *printers = find_printers();
	g_autofree char *source = g_strdup_printf("source %s", printers ?: "");
	g_autofree char *stop = g_strdup_printf("set var vfiosim_stop_at = %llu",
						(unsigned long long)step);

	add(argv, "gdb");
	add(argv, "-q");
	if (batch)
		add(argv, "-batch");
	add_command(argv, "set breakpoint pending on");
	if (printers)
		add_command(argv, source);
	add_command(argv, "break main");
	add_command(argv, "run");
	add_command(argv, stop);
	add_command(argv, "break vfiosim_stop_here");
	add_command(argv, "tbreak vfiosim_eng_vfail");
	add_command(argv, "continue");
	add_command(argv, "backtrace");
	if (printers)
		add_command(argv, "vfiosim tasks");
	if (batch) {
		/* Nobody is there to go on: show the failure's own stack as well. */
		add_command(argv, "continue");
		add_command(argv, "backtrace");
	}
	add(argv, "--args");
}

static int run_and_wait(const struct cli *cli, char **argv)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child < 0)
		return cli_complain(cli, "cannot start %s: %s", argv[0], g_strerror(errno));
	if (!child) {
		execvp(argv[0], argv);
		fprintf(stderr, "%s: cannot start %s: %s\n", cli->program, argv[0],
			g_strerror(errno));
		_exit(EXIT_INPUT);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_INPUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FOUND;
}

/* All that was asked for, but for where. */
static void add_arguments(GPtrArray *argv, char **arguments)
{
	for (; *arguments; arguments++) {
		const char *name = *arguments + strspn(*arguments, "-");

		if (name == *arguments ||
		    (!g_str_equal(name, "valgrind") && !g_str_equal(name, "gdb")))
			add(argv, *arguments);
	}
}

int replay_elsewhere(struct cli *cli, const struct vfiosim_scenario *scenario,
		     const struct schedule *schedule)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *program = own_path();
	int status;

	if (cli->valgrind && cli->gdb)
		return cli_complain(cli, "--valgrind and --gdb exclude each other");
	if (!program)
		return cli_complain(cli, "cannot find the program's own file");
	if (cli->valgrind)
		add_valgrind(argv);
	else
		add_gdb(argv, failing_step(scenario, schedule), !isatty(STDIN_FILENO));
	add(argv, program);
	add(argv, "replay");
	add_arguments(argv, cli->arguments);
	g_ptr_array_add(argv, NULL);
	status = run_and_wait(cli, (char **)argv->pdata);
	if (cli->valgrind && status == MEMCHECK_FOUND)
		cli_complain(cli, "memcheck stopped %s: see above", scenario->name);
	return status;
}
