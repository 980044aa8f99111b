// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of memory, private and of files: their life and their content. Stands for
 * mm/page_alloc.c and for what mm/memory.c does with a page's bytes.
 *
 * No locks: counts change in the step that makes or clears an entry, enters or
 * leaves a page cache; none of these functions is a choice point.
 */
#include "mm_internal.h"

#define WORD sizeof(u64)

/* A zeroed page that nothing refers to yet; NULL when memory runs out. */
struct page *alloc_page(void)
{
	return __kmalloc_named(sizeof(struct page), GFP_KERNEL | __GFP_ZERO, "page");
}

static void free_unused(struct page *page)
{
	if (page->mapcount || page->held || page->mapping)
		return;
	if (page->rest)
		kfree(page->rest);
	kfree(page);
}

/* One entry less maps @page. */
void page_unmapped(struct page *page)
{
	page->mapcount--;
	free_unused(page);
}

/* Ends what a fault handler or a read of the page cache began. */
void put_page(struct page *page)
{
	page->held--;
	free_unused(page);
}

/* @page left its page cache. */
void page_uncached(struct page *page)
{
	page->mapping = NULL;
	free_unused(page);
}

static u8 *rest_of(struct page *page)
{
	if (!page->rest)
		page->rest = __kmalloc_named(PAGE_SIZE - WORD,
					     GFP_KERNEL | __GFP_ZERO | __GFP_NOFAIL, "page_rest");
	return page->rest;
}

void copy_page(struct page *to, const struct page *from)
{
	to->word = from->word;
	if (from->rest)
		memcpy(rest_of(to), from->rest, PAGE_SIZE - WORD);
}

/* @size bytes at @at, inside the page. */
void page_load(const struct page *page, unsigned int at, void *buffer, unsigned int size)
{
	unsigned int head = at < WORD ? WORD - at : 0;

	if (head > size)
		head = size;
	memcpy(buffer, (const u8 *)&page->word + at, head);
	if (size == head)
		return;
	if (page->rest)
		memcpy((u8 *)buffer + head, page->rest + at + head - WORD, size - head);
	else
		memset((u8 *)buffer + head, 0, size - head);
}

static bool all_zero(const u8 *bytes, unsigned int size)
{
	while (size && !bytes[size - 1])
		size--;
	return !size;
}

void page_store(struct page *page, unsigned int at, const void *buffer, unsigned int size)
{
	unsigned int head = at < WORD ? WORD - at : 0;
	const u8 *tail;

	if (head > size)
		head = size;
	memcpy((u8 *)&page->word + at, buffer, head);
	tail = (const u8 *)buffer + head;
	size -= head;
	if (size && (page->rest || !all_zero(tail, size)))
		memcpy(rest_of(page) + at + head - WORD, tail, size);
}
