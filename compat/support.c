// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel API with real behaviour that only tree cores use; linked into each.
 *
 * The interval tree is a plain list in the order of (start, insertion): the
 * core uses it for the ranges of one ioctl, a handful at the most.
 */
#include "words.h"

/* The list runs through rb.rb_right; the root's leftmost node is its head. */
static struct interval_tree_node *to_node(struct rb_node *rb)
{
	return rb ? container_of(rb, struct interval_tree_node, rb) : NULL;
}

void interval_tree_insert(struct interval_tree_node *node, struct rb_root_cached *root)
{
	struct rb_node **link = &root->rb_root.rb_node;

	while (*link && to_node(*link)->start <= node->start)
		link = &(*link)->rb_right;
	node->rb.rb_right = *link;
	*link = &node->rb;
	root->rb_leftmost = root->rb_root.rb_node;
}

void interval_tree_remove(struct interval_tree_node *node, struct rb_root_cached *root)
{
	struct rb_node **link = &root->rb_root.rb_node;

	while (*link && *link != &node->rb)
		link = &(*link)->rb_right;
	if (*link)
		*link = node->rb.rb_right;
	root->rb_leftmost = root->rb_root.rb_node;
}

static struct interval_tree_node *first_overlap(struct rb_node *rb, unsigned long start,
						unsigned long last)
{
	for (; rb; rb = rb->rb_right)
		if (to_node(rb)->start <= last && to_node(rb)->last >= start)
			return to_node(rb);
	return NULL;
}

struct interval_tree_node *interval_tree_iter_first(struct rb_root_cached *root,
						    unsigned long start, unsigned long last)
{
	return first_overlap(root->rb_root.rb_node, start, last);
}

struct interval_tree_node *interval_tree_iter_next(struct interval_tree_node *node,
						   unsigned long start, unsigned long last)
{
	return first_overlap(node->rb.rb_right, start, last);
}

struct iova_bitmap *iova_bitmap_alloc(unsigned long iova, size_t length,
				      unsigned long page_size, u64 __user *data)
{
	return ERR_PTR(-EOPNOTSUPP);
}

void iova_bitmap_free(struct iova_bitmap *bitmap)
{
	BUG();		/* none was ever handed out */
}

int iova_bitmap_for_each(struct iova_bitmap *bitmap, void *opaque, iova_bitmap_fn_t fn)
{
	BUG();
}

void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova, size_t length)
{
	BUG();
}

/*
 * FS-167. The device holds the cdev's memory: an open file that holds the cdev
 * keeps the device that it is embedded in.
 *
 * Refs: on failure none; user space may have opened the node by then.
 */
int cdev_device_add(struct cdev *cdev, struct device *dev)
{
	int ret;

	if (dev->devt) {
		cdev_set_parent(cdev, dev);
		ret = cdev_add(cdev, dev->devt, 1);
		if (ret)
			return ret;
	}
	ret = device_add(dev);
	if (ret && dev->devt)
		cdev_del(cdev);
	return ret;
}

void cdev_device_del(struct cdev *cdev, struct device *dev)
{
	device_del(dev);
	if (dev->devt)
		cdev_del(cdev);
}
