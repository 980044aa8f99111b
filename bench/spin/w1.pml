/* SPDX-License-Identifier: GPL-2.0-only */
/* w1: N tasks, K times lock, increment, unlock. */
#ifndef N
#define N 3
#endif
#ifndef K
#define K 14
#endif

bool held;
byte value;

inline lock() { atomic { !held -> held = true } }
inline unlock() { held = false }

active [N] proctype task()
{
	byte i = 0;

	do
	:: i < K ->
		lock();
		value++;
		unlock();
		i++
	:: else -> break
	od
}
