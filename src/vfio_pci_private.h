/* SPDX-License-Identifier: GPL-2.0-only */
/* vfio-pci's own structures; vfio_pci_private.h in the kernel. */
#ifndef VFIOSIM_VFIO_PCI_PRIVATE_H
#define VFIOSIM_VFIO_PCI_PRIVATE_H

#include <vfiosim/kapi/eventfd.h>
#include <vfiosim/kapi/mm.h>
#include <vfiosim/kapi/vfio.h>
#include <vfiosim/kapi/vfio_pci.h>

#define VFIO_PCI_OFFSET_SHIFT 40
#define VFIO_PCI_OFFSET_TO_INDEX(offset) ((u64)(offset) >> VFIO_PCI_OFFSET_SHIFT)
#define VFIO_PCI_INDEX_TO_OFFSET(index) ((u64)(index) << VFIO_PCI_OFFSET_SHIFT)
#define VFIO_PCI_OFFSET_MASK ((1ULL << VFIO_PCI_OFFSET_SHIFT) - 1)

struct vfio_pci_design_ops;
struct vfio_pci_reflck;
struct vfio_pci_vf_token;

struct vfio_pci_irq_ctx {
	struct eventfd_ctx *trigger;
	bool masked;
};

/* A page that a small BAR lies in, reserved so that the rest may be mapped too. */
struct vfio_pci_dummy_resource {
	struct resource resource;
	int index;
	struct list_head res_next;
};

struct vfio_pci_device {
	struct vfio_device vdev;		/* first: the merged core allocates it */
	struct pci_dev *pdev;
	const struct vfio_pci_design_ops *design;
	void *barmap[PCI_STD_RESOURCES + 6];	/* set once, without a lock (VF-270) */
	bool bar_mmap_supported[6];
	u8 *vconfig;
	struct vfio_pci_irq_ctx *ctx;
	int num_ctx;
	int irq_type;
	struct mutex igate;			/* interrupt set-up, the two eventfds */
	struct eventfd_ctx *err_trigger;
	struct eventfd_ctx *req_trigger;
	bool reset_works;
	bool bardirty;
	bool needs_reset;
	bool needs_pm_restore;
	bool low_power;				/* a user asked for it (6.1 on); memory_lock */
	bool nointx;
	bool pci_2_3;
	bool virq_disabled;
	bool has_vga;
	struct pci_saved_state *pci_saved_state;
	struct pci_saved_state *pm_save;
	struct list_head dummy_resources_list;
	struct vfio_pci_reflck *reflck;		/* port: serialises first open and last close */
	int refcnt;
	struct vfio_pci_vf_token *vf_token;
	struct notifier_block nb;		/* of a PF: watches its VFs */
	struct rw_semaphore memory_lock;	/* write-held while memory may be off */
	struct mutex vma_lock;			/* vma-list design only, as the next */
	struct list_head vma_list;
};

/* The two ways to find mappings; all else is shared. */
struct vfio_pci_design_ops {
	enum vfio_pci_design design;
	bool d3_zaps;		/* entering D3hot takes the mappings away (VF-182) */
	void (*mmap)(struct vfio_pci_device *vdev, struct vm_area_struct *vma);
	/* Returns with memory_lock held for writing and no mapping left. */
	void (*zap_and_down_write)(struct vfio_pci_device *vdev);
	/* Hot reset, first pass: false on contention; else holds what the second drops. */
	bool (*hot_reset_prepare)(struct vfio_pci_device *vdev);
	/* Second pass: memory_lock held for writing, or -EBUSY. */
	bool (*hot_reset_lock)(struct vfio_pci_device *vdev);
	/* Undoes hot_reset_prepare() where the second pass was not reached. */
	void (*hot_reset_abort)(struct vfio_pci_device *vdev);
};

extern const struct vfio_pci_design_ops vfio_pci_vma_list_ops SIM(vfio_pci_vma_list_ops);
extern const struct vfio_pci_design_ops vfio_pci_address_space_ops
	SIM(vfio_pci_address_space_ops);
extern const struct vfio_pci_design_ops vfio_pci_address_space_whole_ops
	SIM(vfio_pci_address_space_whole_ops);

static inline struct vfio_pci_device *to_vfio_pci(struct vfio_device *device)
{
	return container_of(device, struct vfio_pci_device, vdev);
}

/* vfio_pci_mmap.c */
int vfio_pci_mmap(struct vfio_device *device, struct vm_area_struct *vma) SIM(vfio_pci_mmap);
u64 vfio_pci_vma_pfn(struct vfio_pci_device *vdev, unsigned long pgoff)
	SIM(vfio_pci_vma_pfn);
