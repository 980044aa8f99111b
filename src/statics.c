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

/* A line that differs from the boot image: all of them, unless statics_written. */
struct changed {
	char *start;
	const char *boot_image;
	size_t size;
};

static struct changed *changed;
static size_t changed_count, changed_room;
bool statics_written = true;

/* Two builds of a function, of which the processor gets the one that it can run. */
#if defined(__x86_64__) && !defined(VFIOSIM_ASAN)
#define WIDE_VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define WIDE_VECTORS
#endif

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

bool statics_range(unsigned int n, const void **start, size_t *size)
{
	if (n >= range_count)
		return false;
	*start = ranges[n].start;
	*size = ranges[n].size;
	return true;
}

/* ---- what differs from the boot image ---- */

#define LINE 64
#define BLOCK (8 * LINE)
typedef u64 part __attribute__((vector_size(32), aligned(1), may_alias));

/* Little differs, so the question is asked of much at once. */
static inline __attribute__((always_inline)) bool differs(const char *a, const char *b, size_t size)
{
	part difference = { 0 };

	for (size_t at = 0; at < size; at += sizeof(part))
		difference |= *(const part *)(a + at) ^ *(const part *)(b + at);
	return difference[0] | difference[1] | difference[2] | difference[3];
}

/* The first line of @range from the one at @at on that differs; its size if there is none. */
WIDE_VECTORS static size_t next_changed(const struct range *range, size_t at)
{
	const char *now = range->start, *then = range->boot_image;

	while (at + BLOCK <= range->size && !differs(now + at, then + at, BLOCK))
		at += BLOCK;
	for (; at + LINE <= range->size; at += LINE)
		if (differs(now + at, then + at, LINE))
			return at;
	return at < range->size && memcmp(now + at, then + at, range->size - at) ? at : range->size;
}

static void note_changed(char *start, const char *boot_image, size_t size)
{
	if (changed_count == changed_room) {
		changed_room = changed_room ? 2 * changed_room : 64;
		changed = realloc(changed, changed_room * sizeof(*changed));
		if (!changed)
			abort();
	}
	changed[changed_count++] = (struct changed){ start, boot_image, size };
}

static void look(void)
{
	if (!statics_written)
		return;
	changed_count = 0;
	for (unsigned int i = 0; i < range_count; i++) {
		const struct range *r = &ranges[i];
		size_t size, at;

		for (at = next_changed(r, 0); at < r->size; at = next_changed(r, at + size)) {
			size = r->size - at < LINE ? r->size - at : LINE;
			note_changed(r->start + at, r->boot_image + at, size);
		}
	}
	statics_written = false;
}

static inline void copy_line(char *to, const char *from, size_t size)
{
	if (size == LINE)
		memcpy(to, from, LINE);
	else
		memcpy(to, from, size);
}

/* To copy everything is cheaper than to look for what differs, unless that is known. */
#define EVERYTHING (~(size_t)0)

static char *copy_everything(char *to)
{
	for (unsigned int i = 0; i < range_count; i++)
		to = mempcpy(to, ranges[i].start, ranges[i].size);
	return to;
}

static const char *restore_everything(const char *from)
{
	for (unsigned int i = 0; i < range_count; i++) {
		memcpy(ranges[i].start, from, ranges[i].size);
		from += ranges[i].size;
	}
	statics_written = true;
	return from;
}

void statics_reset(void)
{
	for (unsigned int i = 0; i < range_count; i++)
		memcpy(ranges[i].start, ranges[i].boot_image, ranges[i].size);
	statics_written = true;
}

static void reset_changed(void)
{
	if (statics_written)
		statics_reset();
	else
		for (size_t i = 0; i < changed_count; i++)
			copy_line(changed[i].start, changed[i].boot_image, changed[i].size);
	statics_written = false;
	changed_count = 0;
}

size_t statics_size(void)
{
	size_t sum = sizeof(changed_count);

	if (!statics_written)
		return sum + changed_count * (sizeof(*changed) + LINE);
	for (unsigned int i = 0; i < range_count; i++)
		sum += ranges[i].size;
	return sum;
}

char *statics_save(char *to)
{
	size_t count = statics_written ? EVERYTHING : changed_count;

	to = mempcpy(to, &count, sizeof(count));
	if (count == EVERYTHING)
		return copy_everything(to);
	for (size_t i = 0; i < count; i++) {
		to = mempcpy(to, &changed[i], sizeof(*changed));
		copy_line(to, changed[i].start, changed[i].size);
		to += changed[i].size;
	}
	return to;
}

const char *statics_restore(const char *from)
{
	struct changed line;
	size_t count;

	memcpy(&count, from, sizeof(count));
	from += sizeof(count);
	if (count == EVERYTHING)
		return restore_everything(from);
	reset_changed();
	for (size_t i = 0; i < count; i++) {
		memcpy(&line, from, sizeof(line));
		from += sizeof(line);
		copy_line(line.start, from, line.size);
		from += line.size;
		note_changed(line.start, line.boot_image, line.size);
	}
	return from;
}

u64 statics_hash(u64 hash)
{
	look();
	for (size_t i = 0; i < changed_count; i++)
		hash = hash_bytes(hash_word(hash, statics_offset(changed[i].start)),
				  changed[i].start, changed[i].size);
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
