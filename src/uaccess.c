// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to user memory. Kernel originals: lib/usercopy.c, lib/strn*_user.c,
 * mm/util.c.
 *
 * Owns nothing. Each access of a modelled address may fault: it then takes and
 * drops the task's mmap_lock, so no caller may hold a lock that a driver's fault
 * handler takes. Pointers into the scenario's own memory are taken as they are.
 */
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/uaccess.h>

#include "engine.h"

/* Nothing of the host's lies below; that makes it a good bad pointer. */
#define HOST_MEMORY_FIRST 0x10000UL

static bool user_memory_is_hosts(void)
{
	struct task_struct *task = get_current();

	return !task || !task->mm || task->host_memory;
}

/* How much of @n bytes at @addr one access carries: aligned, 8 at most. */
static unsigned int user_chunk(unsigned long addr, unsigned long n)
{
	unsigned int size = 8;

	while (size > n || (addr & (size - 1)))
		size >>= 1;
	return size;
}

/* Context: may sleep. Returns the number of bytes not copied. */
static unsigned long copy_modelled(unsigned long addr, void *buffer, unsigned long n,
				   bool write)
{
	u8 *at = buffer;
	int code;

	might_sleep();
	while (n) {
		unsigned int size = user_chunk(addr, n);
		u64 value = 0;

		if (write)
			memcpy(&value, at, size);
		if (user_access(addr, write, &value, size, &code))
			return n;
		if (!write)
			memcpy(at, &value, size);
		addr += size;
		at += size;
		n -= size;
	}
	return 0;
}

unsigned long copy_from_user(void *to, const void __user *from, unsigned long n)
{
	if (eng_fail_here("copy_from_user"))
		return n;
	if (!user_memory_is_hosts())
		return copy_modelled((unsigned long)from, to, n, false);
	if ((unsigned long)from < HOST_MEMORY_FIRST)
		return n;
	memcpy(to, from, n);
	return 0;
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long n)
{
	if (eng_fail_here("copy_to_user"))
		return n;
	if (!user_memory_is_hosts())
		return copy_modelled((unsigned long)to, (void *)from, n, true);
	if ((unsigned long)to < HOST_MEMORY_FIRST)
		return n;
	memcpy(to, from, n);
	return 0;
}

unsigned long clear_user(void __user *to, unsigned long n)
{
	static const u8 zeroes[64];
	unsigned long done;

	for (done = 0; done < n; done += sizeof(zeroes)) {
		unsigned long size = n - done < sizeof(zeroes) ? n - done : sizeof(zeroes);
		unsigned long left = copy_to_user((u8 *)to + done, zeroes, size);

		if (left)
			return n - done - size + left;
	}
	return 0;
}

/* Length with the NUL, or 0 on a bad address, or more than @n without a NUL. */
static long strnlen_user(const char __user *s, long n)
{
	bool host = user_memory_is_hosts();
	long length;

	if (host && (unsigned long)s < HOST_MEMORY_FIRST)
		return 0;
	for (length = 0; length < n; length++) {
		char c = 0;

		if (host)
			c = s[length];
		else if (copy_modelled((unsigned long)s + length, &c, 1, false))
			return 0;
		if (!c)
			return length + 1;
	}
	return n + 1;
}

/* Refs: the copy is the caller's to kfree(). */
void *memdup_user(const void __user *src, size_t len)
{
	void *copy = kmalloc(len, GFP_KERNEL);

	if (!copy)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(copy, src, len)) {
		kfree(copy);
		return ERR_PTR(-EFAULT);
	}
	return copy;
}

/* Refs: as memdup_user(). */
char *strndup_user(const char __user *s, long n)
{
	long length = strnlen_user(s, n);
	char *copy;

	if (!length)
		return ERR_PTR(-EFAULT);
	if (length > n)
		return ERR_PTR(-EINVAL);
	copy = memdup_user(s, length);
	if (!IS_ERR(copy))
		copy[length - 1] = '\0';	/* user memory may have changed meanwhile */
	return copy;
}
