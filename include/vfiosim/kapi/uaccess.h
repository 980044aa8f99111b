/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access to user memory: the current task's modelled address space, or host
 * memory when the task has none (tests that call the kernel side directly).
 */
#ifndef VFIOSIM_KAPI_UACCESS_H
#define VFIOSIM_KAPI_UACCESS_H

#include <vfiosim/kapi/types.h>

#ifndef __user
#define __user
#endif

/*
 * Both return the number of bytes NOT copied. They may fault, so may sleep and
 * take the task's mmap_lock; no lock that a fault handler takes may be held.
 * Fault points: "copy_from_user", "copy_to_user".
 */
unsigned long copy_from_user(void *to, const void __user *from, unsigned long n)
	KAPI(copy_from_user);
unsigned long copy_to_user(void __user *to, const void *from, unsigned long n)
	KAPI(copy_to_user);
unsigned long clear_user(void __user *to, unsigned long n) KAPI(clear_user);

/* -EFAULT; -EINVAL when no NUL lies within @n bytes; -ENOMEM. The caller frees it. */
char *strndup_user(const char __user *s, long n) KAPI(strndup_user);
void *memdup_user(const void __user *src, size_t len) KAPI(memdup_user);

#define u64_to_user_ptr(x) ((void __user *)(unsigned long)(x))

#define get_user(x, ptr) \
	(copy_from_user(&(x), (ptr), sizeof(x)) ? -EFAULT : 0)
#define put_user(x, ptr)						\
	({								\
		__typeof__(*(ptr)) put_user_value = (x);		\
		copy_to_user((ptr), &put_user_value, sizeof(*(ptr))) ?	\
			-EFAULT : 0;					\
	})

#endif
