// SPDX-License-Identifier: GPL-2.0-only
/* Statics of the kernel side: boot images, snapshots. No kernel original. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "statics.h"

#define RANGES_MAX 16

static struct range {
	char *start;
	size_t size;
	char *boot_image;
} ranges[RANGES_MAX];
static unsigned int range_count;

static bool is_inside(const char *start, size_t size, const struct range *of)
{
	return start >= of->start && start + size <= of->start + of->size;
}

static void forget_inside(const struct range *whole)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < range_count; i++) {
		if (is_inside(ranges[i].start, ranges[i].size, whole))
			free(ranges[i].boot_image);
		else
			ranges[kept++] = ranges[i];
	}
	range_count = kept;
}

void statics_add(void *start, size_t size)
{
	struct range range = { .start = start, .size = size };

	for (unsigned int i = 0; i < range_count; i++)
		if (is_inside(start, size, &ranges[i]))
			return;
	forget_inside(&range);
	if (range_count == RANGES_MAX) {
		fprintf(stderr, "vfiosim: more than %d loaded cores\n", RANGES_MAX);
		abort();
	}
	range.boot_image = malloc(size);
	if (!range.boot_image)
		abort();
	memcpy(range.boot_image, start, size);
	ranges[range_count++] = range;
}

void statics_reset(void)
{
	for (unsigned int i = 0; i < range_count; i++)
		memcpy(ranges[i].start, ranges[i].boot_image, ranges[i].size);
}

size_t statics_size(void)
{
	size_t sum = 0;

	for (unsigned int i = 0; i < range_count; i++)
		sum += ranges[i].size;
	return sum;
}

char *statics_save(char *to)
{
	for (unsigned int i = 0; i < range_count; i++)
		to = mempcpy(to, ranges[i].start, ranges[i].size);
	return to;
}

const char *statics_restore(const char *from)
{
	for (unsigned int i = 0; i < range_count; i++) {
		memcpy(ranges[i].start, from, ranges[i].size);
		from += ranges[i].size;
	}
	return from;
}

bool statics_range(unsigned int n, const void **start, size_t *size)
{
	if (n >= range_count)
		return false;
	*start = ranges[n].start;
	*size = ranges[n].size;
	return true;
}

#define LINE 64
typedef u64 part __attribute__((vector_size(16), aligned(1), may_alias));

static bool line_differs(const void *a, const void *b)
{
	const part *x = a, *y = b;
	part difference = x[0] ^ y[0];

	for (size_t i = 1; i < LINE / sizeof(part); i++)
		difference |= x[i] ^ y[i];
	return difference[0] | difference[1];
}

/* Little differs from the boot image, and to see that is cheaper than to hash it. */
static u64 hash_range(u64 hash, const struct range *range)
{
	size_t at = 0;

	for (; at + LINE <= range->size; at += LINE)
		if (line_differs(range->start + at, range->boot_image + at))
			hash = hash_bytes(hash_word(hash, at), range->start + at, LINE);
	return hash_bytes(hash, range->start + at, range->size - at);
}

u64 statics_hash(u64 hash)
{
	for (unsigned int i = 0; i < range_count; i++)
		hash = hash_range(hash, &ranges[i]);
	return hash;
}

long statics_offset(const void *address)
{
	long before = 0;

	for (unsigned int i = 0; i < range_count; i++) {
		size_t offset = (const char *)address - ranges[i].start;

		if (offset < ranges[i].size)
			return before + (long)offset;
		before += (long)ranges[i].size;
	}
	return -1;
}
