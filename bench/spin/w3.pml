/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * w3: one task unregisters, drops its reference and waits for the rest to be
 * dropped, then frees; O openers each open if still registered, use, and close.
 */
#ifndef O
#define O 4
#endif

bool held;
bool registered = true;
byte refs = 1;
bool released = false;
bool freed = false;

inline lock() { atomic { !held -> held = true } }
inline unlock() { held = false }

inline put_locked()
{
	refs--;
	if
	:: refs == 0 -> released = true
	:: else -> skip
	fi
}

active proctype unregister()
{
	lock();
	registered = false;
	put_locked();
	unlock();
	released;
	lock();
	freed = true;
	unlock()
}

active [O] proctype opener()
{
	bool open = false;

	lock();
	if
	:: registered -> open = true; refs++
	:: else -> skip
	fi;
	unlock();
	if
	:: open ->
		assert(!freed);
		lock();
		put_locked();
		unlock()
	:: else -> skip
	fi
}
