// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symbol tables of the program and of the shared objects in it, read once when a
 * name is first needed. dladdr() would miss static functions, which is most of a
 * kernel file.
 */
#include "symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct symbol {
	unsigned long start;
	unsigned long size;
	const char *name;	/* in the mapped file, which stays mapped */
};

static struct symbol *symbols;
static size_t n_symbols, room;
static bool loaded;

static void add_symbol(unsigned long base, const ElfW(Sym) *symbol, const char *names)
{
	unsigned int type = ELF64_ST_TYPE(symbol->st_info);
	const char *name = names + symbol->st_name;

	if (!symbol->st_value || (type != STT_FUNC && type != STT_OBJECT))
		return;
	if (n_symbols == room) {
		room = room ? room * 2 : 1024;
		symbols = realloc(symbols, room * sizeof(*symbols));
		if (!symbols)
			abort();
	}
	if (!strncmp(name, "vfiosim_", 8))
		name += 8;
	symbols[n_symbols++] = (struct symbol){
		.start = base + symbol->st_value,
		.size = symbol->st_size,
		.name = name,
	};
}

static void read_table(const char *file, const ElfW(Ehdr) *header, unsigned long base)
{
	const ElfW(Shdr) *sections = (const void *)(file + header->e_shoff);

	for (unsigned int i = 0; i < header->e_shnum; i++) {
		const ElfW(Shdr) *section = &sections[i];
		const ElfW(Sym) *table = (const void *)(file + section->sh_offset);

		if (section->sh_type != SHT_SYMTAB)
			continue;
		for (size_t s = 0; s < section->sh_size / sizeof(*table); s++)
			add_symbol(base, &table[s], file + sections[section->sh_link].sh_offset);
	}
}

static void read_file(const char *path, unsigned long base)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	const char *file;

	if (fd < 0)
		return;
	if (!fstat(fd, &info) && info.st_size > (off_t)sizeof(ElfW(Ehdr))) {
		file = mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file != MAP_FAILED && !memcmp(file, ELFMAG, SELFMAG))
			read_table(file, (const void *)file, base);
	}
	close(fd);
}

/* Names of the system's libraries are of no use in a report, and there are many. */
static bool is_foreign(const char *path)
{
	bool system = !strncmp(path, "/lib", 4) || !strncmp(path, "/usr/lib", 8);

	return system && !strstr(path, "vfiosim");
}

static int each_object(struct dl_phdr_info *info, size_t size, void *data)
{
	const char *path = info->dlpi_name;

	if (!path || !*path)
		read_file("/proc/self/exe", info->dlpi_addr);
	else if (!is_foreign(path))
		read_file(path, info->dlpi_addr);
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->size < y->size ? -1 : x->size > y->size;
}

static void load(void)
{
	loaded = true;
	dl_iterate_phdr(each_object, NULL);
	if (n_symbols)
		qsort(symbols, n_symbols, sizeof(*symbols), by_start);
}

void symbols_forget(void)
{
	loaded = false;
	n_symbols = 0;
}

const char *symbol_lookup(const void *address, size_t *offset_out)
{
	unsigned long wanted = (unsigned long)address;
	size_t low = 0, high;

	if (!loaded)
		load();
	for (high = n_symbols; low < high; ) {
		size_t middle = low + (high - low) / 2;

		if (symbols[middle].start <= wanted)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || wanted - symbols[low - 1].start >= symbols[low - 1].size)
		return NULL;
	*offset_out = wanted - symbols[low - 1].start;
	return symbols[low - 1].name;
}

const char *symbol_function(const void *return_address)
{
	size_t offset;
	const char *name;

	if (!return_address)
		return "?";
	/* One back: a call at the end of a function returns to the next one. */
	name = symbol_lookup((const char *)return_address - 1, &offset);
	return name ? name : "?";
}

bool symbol_is_scaffold(const char *function)
{
	return !strcmp(function, "scenario_entry") || !strcmp(function, "task_entry") ||
	       !strcmp(function, "trampoline") || !strcmp(function, "?");
}
