/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * w2: an object with two references on a list; two tasks put one each, a third
 * looks it up under the lock, uses it and puts. The last put unlinks and frees
 * under the lock, as kref_put_mutex() does.
 */
bool held;
byte refs = 2;
bool listed = true;
bool freed = false;

inline lock() { atomic { !held -> held = true } }
inline unlock() { held = false }

inline put()
{
	if
	:: atomic { refs > 1 -> refs-- }
	:: atomic { else -> skip };
		lock();
		atomic {
			refs--;
			if
			:: refs == 0 -> listed = false; last = true
			:: else -> skip
			fi
		};
		unlock();
		if
		:: last -> assert(!freed); freed = true
		:: else -> skip
		fi
	fi
}

active [2] proctype owner()
{
	bool last = false;

	put()
}

active proctype reader()
{
	bool last = false;
	bool found = false;

	lock();
	if
	:: listed -> found = true; refs++
	:: else -> skip
	fi;
	unlock();
	if
	:: found -> assert(!freed); put()
	:: else -> skip
	fi
}
