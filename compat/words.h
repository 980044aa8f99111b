/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an unmodified kernel file expects to find besides kapi: macros that kapi
 * leaves out on purpose, since they would rename things in a program that links
 * the library. Every compat/linux header forwards here.
 *
 * For vfiosim-kbuild only. CONFIG_* come from its command line.
 */
#ifndef VFIOSIM_COMPAT_WORDS_H
#define VFIOSIM_COMPAT_WORDS_H

/* The tree brings its own linux/vfio.h; ours would clash with it. */
#define VFIOSIM_KAPI_VFIO_H
#include <vfiosim/kapi.h>

/* ---- compiler ---- */
#define __always_unused __attribute__((unused))
#define __force
#define __aligned(x) __attribute__((aligned(x)))
#define __packed __attribute__((packed))
#define fallthrough __attribute__((fallthrough))
#define current get_current()

/* The tree's own lockless reads are choice points, like those of the port. */
#undef READ_ONCE
#undef WRITE_ONCE
#define READ_ONCE(x) ({ shared_read(&(x)); *(const volatile __typeof__(x) *)&(x); })
#define WRITE_ONCE(x, value)						\
	do {								\
		shared_write(&(x));					\
		*(volatile __typeof__(x) *)&(x) = (value);		\
	} while (0)

/* ---- compile-time checks ---- */
#define __same_type(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))
#define static_assert(expr, ...) _Static_assert(expr, #expr)
#define BUILD_BUG_ON_ZERO(condition) ((int)(sizeof(struct { int : (-!!(condition)); })))
#define offsetofend(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/* ---- IS_ENABLED(): 1 for a macro defined as 1, else 0; in #if and in C ---- */
#define VFIOSIM_COMMA_1 0,
#define VFIOSIM_SECOND(ignored, value, ...) value
#define VFIOSIM_IS_1(x) VFIOSIM_IS_1_(x)
#define VFIOSIM_IS_1_(x) VFIOSIM_IS_1__(VFIOSIM_COMMA_##x)
#define VFIOSIM_IS_1__(comma_or_junk) VFIOSIM_SECOND(comma_or_junk 1, 0, 0)
#define IS_ENABLED(option) VFIOSIM_IS_1(option)
#define IS_REACHABLE(option) IS_ENABLED(option)
#define IS_BUILTIN(option) IS_ENABLED(option)

/* ---- numbers ---- */
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define U8_MAX ((u8)~0U)
#define U16_MAX ((u16)~0U)
#define U32_MAX ((u32)~0U)
#define U64_MAX ((u64)~0ULL)
#define SZ_4K 0x1000
#define SZ_2M 0x200000
#ifndef ALIGN
#define ALIGN(x, a) (((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#endif
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define PAGE_ALIGNED(x) IS_ALIGNED((unsigned long)(x), PAGE_SIZE)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)
#define check_mul_overflow(a, b, product) __builtin_mul_overflow(a, b, product)
#define BITS_PER_BYTE 8
#define BITS_PER_TYPE(type) (sizeof(type) * BITS_PER_BYTE)

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define swap(a, b)				\
	do {					\
		__typeof__(a) tmp_ = (a);	\
		(a) = (b);			\
		(b) = tmp_;			\
	} while (0)

/* ---- modules: one file of a core has module_init(), the others only export ---- */
#undef module_init
#undef module_exit
#define module_init(function)						\
	int vfiosim_tree_init(void);					\
	int vfiosim_tree_init(void) { return function(); }
#define module_exit(function)						\
	void vfiosim_tree_exit(void);					\
	void vfiosim_tree_exit(void) { function(); }
#define MODULE_ALIAS_MISCDEV(minor) _Static_assert(1, "")
#define MODULE_IMPORT_NS(name) _Static_assert(1, "")
#define EXPORT_SYMBOL_NS_GPL(symbol, name) _Static_assert(1, "")
#define module_param(variable, type, mode) module_param_named(variable, variable, type, mode)
#undef module_param_named
/*
 * The parameter keeps its own storage; the command line reaches it through this
 * pointer, by which the compiler knows that others write to it.
 */
#define module_param_named(name, variable, type, mode)			\
	extern type *const vfiosim_param_##name;			\
	type *const vfiosim_param_##name = &variable

/* The real 6.12 takes no owner; 6.1 and older do. vfiosim-kbuild looks at the tree. */
#ifdef VFIOSIM_CLASS_CREATE_NAME_ONLY
#define class_create(name) (class_create)(THIS_MODULE, name)
#endif

#include "support.h"

#endif
