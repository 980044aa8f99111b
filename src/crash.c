// SPDX-License-Identifier: GPL-2.0-only
/*
 * A crash of kernel-side code is a failed run, not the end of the program: the
 * handler, on a stack of its own, writes the finding and lets the task continue
 * in run_abandon(). Under Valgrind and ASan they report instead.
 */
#define VFIOSIM_HOST
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <vfiosim/kapi/fs.h>

#include "run.h"
#include "symbols.h"

/* What reporting needs. */
#define LANDING_STACK (16UL << 10)

static struct {
	char text[320];
	const char *detector;
} crash;

#if defined(__x86_64__)
#define REGISTERS 16		/* r8..r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp */

static unsigned long register_of(const ucontext_t *uc, unsigned int i)
{
	return uc->uc_mcontext.gregs[i];
}

static void *program_counter(const ucontext_t *uc)
{
	return (void *)uc->uc_mcontext.gregs[REG_RIP];
}

static void **frame_of(const ucontext_t *uc)
{
	return (void **)uc->uc_mcontext.gregs[REG_RBP];
}

static char *stack_pointer(const ucontext_t *uc)
{
	return (char *)uc->uc_mcontext.gregs[REG_RSP];
}

/* As if the code that crashed had called @function, on the stack below @stack_top. */
static void land_in(ucontext_t *uc, void (*function)(void), char *stack_top)
{
	unsigned long *top = (void *)((unsigned long)stack_top & ~15UL);

	*--top = (unsigned long)program_counter(uc);
	uc->uc_mcontext.gregs[REG_RIP] = (long)function;
	uc->uc_mcontext.gregs[REG_RSP] = (long)top;
}
#elif defined(__aarch64__)
#define REGISTERS 31

static unsigned long register_of(const ucontext_t *uc, unsigned int i)
{
	return uc->uc_mcontext.regs[i];
}

static void *program_counter(const ucontext_t *uc)
{
	return (void *)uc->uc_mcontext.pc;
}

static void **frame_of(const ucontext_t *uc)
{
	return (void **)uc->uc_mcontext.regs[29];
}

static char *stack_pointer(const ucontext_t *uc)
{
	return (char *)uc->uc_mcontext.sp;
}

static void land_in(ucontext_t *uc, void (*function)(void), char *stack_top)
{
	uc->uc_mcontext.regs[30] = uc->uc_mcontext.pc;
	uc->uc_mcontext.pc = (unsigned long)function;
	uc->uc_mcontext.sp = (unsigned long)stack_top & ~15UL;
}
#endif

static bool has_register(const ucontext_t *uc, unsigned long value, unsigned long mask)
{
	for (unsigned int i = 0; i < REGISTERS; i++)
		if ((register_of(uc, i) & mask) == (value & mask))
			return true;
	return false;
}

static void landing(void)
{
	eng_fail(crash.detector, NULL, "%s", crash.text);
}

static const char *classify(int number, const siginfo_t *info, const ucontext_t *uc,
			    const char **what)
{
	unsigned long address = (unsigned long)info->si_addr;

	if (number == SIGSEGV && arena_is_guard(info->si_addr)) {
		*what = "ran out of stack";
		return "stack-overflow";
	}
	/* A non-canonical address is not in si_addr: look where it came from. */
	if (has_register(uc, POISON_FREE, ~0xffffffUL << 0) ||
	    address >> 24 == POISON_FREE >> 24) {
		*what = "followed a pointer out of freed memory";
		return "use-after-free";
	}
	if (has_register(uc, 0xdead000000000100UL, ~0xffUL)) {
		*what = "followed the links of a deleted list entry";
		return "use-after-free";
	}
	if (has_register(uc, (unsigned long)FILE_TRAP, ~0xffffUL)) {
		*what = "used f_mapping or private_data of a file after its ->release";
		return "released-file";
	}
	if (has_register(uc, POISON_NEW, ~0xffffffUL)) {
		*what = "followed a pointer that was never set";
		return "crash";
	}
	*what = address < PAGE_SIZE ? "dereferenced NULL" : "touched a bad address";
	if (number == SIGFPE)
		*what = "divided by zero";
	if (number == SIGILL)
		*what = "ran into an illegal instruction";
	return "crash";
}

static void describe(const char *what, const ucontext_t *uc)
{
	const struct task *task = current_task();
	char *low = task->fiber.stack_low;
	void **frame = frame_of(uc);
	int n = snprintf(crash.text, sizeof(crash.text), "%s %s in %s", task->ts.comm, what,
			 symbol_function((char *)program_counter(uc) + 1));

	for (int depth = 0; depth < 8 && n < (int)sizeof(crash.text); depth++) {
		const char *name;

		if ((char *)frame <= low || (char *)frame >= low + task->fiber.stack_size - 16)
			break;
		name = symbol_function(frame[1]);
		if (strcmp(name, "?"))
			n += snprintf(crash.text + n, sizeof(crash.text) - n, " < %s", name);
		if ((void **)frame[0] <= frame)
			break;
		frame = frame[0];
	}
}

static void on_crash(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	const struct fiber *fiber = &current_task()->fiber;
	const char *what;
	char *top;

	if (!run.in_task) {
		signal(number, SIG_DFL);
		return;
	}
	crash.detector = classify(number, info, uc, &what);
	describe(what, uc);
	/* Below the red zone, so that the frames can be shown; from the top when none is left. */
	top = stack_pointer(uc) - 128;
	if (top < fiber->stack_low + LANDING_STACK || top > fiber->stack_low + fiber->stack_size)
		top = fiber->stack_low + fiber->stack_size - 256;
	land_in(uc, landing, top);
}

void crash_install(void)
{
	static const int numbers[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	static char stack[64 << 10];
	static bool installed;
	struct sigaction action = {
		.sa_sigaction = on_crash,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };

#ifdef VFIOSIM_ASAN
	return;
#endif
	if (installed || running_on_valgrind())
		return;
	installed = true;
	sigaltstack(&alternate, NULL);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}
