// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer's way into the trace reader: whatever the bytes, it accepts a trace,
 * which then survives being written and read again, or refuses with one line.
 */
#include <string.h>

#include "mmtrace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The reader alone is linked, and it has no state of the modelled kernel. */
void statics_add(void *start, size_t size)
{
	g_assert_not_reached();
}

static void must_survive(const struct mmtrace *trace)
{
	g_autoptr(GString) text = mmtrace_write(trace);
	g_autoptr(GString) again = NULL;
	g_autoptr(mmtrace) copy = mmtrace_parse("copy", text->str, text->len, NULL);

	g_assert(copy);
	again = mmtrace_write(copy);
	g_assert(g_string_equal(text, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(mmtrace) trace = mmtrace_parse("fuzz", (const char *)data, size, &error);

	if (trace)
		must_survive(trace);
	else
		g_assert(g_str_has_prefix(error->message, "fuzz:") &&
			 !strchr(error->message, '\n'));
	return 0;
}
