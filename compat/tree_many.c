// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tree of several core files: each has statics of its own, none of which can
 * be seen from here.
 */
#include "bridge.h"

void tree_observe(void *facts)
{
}
