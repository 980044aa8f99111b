// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants of the filesystem side: INV-1 to INV-21 of docs/spec/fs.md.
 *
 * Objects are found by their type's name in the arena, so that the model keeps
 * no lists for its checkers. Where an invariant speaks of references that nobody
 * can name ("other explicit holders"), the predicate asks for "at least".
 */
#define VFIOSIM_HOST
#include <stdio.h>

#include <vfiosim/kapi/fdtable.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/module.h>
#include <vfiosim/kapi/pin.h>

#include "invariants.h"
#include "mm_internal.h"
#include "run.h"
#include "vfs.h"

enum {
	INODES,
	SUPERS,
	MOUNTS,
	DENTRIES,
	CONTEXTS,
	FILES,
	TABLES,
	TASKS,
	KINDS,
};

static struct view view[KINDS] = {
	[INODES] = { "inode" },
	[SUPERS] = { "super_block" },
	[MOUNTS] = { "mount" },
	[DENTRIES] = { "dentry" },
	[CONTEXTS] = { "fs_context" },
	[FILES] = { "file" },
	[TABLES] = { "files_struct" },
	[TASKS] = { "task_struct" },
};

/* ---- pins ---- */

static bool inv_1_pair(const void **object)
{
	const struct pin_pair *pair;

	for (unsigned int n = 0; !pin_fs_locked() && (pair = pin_pair_peek(n)); n++) {
		*object = pair->mount;
		if (*pair->count < 0 || !*pair->mount != !*pair->count)
			return false;
	}
	return true;
}

static const struct pin_pair *pair_publishing(const struct mount *mnt)
{
	const struct pin_pair *pair;

	for (unsigned int n = 0; (pair = pin_pair_peek(n)); n++) {
		if (*pair->mount == &mnt->mnt)
			return pair;
	}
	return NULL;
}

static bool inv_2_mount_refs(const void **object)
{
	struct mount *mnt;

	for_each(MOUNTS, mnt) {
		const struct pin_pair *pair = pair_publishing(mnt);
		int pins = pair ? *pair->count : 0;

		*object = mnt;
		if (!mnt->mnt_published || pin_fs_locked())
			continue;
		if (mnt->mnt_count != pins + mnt->mnt_in_flight + mnt->mnt_external)
			return false;
	}
	return true;
}

static bool inv_3_balance(const void **object)
{
	const struct pin_pair *pair;

	for (unsigned int n = 0; !pin_fs_locked() && (pair = pin_pair_peek(n)); n++) {
		*object = pair->mount;
		if (pair->balance != *pair->count)
			return false;
	}
	return true;
}

static bool inv_4_mount_is_wanted(const void **object)
{
	const struct pin_pair *pair;
	struct mount *mnt;

	for (unsigned int n = 0; (pair = pin_pair_peek(n)); n++) {
		if (*pair->count > 0 || pair->in_flight)
			continue;
		for_each(MOUNTS, mnt) {
			*object = mnt;
			if (mnt->mnt_published == pair->mount && !mnt->mnt_external &&
			    !(mnt->mnt.mnt_flags & MNT_DOOMED))
				return false;
		}
	}
	return true;
}

/* ---- superblocks ---- */

static int super_holders(const struct super_block *sb)
{
	struct fs_context *fc;
	struct mount *mnt;
	int holders = 0;

	for_each(MOUNTS, mnt)
		holders += mnt->mnt.mnt_sb == sb && !mnt->mnt_sb_put;
	for_each(CONTEXTS, fc)
		holders += fc->root && fc->root->d_sb == sb;
	return holders;
}

/* A superblock without a holder is being built, or killed, by one task. */
static bool inv_5_s_active(const void **object)
{
	struct super_block *sb;

	for_each(SUPERS, sb) {
		int holders = super_holders(sb);

		*object = sb;
		if (!holders)
			holders = 1;
		if (sb->s_active.counter && sb->s_active.counter != holders)
			return false;
	}
	return true;
}

static bool inv_6_s_count(const void **object)
{
	struct super_block *sb;

	for_each(SUPERS, sb) {
		*object = sb;
		if (sb->s_active.counter > 0 && sb->s_count < 1)
			return false;
	}
	return true;
}

static bool inv_7_root_dentry(const void **object)
{
	struct super_block *sb;
	struct fs_context *fc;
	struct mount *mnt;

	for_each(SUPERS, sb) {
		int holders = 1;

		if (!sb->s_root)
			continue;
		for_each(MOUNTS, mnt)
			holders += mnt->mnt.mnt_sb == sb && !mnt->mnt_root_put &&
				   mnt->mnt.mnt_root == sb->s_root;
		for_each(CONTEXTS, fc)
			holders += fc->root == sb->s_root && !fc->root_put;
		*object = sb->s_root;
		if (sb->s_root->d_count.counter != holders)
			return false;
	}
	return true;
}

