// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench/mm: what address-space operations cost, on this machine's kernel and in
 * the model, in one run. N mappings of two pages of one file stand at every
 * fourth page; an operation hits some of them, in a scattered order.
 *
 * What takes longer than a slice of the processor is measured in CPU time, on
 * both sides: on a busy machine the rest is other programs. The two sides take
 * turns, so that both meet the machine in the same moods, and the median of the
 * turns counts. The live kernel is measured in a program of its own, unprivileged
 * and small, since its fork copies the page tables of all of it; what a fork
 * costs without any mapping of ours is its floor, as an empty system call is of
 * the other operations.
 *
 * usage: mm [TRACE...]		traces are replayed and timed as well
 *	  mm --model N		the model alone, at one size: for profilers
 *	  mm --live N		the live kernel alone: ns, one row a line
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "mm-side.h"
#include "mmreplay.h"

#define BASE 0x200000000000UL
#define PAGE 4096UL
#define BATCH 200		/* operations between two looks at the clock */
#define SAMPLES 41
#define SAMPLES_SINGLE 401	/* of batches of one */
#define FORK_SAMPLES 9
#define TURNS 3

enum row {
	CALL, MAP, UNMAP, SPLIT, JOIN, MOVE, FAULT, FORK_NONE, FORK, ZAP_ALL, ZAP_ONE, ZAP_NONE,
	ROWS
};

static const char *const names[ROWS] = {
	[CALL] = "system call (getppid)",
	[MAP] = "mmap(MAP_FIXED)",
	[UNMAP] = "munmap",
	[SPLIT] = "mprotect, cut in two",
	[JOIN] = "mprotect, join again",
	[MOVE] = "mremap, move one page's mapping",
	[FAULT] = "fault, page is in the file",
	[FORK_NONE] = "fork, nothing mapped",
	[FORK] = "fork of the space",
	[ZAP_ALL] = "zap, per mapping: all N show it",
	[ZAP_ONE] = "zap, 1 of N shows it",
	[ZAP_NONE] = "zap, none shows it",
};

struct measurement {
	const struct side *side;
	unsigned long n;
	double ns[ROWS];		/* 0: not measured */
	double bytes_per_mapping;
	double bytes_per_page;
};

static double ns_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double now_ns(void)
{
	return ns_of(CLOCK_MONOTONIC);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *samples, unsigned int count)
{
	qsort(samples, count, sizeof(*samples), compare);
	return samples[count / 2];
}

static double clock_cost(clockid_t clock)
{
	double samples[SAMPLES];

	for (unsigned int i = 0; i < SAMPLES; i++) {
		double start = ns_of(clock);

		samples[i] = ns_of(clock) - start;
	}
	return median(samples, SAMPLES);
}

/* Reading the CPU time is a system call: too slow for one operation. */
static clockid_t clock_for(unsigned long operations)
{
	return operations < 1000 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
}

static unsigned long at(unsigned long i)
{
	return BASE + i * 4 * PAGE;
}

/* The @k-th of the mappings that a batch hits: scattered, each once. */
static unsigned long pick(const struct measurement *m, unsigned int sample, unsigned int k)
{
	const unsigned long prime = 2654435761UL;

	return (sample * 7919UL + k * prime) % m->n;
}

typedef void (*operation)(const struct measurement *m, unsigned long i);

static void repeat(const struct measurement *m, unsigned int sample, unsigned int batch,
		   operation act)
{
	for (unsigned int k = 0; k < batch && act; k++)
		act(m, pick(m, sample, k));
}

/* Never below 0, which the clock's own cost can bring about. */
static double passed(clockid_t clock, double start, double idle)
{
	double ns = ns_of(clock) - start - idle;

	return MAX(ns, 0);
}

