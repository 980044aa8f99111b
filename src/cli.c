// SPDX-License-Identifier: GPL-2.0-only
/* What all commands use: complaints, files, exit statuses. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

int cli_complain(const struct cli *cli, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", cli->program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_INPUT;
}

int cli_status(enum vfiosim_verdict verdict)
{
	static const int status[] = {
		[VFIOSIM_OK] = EXIT_GOOD,
		[VFIOSIM_VIOLATION] = EXIT_FOUND,
		[VFIOSIM_DEADLOCK] = EXIT_FOUND,
		[VFIOSIM_BUDGET] = EXIT_BUDGET,
	};

	return status[verdict];
}

bool cli_write(const struct cli *cli, const char *file, const char *text)
{
	g_autoptr(GError) error = NULL;

	if (g_str_equal(file, "-")) {
		fputs(text, stdout);
		return true;
	}
	if (g_file_set_contents(file, text, -1, &error))
		return true;
	cli_complain(cli, "%s", error->message);
	return false;
}
