/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of functions and static objects, static ones included, from the ELF files. */
#ifndef VFIOSIM_SYMBOLS_H
#define VFIOSIM_SYMBOLS_H

#include <stddef.h>

#include <vfiosim/kapi/types.h>

/*
 * The symbol that @address lies in, without the vfiosim_ prefix, and the offset
 * into it; NULL if none is known (a stripped file).
 */
const char *symbol_lookup(const void *address, size_t *offset_out) SIM(symbol_lookup);
/* A file was loaded: read them again when next asked. */
void symbols_forget(void) SIM(symbols_forget);
/* "function", or "?"; for return addresses. */
const char *symbol_function(const void *return_address) SIM(symbol_function);

/* A frame that every stack ends with, or that has no name: not worth showing. */
bool symbol_is_scaffold(const char *function) SIM(symbol_is_scaffold);

#endif
