/* SPDX-License-Identifier: GPL-2.0-only */
/* Basic types, limits, error pointers and compiler words of the modelled kernel. */
#ifndef VFIOSIM_KAPI_TYPES_H
#define VFIOSIM_KAPI_TYPES_H

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <asm/errno.h>		/* uapi: error numbers */

/*
 * Sources say iput(); the symbol is vfiosim_iput. KAPI() attaches that name,
 * so a host program keeps its own iput() and can still call ours by including
 * this header. SIM() does the same for names that the kernel does not have.
 * tests/symbols fails if a prototype lacks one of them. Exporting them is safe for
 * the same reason, and a core that is loaded from a file finds them.
 */
#define KAPI(name) __asm__("vfiosim_" #name) __attribute__((visibility("default")))
#define SIM(name) KAPI(name)

/* State of the modelled kernel; every run boots from its initial value. */
#define KSTATE __attribute__((section("vfiosim_kstate")))

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;		/* the uapi's __u64 */
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
/* The next four agree with glibc's, so that a test may include both worlds. */
typedef long ssize_t;
typedef long loff_t;
typedef int pid_t;
typedef unsigned long dev_t;		/* 12:20 bits, as in the kernel */
typedef unsigned short umode_t;
typedef unsigned int gfp_t;
typedef unsigned long pgoff_t;
typedef u64 dma_addr_t;
typedef u64 phys_addr_t;
typedef unsigned int __poll_t;

/*
 * The library, and each program or object that is linked with it shared, has a section
 * of such state: it is made known here, before main().
 */
extern char __start_vfiosim_kstate[] __attribute__((weak, visibility("hidden")));
extern char __stop_vfiosim_kstate[] __attribute__((weak, visibility("hidden")));
void statics_add(void *start, size_t size) SIM(statics_add);
void kstate_announce(void) __asm__("vfiosim_kstate_announce")
	__attribute__((constructor, weak, visibility("hidden")));

void kstate_announce(void)
{
	size_t size = __stop_vfiosim_kstate - __start_vfiosim_kstate;

	if (size)
		statics_add(__start_vfiosim_kstate, size);
}

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x) (((x) + PAGE_SIZE - 1) & PAGE_MASK)

/* Kernel-only error numbers; the uapi headers do not have them. */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ENOIOCTLCMD 515
#define EPROBE_DEFER 517

#define MAX_ERRNO 4095

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-MAX_ERRNO;
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

static inline void *ERR_CAST(const void *ptr)
{
	return (void *)ptr;
}

#ifndef container_of
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#endif
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))

#define MINORBITS 20
#define MINORMASK ((1U << MINORBITS) - 1)
#define MAJOR(dev) ((unsigned int)((dev) >> MINORBITS))
#define MINOR(dev) ((unsigned int)((dev) & MINORMASK))
#define MKDEV(major, minor) (((dev_t)(major) << MINORBITS) | (minor))

#define HZ 100

/*
 * The version of the kernel whose behaviour is modelled where versions differ
 * (the spec's "since" notes). Set before a run by the scenario; 5.14 by default.
 */
enum kernel_version {
	KERNEL_5_14,
	KERNEL_6_1,
	KERNEL_6_12,
	KERNEL_6_18,
};

extern enum kernel_version kernel_version SIM(kernel_version);

#endif
