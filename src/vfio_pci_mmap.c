// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping BARs: what may be mapped, and the two designs that take mappings away.
 * Kernel originals: drivers/vfio/pci/vfio_pci.c of 5.14 (vma list), patch 3 of
 * the series, and vfio_pci_core.c of 6.12 (address space).
 *
 * Lock order of the vma list (VF-238):
 *
 *   mmap_lock
 *     vdev->vma_lock
 *       vdev->memory_lock
 *
 * and of the address space:
 *
 *   mmap_lock
 *     vdev->memory_lock
 *       inode's i_mmap_rwsem
 *
 * vma_lock protects vma_list: the VMAs that were filled since the last zap.
 * barmap[] is set without any lock, so two first users can collide (VF-270).
 */
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/slab.h>


#include "engine.h"
#include "vfio_pci_private.h"

#define BARS_END VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_ROM_REGION_INDEX)

struct vfio_pci_mmap_vma {
	struct vm_area_struct *vma;
	struct list_head vma_next;
};

/* ---- what may be mapped ---- */

/* The rest of a small BAR's page, reserved for nobody. Refs: the list owns it. */
static bool vfio_pci_reserve_rest(struct vfio_pci_device *vdev, int bar)
{
	struct resource *res = &vdev->pdev->resource[bar];
	struct vfio_pci_dummy_resource *dummy;

	if (res->start & ~PAGE_MASK)
		return false;
	dummy = kzalloc(sizeof(struct vfio_pci_dummy_resource), GFP_KERNEL);
	if (!dummy)
		return false;
	dummy->resource.name = "vfio sub-page reserved";
	dummy->resource.start = res->end + 1;
	dummy->resource.end = res->start + PAGE_SIZE - 1;
	dummy->resource.flags = res->flags;
	if (request_resource(&dummy->resource)) {
		kfree(dummy);
		return false;
	}
	dummy->index = bar;
	list_add(&dummy->res_next, &vdev->dummy_resources_list);
	return true;
}

static bool vfio_pci_bar_can_mmap(struct vfio_pci_device *vdev, int bar)
{
	struct pci_dev *pdev = vdev->pdev;

	if (!(pci_resource_flags(pdev, bar) & IORESOURCE_MEM) || !pci_resource_len(pdev, bar))
		return false;
	if (pci_resource_len(pdev, bar) >= PAGE_SIZE)
		return true;
	return vfio_pci_reserve_rest(vdev, bar);
}

void vfio_pci_probe_mmaps(struct vfio_pci_device *vdev)
{
	int bar;

	for (bar = 0; bar < 6; bar++)
		vdev->bar_mmap_supported[bar] = vfio_pci_bar_can_mmap(vdev, bar);
}

static void vfio_pci_release_bar(struct vfio_pci_device *vdev, int bar)
{
	if (!vdev->barmap[bar])
		return;
	pci_iounmap(vdev->pdev, vdev->barmap[bar]);
	pci_release_selected_regions(vdev->pdev, 1 << bar);
	shared_WRITE_ONCE(vdev->barmap[bar], NULL);
}

void vfio_pci_release_mmaps(struct vfio_pci_device *vdev)
{
	struct vfio_pci_dummy_resource *dummy, *next;
	int bar;

	for (bar = 0; bar < 6; bar++)
		vfio_pci_release_bar(vdev, bar);
	list_for_each_entry_safe(dummy, next, &vdev->dummy_resources_list, res_next) {
		list_del(&dummy->res_next);
		release_resource(&dummy->resource);
		kfree(dummy);
	}
}

/*
 * Claim a BAR for this device and map it for the kernel, once. No lock covers the
 * test and the claim: of two first users one can get a spurious -EBUSY.
 *
 * Refs: the claim and the mapping belong to the device, until its last close.
 */
