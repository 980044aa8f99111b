/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of vfiosim, each with its own words as argv[0]; they return the exit status. */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

int cmd_mm_replay(int argc, char **argv);

#endif
