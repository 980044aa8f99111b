/* SPDX-License-Identifier: GPL-2.0-only */
/* What Valgrind is told. Without its headers: nothing. No kernel original. */
#ifndef MEMCHECK_H
#define MEMCHECK_H

#ifdef HAVE_VALGRIND
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_CREATE_MEMPOOL(pool, redzone, zeroed) ((void)0)
#define VALGRIND_DESTROY_MEMPOOL(pool) ((void)0)
#define VALGRIND_MEMPOOL_ALLOC(pool, address, size) ((void)0)
#define VALGRIND_MEMPOOL_FREE(pool, address) ((void)0)
#define VALGRIND_MAKE_MEM_DEFINED(address, size) ((void)0)
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) ((void)0)
#define VALGRIND_MAKE_MEM_NOACCESS(address, size) ((void)0)
#define VALGRIND_DISABLE_ERROR_REPORTING ((void)0)
#define VALGRIND_ENABLE_ERROR_REPORTING ((void)0)
#endif

#endif
