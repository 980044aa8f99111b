// SPDX-License-Identifier: GPL-2.0-only
/* Statics of the kernel side: boot images, snapshots. No kernel original. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statics.h"

#define RANGES_MAX 16

extern char __start_vfiosim_kstate[] __attribute__((weak));
extern char __stop_vfiosim_kstate[] __attribute__((weak));

static struct range {
	char *start;
	size_t size;
	char *boot_image;
} ranges[RANGES_MAX];
static unsigned int range_count;

void statics_add(void *start, size_t size)
{
	struct range *range = &ranges[range_count];

	if (range_count == RANGES_MAX) {
		fprintf(stderr, "vfiosim: more than %d loaded cores\n", RANGES_MAX);
		abort();
	}
	range->start = start;
	range->size = size;
	range->boot_image = malloc(size + 1);
	if (!range->boot_image)
		abort();
	memcpy(range->boot_image, start, size);
	range_count++;
}

/* Before main(), so before anybody could change a thing. */
static __attribute__((constructor)) void add_own_section(void)
{
	statics_add(__start_vfiosim_kstate, __stop_vfiosim_kstate - __start_vfiosim_kstate);
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
