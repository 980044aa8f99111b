/* SPDX-License-Identifier: GPL-2.0-only */
/* Choosing the vfio core of all runs to come: a linked-in one, or a file. */
#ifndef VFIOSIM_CORE_LOAD_H
#define VFIOSIM_CORE_LOAD_H

#include <glib.h>

#include <vfiosim/kapi/types.h>

/*
 * @name: "port", "6.12", or the path of what vfiosim-kbuild made. A file is
 * loaded once and kept; its statics are reset before each run like our own.
 *
 * Return: false with @error set ("no core ..."), the choice as it was.
 */
bool core_select(const char *name, GError **error) SIM(core_select);
/* What was chosen last, or "default": the core that goes with the kernel version. */
const char *core_selected(void) SIM(core_selected);

#endif