/* Nanoseconds of @timed on each of a batch, between @before and @after, which are not timed. */
static double time_batch(const struct measurement *m, operation before, operation timed,
			 operation after)
{
	unsigned int batch = MIN(BATCH, m->n), count = m->n == 1 ? SAMPLES_SINGLE : SAMPLES;
	clockid_t clock = clock_for(batch);
	double samples[SAMPLES_SINGLE], idle = clock_cost(clock);

	for (unsigned int sample = 0; sample < count; sample++) {
		double start;

		repeat(m, sample, batch, before);
		start = ns_of(clock);
		repeat(m, sample, batch, timed);
		samples[sample] = passed(clock, start, idle) / batch;
		repeat(m, sample, batch, after);
	}
	return median(samples, count);
}

static void do_map(const struct measurement *m, unsigned long i)
{
	m->side->map(at(i), 2, 0);
}

static void do_unmap(const struct measurement *m, unsigned long i)
{
	m->side->unmap(at(i), 2);
}

static void do_split(const struct measurement *m, unsigned long i)
{
	m->side->protect(at(i), 1, false);
}

static void do_join(const struct measurement *m, unsigned long i)
{
	m->side->protect(at(i), 1, true);
}

static void do_move(const struct measurement *m, unsigned long i)
{
	m->side->move(at(i), 2, at(i) + 2 * PAGE);
}

static void do_move_back(const struct measurement *m, unsigned long i)
{
	m->side->move(at(i) + 2 * PAGE, 2, at(i));
}

static void do_store(const struct measurement *m, unsigned long i)
{
	m->side->store(at(i));
}

static void do_drop(const struct measurement *m, unsigned long i)
{
	m->side->drop(at(i), 2);
}

static void do_call(const struct measurement *m, unsigned long i)
{
	m->side->call();
}

static void map_all(const struct measurement *m, bool apart)
{
	m->side->file(2 * m->n + 64);
	for (unsigned long i = 0; i < m->n; i++)
		m->side->map(at(i), 2, apart ? 2 * i : 0);
}

static void unmap_all(const struct measurement *m)
{
	for (unsigned long i = 0; i < m->n; i++)
		m->side->unmap(at(i), 2);
}

static void time_operations(struct measurement *m)
{
	map_all(m, false);
	if (m->side->call)
		m->ns[CALL] = time_batch(m, NULL, do_call, NULL);
	m->ns[UNMAP] = time_batch(m, NULL, do_unmap, do_map);
	m->ns[MAP] = time_batch(m, do_unmap, do_map, NULL);
	m->ns[SPLIT] = time_batch(m, NULL, do_split, do_join);
	m->ns[JOIN] = time_batch(m, do_split, do_join, NULL);
	for (unsigned long i = 0; i < m->n; i++)
		do_store(m, i);
	m->ns[MOVE] = time_batch(m, NULL, do_move, do_move_back);
	m->ns[FAULT] = time_batch(m, do_drop, do_store, NULL);
}

static double time_fork(const struct measurement *m)
{
	unsigned int count = m->n > 100000 ? 3 : FORK_SAMPLES;
	clockid_t clock = clock_for(m->n);
	double samples[FORK_SAMPLES];

	for (unsigned int i = 0; i < count; i++) {
		double start = ns_of(clock);

		m->side->fork();
		samples[i] = ns_of(clock) - start;
		m->side->end_child();
	}
	return median(samples, count);
}

/* A punch of page @pgoff, which the mappings from @first on, @present of them, have touched. */
static double time_punch(struct measurement *m, unsigned long pgoff, unsigned long first,
			 unsigned long present)
{
	unsigned int count = present > 100000 ? 5 : SAMPLES;
	clockid_t clock = clock_for(present);
	double samples[SAMPLES], idle = clock_cost(clock);

	for (unsigned int sample = 0; sample < count; sample++) {
		double start;

		for (unsigned long i = 0; i < present; i++)
			do_store(m, first + i);
		start = ns_of(clock);
		m->side->punch(pgoff);
		samples[sample] = passed(clock, start, idle);
	}
	return median(samples, count);
}

