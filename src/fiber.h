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

#include "engine.h"	/* VFIOSIM_ASAN */

struct fiber {
	void *sp;		/* while suspended; NULL before the first switch */
	char *stack_low;
	size_t stack_size;
	void *fake_stack;	/* ASan's */
	void *uc;		/* ucontext's */
};

/* The one that was left by the switch under way. */
extern struct fiber *fiber_left SIM(fiber_left);

/* Makes @fiber start in @entry, on [low, low + size), when first switched to. */
void fiber_prepare(struct fiber *fiber, char *low, size_t size, void (*entry)(void))
	SIM(fiber_prepare);
/* First thing that an entry function calls. */
void fiber_entered(void) SIM(fiber_entered);
/* Tells Valgrind that [low, low + size) is a stack. */
void fiber_announce_stack(char *low, size_t size) SIM(fiber_announce_stack);

/* What ASan must hear around a switch; empty without it. */
void fiber_before_switch(struct fiber *from, struct fiber *to, bool final)
	SIM(fiber_before_switch);
void fiber_after_switch(void *fake_stack) SIM(fiber_after_switch);
#ifndef VFIOSIM_ASAN
#define fiber_before_switch(from, to, final) ((void)(final))
#define fiber_after_switch(fake_stack) ((void)(fake_stack))
#endif

#ifdef VFIOSIM_SWITCH_FCONTEXT
#define FIBER_CAN_BE_COPIED true

struct fiber_transfer {
	void *context;
	void *data;
};

/* Boost.Context's own. */
struct fiber_transfer jump_fcontext(void *to, void *data);

/*
 * Leaves @from, which goes on here when switched to again. @final: it never is.
 * Inline, since the processor mispredicts every return past a switch.
 */
static inline __attribute__((always_inline)) void fiber_switch(struct fiber *from,
							       struct fiber *to, bool final)
{
	struct fiber_transfer back;

	fiber_before_switch(from, to, final);
	back = jump_fcontext(to->sp, from);
	fiber_left = back.data;
	fiber_left->sp = back.context;
	fiber_after_switch(from->fake_stack);
}
#else
#define FIBER_CAN_BE_COPIED false
/* As above, by swapcontext(), which makes system calls. */
void fiber_switch(struct fiber *from, struct fiber *to, bool final) SIM(fiber_switch);
#endif

#endif