static bool inv_8_module_refs(const void **object)
{
	struct super_block *sb, *other;

	for_each(SUPERS, sb) {
		int listed = 0;

		if (hlist_unhashed(&sb->s_instances) || !sb->s_type->owner)
			continue;
		for_each(SUPERS, other)
			listed += !hlist_unhashed(&other->s_instances) &&
				  other->s_type == sb->s_type;
		*object = sb;
		/* One of them is the loader's. */
		if (sb->s_type->owner->refcnt.counter - 1 < listed)
			return false;
	}
	return true;
}

static bool inv_9_s_dev(const void **object)
{
	struct super_block *sb, *other;

	for_each(SUPERS, sb) {
		if (hlist_unhashed(&sb->s_instances) || (sb->s_flags & SB_DEAD))
			continue;
		for_each(SUPERS, other) {
			*object = sb;
			if (other != sb && !hlist_unhashed(&other->s_instances) &&
			    !(other->s_flags & SB_DEAD) && other->s_dev == sb->s_dev)
				return false;
		}
	}
	return true;
}

static bool inv_10_active_has_root(const void **object)
{
	struct super_block *sb;

	for_each(SUPERS, sb) {
		*object = sb;
		if ((sb->s_flags & SB_ACTIVE) && !sb->s_root && sb->s_active.counter)
			return false;
	}
	return true;
}

/* ---- inodes ---- */

/* The kind that alloc_anon_inode() makes on a pinned filesystem. */
static bool is_device_inode(const struct inode *inode)
{
	return (inode->i_flags & S_PRIVATE) && !(inode->i_flags & S_ETERNAL) &&
	       !(inode->i_state & (I_FREEING | I_CLEAR));
}

static bool inv_11_i_count(const void **object)
{
	struct inode *inode;

	for_each(INODES, inode) {
		*object = inode;
		if (is_device_inode(inode) && inode->i_count.counter != 1)
			return false;
	}
	return true;
}

static bool inv_12_no_list(const void **object)
{
	struct inode *inode;

	for_each(INODES, inode) {
		*object = inode;
		if (is_device_inode(inode) && !inode_on_no_list(inode))
			return false;
	}
	return true;
}

static bool inv_13_shared_inode(const void **object)
{
	const struct inode *shared = anon_inode_shared();
	struct dentry *dentry;
	int dentries = 0;

	for_each(DENTRIES, dentry)
		dentries += dentry->d_inode == shared;
	*object = shared;
	if (!shared)
		return true;
	return shared->i_count.counter >= 1 + dentries &&
	       shared->i_count.counter <= 1 + dentries + (int)anon_inode_in_flight();
}

/* ---- mappings ---- */

static int count_tree(const struct address_space *mapping, bool *stray)
{
	struct vm_area_struct *vma;
	struct mapping_iter iter;
	int shared = 0;

	vma_interval_tree_foreach(vma, &iter, &mapping->i_mmap, 0, ~0UL) {
		if (vma->vm_file->f_mapping != mapping || vma->vm_file->f_count.counter < 1)
			*stray = true;
		shared += !!(vma->vm_flags & VM_SHARED);
	}
	return shared;
}

static bool holds_only_its_own(struct inode *inode)
{
	bool stray = false;

	count_tree(&inode->i_data, &stray);
	return !stray;
}

static bool inv_14_linked_to_its_mapping(const void **object)
{
	struct inode *inode = anon_inode_shared();

	*object = inode;
	if (inode && !holds_only_its_own(inode))
		return false;
	for_each(INODES, inode) {
		*object = inode;
		if (!holds_only_its_own(inode))
			return false;
	}
	return true;
}

static bool inv_15_i_mmap_writable(const void **object)
{
	struct inode *inode;

	for_each(INODES, inode) {
		bool stray = false;
		int shared = count_tree(&inode->i_data, &stray);

		*object = inode;
		/* Each task may be inside the temporary window of one mmap. */
		if (inode->i_data.i_mmap_writable > shared + (int)ENGINE->n_tasks)
			return false;
		if (kernel_version < KERNEL_6_1 && inode->i_data.i_mmap_writable < shared)
			return false;
	}
	return true;
}

static bool inv_16_evicted_empty(const void **object)
{
	struct inode *inode;

	for_each(INODES, inode) {
		*object = inode;
		if ((inode->i_state & I_FREEING) &&
		    (mapping_mapped(&inode->i_data) || inode->i_data.i_mmap_writable > 0))
			return false;
	}
	return true;
}

/* ---- files ---- */

static long count_linked(const struct address_space *mapping, const struct file *file)
{
	struct vm_area_struct *vma;
	struct mapping_iter iter;
	long linked = 0;

	vma_interval_tree_foreach(vma, &iter, &mapping->i_mmap, 0, ~0UL)
		linked += vma->vm_file == file;
	return linked;
}

/* A VMA owns its reference before it is linked, and gives it back after that. */
static long file_known_holders(const struct file *file)
{
	struct files_struct *table;
	struct inode *inode;
	long holders = 0;

	for_each(TABLES, table) {
		for (unsigned int fd = 0; fd < table->fdt->slots; fd++)
			holders += table->fdt->fd[fd] == file;
	}
	for_each(INODES, inode)
		holders += count_linked(&inode->i_data, file);
	return holders;
}