int vfio_pci_setup_barmap(struct vfio_pci_device *vdev, int bar)
{
	struct pci_dev *pdev = vdev->pdev;
	void *io;
	int ret;

	if (shared_READ_ONCE(vdev->barmap[bar]))
		return 0;
	ret = pci_request_selected_regions(pdev, 1 << bar, "vfio");
	if (ret)
		return ret;
	io = pci_iomap(pdev, bar, 0);
	if (!io) {
		pci_release_selected_regions(pdev, 1 << bar);
		return -ENOMEM;
	}
	shared_WRITE_ONCE(vdev->barmap[bar], io);
	return 0;
}

static pgoff_t region_page(pgoff_t pgoff)
{
	return pgoff & ((1UL << (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT)) - 1);
}

static unsigned int region_index(pgoff_t pgoff)
{
	return pgoff >> (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT);
}

/* 0 when a BAR may be mapped like that; the order of the tests is VF-151..VF-154. */
static int vfio_pci_mmap_check(struct vfio_pci_device *vdev, struct vm_area_struct *vma)
{
	unsigned int index = region_index(vma->vm_pgoff);
	u64 length, start;

	if (index >= VFIO_PCI_NUM_REGIONS || vma->vm_end < vma->vm_start)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (index >= VFIO_PCI_ROM_REGION_INDEX)
		return -EINVAL;
	if (!vdev->bar_mmap_supported[index])
		return -EINVAL;
	length = PAGE_ALIGN(pci_resource_len(vdev->pdev, index));
	start = (u64)region_page(vma->vm_pgoff) << PAGE_SHIFT;
	if (start + (vma->vm_end - vma->vm_start) > length)
		return -EINVAL;
	return 0;
}

/*
 * Populates nothing: the first touch does.
 *
 * Context: may sleep. Locks: holds the mmap_lock for writing.
 */
int vfio_pci_mmap(struct vfio_device *device, struct vm_area_struct *vma)
{
	struct vfio_pci_device *vdev = to_vfio_pci(device);
	int ret;

	ret = vfio_pci_mmap_check(vdev, vma);
	if (ret)
		return ret;
	ret = vfio_pci_setup_barmap(vdev, region_index(vma->vm_pgoff));
	if (ret)
		return ret;

	vma->vm_private_data = vdev;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vdev->design->mmap(vdev, vma);
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	return 0;
}

/* The page frame behind a page of the device file. */
u64 vfio_pci_vma_pfn(struct vfio_pci_device *vdev, unsigned long pgoff)
{
	u64 start = pci_resource_start(vdev->pdev, region_index(pgoff));

	return (start >> PAGE_SHIFT) + region_page(pgoff);
}

/* ---- both designs ---- */

void vfio_pci_zap_and_down_write_memory_lock(struct vfio_pci_device *vdev)
{
	vdev->design->zap_and_down_write(vdev);
	eng_event("vfio_pci_zapped", vdev, NULL);
}

/* What the oracle has to say is said before anybody else can run. */
void vfio_pci_up_write_memory_lock(struct vfio_pci_device *vdev)
{
	vfio_pci_check_mappings(vdev);
	up_write(&vdev->memory_lock);
}

/* ---- the vma list ---- */

static struct vfio_pci_mmap_vma *vma_list_find(struct vfio_pci_device *vdev,
					       struct vm_area_struct *vma)
{
	struct vfio_pci_mmap_vma *entry;

	lockdep_assert_held(&vdev->vma_lock);
	list_for_each_entry(entry, &vdev->vma_list, vma_next)
		if (entry->vma == vma)
			return entry;
	return NULL;
}

static int vma_list_add(struct vfio_pci_device *vdev, struct vm_area_struct *vma)
{
	struct vfio_pci_mmap_vma *entry = kmalloc(sizeof(struct vfio_pci_mmap_vma), GFP_KERNEL);

	if (!entry)
		return -ENOMEM;
	entry->vma = vma;
	list_add(&entry->vma_next, &vdev->vma_list);
	return 0;
}

