// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the recorder says of pages that fork left out. Absent they are in any
 * case; 'o' says that a model may have them, '-' that it must not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "live.h"

#define WINDOW 12

static const struct {
	const char *what;
	const char *ops[12];
	const char *end;	/* the child's line of the final dump */
} rows[] = {
	{ "fork leaves out what another touch brings back",
	  { "file f0 8", "open p0 h0 f0 rw", "mmap p0 h0 0 4 rw- s fixed 0", "write p0 0",
	    "write p0 2", "fork p0 p1", "write p1 2" },
	  "E p1 1 o-F-........" },
	{ "advice that ends at locked memory has dropped what lies before",
	  { "file f0 8", "open p0 h0 f0 rw", "mmap p0 h0 0 2 rw- s fixed 0",
	    "mmap p0 h0 4 4 rw- s fixed 4", "write p0 0", "write p0 6", "fork p0 p1",
	    "mlock p1 4 1", "madvise p1 dontneed 0 8" },
	  "E p1 3 --..F-o-...." },
	{ "advice that ends at sealed memory has dropped what lies before",
	  { "file f0 8", "open p0 h0 f0 rw", "mmap p0 h0 0 2 rw- s fixed 0",
	    "mmap p0 anon 2 2 r-- p fixed 0", "mmap p0 h0 4 4 rw- s fixed 4", "write p0 0",
	    "write p0 6", "fork p0 p1", "mseal p1 2 2", "madvise p1 dontneed 0 8" },
	  "E p1 3 ------o-...." },
	{ "a file's pages that advice removes go everywhere",
	  { "file f0 8", "open p0 h0 f0 rw", "mmap p0 h0 0 4 rw- s fixed 0", "write p0 0",
	    "write p0 2", "fork p0 p1", "madvise p0 remove 2 1" },
	  "E p1 1 o---........" },
	{ "and so do pages of shared memory",
	  { "mmap p0 anon 0 4 rw- s fixed 0", "write p0 0", "write p0 2", "fork p0 p1",
	    "madvise p0 remove 0 2" },
	  "E p1 1 --o-........" },
	{ "memory that fork wipes is not left out, it is absent",
	  { "mmap p0 anon 0 4 rw- p fixed 0", "write p0 0", "madvise p0 wipeonfork 0 2",
	    "write p0 2", "fork p0 p1" },
	  "E p1 2 --A-........" },
};

static void parse(const char *text, struct mmop *op)
{
	/* What comes of it the kernel will say. */
	bool touch = g_str_has_prefix(text, "read") || g_str_has_prefix(text, "write");
	g_autofree char *line = g_strdup_printf("%s = %s", text,
						touch ? "SIGSEGV.MAPERR" : "-EPERM");
	struct mmop_result result;
	struct mmtext_words words;
	struct mmtext_why why;

	if (!mmtext_split(line, strlen(line), &words, &why) ||
	    !mmtext_step(&words, 0, op, &result, &why))
		live_die("%s: %s", text, why.text);
}

static bool row_holds(unsigned int row)
{
	g_autoptr(mmtrace) trace = NULL;
	g_autoptr(GString) text = NULL;
	struct mmop ops[G_N_ELEMENTS(rows[0].ops)];
	const char *line;
	unsigned int count = 0;

	for (; rows[row].ops[count]; count++)
		parse(rows[row].ops[count], &ops[count]);
	trace = record_operations(ops, count, WINDOW, "-", "hand:record");
	text = mmtrace_write(trace);
	if (strstr(text->str, rows[row].end))
		return true;
	line = strstr(text->str, "E p1");
	printf("%s: expected\n%s, found\n%.*s\n", rows[row].what, rows[row].end,
	       line ? (int)strcspn(line, "\n") : 0, line);
	return false;
}

int main(void)
{
	unsigned int wrong = 0;

	for (unsigned int row = 0; row < G_N_ELEMENTS(rows); row++)
		wrong += !row_holds(row);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