static bool inv_17_f_count(const void **object)
{
	struct file *file;

	for_each(FILES, file) {
		*object = file;
		if (file->f_count.counter < 0 ||
		    file->f_count.counter < file_known_holders(file))
			return false;
	}
	return true;
}

/* INV-18, as far as the filesystem knows: the device's inode lives. */
static bool inv_18_redirected_inode_lives(const void **object)
{
	struct file *file;

	for_each(FILES, file) {
		const struct inode *host;

		if (file->f_released || !file->f_inode || !file->f_mapping)
			continue;
		host = file->f_mapping->host;
		*object = file;
		if (host != file->f_inode && (host->i_count.counter < 1 ||
					      (host->i_state & (I_FREEING | I_CLEAR))))
			return false;
	}
	return true;
}

static bool inv_19_released_untouched(const void **object)
{
	struct file *file;

	for_each(FILES, file) {
		*object = file;
		if (file->f_released && ((void *)file->f_mapping != FILE_TRAP ||
					 file->private_data != FILE_TRAP))
			return false;
	}
	return true;
}

static bool inv_20_nr_files(const void **object)
{
	struct file *file;
	long counted = 0;

	for_each(FILES, file)
		counted += !file->f_uncounted && !(file->f_mode & FMODE_NOACCOUNT);
	*object = NULL;
	return files_stat.nr_files == counted;
}

static int table_users(const struct files_struct *table)
{
	struct task_struct *task;
	int users = 0;

	for (unsigned int n = 0; n < ENGINE->n_tasks; n++)
		users += ENGINE->tasks[n].ts.files == table;
	for_each(TASKS, task)
		users += task->files == table;
	return users;
}

static bool inv_21_table_count(const void **object)
{
	struct files_struct *table;

	for_each(TABLES, table) {
		*object = table;
		if (table->count.counter < table_users(table))
			return false;
	}
	return true;
}

const struct invariant fs_invariants[] = {
	{ 1, "pin-pair", "a pair has a mount if and only if its count is above zero",
	  inv_1_pair },
	{ 2, "mount-refs", "a mount's references are its pins, those in flight and others'",
	  inv_2_mount_refs },
	{ 3, "pin-balance", "a pair's count is its pins minus its releases", inv_3_balance },
	{ 4, "mount-wanted", "no mount outlives its pins and extra references",
	  inv_4_mount_is_wanted },
	{ 5, "s-active", "each mount and context on a superblock owns one s_active",
	  inv_5_s_active },
	{ 6, "s-count", "an active superblock has its memory pinned", inv_6_s_count },
	{ 7, "root-dentry", "a root dentry is held by s_root, mounts and contexts",
	  inv_7_root_dentry },
	{ 8, "module-refs", "each superblock of a type holds its module", inv_8_module_refs },
	{ 9, "s-dev", "device numbers of live superblocks differ", inv_9_s_dev },
	{ 10, "active-root", "an active superblock has a root", inv_10_active_has_root },
	{ 11, "i-count", "a live device inode has one reference", inv_11_i_count },
	{ 12, "i-lists", "a device inode is on no list, hash or LRU", inv_12_no_list },
	{ 13, "shared-inode", "the shared inode is held once, and by each pseudo dentry",
	  inv_13_shared_inode },
	{ 14, "vma-mapping", "a mapping's tree holds VMAs of files that still point to it",
	  inv_14_linked_to_its_mapping },
	{ 15, "mmap-writable", "i_mmap_writable counts the linked shared VMAs",
	  inv_15_i_mmap_writable },
	{ 16, "evicted-empty", "an inode is evicted without VMAs in its tree",
	  inv_16_evicted_empty },
	{ 17, "f-count", "each slot and each VMA owns a reference on its file",
	  inv_17_f_count },
	{ 18, "redirected", "the inode behind a redirected f_mapping lives",
	  inv_18_redirected_inode_lives },
	{ 19, "released", "nobody writes f_mapping or private_data after release",
	  inv_19_released_untouched },
	{ 20, "nr-files", "the number of open files is that of files not freed yet",
	  inv_20_nr_files },
	{ 21, "table-count", "each task that shares a table owns a reference on it",
	  inv_21_table_count },
};
const size_t fs_invariants_count = ARRAY_SIZE(fs_invariants);

const struct invariant *fs_invariants_broken(const void **object)
{
	if (!view_fill(view, KINDS, true))
		return NULL;
	for (size_t n = 0; n < fs_invariants_count; n++) {
		*object = NULL;
		if (!fs_invariants[n].holds(object))
			return &fs_invariants[n];
	}
	return NULL;
}

bool fs_invariants_hold(const void *fixture)
{
	const void *object = NULL;
	const struct invariant *broken = fs_invariants_broken(&object);
	char detector[16];

	if (!broken)
		return true;
	snprintf(detector, sizeof(detector), "inv-%d", broken->number);
	eng_report(detector, object, "%s does not hold any more: %s", broken->name, broken->says);
	return false;
}
