// SPDX-License-Identifier: GPL-2.0-only
/* PCI: registers, claims, resets, power, binding by override, virtual functions. */
#include <vfiosim/kapi.h>
#include <vfiosim/kapi/iommu.h>
#include <vfiosim/kapi/pci.h>

#include "simtest.h"

static struct pci_dev *plug(const char *name, const char *model)
{
	struct pci_bus *bus;
	struct pci_dev *pdev;

	pci_create_machine(&sim_iommu_ops);
	bus = pci_bus_of_name(name, NULL);
	pdev = pci_plug(bus, pci_devfn_of_name(name), pci_find_model(model),
			1 + pci_devfn_of_name(name));
	vfiosim_expect(!IS_ERR(pdev) && !strcmp(pci_name(pdev), name));
	return pdev;
}

static u32 load(struct pci_dev *pdev, int bar, u64 offset)
{
	u64 value;

	iomem_access(pci_resource_start(pdev, bar) + offset, false, &value, 4);
	return value;
}

static void store(struct pci_dev *pdev, int bar, u64 offset, u64 value)
{
	iomem_access(pci_resource_start(pdev, bar) + offset, true, &value, 4);
}

static void registers(void *fixture)
{
	struct pci_dev *edu = plug("0000:00:04.0", "edu");
	u32 bar;
	u16 command;

	vfiosim_expect(load(edu, 0, 0) == 0x010000ed);
	store(edu, 0, 4, 0x12345678);
	vfiosim_expect(load(edu, 0, 4) == ~0x12345678U);
	store(edu, 0, 8, 5);
	vfiosim_expect(load(edu, 0, 8) == 120);
	/* Sizing, and what a misplaced BAR answers. */
	pci_write_config_dword(edu, PCI_BASE_ADDRESS_0, ~0U);
	pci_read_config_dword(edu, PCI_BASE_ADDRESS_0, &bar);
	vfiosim_expect(bar == 0xfff00000 && load(edu, 0, 0) == ~0U);
	pci_write_config_dword(edu, PCI_BASE_ADDRESS_0, pci_resource_start(edu, 0));
	vfiosim_expect(load(edu, 0, 0) == 0x010000ed);
	/* Decoding off: all ones. */
	pci_read_config_word(edu, PCI_COMMAND, &command);
	vfiosim_expect(command == 0x103);
	pci_write_config_word(edu, PCI_COMMAND, command & ~PCI_COMMAND_MEMORY);
	vfiosim_expect(!pci_hw_memory_on(edu) && load(edu, 0, 0) == ~0U);
	pci_destroy_machine();
}

START_TEST(a_function_answers_only_where_and_while_it_decodes)
{
	assert_runs(registers);
}
END_TEST

static void claims(void *fixture)
{
	struct pci_dev *dev = plug("0000:00:06.0", "ivshmem-plain");

	vfiosim_expect(!pci_request_selected_regions(dev, 1 << 2, "first"));
	vfiosim_expect(pci_request_selected_regions(dev, 1 << 2, "second") == -EBUSY);
	/* All or none: BAR 0 is given back when BAR 2 cannot be had. */
	vfiosim_expect(pci_request_selected_regions(dev, 1 << 0 | 1 << 2, "both") == -EBUSY);
	vfiosim_expect(!pci_request_selected_regions(dev, 1 << 0, "third"));
	pci_release_selected_regions(dev, 1 << 0 | 1 << 2);
	vfiosim_expect(!pci_request_selected_regions(dev, 1 << 0 | 1 << 2, "both"));
	pci_release_selected_regions(dev, 1 << 0 | 1 << 2);
	pci_destroy_machine();
}

START_TEST(a_region_has_one_claimant)
{
	assert_runs(claims);
}
END_TEST

static void resets(void *fixture)
{
	struct pci_dev *edu = plug("0000:00:04.0", "edu");
	struct pci_dev *nvme = plug("0000:01:00.0", "nvme");
	u16 command;

	vfiosim_expect(pci_try_reset_function(edu) == -ENOTTY);
	vfiosim_expect(pci_reset_bus(edu) == -ENOTTY);
	vfiosim_expect(!pci_try_reset_function(nvme));
	pci_read_config_word(nvme, PCI_COMMAND, &command);
	vfiosim_expect(command == 0x103 && pci_hw_memory_on(nvme));
	device_lock(&nvme->dev);
	vfiosim_expect(pci_try_reset_function(nvme) == -EAGAIN);
	vfiosim_expect(pci_reset_bus(nvme) == -EAGAIN);
	device_unlock(&nvme->dev);
	vfiosim_expect(!nvme->block_cfg_access);
	vfiosim_expect(!pci_reset_bus(nvme) && nvme->bus->resets == 1);
	/* D3hot: nothing decodes; back in D0 the kernel has put the BARs back. */
	pci_set_power_state(nvme, PCI_D3hot);
	vfiosim_expect(!pci_hw_memory_on(nvme));
	pci_set_power_state(nvme, PCI_D0);
	pci_write_config_word(nvme, PCI_COMMAND, command);
	vfiosim_expect(load(nvme, 0, 0) != ~0U);
	pci_destroy_machine();
}

