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

/* Two words at once: both halves of a product count. */
static inline u64 hash_pair(u64 hash, u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)(hash ^ a) * (b ^ 0x243f6a8885a308d3ULL);

	return (u64)product ^ (u64)(product >> 64);
}

typedef u64 loose_word __attribute__((aligned(1), may_alias));

/*
 * Four chains, since each step of one waits six cycles for the step before it. A
 * stack holds what ASan keeps others out of: words are read one by one, as ASan
 * looks at what memcpy() of more than that reads, whoever calls it.
 */
static __attribute__((unused)) NO_ASAN u64 hash_bytes(u64 hash, const void *bytes, size_t size)
{
	u64 chains[4] = { hash, 0x13198a2e03707344ULL, 0xa4093822299f31d0ULL,
			  0x082efa98ec4e6c89ULL };
	const char *at = bytes;
	u64 word;

	for (; size >= 8 * sizeof(word); size -= 8 * sizeof(word))
		for (int i = 0; i < 4; i++, at += 2 * sizeof(word))
			chains[i] = hash_pair(chains[i], ((const loose_word *)at)[0],
					      ((const loose_word *)at)[1]);
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
