// SPDX-License-Identifier: GPL-2.0-only
/* vfiosim mm-replay: recorded traces against the model (docs/man/vfiosim-mm-replay.1). */
#include <stdio.h>
#include <string.h>

#include "mmreplay.h"

#include "commands.h"

enum { EXIT_SAME, EXIT_DIFFERS, EXIT_BAD };

static const struct {
	const char *word;
	unsigned int level;
} levels[] = {
	{ "1", MMREPLAY_RESULTS }, { "2", MMREPLAY_JOINED }, { "3", MMREPLAY_EXACT },
	{ "max", 0 }, { "exact", MMREPLAY_FORCED },
};

static int usage(const char *problem, const char *word)
{
	fprintf(stderr, "vfiosim mm-replay: %s%s%s\n"
		"usage: vfiosim mm-replay [--level 1|2|3|max|exact]"
		" [--zeropage auto|mapped|forbidden] [--no-values] FILE...\n",
		problem, word ? ": " : "", word ? word : "");
	return EXIT_BAD;
}

static bool parse_level(const char *word, struct mmreplay_options *options)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(levels); i++) {
		if (word && !strcmp(word, levels[i].word)) {
			options->level = levels[i].level;
			return true;
		}
	}
	return false;
}

static bool parse_zeropage(const char *word, struct mmreplay_options *options)
{
	static const char *const words[] = {
		[MMREPLAY_ZEROPAGE_AUTO] = "auto",
		[MMREPLAY_ZEROPAGE_MAPPED] = "mapped",
		[MMREPLAY_ZEROPAGE_FORBIDDEN] = "forbidden",
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(words); i++) {
		if (word && !strcmp(word, words[i])) {
			options->zeropage = i;
			return true;
		}
	}
	return false;
}

/* All of them before the first is replayed: a bad one leaves no half of a report. */
static GPtrArray *load_all(char **paths)
{
	g_autoptr(GPtrArray) traces =
		g_ptr_array_new_with_free_func((GDestroyNotify)mmtrace_free);
	bool good = true;

	for (; *paths; paths++) {
		g_autoptr(GError) error = NULL;
		struct mmtrace *trace = mmtrace_load(*paths, &error);

		if (trace)
			g_ptr_array_add(traces, trace);
		else
			fprintf(stderr, "%s\n", error->message);
		good &= trace != NULL;
	}
	return good ? g_steal_pointer(&traces) : NULL;
}

static int replay_traces(const GPtrArray *traces, const struct mmreplay_options *options)
{
	unsigned int ops = 0, differences = 0;

	for (unsigned int i = 0; i < traces->len; i++) {
		const struct mmtrace *trace = traces->pdata[i];
		struct mmreplay_report report;

		mmreplay(trace, options, &report);
		ops += report.steps;
		if (report.difference) {
			differences++;
			fputs(report.text, stdout);
		}
		printf("%s: %s, %u of %u operations at level %u%s\n", trace->name,
		       report.difference ? "differs" : "same",
		       report.steps, trace->steps->len, report.level,
		       report.zeropage ? "" : ", zero page forbidden");
		mmreplay_report_clear(&report);
	}
	printf("traces %u ops %u differences %u\n", traces->len, ops, differences);
	return differences ? EXIT_DIFFERS : EXIT_SAME;
}

int cmd_mm_replay(int argc, char **argv)
{
	struct mmreplay_options options = { 0 };
	g_autoptr(GPtrArray) traces = NULL;
	int at = 1;

	for (; at < argc && g_str_has_prefix(argv[at], "--"); at++) {
		if (!strcmp(argv[at], "--level")) {
			if (!parse_level(argv[++at < argc ? at : argc], &options))
				return usage("--level takes 1, 2, 3, max or exact", NULL);
		} else if (!strcmp(argv[at], "--zeropage")) {
			if (!parse_zeropage(argv[++at < argc ? at : argc], &options))
				return usage("--zeropage takes auto, mapped or forbidden", NULL);
		} else if (!strcmp(argv[at], "--no-values")) {
			options.no_values = true;
		} else if (!strcmp(argv[at], "--")) {
			at++;
			break;
		} else {
			return usage("unknown option", argv[at]);
		}
	}
	if (at >= argc)
		return usage("no FILE", NULL);
	traces = load_all(argv + at);
	return traces ? replay_traces(traces, &options) : EXIT_BAD;
}
