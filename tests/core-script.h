/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recorded traces of a vfio core, the scripts of their steps, and the comparison
 * of a run with a recording. Host side.
 */
#ifndef VFIOSIM_TESTS_CORE_SCRIPT_H
#define VFIOSIM_TESTS_CORE_SCRIPT_H

#include <glib.h>
#include <stdint.h>

#include "core-commands.h"

/* One "## ID  title" section of a file. */
struct core_section {
	char *id;
	char *title;
	GPtrArray *lines;		/* of char *, without empty ones */
	int line;			/* of the header */
};

/* All sections of @path, in order. Ends the program when it cannot be read. */
GPtrArray *core_read_sections(const char *path);
const struct core_section *core_find_section(GPtrArray *sections, const char *id);

/*
 * The steps of a script's section; NULL with @error set (one line: file, line, reason)
 * when one cannot be understood. *@detector_out names what ends the run, or is NULL.
 */
struct core_step *core_parse_script(const struct core_section *section, const char *path,
				    const char **detector_out, GError **error);

/* Carries the script out in a world of its own; the log is in core_log. */
void core_run(const struct core_step *script);
/* Allocations and frees are events of core_run()'s trace, too. */
extern bool core_trace_memory;
/*
 * On from the start. A tree's core has no invariants: off to compare with one, and
 * then made-up steps are also such as break them.
 */
extern bool core_check_invariants;

/*
 * The same, failing the @nth fault point that is reached (1: the first), and ending with
 * the step that it is in: one row more, named "flushed", tells what is left after deferred
 * work. NULL when there is no such point, else its name; *@step_out: the step's.
 */
const char *core_run_failing(const struct core_step *script, unsigned int nth,
			     const char **step_out);

/*
 * Carries out made-up steps (core-random.h) in a world of its own; the log is in
 * core_log. @fault: a number for one of the steps that can fail, which then does,
 * and the run goes on; 0: nothing fails. What failed, or NULL.
 */
const char *core_run_made_up(uint32_t seed, unsigned int steps, uint32_t fault);

/*
 * Differences between the recorded section and the log of a run, one line each;
 * none: an empty string. *@rows_out counts the rows that were compared, *@skipped_out
 * the recorded remarks that the script does not make.
 */
char *core_compare(const struct core_section *recorded, const char *log, unsigned int *rows_out,
		   unsigned int *skipped_out);

#endif
