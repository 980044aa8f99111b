// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmalloc and friends, and object caches, over the arena. Follows mm/slab_common.c
 * as far as callers can tell. Every allocation is a fault point. No locks, and no
 * choice points: what a step frees is told to the explorer by the arena.
 */
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/bug.h>
#include <vfiosim/kapi/sched.h>
#include <vfiosim/kapi/string.h>

#include "context.h"

#define ZERO_SIZE_PTR ((void *)16)

/* An allocation that may wait for memory must not be made in atomic context. */
static void check_context(gfp_t flags)
{
	if (flags & __GFP_DIRECT_RECLAIM)
		must_be_able_to_sleep();
}

static void *allocate(size_t size, gfp_t flags, const char *what, const void *site)
{
	check_context(flags);
	if (!size)
		return ZERO_SIZE_PTR;
	if (flags & __GFP_NOFAIL)
		return eng_alloc_nofail(size, what, flags & __GFP_ZERO, site);
	return eng_alloc(size, what, flags & __GFP_ZERO, site);
}

void *__kmalloc_named(size_t size, gfp_t flags, const char *what)
{
	return allocate(size, flags, what, __builtin_return_address(0));
}

void *__kmalloc_array_named(size_t n, size_t size, gfp_t flags, const char *what)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return allocate(bytes, flags, what, __builtin_return_address(0));
}

/* On failure the old block stays as it was. */
void *__krealloc_named(const void *object, size_t size, gfp_t flags, const char *what)
{
	size_t old = object == ZERO_SIZE_PTR || !object ? 0 : eng_size(object);
	void *bigger;

	if (!size) {
		kfree(object);
		return ZERO_SIZE_PTR;
	}
	bigger = allocate(size, flags, what, __builtin_return_address(0));
	if (!bigger)
		return NULL;
	if (old)
		memcpy(bigger, object, old < size ? old : size);
	kfree(object);
	return bigger;
}

void kfree(const void *object)
{
	if (object && object != ZERO_SIZE_PTR)
		eng_free(object, __builtin_return_address(0));
}

void kvfree(const void *object)
{
	if (object && object != ZERO_SIZE_PTR)
		eng_free(object, __builtin_return_address(0));
}

size_t ksize(const void *object)
{
	return object && object != ZERO_SIZE_PTR ? eng_size(object) : 0;
}

static void *duplicate(const void *source, size_t size, size_t room, gfp_t flags,
		       const char *what, const void *site)
{
	char *copy = allocate(room, flags, what, site);

	if (copy)
		memcpy(copy, source, size);
	return copy;
}

char *kstrdup(const char *text, gfp_t flags)
{
	size_t size = text ? strlen(text) + 1 : 0;

	return text ? duplicate(text, size, size, flags, "string", __builtin_return_address(0))
		    : NULL;
}

/* The kernel saves the copy of a string in read-only data; whether it is cannot be seen. */
const char *kstrdup_const(const char *text, gfp_t flags)
{
	size_t size = text ? strlen(text) + 1 : 0;

	return text ? duplicate(text, size, size, flags, "string", __builtin_return_address(0))
		    : NULL;
}

void kfree_const(const void *text)
{
	if (text)
		eng_free(text, __builtin_return_address(0));
}

char *kstrndup(const char *text, size_t max, gfp_t flags)
{
	size_t length = text ? strnlen(text, max) : 0;
	char *copy;

	if (!text)
		return NULL;
	copy = duplicate(text, length, length + 1, flags, "string", __builtin_return_address(0));
	if (copy)
		copy[length] = 0;
	return copy;
}

void *kmemdup(const void *source, size_t size, gfp_t flags)
{
	return duplicate(source, size, size, flags, "memory", __builtin_return_address(0));
}

char *kvasprintf(gfp_t flags, const char *format, va_list args)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, args);
	length = __builtin_vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = allocate(length + 1, flags, "string", __builtin_return_address(0));
	if (text)
		vscnprintf(text, length + 1, format, args);
	return text;
}

char *kasprintf(gfp_t flags, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = kvasprintf(flags, format, args);
	va_end(args);
	return text;
}

/* ---- caches ---- */

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*ctor)(void *object))
{
	struct kmem_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	if (!cache)
		return NULL;
	cache->name = name;
	cache->size = size;
	cache->ctor = ctor;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (!cache)
		return;
	WARN(cache->count, "cache %s is destroyed with %u objects in use", cache->name,
	     cache->count);
	kfree(cache);
}

/*
 * With a constructor the object that was freed last is handed out first, as it
 * was left; a new one is constructed. Without, memory is not inherited at all.
 */
static void *cache_take(struct kmem_cache *cache, gfp_t flags, const void *site)
{
	void *object;

	check_context(flags);
	if (!cache->ctor)
		return eng_alloc(cache->size, cache->name, flags & __GFP_ZERO, site);
	if (eng_fail_here(cache->name))
		return NULL;
	if (cache->free)
		return eng_cache_get(&cache->free, site);
	object = eng_alloc_cached(cache->size, cache->name, site);
	cache->ctor(object);
	return object;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags)
{
	void *object = cache_take(cache, flags, __builtin_return_address(0));

	if (object)
		cache->count++;
	return object;
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags)
{
	void *object;

	WARN_ON(cache->ctor);
	object = cache_take(cache, flags | __GFP_ZERO, __builtin_return_address(0));
	if (object)
		cache->count++;
	return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	cache->count--;
	if (cache->ctor)
		eng_cache_put(object, &cache->free, __builtin_return_address(0));
	else
		eng_free(object, __builtin_return_address(0));
}
