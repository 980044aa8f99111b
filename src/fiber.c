// SPDX-License-Identifier: GPL-2.0-only
/* Coroutine switch: jump_fcontext or ucontext. Owns nothing but the mechanism. */
#include "fiber.h"

#include <string.h>

#include "memcheck.h"

#ifdef VFIOSIM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

struct fiber *fiber_left;

#ifdef VFIOSIM_ASAN
void fiber_before_switch(struct fiber *from, struct fiber *to, bool final)
{
	__sanitizer_start_switch_fiber(final ? NULL : &from->fake_stack, to->stack_low,
				       to->stack_size);
}

/* On the stack of the new one. The driver's stack is learned when it is first left. */
void fiber_after_switch(void *fake_stack)
{
	const void *low;
	size_t size;

	__sanitizer_finish_switch_fiber(fake_stack, &low, &size);
	if (!fiber_left->stack_low) {
		fiber_left->stack_low = (char *)low;
		fiber_left->stack_size = size;
	}
}
#endif

void fiber_announce_stack(char *low, size_t size)
{
	(void)VALGRIND_STACK_REGISTER(low, low + size);
}

#ifdef VFIOSIM_SWITCH_FCONTEXT

void *make_fcontext(void *top, size_t size, void (*entry)(struct fiber_transfer));

static void (*entry_of_new)(void);

static void trampoline(struct fiber_transfer from)
{
	fiber_left = from.data;
	fiber_left->sp = from.context;
	entry_of_new();
}

void fiber_prepare(struct fiber *fiber, char *low, size_t size, void (*entry)(void))
{
	entry_of_new = entry;
	fiber->stack_low = low;
	fiber->stack_size = size;
	fiber->fake_stack = NULL;
	fiber->sp = make_fcontext(low + size, size, trampoline);
}

#else

#include <stdlib.h>
#include <ucontext.h>

/* At the top of the stack, so that a look at the stack sees the registers too. */
void fiber_prepare(struct fiber *fiber, char *low, size_t size, void (*entry)(void))
{
	ucontext_t *uc = (void *)((unsigned long)(low + size - sizeof(*uc)) & ~63UL);

	if (getcontext(uc))
		abort();
	uc->uc_stack.ss_sp = low;
	uc->uc_stack.ss_size = (char *)uc - low;
	uc->uc_link = NULL;
	makecontext(uc, entry, 0);
	*fiber = (struct fiber){ .sp = uc, .stack_low = low, .stack_size = size, .uc = uc };
}

void fiber_switch(struct fiber *from, struct fiber *to, bool final)
{
	static ucontext_t of_driver;

	if (!from->uc)
		from->uc = &of_driver;
	from->sp = __builtin_frame_address(0);
	fiber_left = from;
	fiber_before_switch(from, to, final);
	swapcontext(from->uc, to->uc);
	fiber_after_switch(from->fake_stack);
}

#endif

void fiber_entered(void)
{
	fiber_after_switch(NULL);
}
