// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast the explorer is, and against whom: executions per second on w1 and
 * on the port, states per second and time to exhaust against Spin on models of
 * the same workloads (bench/spin). Everything is measured in this run on this
 * machine, in processor time, as the median of several repetitions.
 *
 * usage: bench-explore [SPIN_MODELS_FOLDER [REPETITIONS]]
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vfiosim.h>

#include "../tests/workloads.h"

#define REPETITIONS 5

static unsigned int repetitions = REPETITIONS;

/* One pointer for each scenario of an example; see VFIOSIM_PROGRAM(). */
extern const struct vfiosim_scenario *const __start_vfiosim_scenarios[] __attribute__((weak));
extern const struct vfiosim_scenario *const __stop_vfiosim_scenarios[] __attribute__((weak));

struct measured {
	double seconds;		/* of processor time */
	double count;		/* runs, states */
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return values[n / 2];
}

static const struct vfiosim_scenario *example(const char *name)
{
	const struct vfiosim_scenario *const *at = __start_vfiosim_scenarios;

	for (; at < __stop_vfiosim_scenarios; at++)
		if (*at && !strcmp((*at)->name, name))
			return *at;
	return NULL;
}

/* ---- ourselves ---- */

static struct measured explore(const struct vfiosim_scenario *scenario,
			       struct vfiosim_options options)
{
	struct vfiosim_report *report;
	struct measured m;
	double start = cpu_seconds();

	vfiosim_explore(scenario, &options, &report);
	m.seconds = cpu_seconds() - start;
	m.count = options.strategy == VFIOSIM_STATES ? vfiosim_report_states(report) :
						       vfiosim_report_runs(report);
	vfiosim_report_free(report);
	return m;
}

static double rate_of(const struct vfiosim_scenario *scenario, struct vfiosim_options options)
{
	double rates[32];

	for (unsigned int i = 0; i < repetitions; i++) {
		struct measured m = explore(scenario, options);

		rates[i] = m.count / m.seconds;
	}
	return median(rates, repetitions);
}

static double seconds_of(const struct vfiosim_scenario *scenario, struct vfiosim_options options)
{
	double seconds[32];

	for (unsigned int i = 0; i < repetitions; i++)
		seconds[i] = explore(scenario, options).seconds;
	return median(seconds, repetitions);
}

static void line(const char *what, double value, const char *unit, double peer, const char *than)
{
	printf("%-52s %12.0f %-10s", what, value, unit);
	if (peer > 0)
		printf(" %6.2fx %s", value / peer, than);
	printf("\n");
	fflush(stdout);
}

static void our_rates(void)
{
	struct vfiosim_options o = { .runs_max = 100000 };

	o.backtracking = VFIOSIM_REEXECUTE;
	line("w1 3x10, re-execution", rate_of(workload_w1(3, 10), o), "runs/s", 600e3,
	     "of the target of 600 k");
	o.backtracking = VFIOSIM_SNAPSHOT;
	line("w1 3x10, snapshots", rate_of(workload_w1(3, 10), o), "runs/s", 2e6,
	     "of the target of 2 M");
	o.strategy = VFIOSIM_RANDOM;
	line("w1 3x10, random walk", rate_of(workload_w1(3, 10), o), "runs/s", 0, NULL);
	if (!example("open_vs_unregister"))
		return;
	o = (struct vfiosim_options){ .runs_max = 5000 };
	line("port: bind, open, unbind, automatic choice",
	     rate_of(example("open_vs_unregister"), o), "runs/s", 150e3,
	     "of the target of 150 k");
	o.backtracking = VFIOSIM_REEXECUTE;
	line("port: bind, open, unbind, re-execution",
	     rate_of(example("open_vs_unregister"), o), "runs/s", 0, NULL);
}

/* ---- Spin ---- */

/* Processor seconds of a shell command and its children; -1 if it fails. */
static double shell(const char *format, ...) G_GNUC_PRINTF(1, 2);
static double shell(const char *format, ...)
{
	g_autofree char *command = NULL;
	struct rusage before, after;
	va_list args;

	va_start(args, format);
	command = g_strdup_vprintf(format, args);
	va_end(args);
	getrusage(RUSAGE_CHILDREN, &before);
	if (system(command) != 0)
		return -1;
	getrusage(RUSAGE_CHILDREN, &after);
	return after.ru_utime.tv_sec - before.ru_utime.tv_sec +
	       (after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
	       after.ru_stime.tv_sec - before.ru_stime.tv_sec +
	       (after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
}

static double states_in(const char *file)
{
	g_autofree char *text = NULL;
	char *at;

	if (!g_file_get_contents(file, &text, NULL, NULL))
		return 0;
	at = strstr(text, " states, stored");
	while (at && at > text && at[-1] != '\n')
		at--;
	return at ? strtod(at, NULL) : 0;
}

static struct measured spin(const char *models, const char *dir, const char *model,
			    const char *defines)
{
	double seconds[32];
	g_autofree char *out = g_build_filename(dir, "out", NULL);

	if (shell("cd %s && spin %s -a %s/%s.pml >/dev/null && "
		  "cc -O2 -w -DSAFETY -DNOFAIR -DMEMLIM=3000 -o pan pan.c", dir, defines, models,
		  model) < 0)
		return (struct measured){ -1, 0 };
	for (unsigned int i = 0; i < repetitions; i++)
		seconds[i] = shell("cd %s && ./pan -m1000000 -w20 >out 2>&1", dir);
	return (struct measured){ median(seconds, repetitions), states_in(out) };
}

static void against_spin(const char *models)
{
	g_autofree char *dir = g_dir_make_tmp("vfiosim-spin-XXXXXX", NULL);
	g_autofree char *absolute = g_canonicalize_filename(models, NULL);
	struct vfiosim_options states = { .strategy = VFIOSIM_STATES, .runs_max = UINT64_MAX };
	struct vfiosim_options traces = { 0 };
	struct measured s = spin(absolute, dir, "w1", "-DN=3 -DK=14");
	double ours;

	if (s.seconds < 0) {
		printf("no spin here: not compared\n");
		return;
	}
	line("spin, w1 3x14", s.count / s.seconds, "states/s", 0, NULL);
	line("state search, w1 3x10", rate_of(workload_w1(3, 10), states), "states/s",
	     s.count / s.seconds, "of Spin's rate");
	s = spin(absolute, dir, "w3", "-DO=4");
	printf("%-52s %12.6f s, %.0f states\n", "spin, w3 with 4 openers, to the end", s.seconds,
	       s.count);
	ours = seconds_of(workload_w3(4), traces);
	printf("%-52s %12.6f s\n", "DPOR, w3 with 4 openers, to the end (14472 runs)", ours);
	printf("%-52s %11.1fx less than GenMC's 1.9 s, %.1fx than Nidhugg's 3.05 s\n", "",
	       1.9 / ours, 3.05 / ours);
	ours = seconds_of(workload_w3(4), states);
	printf("%-52s %12.6f s\n", "state search, w3 with 4 openers, to the end", ours);
	s = spin(absolute, dir, "w2", "");
	printf("%-52s %12.6f s, %.0f states\n", "spin, w2, to the end", s.seconds, s.count);
	printf("%-52s %12.6f s\n", "DPOR, w2, to the end", seconds_of(&workload_w2, traces));
	shell("rm -rf %s", dir);
}

int main(int argc, char **argv)
{
	if (argc > 2)
		repetitions = CLAMP(atoi(argv[2]), 1, 31);
	printf("medians of %u, in processor time\n", repetitions);
	our_rates();
	if (argc > 1)
		against_spin(argv[1]);
	return 0;
}
