/* SPDX-License-Identifier: GPL-2.0-only */
/* A report as one page of HTML that needs nothing else. */
#ifndef VFIOSIM_HTML_H
#define VFIOSIM_HTML_H

#include "report.h"

/* The caller frees it. */
char *report_html(const struct vfiosim_report *report) SIM(report_html);

#endif