static void vma_list_del(struct vfio_pci_mmap_vma *entry)
{
	list_del(&entry->vma_next);
	kfree(entry);
}

/*
 * A new VMA by split, fork or move: nothing of it may be mapped unlisted. For a
 * move this comes too early: the page table entries follow afterwards (VF-299).
 */
static void vma_list_open(struct vm_area_struct *vma)
{
	zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
}

/* Locks: holds the mmap_lock; takes and drops vma_lock. */
static void vma_list_close(struct vm_area_struct *vma)
{
	struct vfio_pci_device *vdev = vma->vm_private_data;
	struct vfio_pci_mmap_vma *entry;

	mutex_lock(&vdev->vma_lock);
	entry = vma_list_find(vdev, vma);
	if (entry)
		vma_list_del(entry);
	mutex_unlock(&vdev->vma_lock);
}

/*
 * Fill the whole VMA, unless it is listed: io_remap_pfn_range() stops the kernel
 * at the first page that is there already.
 *
 * Locks: holds vma_lock, and memory_lock for reading.
 */
static vm_fault_t vma_list_fill(struct vfio_pci_device *vdev, struct vm_area_struct *vma)
{
	unsigned long size = vma->vm_end - vma->vm_start;
	vm_fault_t ret;

	if (!vfio_pci_may_touch(vdev))
		return VM_FAULT_SIGBUS;
	if (vma_list_find(vdev, vma))
		return VM_FAULT_NOPAGE;
	if (io_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, size, vma->vm_page_prot)) {
		ret = VM_FAULT_SIGBUS;
		goto err_zap;
	}
	if (vma_list_add(vdev, vma)) {
		ret = VM_FAULT_OOM;
		goto err_zap;
	}
	return VM_FAULT_NOPAGE;

err_zap:
	zap_vma_ptes(vma, vma->vm_start, size);
	return ret;
}

/* Context: may sleep. Locks: holds the mmap_lock for reading. */
static vm_fault_t vma_list_fault(struct vm_fault *vmf)
{
	struct vfio_pci_device *vdev = vmf->vma->vm_private_data;
	vm_fault_t ret;

	mutex_lock(&vdev->vma_lock);
	down_read(&vdev->memory_lock);
	ret = vma_list_fill(vdev, vmf->vma);
	vfio_pci_check_mappings(vdev);
	up_read(&vdev->memory_lock);
	mutex_unlock(&vdev->vma_lock);
	return ret;
}

static const struct vm_operations_struct vma_list_vm_ops = {
	.open = vma_list_open,
	.close = vma_list_close,
	.fault = vma_list_fault,
};

/* The key in the inode's tree becomes a physical page number (VF-157). */
static void vma_list_mmap(struct vfio_pci_device *vdev, struct vm_area_struct *vma)
{
	vma->vm_pgoff = vfio_pci_vma_pfn(vdev, vma->vm_pgoff);
	vma->vm_ops = &vma_list_vm_ops;
}

/*
 * The mm of the first entry whose mm still has users; entries of dying ones are
 * dropped, since no user code can run there any more (VF-300).
 *
 * Locks: holds vma_lock. Refs: +1 user on the mm that is returned.
 */
static struct mm_struct *vma_list_first_mm(struct vfio_pci_device *vdev)
{
	while (!list_empty(&vdev->vma_list)) {
		struct vfio_pci_mmap_vma *entry =
			list_first_entry(&vdev->vma_list, struct vfio_pci_mmap_vma, vma_next);
		struct mm_struct *mm = entry->vma->vm_mm;

		if (mmget_not_zero(mm))
			return mm;
		eng_event("vma_list_of_the_dead", entry->vma, NULL);
		vma_list_del(entry);
	}
	return NULL;
}

