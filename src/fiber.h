/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Coroutines: stacks of their own and the switch between them.
 *
 * Boost.Context's jump_fcontext by default; ucontext (about 200 times slower, no
 * snapshots) with -Dswitch=ucontext. Stacks are announced to Valgrind, switches
 * to ASan.
 */
#ifndef VFIOSIM_FIBER_H
#define VFIOSIM_FIBER_H

#include <stdbool.h>
#include <stddef.h>

#include <vfiosim/kapi/types.h>

#if defined(__SANITIZE_ADDRESS__)
#define VFIOSIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VFIOSIM_ASAN 1
#endif
#endif

struct fiber {
	void *sp;		/* while suspended; NULL before the first switch */
	char *stack_low;
	size_t stack_size;
	void *fake_stack;	/* ASan's */
	void *uc;		/* ucontext's */
};

/* Makes @fiber start in @entry, on [low, low + size), when first switched to. */
void fiber_prepare(struct fiber *fiber, char *low, size_t size, void (*entry)(void))
	SIM(fiber_prepare);
/* Leaves @from, which goes on here when switched to again. @final: it never is. */
void fiber_switch(struct fiber *from, struct fiber *to, bool final) SIM(fiber_switch);
/* First thing that an entry function calls. */
void fiber_entered(void) SIM(fiber_entered);
/* Tells Valgrind that [low, low + size) is a stack. */
void fiber_announce_stack(char *low, size_t size) SIM(fiber_announce_stack);

#ifdef VFIOSIM_SWITCH_FCONTEXT
#define FIBER_CAN_BE_COPIED true
#else
#define FIBER_CAN_BE_COPIED false
#endif

#endif
