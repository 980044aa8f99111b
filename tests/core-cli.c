// SPDX-License-Identifier: GPL-2.0-only
/* The command line over the scenarios of core-scenarios.h, for cores from kernel trees. */
#include "core-scenarios.h"

int main(int argc, char **argv)
{
	return vfiosim_main(argc, argv, core_scenarios);
}
