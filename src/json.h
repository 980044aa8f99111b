/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports as JSON, for programs; and reading back what merge needs of them. */
#ifndef VFIOSIM_JSON_H
#define VFIOSIM_JSON_H

#include "report.h"

/* The caller frees it. */
char *report_json(const struct vfiosim_report *report) SIM(report_json);

/* One shard's report, as merge sees it. */
struct shard_report {
	char *file;
	char *scenario;
	char *options;			/* what has to be the same in all shards */
	char *failure;			/* "detector: message", or NULL */
	char *token;
	enum vfiosim_verdict verdict;
	uint64_t runs, cut, steps, digest;
	unsigned int index, count;
	GArray *outcomes;		/* of struct outcome */
};

/* NULL if @file is no report; then @error begins with the file's name. */
struct shard_report *shard_report_load(const char *file, GError **error)
	SIM(shard_report_load);
void shard_report_free(struct shard_report *report) SIM(shard_report_free);

#endif