void vfio_pci_probe_mmaps(struct vfio_pci_device *vdev) SIM(vfio_pci_probe_mmaps);
void vfio_pci_release_mmaps(struct vfio_pci_device *vdev) SIM(vfio_pci_release_mmaps);
int vfio_pci_setup_barmap(struct vfio_pci_device *vdev, int bar) SIM(vfio_pci_setup_barmap);
void vfio_pci_zap_and_down_write_memory_lock(struct vfio_pci_device *vdev)
	SIM(vfio_pci_zap_and_down_write_memory_lock);
void vfio_pci_up_write_memory_lock(struct vfio_pci_device *vdev)
	SIM(vfio_pci_up_write_memory_lock);

/* vfio_pci_check.c */
void vfio_pci_check_mappings(struct vfio_pci_device *vdev) SIM(vfio_pci_check_mappings);
void vfio_pci_check_zapped(struct vfio_pci_device *vdev) SIM(vfio_pci_check_zapped);

/* vfio_pci_config.c */
bool __vfio_pci_memory_enabled(struct vfio_pci_device *vdev) KAPI(__vfio_pci_memory_enabled);
bool vfio_pci_may_touch(struct vfio_pci_device *vdev) SIM(vfio_pci_may_touch);
ssize_t vfio_pci_config_rw(struct vfio_pci_device *vdev, char __user *buf, size_t count,
			   loff_t *ppos, bool iswrite) SIM(vfio_pci_config_rw);
int vfio_config_init(struct vfio_pci_device *vdev) SIM(vfio_config_init);
void vfio_config_free(struct vfio_pci_device *vdev) SIM(vfio_config_free);

/* vfio_pci_rdwr.c */
ssize_t vfio_pci_bar_rw(struct vfio_pci_device *vdev, char __user *buf, size_t count,
			loff_t *ppos, bool iswrite) SIM(vfio_pci_bar_rw);

/* vfio_pci_intrs.c */
int vfio_pci_set_irqs_ioctl(struct vfio_pci_device *vdev, u32 flags, unsigned int index,
			    unsigned int start, unsigned int count, void *data)
	SIM(vfio_pci_set_irqs_ioctl);
int vfio_pci_get_irq_count(struct vfio_pci_device *vdev, int index)
	SIM(vfio_pci_get_irq_count);
void vfio_pci_disable_irqs(struct vfio_pci_device *vdev) SIM(vfio_pci_disable_irqs);
void vfio_pci_put_triggers(struct vfio_pci_device *vdev) SIM(vfio_pci_put_triggers);

/* vfio_pci_ioctl.c */
long vfio_pci_ioctl(struct vfio_device *device, unsigned int cmd, unsigned long arg)
	SIM(vfio_pci_ioctl);

/* vfio_pci_reset.c: the set of functions that are reset together */
int vfio_pci_reflck_attach(struct vfio_pci_device *vdev) SIM(vfio_pci_reflck_attach);
void vfio_pci_reflck_put(struct vfio_pci_device *vdev) SIM(vfio_pci_reflck_put);
void vfio_pci_reflck_lock(struct vfio_pci_device *vdev) SIM(vfio_pci_reflck_lock);
void vfio_pci_reflck_unlock(struct vfio_pci_device *vdev) SIM(vfio_pci_reflck_unlock);
void vfio_pci_try_bus_reset(struct vfio_pci_device *vdev) SIM(vfio_pci_try_bus_reset);
long vfio_pci_ioctl_hot_reset_info(struct vfio_pci_device *vdev, void __user *arg)
	SIM(vfio_pci_ioctl_hot_reset_info);
long vfio_pci_ioctl_hot_reset(struct vfio_pci_device *vdev, void __user *arg)
	SIM(vfio_pci_ioctl_hot_reset);

/* vfio_pci_token.c */
int vfio_pci_vf_init(struct vfio_pci_device *vdev) SIM(vfio_pci_vf_init);
void vfio_pci_vf_uninit(struct vfio_pci_device *vdev) SIM(vfio_pci_vf_uninit);
void vfio_pci_vf_token_user_add(struct vfio_pci_device *vdev, int val)
	SIM(vfio_pci_vf_token_user_add);
int vfio_pci_match(struct vfio_device *device, char *buf) SIM(vfio_pci_match);
int vfio_pci_set_vf_token(struct vfio_pci_device *vdev, const u8 *uuid)
	SIM(vfio_pci_set_vf_token);

/* vfio_pci.c */
int vfio_pci_set_power_state(struct vfio_pci_device *vdev, pci_power_t state)
	SIM(vfio_pci_set_power_state);
/* The vfio-pci device behind @pdev with a reference on its registration, or NULL. */
struct vfio_pci_device *vfio_pci_get_bound(struct pci_dev *pdev) SIM(vfio_pci_get_bound);
void vfio_pci_put_bound(struct vfio_pci_device *vdev) SIM(vfio_pci_put_bound);
bool vfio_pci_is_bound(struct pci_dev *pdev) SIM(vfio_pci_is_bound);
bool vfio_pci_core_is_merged(void) SIM(vfio_pci_core_is_merged);

#endif
