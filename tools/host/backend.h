/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the parts of the host backend. */
#ifndef VFIOSIM_HOST_BACKEND_H
#define VFIOSIM_HOST_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "rpc.h"
#include "vfiosim.h"

/* Forks the nursery and init; before anything else is opened or mapped. */
void backend_start(void);
/* Ends every process that the last scenario left; they would hold devices. */
void backend_end_scenario(void);
int backend_expectations_failed(void);

/* A request whose payload is @size bytes of @text; NULL process: init. */
int64_t backend_text_call(struct vfiosim_process *process, enum host_call what, int64_t a,
			  const char *text, size_t size);

/* All devices back to their first driver, all bookkeeping forgotten. */
void devices_end_scenario(void);

#endif
