// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's string helpers that the C library does not have; lib/string.c,
 * lib/kstrtox.c, lib/vsprintf.c. Pure: no state, no locks.
 */
#include <vfiosim/kapi/string.h>

int vscnprintf(char *buffer, size_t size, const char *format, va_list args)
{
	int length;

	if (!size)
		return 0;
	length = __builtin_vsnprintf(buffer, size, format, args);
	return length < (int)size ? length : (int)size - 1;
}

int scnprintf(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vscnprintf(buffer, size, format, args);
	va_end(args);
	return length;
}

ssize_t strscpy(char *target, const char *source, size_t size)
{
	size_t length = strlen(source);

	if (!size)
		return -E2BIG;
	if (length >= size) {
		memcpy(target, source, size - 1);
		target[size - 1] = 0;
		return -E2BIG;
	}
	memcpy(target, source, length + 1);
	return length;
}

int match_string(const char *const *array, size_t n, const char *text)
{
	for (size_t i = 0; i < n && array[i]; i++)
		if (!strcmp(array[i], text))
			return i;
	return -EINVAL;
}

/* Equal, a newline at the end of either left out. */
bool sysfs_streq(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return true;
	return (!*a && *b == '\n' && !b[1]) || (*a == '\n' && !a[1] && !*b);
}

static unsigned int digit_of(char letter)
{
	if (letter >= '0' && letter <= '9')
		return letter - '0';
	letter |= 0x20;
	if (letter >= 'a' && letter <= 'f')
		return letter - 'a' + 10;
	return 99;
}

static const char *guess_base(const char *text, unsigned int *base)
{
	bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';

	if (!*base)
		*base = hex ? 16 : text[0] == '0' ? 8 : 10;
	return hex && *base == 16 ? text + 2 : text;
}

int kstrtouint(const char *text, unsigned int base, unsigned int *result)
{
	unsigned long value = 0;
	const char *start;

	if (*text == '+')
		text++;
	text = guess_base(text, &base);
	for (start = text; digit_of(*text) < base; text++) {
		value = value * base + digit_of(*text);
		if (value > UINT_MAX)
			return -ERANGE;
	}
	if (text == start || (*text && strcmp(text, "\n")))
		return -EINVAL;
	*result = value;
	return 0;
}

int kstrtobool(const char *text, bool *result)
{
	switch (*text) {
	case 'y': case 'Y': case '1':
		*result = true;
		return 0;
	case 'n': case 'N': case '0':
		*result = false;
		return 0;
	case 'o': case 'O':
		if ((text[1] | 0x20) != 'n' && (text[1] | 0x20) != 'f')
			return -EINVAL;
		*result = (text[1] | 0x20) == 'n';
		return 0;
	}
	return -EINVAL;
}
