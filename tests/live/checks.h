/* SPDX-License-Identifier: GPL-2.0-only */
/* The differential checks of docs/spec/mm.md section L, written once for both kernels. */
#ifndef TESTS_LIVE_CHECKS_H
#define TESTS_LIVE_CHECKS_H

#include <glib.h>
#include <vfiosim/kapi/types.h>

#include "backend.h"

/* One observation: what the specification says, and what was seen. */
struct observation {
	char *what;
	char *expected;
	char *seen;
};

struct checker {
	const struct backend *b;
	enum kernel_version version;	/* whose behaviour is expected */
	GPtrArray *observations;	/* struct observation */
};

struct check {
	const char *id;			/* "MM-234" */
	const char *summary;
	void (*run)(struct checker *c);
};

extern const struct check checks[];
extern const unsigned int checks_count;

#endif
