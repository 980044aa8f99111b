/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The three workloads that explorers were compared on (bench/spin),
 * their seeded bugs, and programs made at random. Shared by tests and benchmark.
 */
#ifndef WORKLOADS_H
#define WORKLOADS_H

#include <vfiosim.h>

/* @tasks times: lock, increment, unlock, @rounds times. Made anew by each call. */
const struct vfiosim_scenario *workload_w1(unsigned int tasks, unsigned int rounds);

/*
 * An object with two references, on a list: two tasks put one each, a third
 * looks it up, uses it and puts. The last put unlinks under the lock and frees.
 */
extern const struct vfiosim_scenario workload_w2;
/* The lookup takes no lock. */
extern const struct vfiosim_scenario workload_w2_bug;

/* One task unregisters and waits for the @openers (1 to 5), which open, use and close. */
const struct vfiosim_scenario *workload_w3(unsigned int openers);
/* An opener does not ask whether the device is still registered. */
const struct vfiosim_scenario *workload_w3_bug(unsigned int openers);

/* Two locks, two orders. */
extern const struct vfiosim_scenario workload_abba;

/*
 * Two or three tasks of a few operations each on three variables, two locks, a
 * refcount and a completion, all of it determined by @seed. They may deadlock.
 */
const struct vfiosim_scenario *workload_random(unsigned int seed);

#endif