/* Locks: holds the mm's mmap_lock and vma_lock. */
static void vma_list_zap_mm(struct vfio_pci_device *vdev, struct mm_struct *mm)
{
	struct vfio_pci_mmap_vma *entry, *next;

	list_for_each_entry_safe(entry, next, &vdev->vma_list, vma_next) {
		struct vm_area_struct *vma = entry->vma;

		if (vma->vm_mm != mm)
			continue;
		vma_list_del(entry);
		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
	}
}

static bool lock_mutex(struct mutex *lock, bool try)
{
	if (try)
		return mutex_trylock(lock);
	mutex_lock(lock);
	return true;
}

static bool lock_mm(struct mm_struct *mm, bool try)
{
	if (try)
		return mmap_read_trylock(mm);
	mmap_read_lock(mm);
	return true;
}

/* One mm's worth of zapping; its mmap_lock comes before vma_lock. Refs: drops @mm. */
static bool vma_list_zap_round(struct vfio_pci_device *vdev, struct mm_struct *mm, bool try)
{
	bool ok = lock_mm(mm, try);

	if (ok) {
		/* vma_lock was dropped meanwhile: entries may have come and gone. */
		ok = lock_mutex(&vdev->vma_lock, try);
		if (ok) {
			vma_list_zap_mm(vdev, mm);
			mutex_unlock(&vdev->vma_lock);
		}
		mmap_read_unlock(mm);
	}
	mmput(mm);
	return ok;
}

/*
 * Zap everything that is listed. Unbounded: faults between two rounds list anew.
 *
 * Context: may sleep.
 * Locks:   true: returns holding vma_lock, the list empty. False (@try only): a
 *          lock was contended, nothing is held, some may have been zapped.
 */
static bool vfio_pci_zap_and_vma_lock(struct vfio_pci_device *vdev, bool try)
{
	struct mm_struct *mm;

	for (;;) {
		if (!lock_mutex(&vdev->vma_lock, try))
			return false;
		mm = vma_list_first_mm(vdev);
		if (!mm)
			return true;
		mutex_unlock(&vdev->vma_lock);
		if (!vma_list_zap_round(vdev, mm, try))
			return false;
	}
}

static void vma_list_zap_and_down_write(struct vfio_pci_device *vdev)
{
	vfio_pci_zap_and_vma_lock(vdev, false);
	down_write(&vdev->memory_lock);
	mutex_unlock(&vdev->vma_lock);
}

static bool vma_list_hot_reset_prepare(struct vfio_pci_device *vdev)
{
	return vfio_pci_zap_and_vma_lock(vdev, true);
}

static void vma_list_hot_reset_abort(struct vfio_pci_device *vdev)
{
	mutex_unlock(&vdev->vma_lock);
}

/* Locks: true: memory_lock held, vma_lock dropped; false: as before. */
static bool vma_list_hot_reset_lock(struct vfio_pci_device *vdev)
{
	if (!down_write_trylock(&vdev->memory_lock))
		return false;
	mutex_unlock(&vdev->vma_lock);
	return true;
}

const struct vfio_pci_design_ops vfio_pci_vma_list_ops = {
	.design = VFIO_PCI_VMA_LIST,
	.mmap = vma_list_mmap,
	.zap_and_down_write = vma_list_zap_and_down_write,
	.hot_reset_prepare = vma_list_hot_reset_prepare,
	.hot_reset_lock = vma_list_hot_reset_lock,
	.hot_reset_abort = vma_list_hot_reset_abort,
};

/* ---- the address space ---- */

/* Every mapping of every file of the device, in whatever process. */
static void vfio_pci_zap_bars(struct vfio_pci_device *vdev)
{
	lockdep_assert_held_write(&vdev->memory_lock);
	unmap_mapping_range(vfio_device_inode(&vdev->vdev)->i_mapping,
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX), BARS_END, true);
}

