// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clearing a file's pages from every address space that shows them. Follows
 * unmap_mapping_range() of mm/memory.c and truncate_pagecache() of mm/truncate.c.
 *
 * Lock order (outer first):
 *
 *   whatever the caller holds (a driver's memory_lock, an inode's i_rwsem)
 *     mapping->i_mmap_rwsem	write in 5.14, read from 6.1 on
 *       page-table lock	per entry
 *
 * No mmap_lock and no reference on any mm is needed: a VMA that is met is in the
 * tree, and leaving the tree waits for the lock.
 */
#include "mm_internal.h"

/* All ones in an index of @bits bits. */
static u64 index_max(unsigned int bits)
{
	return bits == 64 ? ~0ULL : (1ULL << bits) - 1;
}

static u64 hole_begin(loff_t begin, unsigned int bits)
{
	if (kernel_version < KERNEL_6_1)
		return (u64)(begin >> PAGE_SHIFT) & index_max(bits);
	return ((u64)begin & index_max(bits)) >> PAGE_SHIFT;
}

static u64 hole_count(loff_t begin, loff_t len, unsigned int bits, u64 first)
{
	const u64 max = index_max(bits);
	s64 end = (s64)((u64)begin + (u64)len + PAGE_SIZE - 1) >> PAGE_SHIFT;

	if (bits == 64)
		return ((u64)len + PAGE_SIZE - 1) >> PAGE_SHIFT;
	if (end & ~(s64)max)
		return (max - first + 1) & max;
	if (kernel_version < KERNEL_6_1)
		return (u64)((len + (s64)PAGE_SIZE - 1) >> PAGE_SHIFT) & max;
	return ((((u64)len & max) + PAGE_SIZE - 1) & max) >> PAGE_SHIFT;
}

/*
 * The closed range of pages that unmap_mapping_range() clears on a machine with
 * page indexes of @index_bits (32, 64): the count comes from @len alone, so an
 * unaligned @begin does not add the page that its tail reaches.
 */
void unmap_hole(loff_t begin, loff_t len, unsigned int index_bits, u64 *first, u64 *last)
{
	const u64 max = index_max(index_bits);

	*first = hole_begin(begin, index_bits);
	*last = (*first + hole_count(begin, len, index_bits, *first) - 1) & max;
	if (*last < *first)
		*last = max;
}

/* The part of @vma that shows file pages [first, last]. */
static void zap_file_range(struct vm_area_struct *vma, pgoff_t first, pgoff_t last,
			   bool even_cows)
{
	pgoff_t vma_last = vma->vm_pgoff + vma_pages(vma) - 1;
	pgoff_t from = first > vma->vm_pgoff ? first : vma->vm_pgoff;
	pgoff_t to = last < vma_last ? last : vma_last;
	enum zap what = ZAP_FILE_PAGES;

	/* Up to 5.14 a walk by file pages passes over what is swapped out. */
	if (even_cows)
		what = kernel_version < KERNEL_6_1 ? ZAP_BUT_SWAPPED : ZAP_ALL;
	zap_range(vma, vma->vm_start + ((from - vma->vm_pgoff) << PAGE_SHIFT),
		  vma->vm_start + ((to - vma->vm_pgoff + 1) << PAGE_SHIFT), what);
}

static void unmap_mapping_range_tree(struct address_space *mapping, pgoff_t first,
				     pgoff_t last, bool even_cows)
{
	struct vm_area_struct *vma;
	struct mapping_iter iter;

	vma_interval_tree_foreach(vma, &iter, &mapping->i_mmap, first, last)
		zap_file_range(vma, first, last, even_cows);
}

/*
 * Clear pages [start, start + nr), or to the end if @nr is 0.
 *
 * Context: may sleep.
 * Locks:   takes and drops i_mmap_rwsem; mmap_lock may but need not be held.
 */
void unmap_mapping_pages(struct address_space *mapping, pgoff_t start, pgoff_t nr,
			 bool even_cows)
{
	const bool exclusive = kernel_version < KERNEL_6_1;
	pgoff_t last = start + nr - 1;

	if (last < start)
		last = ~0UL;
	eng_event("unmap_mapping_pages", mapping, "%lx-%lx", start, last);
	if (exclusive)
		i_mmap_lock_write(mapping);
	else
		down_read(&mapping->i_mmap_rwsem);
	if (mapping_mapped(mapping))
		unmap_mapping_range_tree(mapping, start, last, even_cows);
	if (exclusive)
		i_mmap_unlock_write(mapping);
	else
		up_read(&mapping->i_mmap_rwsem);
}

/*
 * Clear what shows bytes [holebegin, holebegin + holelen); 0: to the end. Private
 * copies go only if @even_cows. Future faults are the caller's business.
 */
void unmap_mapping_range(struct address_space *mapping, loff_t holebegin, loff_t holelen,
			 int even_cows)
{
	u64 first, last;

	unmap_hole(holebegin, holelen, 64, &first, &last);
	unmap_mapping_pages(mapping, first, last - first + 1, even_cows);
}

/*
 * The file's size is stored already and shrank: cut the pages off. The second
 * pass takes private copies made between the first pass and the end of the page.
 */
void truncate_pagecache(struct inode *inode, loff_t newsize)
{
	struct address_space *mapping = inode->i_mapping;
	loff_t holebegin = (newsize + (loff_t)PAGE_SIZE - 1) & (loff_t)PAGE_MASK;

	unmap_mapping_range(mapping, holebegin, 0, 1);
	truncate_inode_pages(mapping, newsize);
	unmap_mapping_range(mapping, holebegin, 0, 1);
}
