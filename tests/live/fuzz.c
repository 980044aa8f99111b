// SPDX-License-Identifier: GPL-2.0-only
/*
 * mm-fuzz: random operations on this machine's kernel and in the model, compared
 * after every step. A difference is minimised and written out as a trace, which
 * "vfiosim mm-replay" shows again on any machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compare.h"
#include "live.h"

static gint64 seed = -1;
static gint ops = 400, seconds, sequences, level = MMREPLAY_FORCED;
static struct mmreplay_options options;
static gchar *profile_name, *weights, *out, *record_to;

static const GOptionEntry entries[] = {
	{ "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "of the first sequence; default: fresh", "N" },
	{ "ops", 0, 0, G_OPTION_ARG_INT, &ops, "operations in a sequence (400)", "N" },
	{ "sequences", 0, 0, G_OPTION_ARG_INT, &sequences, "stop after so many", "N" },
	{ "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "stop after so long", "N" },
	{ "profile", 0, 0, G_OPTION_ARG_STRING, &profile_name,
	  "mixed, shared, private, anon, fork, remap, zap, errors, calls, sealed, wide;"
	  " default: in turn",
	  "NAME" },
	{ "weights", 0, 0, G_OPTION_ARG_STRING, &weights, "change weights: mmap=5,fork=0",
	  "LIST" },
	{ "level", 0, 0, G_OPTION_ARG_INT, &level,
	  "of comparison, 1 to 4, 0 as the format allows; default 4, exact", "N" },
	{ "out", 0, 0, G_OPTION_ARG_FILENAME, &out, "folder for differing traces (.)", "DIR" },
	{ "record", 0, 0, G_OPTION_ARG_FILENAME, &record_to,
	  "record one sequence to FILE and compare nothing", "FILE" },
	{ NULL },
};

static int usage(const char *message)
{
	fprintf(stderr, "mm-fuzz: %s\n", message);
	return 2;
}

static bool choose_profile(unsigned int round, struct profile *profile)
{
	*profile = profiles[round % profiles_count];
	if (profile_name) {
		unsigned int i = 0;

		while (i < profiles_count && strcmp(profiles[i].name, profile_name))
			i++;
		if (i == profiles_count)
			return false;
		*profile = profiles[i];
	}
	return !weights || profile_set_weights(profile, weights);
}

static bool write_trace(const struct mmtrace *trace, const char *path)
{
	g_autoptr(GString) text = mmtrace_write(trace);
	g_autoptr(GError) error = NULL;

	if (g_file_set_contents(path, text->str, text->len, &error))
		return true;
	fprintf(stderr, "mm-fuzz: %s\n", error->message);
	return false;
}

/*
 * What the two sides disagree on, as short as it gets, on paper. False if the
 * kernel does it once and not again: a page that was locked or moved for reasons of
 * its own when fault-around looked at it (MM-259). That is told, and no failure.
 */
static bool report(const struct mmtrace *trace, const char *text)
{
	g_autofree char *path = g_strdup_printf("%s/%s-%s.trace", out ? out : ".",
						trace->profile, trace->seed);
	g_autoptr(mmtrace) shortest = NULL;
	g_autofree char *why = NULL;

	printf("DIFFERENCE in profile %s, seed %s:\n%s", trace->profile, trace->seed, text);
	fflush(stdout);
	shortest = minimise(trace, &options);
	if (compare(shortest, &options, &why))
		printf("minimised to %u operations:\n%s", shortest->steps->len, why);
	else
		printf("it does not come back when recorded again: noise, kept as it is\n");
	if (write_trace(why ? shortest : trace, path))
		printf("written to %s; see it again: vfiosim mm-replay %s\n", path, path);
	return why;
}

static bool one_sequence(unsigned int round, unsigned int *steps)
{
	g_autoptr(mmtrace) trace = NULL;
	g_autofree char *text = NULL;
	struct profile profile;

	choose_profile(round, &profile);
	trace = record_random(&profile, seed + round, ops);
	*steps += trace->steps->len;
	if (!compare(trace, &options, &text))
		return true;
	return !report(trace, text);
}

static int record_only(void)
{
	struct profile profile;
	g_autoptr(mmtrace) trace = NULL;

	choose_profile(0, &profile);
	trace = record_random(&profile, seed, ops);
	return write_trace(trace, record_to) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int fuzz(void)
{
	gint64 end = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
	unsigned int round = 0, steps = 0;

	options.level = level;
	options.zeropage = live_zeropage() ? MMREPLAY_ZEROPAGE_MAPPED :
			   MMREPLAY_ZEROPAGE_FORBIDDEN;
	printf("mm-fuzz: seed %lld, %d operations a sequence, zero page %s\n", (long long)seed,
	       ops, options.zeropage == MMREPLAY_ZEROPAGE_MAPPED ? "mapped" : "forbidden");
	do {
		if (!one_sequence(round++, &steps))
			return EXIT_FAILURE;
	} while (seconds ? g_get_monotonic_time() < end : round < (unsigned int)sequences);
	printf("sequences %u ops %u differences 0\n", round, steps);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	struct profile profile;

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return usage(error->message);
	if (argc > 1)
		return usage("no arguments but options are taken");
	if (!choose_profile(0, &profile))
		return usage(profile_name ? "no such profile, or no such weight" :
			     "no such weight");
	if (ops < 1 || ops > 1000000 || level < 0 || level > 4 || seconds < 0 || sequences < 0)
		return usage("a number is out of range");
	if (seed < 0)
		seed = time(NULL);
	if (!sequences && !seconds)
		sequences = profiles_count;
	return record_to ? record_only() : fuzz();
}
