/* SPDX-License-Identifier: GPL-2.0-only */
/* Random operations that fit the current state: a seed and weights decide. */
#ifndef TESTS_LIVE_GENERATE_H
#define TESTS_LIVE_GENERATE_H

#include "record.h"

struct profile {
	const char *name;
	unsigned int weight[MMOP_KINDS];
	unsigned int window;		/* pages */
	unsigned int files;
	unsigned int file_pages;	/* at most */
	unsigned int procs;		/* alive at once, at most */
	unsigned int anonymous;		/* percent of mmaps */
	unsigned int shared;		/* percent of mmaps */
	unsigned int readonly;		/* percent of opens */
	unsigned int noreserve;		/* percent of mmaps */
	unsigned int odd;		/* percent of operations with an odd argument */
	unsigned int newer;		/* percent of operations that need the feature "calls" */
	unsigned int seals;		/* percent of operations that seal; that is for good */
};

struct generator {
	struct profile profile;
	uint64_t random;
	unsigned int made;		/* operations so far */
};

extern const struct profile profiles[];
extern const unsigned int profiles_count;

void generator_init(struct generator *generator, const struct profile *profile, uint64_t seed);
/* The next operation; it is possible in @recording's state. */
void generate(struct generator *generator, const struct recording *recording, struct mmop *op);
uint64_t generator_random(struct generator *generator, uint64_t bound);

/* "mmap=5,fork=2" changes weights of @profile; false if a name is unknown. */
bool profile_set_weights(struct profile *profile, const char *text);

#endif
