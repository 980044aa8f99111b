/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmalloc and friends, and object caches. Every allocation is a fault point,
 * named after the type in its size expression: kzalloc(sizeof(*group), ...)
 * makes "group#1" and fails at site "group".
 */
#ifndef VFIOSIM_KAPI_SLAB_H
#define VFIOSIM_KAPI_SLAB_H

#include <vfiosim/kapi/types.h>

#define GFP_KERNEL 0xcc0u
#define GFP_ATOMIC 0xa20u
#define GFP_NOWAIT 0x800u
#define GFP_KERNEL_ACCOUNT 0x400cc0u
#define GFP_HIGHUSER_MOVABLE 0x100ccau
#define __GFP_ZERO 0x100u
#define __GFP_NOFAIL 0x8000u
#define __GFP_NOWARN 0x2000u
#define __GFP_DIRECT_RECLAIM 0x400u

/* @what is the text of the size expression, or a plain type name. */
void *__kmalloc_named(size_t size, gfp_t flags, const char *what) SIM(__kmalloc_named);
void *__krealloc_named(const void *object, size_t size, gfp_t flags, const char *what)
	SIM(__krealloc_named);
void *__kmalloc_array_named(size_t n, size_t size, gfp_t flags, const char *what)
	SIM(__kmalloc_array_named);
#define kmalloc(size, flags) __kmalloc_named(size, flags, #size)
#define kzalloc(size, flags) __kmalloc_named(size, (flags) | __GFP_ZERO, #size)
#define kvmalloc(size, flags) kmalloc(size, flags)
#define kvzalloc(size, flags) kzalloc(size, flags)
#define kmalloc_array(n, size, flags) __kmalloc_array_named(n, size, flags, #size)
#define kvmalloc_array(n, size, flags) kmalloc_array(n, size, flags)
#define kcalloc(n, size, flags) __kmalloc_array_named(n, size, (flags) | __GFP_ZERO, #size)
#define kvcalloc(n, size, flags) kcalloc(n, size, flags)
#define krealloc(object, size, flags) __krealloc_named(object, size, flags, #size)

/*
 * kfree(): any context; NULL and ZERO_SIZE_PTR are nothing. The caller's last use: the
 * object is poisoned and stays in quarantine. ksize(): what was asked for.
 * The rest allocate, as kmalloc() does: NULL without memory (fault point "string", or the
 * type of the size expression), and the caller frees the copy. May sleep with GFP_KERNEL.
 */
void kfree(const void *object) KAPI(kfree);
void kvfree(const void *object) KAPI(kvfree);
size_t ksize(const void *object) KAPI(ksize);
char *kstrdup(const char *text, gfp_t flags) KAPI(kstrdup);
const char *kstrdup_const(const char *text, gfp_t flags) KAPI(kstrdup_const);
void kfree_const(const void *text) KAPI(kfree_const);
char *kstrndup(const char *text, size_t max, gfp_t flags) KAPI(kstrndup);
void *kmemdup(const void *source, size_t size, gfp_t flags) KAPI(kmemdup);
char *kasprintf(gfp_t flags, const char *format, ...)
	KAPI(kasprintf) __attribute__((format(printf, 2, 3)));
char *kvasprintf(gfp_t flags, const char *format, va_list args)
	KAPI(kvasprintf) __attribute__((format(printf, 2, 0)));

/*
 * A cache of objects. With a constructor, memory is constructed once and a
 * freed object is handed out again as it was left, as in the kernel: fields
 * that only the constructor sets are inherited by the next owner.
 */
struct kmem_cache {
	const char *name;
	u32 size;
	u32 count;		/* objects in use */
	void (*ctor)(void *object);
	void *free;		/* constructed objects, last freed first */
};

#define SLAB_HWCACHE_ALIGN 0x2000u
#define SLAB_RECLAIM_ACCOUNT 0x20000u
#define SLAB_PANIC 0x40000u
#define SLAB_TYPESAFE_BY_RCU 0x80000u
#define SLAB_ACCOUNT 0x4000000u

/*
 * NULL without memory. Destroying one that still has objects is a WARN. Allocation and
 * freeing have the contexts of kmalloc() and kfree(); the fault point is the cache's name.
 */
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*ctor)(void *object))
	KAPI(kmem_cache_create);
#define KMEM_CACHE(type, flags) \
	kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), flags, NULL)
/* A static cache needs no creation: DEFINE_KMEM_CACHE(inode_cache, struct inode, ctor). */
#define DEFINE_KMEM_CACHE(cache, type_name, type, constructor)		\
	struct kmem_cache cache KSTATE = {				\
		.name = type_name, .size = sizeof(type), .ctor = constructor }
void kmem_cache_destroy(struct kmem_cache *cache) KAPI(kmem_cache_destroy);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags) KAPI(kmem_cache_alloc);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags) KAPI(kmem_cache_zalloc);
void kmem_cache_free(struct kmem_cache *cache, void *object) KAPI(kmem_cache_free);

#endif