/* One page of which all N mappings have an entry; then each mapping shows its own. */
static void time_zaps(struct measurement *m)
{
	m->ns[ZAP_ALL] = time_punch(m, 0, 0, m->n) / m->n;
	unmap_all(m);
	map_all(m, true);
	m->ns[ZAP_ONE] = time_punch(m, m->n / 2 * 2, m->n / 2, 1);
	m->ns[ZAP_NONE] = time_punch(m, 2 * m->n + 8, 0, 0);
	unmap_all(m);
}

static void measure(void *data)
{
	struct measurement *m = data;

	m->ns[FORK_NONE] = time_fork(m);
	time_operations(m);
	m->ns[FORK] = time_fork(m);
	time_zaps(m);
}

/*
 * Of the model: what the heap takes more for N mappings of a page each, then for
 * an entry in each, @stride pages from one to the next.
 */
struct layout {
	struct measurement m;
	unsigned long stride;
};

static void measure_memory(void *data)
{
	struct layout *layout = data;
	struct measurement *m = &layout->m;
	size_t empty, mapped;

	m->side->file(64);
	empty = model_bytes();
	for (unsigned long i = 0; i < m->n; i++)
		m->side->map(BASE + i * layout->stride * PAGE, 1, 0);
	mapped = model_bytes();
	for (unsigned long i = 0; i < m->n; i++)
		m->side->store(BASE + i * layout->stride * PAGE);
	m->bytes_per_mapping = (double)(mapped - empty) / m->n;
	m->bytes_per_page = (double)(model_bytes() - mapped) / m->n;
}

static void must_run(void (*body)(void *data), void *data)
{
	if (in_model(body, data))
		return;
	fprintf(stderr, "bench/mm: the model failed\n");
	exit(EXIT_FAILURE);
}

/* ---- reporting ---- */

static void print_number(double number, const char *format)
{
	if (number > 0)
		printf(format, number);
	else
		printf("%12s", "-");
}

/* A zap of N mappings is one system call: its share of the floor is small. */
static double net_of_floor(enum row row, const struct measurement *live)
{
	switch (row) {
	case FAULT:
		return live->ns[row];
	case FORK:
		return live->ns[row] - live->ns[FORK_NONE];
	case ZAP_ALL:
		return live->ns[row] - live->ns[CALL] / live->n;
	default:
		return live->ns[row] - live->ns[CALL];
	}
}

static void print_row(enum row row, const struct measurement *live,
		      const struct measurement *model)
{
	double ns = model->ns[row];

	printf("  %-34s", names[row]);
	print_number(live->ns[row], "%12.0f");
	print_number(ns, row == ZAP_ALL ? "%12.1f" : "%12.0f");
	print_number(ns > 0 ? live->ns[row] / ns : 0, "%11.1fx");
	print_number(ns > 0 && live->ns[row] > 0 ? net_of_floor(row, live) / ns : 0, "%11.1fx");
	printf("\n");
}

static void print_table(const struct measurement *live, const struct measurement *model)
{
	printf("N = %lu%36s%12s%12s%12s\n", model->n, "live ns", "model ns", "ratio",
	       "net ratio");
	for (enum row row = 0; row < ROWS; row++)
		print_row(row, live, model);
}

/* ---- the two sides ---- */

/* For who starts us to read: see measure_live(). */
static void print_live(unsigned long n)
{
	struct measurement live = { .side = &live_side, .n = n };

	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	measure(&live);
	for (enum row row = 0; row < ROWS; row++)
		printf("%.1f\n", live.ns[row]);
}

static void measure_live(struct measurement *live)
{
	g_autofree char *size = g_strdup_printf("%lu", live->n), *text = NULL;
	char *argv[] = { "/proc/self/exe", "--live", size, NULL }, *at;
	g_autoptr(GError) error = NULL;
	int status = 0;

	if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &text, NULL, &status,
			  &error) || !g_spawn_check_wait_status(status, &error)) {
		fprintf(stderr, "bench/mm: --live: %s\n", error->message);
		exit(EXIT_FAILURE);
	}
	at = text;
	for (enum row row = 0; row < ROWS; row++)
		live->ns[row] = strtod(at, &at);
}

