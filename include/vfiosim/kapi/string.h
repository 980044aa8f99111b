/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings. The C library's freestanding part is the kernel's as well. */
#ifndef VFIOSIM_KAPI_STRING_H
#define VFIOSIM_KAPI_STRING_H

#include <string.h>		/* memcpy, memset, memcmp, strcmp, strlen, ... */

#include <vfiosim/kapi/types.h>

/* Like snprintf, but returns what was stored. */
int scnprintf(char *buffer, size_t size, const char *format, ...)
	KAPI(scnprintf) __attribute__((format(printf, 3, 4)));
int vscnprintf(char *buffer, size_t size, const char *format, va_list args)
	KAPI(vscnprintf) __attribute__((format(printf, 3, 0)));
/* Length copied, or -E2BIG when the text was cut; always terminated. */
ssize_t strscpy(char *target, const char *source, size_t size) KAPI(strscpy);
/* Index of @text among the first @n entries, or -EINVAL. */
int match_string(const char *const *array, size_t n, const char *text) KAPI(match_string);
bool sysfs_streq(const char *a, const char *b) KAPI(sysfs_streq);
int kstrtouint(const char *text, unsigned int base, unsigned int *result) KAPI(kstrtouint);
int kstrtobool(const char *text, bool *result) KAPI(kstrtobool);

#endif