START_TEST(resets_try_the_device_locks_and_put_the_registers_back)
{
	assert_runs(resets);
}
END_TEST

static void overrides(void *fixture)
{
	struct pci_dev *dev = plug("0000:00:04.0", "edu");

	vfiosim_expect(!pci_register_driver(&pci_stub_driver));
	vfiosim_expect(!pci_register_driver(&pcieport_driver));
	vfiosim_expect(driver_bind_store(&pci_stub_driver.driver, pci_name(dev)) == -ENODEV);
	vfiosim_expect(!driver_override_store(dev, "pci-stub"));
	vfiosim_expect(driver_bind_store(&pcieport_driver.driver, pci_name(dev)) == -ENODEV);
	vfiosim_expect(!driver_bind_store(&pci_stub_driver.driver, pci_name(dev)));
	vfiosim_expect(pci_dev_driver(dev) == &pci_stub_driver);
	device_release_driver(&dev->dev);
	vfiosim_expect(!driver_override_store(dev, ""));
	vfiosim_expect(driver_bind_store(&pci_stub_driver.driver, pci_name(dev)) == -ENODEV);
	pci_unregister_driver(&pci_stub_driver);
	pci_unregister_driver(&pcieport_driver);
	pci_destroy_machine();
}

START_TEST(an_overridden_device_matches_that_driver_and_no_other)
{
	assert_runs(overrides);
}
END_TEST

static void names(void *fixture)
{
	static const char *const bad[] = { "", "0000:01:00", "0000:0g:00.0", "0000:01:20.0",
					   "0000:01:00.8", "0001:01:00.0", "0000:01:00.00" };

	pci_create_machine(&sim_iommu_ops);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		vfiosim_expect(!pci_bus_of_name(bad[i], NULL));
	vfiosim_expect(pci_bus_of_name("0000:03:01.0", NULL)->number == 3);
	vfiosim_expect(pci_bus_of_name("0000:03:02.0", NULL) ==
		       pci_bus_of_name("0000:03:01.0", NULL));
	vfiosim_expect(pci_bus_of_name("0000:01:00.0", NULL)->number == 1);
	pci_destroy_machine();
}

START_TEST(a_name_says_bus_slot_and_function)
{
	assert_runs(names);
}
END_TEST

static void plug_under_faults(void *fixture)
{
	struct pci_bus *root = pci_create_machine(&sim_iommu_ops);
	struct pci_dev *port, *pdev;

	if (root) {
		port = pci_plug(root, PCI_DEVFN(2, 0), pci_find_model("pcie-root-port"), 0);
		if (!IS_ERR(port)) {
			pdev = pci_plug(port->subordinate, 0, pci_find_model("igb"), 5);
			if (!IS_ERR(pdev)) {
				device_lock(&pdev->dev);
				pci_enable_sriov(pdev, 2);
				device_unlock(&pdev->dev);
				pci_disable_sriov(pdev);
			}
		}
	}
	pci_destroy_machine();
}

START_TEST(no_single_failure_of_plugging_leaves_anything_behind)
{
	static const struct vfiosim_scenario scenario = {
		.name = "plug under faults", .tasks = { { "alice", plug_under_faults } },
	};

	assert_scenario_survives_faults(&scenario, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pci");
	TCase *all = tcase_create("all");

	tcase_add_test(all, a_function_answers_only_where_and_while_it_decodes);
	tcase_add_test(all, a_region_has_one_claimant);
	tcase_add_test(all, resets_try_the_device_locks_and_put_the_registers_back);
	tcase_add_test(all, an_overridden_device_matches_that_driver_and_no_other);
	tcase_add_test(all, a_name_says_bus_slot_and_function);
	tcase_add_test(all, no_single_failure_of_plugging_leaves_anything_behind);
	suite_add_tcase(suite, all);
	return simtest_main(suite);
}
