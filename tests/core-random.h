/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Made-up sequences of the commands that scripts consist of: what a number
 * stands for is decided step by step, by what the world looks like then. The
 * same number is the same sequence for as long as the core does the same.
 */
#ifndef VFIOSIM_TESTS_CORE_RANDOM_H
#define VFIOSIM_TESTS_CORE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* A mark among the decisions of a run: the world is set up. */
#define CORE_FAULTS_FROM_HERE "core_random"

/*
 * Body of the task "main": @steps steps of the sequence @seed, a row for each,
 * then everything is closed and what is left told in the last row. @by_hand: also
 * what no driver and no bus would do: registrations without either, and devices
 * of a bus without events that share a group.
 */
void core_make_up(uint32_t seed, unsigned int steps, bool by_hand);

#endif
