/* SPDX-License-Identifier: GPL-2.0-only */
/* Hashing of memory: the state of a run as one number. */
#ifndef VFIOSIM_HASH_H
#define VFIOSIM_HASH_H

#include <string.h>

#include <vfiosim/kapi/types.h>

#include "arena.h"	/* NO_ASAN */

static inline u64 hash_word(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

/*
 * Four chains, since each step of one waits six cycles for the step before it. A
 * stack holds what ASan keeps others out of.
 */
static __attribute__((unused)) NO_ASAN u64 hash_bytes(u64 hash, const void *bytes, size_t size)
{
	u64 chains[4] = { hash, 1, 2, 3 }, word;
	const char *at = bytes;

	for (; size >= sizeof(chains); size -= sizeof(chains)) {
		for (int i = 0; i < 4; i++, at += sizeof(word)) {
			memcpy(&word, at, sizeof(word));
			chains[i] = hash_word(chains[i], word);
		}
	}
	for (int i = 1; i < 4; i++)
		chains[0] = hash_word(chains[0], chains[i]);
	for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		chains[0] = hash_word(chains[0], word);
	}
	word = size;
	memcpy(&word, at, size);
	return hash_word(chains[0], word);
}

#endif
