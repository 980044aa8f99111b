// SPDX-License-Identifier: GPL-2.0-only
/* The type1 backend: extensions, DMA ranges, what outlives a zap, every single failure. */
#include "vpci.h"

static const struct vpci_run *const both_cores[] = { &vpci_list_5_14, &vpci_space_6_12 };

static long map_dma(struct vpci *v, uint64_t iova, uint64_t vaddr, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = flags, .vaddr = vaddr, .iova = iova, .size = size };

	return vfiosim_ioctl(v->alice, v->user.container, VFIO_IOMMU_MAP_DMA, &map);
}

/* Bytes unmapped, or -errno. */
static long unmap_dma(struct vpci *v, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .flags = flags, .iova = iova, .size = size };
	long ret = vfiosim_ioctl(v->alice, v->user.container, VFIO_IOMMU_UNMAP_DMA, &unmap);

	return ret ? ret : (long)unmap.size;
}

#define RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

static int64_t some_memory(struct vpci *v, unsigned int pages)
{
	int64_t at = vfiosim_mmap(v->alice, 0, pages * VPCI_PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	vfiosim_expect(at > 0);
	return at;
}

/* VF-22, section 2 */
static void extensions(void *fixture)
{
	struct vpci *v = fixture;

	for (int i = 0; i < 12; i++) {
		bool has = i == VFIO_TYPE1_IOMMU || i == VFIO_TYPE1v2_IOMMU ||
			   i == VFIO_TYPE1_NESTING_IOMMU || i == VFIO_UNMAP_ALL ||
			   i == VFIO_UPDATE_VADDR;

		vfiosim_expect(vfiosim_ioctl(v->alice, v->user.container, VFIO_CHECK_EXTENSION,
					     i) == has);
	}
	vfiosim_expect(vfiosim_ioctl(v->alice, v->user.container, VFIO_IOMMU_GET_INFO,
				     VFIOSIM_BAD_POINTER) == -EFAULT);
	vfiosim_expect(vfiosim_ioctl(v->alice, v->user.container, 0x3b00 + 200, 0) == -ENOTTY);
}

START_TEST(type1_offers_the_extensions_of_the_kernel)
{
	vpci_run_one(extensions, both_cores[_i], NULL);
}
END_TEST

static void ranges(void *fixture)
{
	struct vpci *v = fixture;
	int64_t mem = some_memory(v, 4);

	vfiosim_expect(map_dma(v, 0x10000, mem, 4 * VPCI_PAGE, 0) == -EINVAL);
	vfiosim_expect(map_dma(v, 0x10000, mem, 100, RW) == -EINVAL);
	vfiosim_expect(map_dma(v, 0x10000, 0x1000, VPCI_PAGE, RW) == -EFAULT);
	vfiosim_expect(map_dma(v, 0x10000, mem, 4 * VPCI_PAGE, RW) == 0);
	vfiosim_expect(map_dma(v, 0x11000, mem, VPCI_PAGE, RW) == -EEXIST);
	vfiosim_expect(unmap_dma(v, 0x10000, VPCI_PAGE, 0) == -EINVAL);	/* would split it */
	vfiosim_expect(unmap_dma(v, 0x40000, VPCI_PAGE, 0) == 0);
	vfiosim_expect(unmap_dma(v, 0x10000, 4 * VPCI_PAGE, 0) == 4 * VPCI_PAGE);
	vfiosim_expect(map_dma(v, 0x10000, mem, VPCI_PAGE, RW) == 0);
	vfiosim_expect(map_dma(v, 0x20000, mem, VPCI_PAGE, RW) == 0);
	vfiosim_expect(unmap_dma(v, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL) == 2 * VPCI_PAGE);
}

START_TEST(ranges_do_not_overlap_and_are_unmapped_whole)
{
	vpci_run_one(ranges, both_cores[_i], NULL);
}
END_TEST

/* Section 6: a BAR page is faulted in by the map, and the map outlives the zap (MM-163). */
static void bar_page(void *fixture)
{
	struct vpci *v = fixture;

	vfiosim_expect(!vfiosim_present(v->alice, v->bar));
	vfiosim_expect(map_dma(v, 0x10000, v->bar, VPCI_PAGE, RW) == 0);
	vfiosim_expect(vfiosim_present(v->alice, v->bar));
	vfiosim_expect(vfiosim_memory_space(v->alice, v->user.device, false) == 0);
	vfiosim_expect(!vfiosim_present(v->alice, v->bar));
	vfiosim_expect(map_dma(v, 0x20000, v->bar, VPCI_PAGE, RW) == -EFAULT);
	vfiosim_expect(unmap_dma(v, 0x10000, VPCI_PAGE, 0) == VPCI_PAGE);
}

START_TEST(the_iommus_mapping_of_a_bar_page_outlives_the_zap)
{
	vpci_run_one(bar_page, both_cores[_i], NULL);
}
END_TEST

/* Pinned memory lives until the last group leaves, whatever the process does. */
static void forgotten_ranges(void *fixture)
{
	struct vpci *v = fixture;
	int64_t mem = some_memory(v, 2);

	vfiosim_expect(map_dma(v, 0x10000, mem, 2 * VPCI_PAGE, RW) == 0);
	vfiosim_expect(vfiosim_munmap(v->alice, mem, 2 * VPCI_PAGE) == 0);
	vfiosim_user_close(&v->user);
	vfiosim_expect(vfiosim_munmap(v->alice, v->bar, VPCI_BAR) == 0);
	vfiosim_expect(vfiosim_module_refs("vfio_iommu_type1") == 0);
}

START_TEST(the_last_group_takes_forgotten_ranges_with_it)
{
	vpci_run_one(forgotten_ranges, both_cores[_i], NULL);
}
END_TEST

/* A second group joins: its device opens at once, and leaving does not take the rest. */
static void two_groups(void *fixture)
{
	struct vpci *v = fixture;
	struct vfiosim_device *other = vpci_plug("0000:02:00.0");
	char path[VFIOSIM_PATH_MAX];
	int group, fd;

	vfiosim_expect(vfiosim_bind(NULL, other, "vfio-pci") == 0);
	vfiosim_expect(map_dma(v, 0x10000, some_memory(v, 1), VPCI_PAGE, RW) == 0);
	group = vfiosim_open(v->alice, vfiosim_group_path(other, path), O_RDWR);
	vfiosim_expect(group >= 0);
	vfiosim_expect(vfiosim_ioctl(v->alice, group, VFIO_GROUP_SET_CONTAINER,
				     &v->user.container) == 0);
	fd = vfiosim_ioctl(v->alice, group, VFIO_GROUP_GET_DEVICE_FD, vfiosim_device_name(other));
	vfiosim_expect(fd >= 0 && vfiosim_close(v->alice, fd) == 0);
	vfiosim_expect(vfiosim_ioctl(v->alice, group, VFIO_GROUP_UNSET_CONTAINER, 0) == 0);
	vfiosim_expect(unmap_dma(v, 0x10000, VPCI_PAGE, 0) == VPCI_PAGE);
}

START_TEST(a_second_group_joins_and_leaves_a_configured_container)
{
	vpci_run_one(two_groups, both_cores[_i], NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vfio_iommu_type1");
	TCase *dma = tcase_create("dma");

	tcase_add_loop_test(dma, type1_offers_the_extensions_of_the_kernel, 0, 2);
	tcase_add_loop_test(dma, ranges_do_not_overlap_and_are_unmapped_whole, 0, 2);
	tcase_add_loop_test(dma, the_iommus_mapping_of_a_bar_page_outlives_the_zap, 0, 2);
	tcase_add_loop_test(dma, the_last_group_takes_forgotten_ranges_with_it, 0, 2);
	tcase_add_loop_test(dma, a_second_group_joins_and_leaves_a_configured_container, 0, 2);
	suite_add_tcase(suite, dma);
	return simtest_main(suite);
}
