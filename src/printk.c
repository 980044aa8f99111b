// SPDX-License-Identifier: GPL-2.0-only
/*
 * BUG, WARN and printk: findings and events of the run. Stands for lib/bug.c,
 * kernel/panic.c and kernel/printk. No locks.
 */
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/string.h>

#include "engine.h"

static unsigned int counts[LEVEL_DEBUG + 1] KSTATE = { 0 };

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

void bug_at(const char *what, const char *file, int line)
{
	eng_fail("bug", NULL, "%s at %s:%d", what, base_name(file), line);
}

void warn_at(const char *what, const char *file, int line)
{
	eng_report("warn", NULL, "%s at %s:%d", what, base_name(file), line);
}

void warn_format_at(const char *file, int line, const char *format, ...)
{
	char text[160];
	va_list args;
	size_t length;

	va_start(args, format);
	vscnprintf(text, sizeof(text), format, args);
	va_end(args);
	length = strlen(text);
	if (length && text[length - 1] == '\n')
		text[length - 1] = 0;
	eng_report("warn", NULL, "%s at %s:%d", text, base_name(file), line);
}

void printk_at(enum printk_level level, const char *who, const char *format, ...)
{
	char text[160];
	va_list args;
	int used = 0;

	counts[level]++;
	if (!eng_tracing)
		return;
	if (who)
		used = scnprintf(text, sizeof(text), "%s: ", who);
	va_start(args, format);
	used += vscnprintf(text + used, sizeof(text) - used, format, args);
	va_end(args);
	if (used && text[used - 1] == '\n')
		text[used - 1] = 0;
	eng_printk(level, text);
}

unsigned int printk_count(enum printk_level level)
{
	return counts[level];
}
