// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading a vfio core that was built from a kernel tree. Host side.
 *
 * Its module's data lies in the writable segment of the file. What the loader
 * has made read-only (RELRO) is no state; the rest is registered with the
 * statics, as the dynamic loader left it: that is the image before insmod.
 */
#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include <vfiosim/kapi/vfio_core_select.h>

#include "core_load.h"
#include "statics.h"
#include "symbols.h"

struct search {
	const void *address;	/* a function of the file */
	char *start;		/* of its writable data */
	size_t size;
};

static bool contains(const struct dl_phdr_info *info, const void *address)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + header->p_vaddr;

		if (header->p_type == PT_LOAD && (uintptr_t)address - start < header->p_memsz)
			return true;
	}
	return false;
}

static int find_data(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *search = data;
	uintptr_t relro_end = 0;

	if (!contains(info, search->address))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO)
			relro_end = info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t start = header->p_vaddr, end = start + header->p_memsz;

		if (header->p_type != PT_LOAD || !(header->p_flags & PF_W))
			continue;
		if (start < relro_end)
			start = relro_end;
		search->start = (char *)(info->dlpi_addr + start);
		search->size = end > start ? end - start : 0;
	}
	return 1;
}

static const struct vfiosim_core *load_file(const char *path, GError **error)
{
	const struct vfiosim_core *(*get_core)(void);
	const struct vfiosim_core *core;
	struct search search = { 0 };
	const unsigned long *abi;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s", dlerror());
		return NULL;
	}
	*(void **)&get_core = dlsym(handle, "vfiosim_tree_core");
	abi = dlsym(handle, "vfiosim_tree_abi");
	if (!get_core || !abi || *abi != vfiosim_core_abi) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: %s", path,
			    get_core ? "made for another vfiosim: run vfiosim-kbuild again" :
				       "not a core made by vfiosim-kbuild");
		dlclose(handle);
		return NULL;
	}

	symbols_forget();
	search.address = (void *)get_core;
	core = get_core();	/* fills its tables in */
	dl_iterate_phdr(find_data, &search);
	if (search.size)
		statics_add(search.start, search.size);
	return core;
}

static char *known_names(void)
{
	GString *names = g_string_new(NULL);

	for (unsigned int i = 0; vfiosim_cores[i]; i++)
		g_string_append_printf(names, "%s%s", i ? ", " : "", vfiosim_cores[i]->name);
	return g_string_free(names, FALSE);
}

static char *selected;

const char *core_selected(void)
{
	return selected ?: "default";
}

bool core_select(const char *name, GError **error)
{
	static GHashTable *loaded;	/* by path: a file's statics are added once */
	const struct vfiosim_core *core = vfiosim_core_find(name);

	if (!core && strchr(name, '/')) {
		if (!loaded)
			loaded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		core = g_hash_table_lookup(loaded, name);
		if (!core) {
			core = load_file(name, error);
			if (!core)
				return false;
			g_hash_table_insert(loaded, g_strdup(name), (void *)core);
		}
	}
	if (!core) {
		g_autofree char *names = known_names();

		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
			    "no core \"%s\": there are %s, or give the path of a file", name,
			    names);
		return false;
	}
	vfiosim_core_set_default(core);
	g_free(selected);
	selected = g_strdup(name);
	return true;
}
