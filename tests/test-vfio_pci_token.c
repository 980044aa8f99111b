// SPDX-License-Identifier: GPL-2.0-only
/* VF tokens: what GET_DEVICE_FD accepts behind a name, for PFs, VFs and others. */
#include <vfiosim/kapi.h>
#include <vfiosim/kapi/iommu.h>
#include <vfiosim/kapi/vfio_pci.h>

#include "vpci.h"

#define TOKEN "vf_token=00112233-4455-6677-8899-aabbccddeeff"
#define OTHER "vf_token=00112233-4455-6677-8899-aabbccddee00"

static const struct vpci_run *const both_cores[] = { &vpci_list_5_14, &vpci_space_6_12 };

static long open_as(struct vpci *v, int group, const char *name)
{
	long fd = vfiosim_ioctl(v->alice, group, VFIO_GROUP_GET_DEVICE_FD, name);

	return fd;
}

/* VF-175, section 2: a device that is neither PF nor VF */
static void plain_device(void *fixture)
{
	static const struct {
		const char *name;
		int ret;
	} rows[] = {
		{ "0000:01:00.0", 0 },
		{ "", -ENODEV },
		{ "0000:01:00", -ENODEV },
		{ "0000:01:00.0x", -ENODEV },
		{ "0000:01:00.0 ", 0 },
		{ "0000:01:00.0 junk", -EINVAL },
		{ "0000:01:00.0 vf_token=", -EINVAL },
		{ "0000:01:00.0 vf_token=00112233-4455-6677-8899-aabbccddee", -EINVAL },
		{ "0000:01:00.0 vf_token=0011223344-55-6677-8899-aabbccddeeff", -EINVAL },
		{ "0000:01:00.0 " TOKEN " " TOKEN, -EINVAL },
		{ "0000:01:00.0 " TOKEN, -EINVAL },
	};
	struct vpci *v = fixture;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		long fd = open_as(v, v->user.group, rows[i].name);

		vfiosim_say("\"%s\": %s", rows[i].name, vfiosim_error_name(fd));
		vfiosim_expect(rows[i].ret ? fd == rows[i].ret : fd >= 0);
	}
}

START_TEST(a_plain_device_wants_its_name_and_nothing_else)
{
	vpci_run_one(plain_device, both_cores[_i], NULL);
}
END_TEST

/* ---- a PF with two VFs, all with vfio-pci ---- */

static struct pci_dev *plug_pf(struct vpci *v, bool one_group)
{
	struct pci_model model = *pci_find_model("igb");
	struct pci_dev *pf;

	model.vfs_share_group = one_group;
	pf = pci_plug(pci_create_machine(&sim_iommu_ops), PCI_DEVFN(10, 0), &model, 700);
	vfio_pci_enable_sriov = true;
	vfiosim_expect(!IS_ERR(pf) && !driver_override_store(pf, "vfio-pci"));
	vfiosim_expect(!driver_bind_store(&vfio_pci_driver.driver, pci_name(pf)));
	vfiosim_expect(sriov_numvfs_store(pf, 2) == 0);
	return pf;
}

static int open_group_of(struct vpci *v, struct pci_dev *pdev)
{
	char path[32];
	int group;

	snprintf(path, sizeof(path), "/dev/vfio/%d", iommu_group_id(pdev->dev.iommu_group));
	group = vfiosim_open(v->alice, path, O_RDWR);
	vfiosim_expect(group >= 0);
	vfiosim_expect(vfiosim_ioctl(v->alice, group, VFIO_GROUP_SET_CONTAINER,
				     &v->user.container) == 0);
	return group;
}

static void tokens(void *fixture)
{
	struct vpci *v = fixture;
	struct pci_dev *pf = plug_pf(v, false);
	struct pci_dev *vf = pci_find_by_name("0000:00:0a.1");
	int pf_group, vf_group;
	long pf_fd, vf_fd;

	/* The PF's driver keeps other drivers off its VFs; autoprobe has bound them. */
	vfiosim_expect(vf && vf->is_virtfn && pci_dev_driver(vf) == &vfio_pci_driver);
	pf_group = open_group_of(v, pf);
	vf_group = open_group_of(v, vf);
	vfiosim_expect(open_as(v, vf_group, "0000:00:0a.1") == -EACCES);
	vfiosim_expect(open_as(v, vf_group, "0000:00:0a.1 " TOKEN) == -EACCES);
	/* An unused PF adopts what its user brings. */
	pf_fd = open_as(v, pf_group, "0000:00:0a.0 " TOKEN);
	vfiosim_expect(pf_fd >= 0);
	vfiosim_expect(open_as(v, vf_group, "0000:00:0a.1 " OTHER) == -EACCES);
	vf_fd = open_as(v, vf_group, "0000:00:0a.1 " TOKEN);
	vfiosim_expect(vf_fd >= 0);
	/* With a VF in use the PF wants to hear the token, too. */
	vfiosim_expect(open_as(v, pf_group, "0000:00:0a.0") == -EACCES);
	vfiosim_expect(open_as(v, pf_group, "0000:00:0a.0 " OTHER) == -EACCES);
	vfiosim_expect(vfiosim_close(v->alice, vf_fd) == 0);
	vfiosim_expect(open_as(v, pf_group, "0000:00:0a.0") >= 0);
	vfiosim_exit(v->alice);
	vfiosim_wait_exit(v->alice);
	vfiosim_expect(sriov_numvfs_store(pf, 0) == 0);
	vfiosim_expect(!pci_find_by_name("0000:00:0a.1"));
	device_release_driver(&pf->dev);
}

START_TEST(a_vf_opens_with_the_token_that_its_pf_was_opened_with)
{
	struct vpci_run run = *both_cores[_i];

	/* VF-235: 5.14 holds the device_lock of the VF's group when it takes the PF's. */
	if (run.design == VFIOSIM_VMA_LIST) {
		vpci_run_one(tokens, &run, "lock-inversion");
		run.tolerate = "lock-inversion";
	}
	vpci_run_one(tokens, &run, NULL);
}
END_TEST

/* VF-294: the VF's match looks its PF up in the list that it stands in itself. */
static void shared_group(void *fixture)
{
	struct vpci *v = fixture;
	struct pci_dev *pf = plug_pf(v, true);
	int group = open_group_of(v, pf);

	open_as(v, group, "0000:00:0a.1 " TOKEN);
}

START_TEST(pf_and_vf_in_one_group_lock_themselves_out_in_5_14)
{
	vpci_run_one(shared_group, &vpci_list_5_14, "deadlock");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vfio_pci_token");
	TCase *match = tcase_create("match");

	tcase_add_loop_test(match, a_plain_device_wants_its_name_and_nothing_else, 0, 2);
	tcase_add_loop_test(match, a_vf_opens_with_the_token_that_its_pf_was_opened_with, 0, 2);
	tcase_add_test(match, pf_and_vf_in_one_group_lock_themselves_out_in_5_14);
	suite_add_tcase(suite, match);
	return simtest_main(suite);
}