static void take_medians(struct measurement *m, const struct measurement *turns)
{
	double samples[TURNS];

	*m = turns[0];
	for (enum row row = 0; row < ROWS; row++) {
		for (unsigned int turn = 0; turn < TURNS; turn++)
			samples[turn] = turns[turn].ns[row];
		m->ns[row] = median(samples, TURNS);
	}
}

static void measure_both(struct measurement *live, struct measurement *model)
{
	struct measurement lives[TURNS], models[TURNS];

	for (unsigned int turn = 0; turn < TURNS; turn++) {
		lives[turn] = *live;
		models[turn] = *model;
		if (live->n <= 10000)
			measure_live(&lives[turn]);
		must_run(measure, &models[turn]);
	}
	take_medians(live, lives);
	take_medians(model, models);
}

static void measure_sizes(void)
{
	static const unsigned long sizes[] = { 1, 100, 1000, 10000, 1000000 };
	double find[G_N_ELEMENTS(sizes)];

	for (unsigned int i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct measurement live = { .side = &live_side, .n = sizes[i] };
		struct measurement model = { .side = &model_side, .n = sizes[i] };

		measure_both(&live, &model);
		print_table(&live, &model);
		find[i] = model.ns[ZAP_ONE];
	}
	printf("finding 1 of 1000000 costs %.1f times finding 1 of 1000 (target: at most 3)\n",
	       find[4] / find[2]);
}

static void measure_bytes(void)
{
	static const unsigned long strides[] = { 1, 2, 4 };

	for (unsigned int i = 0; i < G_N_ELEMENTS(strides); i++) {
		struct layout layout = { { .side = &model_side, .n = 100000 }, strides[i] };

		must_run(measure_memory, &layout);
		printf("memory, a mapping every %lu page%s: %.1f bytes per mapping, %.1f per "
		       "present page, %.1f together (target: at most 160)\n", strides[i],
		       strides[i] == 1 ? "" : "s", layout.m.bytes_per_mapping,
		       layout.m.bytes_per_page,
		       layout.m.bytes_per_mapping + layout.m.bytes_per_page);
	}
}

static void replay_corpus(int count, char **paths)
{
	const struct mmreplay_options options = { 0 };
	unsigned int ops = 0, differences = 0;
	double start, spent = 0;

	for (int i = 0; i < count; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(mmtrace) trace = mmtrace_load(paths[i], &error);
		struct mmreplay_report report;

		if (!trace) {
			fprintf(stderr, "%s\n", error->message);
			exit(2);
		}
		start = now_ns();
		mmreplay(trace, &options, &report);
		spent += now_ns() - start;
		ops += report.steps;
		differences += report.difference > 0;
		mmreplay_report_clear(&report);
	}
	printf("replay: %d traces, %u operations, %u differences in %.3f s (target: 15190 in "
	       "under 0.2)\n", count, ops, differences, spent / 1e9);
}

static void measure_model(unsigned long n)
{
	const struct measurement live = { .side = &live_side, .n = n };
	struct measurement model = { .side = &model_side, .n = n };

	must_run(measure, &model);
	print_table(&live, &model);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--model")) {
		measure_model(strtoul(argv[2], NULL, 0));
		return EXIT_SUCCESS;
	}
	if (argc == 3 && !strcmp(argv[1], "--live")) {
		print_live(strtoul(argv[2], NULL, 0));
		return EXIT_SUCCESS;
	}
	printf("medians of %d turns; net: less the system call that does nothing, or the fork "
	       "of nothing.\nTargets: ratio 10, net ratio 3, zap 20 ns a mapping at N = 10000\n",
	       TURNS);
	measure_sizes();
	measure_bytes();
	if (argc > 1)
		replay_corpus(argc - 1, argv + 1);
	return EXIT_SUCCESS;
}