/* Context: may sleep. Locks: holds the mmap_lock; takes and drops memory_lock. */
static vm_fault_t address_space_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vfio_pci_device *vdev = vma->vm_private_data;
	unsigned long page = (vmf->address - vma->vm_start) >> PAGE_SHIFT;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&vdev->memory_lock);
	if (vfio_pci_may_touch(vdev))
		ret = vmf_insert_pfn(vma, vmf->address & PAGE_MASK,
				     vfio_pci_vma_pfn(vdev, vma->vm_pgoff) + page);
	vfio_pci_check_mappings(vdev);
	up_read(&vdev->memory_lock);
	return ret;
}

/* All pages of the VMA, or none that was not there before. Locks: memory_lock read. */
static vm_fault_t address_space_fill(struct vfio_pci_device *vdev, struct vm_area_struct *vma)
{
	u64 pfn = vfio_pci_vma_pfn(vdev, vma->vm_pgoff);
	unsigned long addr;
	vm_fault_t ret = VM_FAULT_NOPAGE;

	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE, pfn++) {
		ret = vmf_insert_pfn(vma, addr, pfn);
		if (ret != VM_FAULT_NOPAGE) {
			zap_vma_ptes(vma, vma->vm_start, addr - vma->vm_start);
			break;
		}
	}
	return ret;
}

static vm_fault_t address_space_whole_fault(struct vm_fault *vmf)
{
	struct vfio_pci_device *vdev = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&vdev->memory_lock);
	if (vfio_pci_may_touch(vdev))
		ret = address_space_fill(vdev, vmf->vma);
	vfio_pci_check_mappings(vdev);
	up_read(&vdev->memory_lock);
	return ret;
}

static const struct vm_operations_struct address_space_vm_ops = {
	.fault = address_space_fault,
};

static const struct vm_operations_struct address_space_whole_vm_ops = {
	.fault = address_space_whole_fault,
};

/* The user's offset stays in vm_pgoff: it is the key that the zap looks for. */
static void address_space_mmap(struct vfio_pci_device *vdev, struct vm_area_struct *vma)
{
	vma->vm_page_prot = pgprot_decrypted(vma->vm_page_prot);
	vma->vm_ops = &address_space_vm_ops;
}

static void address_space_whole_mmap(struct vfio_pci_device *vdev, struct vm_area_struct *vma)
{
	vma->vm_page_prot = pgprot_decrypted(vma->vm_page_prot);
	vma->vm_ops = &address_space_whole_vm_ops;
}

static void address_space_zap_and_down_write(struct vfio_pci_device *vdev)
{
	down_write(&vdev->memory_lock);
	vfio_pci_zap_bars(vdev);
}

/* Nothing can be zapped before memory_lock keeps faults out. */
static bool address_space_hot_reset_prepare(struct vfio_pci_device *vdev)
{
	return true;
}

static bool address_space_hot_reset_lock(struct vfio_pci_device *vdev)
{
	if (!down_write_trylock(&vdev->memory_lock))
		return false;
	vfio_pci_zap_bars(vdev);
	return true;
}

/* hot_reset_prepare() took nothing. */
static void address_space_hot_reset_abort(struct vfio_pci_device *vdev)
{
}

const struct vfio_pci_design_ops vfio_pci_address_space_ops = {
	.design = VFIO_PCI_ADDRESS_SPACE,
	.d3_zaps = true,
	.mmap = address_space_mmap,
	.zap_and_down_write = address_space_zap_and_down_write,
	.hot_reset_prepare = address_space_hot_reset_prepare,
	.hot_reset_lock = address_space_hot_reset_lock,
	.hot_reset_abort = address_space_hot_reset_abort,
};

const struct vfio_pci_design_ops vfio_pci_address_space_whole_ops = {
	.design = VFIO_PCI_ADDRESS_SPACE_WHOLE,
	.mmap = address_space_whole_mmap,
	.zap_and_down_write = address_space_zap_and_down_write,
	.hot_reset_prepare = address_space_hot_reset_prepare,
	.hot_reset_lock = address_space_hot_reset_lock,
	.hot_reset_abort = address_space_hot_reset_abort,
};
