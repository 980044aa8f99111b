/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations, results and mappings as the words of a trace line (docs/mm-trace-format.md). */
#ifndef VFIOSIM_MMTEXT_H
#define VFIOSIM_MMTEXT_H

#include <glib.h>
#include <vfiosim/kapi/types.h>

#include "mmop.h"

#define MMTEXT_WORDS_MAX 64

/* Why a line is malformed; a parser that returns false has filled it. */
struct mmtext_why {
	char text[192];
};

/* The fields of one line, each a string of its own. */
struct mmtext_words {
	unsigned int count;
	char *word[MMTEXT_WORDS_MAX];
};

/* Fills @why; returns false, for the caller to return. */
bool mmtext_fail(struct mmtext_why *why, const char *format, ...) SIM(mmtext_fail)
	G_GNUC_PRINTF(2, 3);

/* Cuts @line, which is written to, at single spaces. */
bool mmtext_split(char *line, size_t length, struct mmtext_words *words, struct mmtext_why *why)
	SIM(mmtext_split);

/* A decimal number without leading zeros, at most @max. */
bool mmtext_number(const char *word, uint64_t max, uint64_t *value, struct mmtext_why *why)
	SIM(mmtext_number);
/* "f3" with letter 'f': 3; below @bound. */
bool mmtext_id(const char *word, char letter, unsigned int bound, unsigned int *id,
	       struct mmtext_why *why) SIM(mmtext_id);

/* OP, its arguments, "=", RESULT: words @first and on. */
bool mmtext_step(const struct mmtext_words *words, unsigned int first, struct mmop *op,
		 struct mmop_result *result, struct mmtext_why *why) SIM(mmtext_step);
/* The arguments of a "v" line. */
bool mmtext_vma(const struct mmtext_words *words, struct mmop_vma *vma, struct mmtext_why *why)
	SIM(mmtext_vma);

/* Whether only traces with the feature "calls" may have @op. */
bool mmtext_needs_calls(const struct mmop *op) SIM(mmtext_needs_calls);

/* As the parsers above read it. */
void mmtext_append_op(GString *text, const struct mmop *op) SIM(mmtext_append_op);
void mmtext_append_result(GString *text, const struct mmop_result *result)
	SIM(mmtext_append_result);
void mmtext_append_vma(GString *text, const struct mmop_vma *vma) SIM(mmtext_append_vma);

#endif
