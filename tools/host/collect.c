// SPDX-License-Identifier: GPL-2.0-only
/* A program of all scenarios that were linked in; see VFIOSIM_PROGRAM(). */
#include <stdio.h>

#include "vfiosim.h"

#define SCENARIOS_MAX 128

extern const struct vfiosim_scenario *const __start_vfiosim_scenarios[];
extern const struct vfiosim_scenario *const __stop_vfiosim_scenarios[];

int main(int argc, char **argv)
{
	static const struct vfiosim_scenario *scenarios[SCENARIOS_MAX + 1];
	long count = __stop_vfiosim_scenarios - __start_vfiosim_scenarios;

	if (count > SCENARIOS_MAX) {
		fprintf(stderr, "%s: %ld scenarios, %d at most\n", argv[0], count, SCENARIOS_MAX);
		return 2;
	}
	/* The linker may leave gaps between the parts. */
	for (long i = 0, n = 0; i < count; i++)
		if (__start_vfiosim_scenarios[i])
			scenarios[n++] = __start_vfiosim_scenarios[i];
	return vfiosim_main(argc, argv, scenarios);
}
