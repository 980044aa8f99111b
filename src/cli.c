// SPDX-License-Identifier: GPL-2.0-only
/* What all commands use: complaints, files, exit statuses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

int cli_worse(int a, int b)
{
	static const int weight[] = {
		[EXIT_GOOD] = 0, [EXIT_BUDGET] = 1, [EXIT_FOUND] = 2, [EXIT_INPUT] = 3,
	};

	return weight[a] >= weight[b] ? a : b;
}

/* A pipe or a device is written to; to put a file in its place would be a bad surprise. */
static bool write_in_place(const char *file, const char *text)
{
	FILE *stream = fopen(file, "w");
	bool good = stream && fputs(text, stream) >= 0;

	if (stream && fclose(stream))
		good = false;
	return good;
}

bool cli_write(const struct cli *cli, const char *file, const char *text)
{
	g_autoptr(GError) error = NULL;

	if (g_str_equal(file, "-"))
		return fputs(text, stdout) >= 0;
	if (g_file_test(file, G_FILE_TEST_EXISTS) && !g_file_test(file, G_FILE_TEST_IS_REGULAR)) {
		if (write_in_place(file, text))
			return true;
		cli_complain(cli, "%s: %s", file, g_strerror(errno));
		return false;
	}
	if (g_file_set_contents(file, text, -1, &error))
		return true;
	cli_complain(cli, "%s", error->message);
	return false;
}

bool cli_may_write(const struct cli *cli, const char *file)
{
	g_autofree char *folder = g_path_get_dirname(file);
	const char *what = g_file_test(file, G_FILE_TEST_EXISTS) ? file : folder;

	if (g_str_equal(file, "-"))
		return true;
	if (g_file_test(file, G_FILE_TEST_IS_DIR))
		errno = EISDIR;
	else if (!access(what, W_OK))
		return true;
	cli_complain(cli, "%s: %s", file, g_strerror(errno));
	return false;
}
