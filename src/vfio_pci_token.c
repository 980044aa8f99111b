// SPDX-License-Identifier: GPL-2.0-only
/*
 * VF tokens: a secret that the user of a PF and the users of its VFs share, and
 * matching the name given to GET_DEVICE_FD, which may carry it.
 * Kernel original: drivers/vfio/pci/vfio_pci.c.
 *
 * Lock order (outer first):
 *
 *   group->device_lock of the VF's group	(the core, around match)
 *     vfio.group_lock, group->device_lock of the PF's group	(to find the PF)
 *     vf_token->lock
 *
 * When VF and PF are in one group, that takes one device_lock twice (VF-294).
 */
#include <vfiosim/kapi/slab.h>
#include <vfiosim/kapi/string.h>

#include "engine.h"
#include "vfio_pci_private.h"

#define UUID_SIZE 16
#define UUID_STRING_LEN 36
#define VF_TOKEN_ARG "vf_token="

struct vfio_pci_vf_token {
	struct mutex lock;
	u8 uuid[UUID_SIZE];
	int users;		/* open VFs */
};

/* Stands for the kernel's random one: nobody can guess it who was not told. */
static u8 next_uuid KSTATE = 0xa0;

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -EINVAL;
}

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" */
static int uuid_parse(const char *text, u8 *uuid)
{
	int i, n = 0;

	for (i = 0; i < UUID_STRING_LEN; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return -EINVAL;
			continue;
		}
		if (hex_value(text[i]) < 0)
			return -EINVAL;
		if (n % 2)
			uuid[n / 2] |= hex_value(text[i]);
		else
			uuid[n / 2] = hex_value(text[i]) << 4;
		n++;
	}
	return 0;
}

static bool uuid_equal(const u8 *a, const u8 *b)
{
	return !memcmp(a, b, UUID_SIZE);
}

/* Refs: +1 on the registration of the PF's device. NULL when vfio-pci has not got it. */
static struct vfio_pci_device *get_pf_vdev(struct vfio_pci_device *vdev)
{
	return vfio_pci_get_bound(pci_physfn(vdev->pdev));
}

static int vfio_pci_match_vf(struct vfio_pci_device *vdev, const u8 *uuid)
{
	struct vfio_pci_device *pf_vdev = get_pf_vdev(vdev);
	bool match;

	if (!pf_vdev) {
		if (!uuid)
			return 0;
		dev_info(&vdev->pdev->dev, "VF token given, but the PF is not with vfio-pci");
		return -EINVAL;
	}
	if (!uuid) {
		vfio_pci_put_bound(pf_vdev);
		dev_info(&vdev->pdev->dev, "VF token required");
		return -EACCES;
	}
	mutex_lock(&pf_vdev->vf_token->lock);
	match = uuid_equal(uuid, pf_vdev->vf_token->uuid);
	mutex_unlock(&pf_vdev->vf_token->lock);
	vfio_pci_put_bound(pf_vdev);
	return match ? 0 : -EACCES;
}

/* An unused PF adopts the token it is given; one whose VFs are in use demands it. */
static int vfio_pci_match_pf(struct vfio_pci_device *vdev, const u8 *uuid)
{
	struct vfio_pci_vf_token *token = vdev->vf_token;
	int ret = 0;

	mutex_lock(&token->lock);
	if (token->users && (!uuid || !uuid_equal(uuid, token->uuid)))
		ret = -EACCES;
	else if (!token->users && uuid)
		memcpy(token->uuid, uuid, UUID_SIZE);
	mutex_unlock(&token->lock);
	return ret;
}

/* @uuid is NULL when none was given. */
static int vfio_pci_validate_vf_token(struct vfio_pci_device *vdev, const u8 *uuid)
{
	if (vdev->pdev->is_virtfn)
		return vfio_pci_match_vf(vdev, uuid);
	if (vdev->vf_token)
		return vfio_pci_match_pf(vdev, uuid);
	if (!uuid)
		return 0;
	dev_info(&vdev->pdev->dev, "VF token given, but this is neither PF nor VF");
	return -EINVAL;
}

/* What may follow the name: spaces and one token. 1 when there is one, 0, or -EINVAL. */
static int vfio_pci_parse_options(const char *text, u8 *uuid)
{
	const size_t prefix = strlen(VF_TOKEN_ARG);
	bool found = false;

	while (*text) {
		if (*text == ' ') {
			text++;
			continue;
		}
		if (found || strncmp(text, VF_TOKEN_ARG, prefix))
			return -EINVAL;
		text += prefix;
		if (strlen(text) < UUID_STRING_LEN || uuid_parse(text, uuid))
			return -EINVAL;
		text += UUID_STRING_LEN;
		found = true;
	}
	return found;
}

int vfio_pci_match(struct vfio_device *device, char *buf)
{
	struct vfio_pci_device *vdev = to_vfio_pci(device);
	const char *name = pci_name(vdev->pdev);
	u8 uuid[UUID_SIZE];
	int ret;

	if (strncmp(name, buf, strlen(name)))
		return 0;
	buf += strlen(name);
	if (*buf && *buf != ' ')
		return 0;
	ret = vfio_pci_parse_options(buf, uuid);
	if (ret < 0)
		return ret;
	ret = vfio_pci_validate_vf_token(vdev, ret ? uuid : NULL);
	return ret ? ret : 1;
}

/* Counts @val on the PF of a VF. Locks: takes and drops the token's. */
void vfio_pci_vf_token_user_add(struct vfio_pci_device *vdev, int val)
{
	struct vfio_pci_device *pf_vdev;

	if (!vdev->pdev->is_virtfn)
		return;
	pf_vdev = get_pf_vdev(vdev);
	if (!pf_vdev)
		return;
	mutex_lock(&pf_vdev->vf_token->lock);
	pf_vdev->vf_token->users += val;
	WARN_ON(pf_vdev->vf_token->users < 0);
	mutex_unlock(&pf_vdev->vf_token->lock);
	vfio_pci_put_bound(pf_vdev);
}

int vfio_pci_set_vf_token(struct vfio_pci_device *vdev, const u8 *uuid)
{
	if (!vdev->vf_token)
		return -ENOTTY;
	mutex_lock(&vdev->vf_token->lock);
	memcpy(vdev->vf_token->uuid, uuid, UUID_SIZE);
	mutex_unlock(&vdev->vf_token->lock);
	return 0;
}

/* Keeps host drivers off the VFs of a PF that a user controls. */
static int vfio_pci_bus_notifier(struct notifier_block *nb, unsigned long action, void *data)
{
	struct vfio_pci_device *vdev = container_of(nb, struct vfio_pci_device, nb);
	struct device *dev = data;
	struct pci_dev *pdev = to_pci_dev(dev);

	if (!pdev->is_virtfn || pci_physfn(pdev) != vdev->pdev)
		return NOTIFY_DONE;
	if (action == BUS_NOTIFY_ADD_DEVICE)
		pdev->driver_override = kstrdup(vfio_pci_driver.name, GFP_KERNEL);
	else if (action == BUS_NOTIFY_BOUND_DRIVER && pci_dev_driver(pdev) != &vfio_pci_driver)
		dev_warn(dev, "VF bound to %s while its PF is with vfio-pci",
			 pci_dev_driver(pdev)->name);
	return NOTIFY_DONE;
}

/* Refs: the token and the notifier belong to the device until vfio_pci_vf_uninit(). */
int vfio_pci_vf_init(struct vfio_pci_device *vdev)
{
	struct vfio_pci_vf_token *token;
	int ret;

	if (!vdev->pdev->is_physfn)
		return 0;
	token = kzalloc(sizeof(struct vfio_pci_vf_token), GFP_KERNEL);
	if (!token)
		return -ENOMEM;
	mutex_init(&token->lock);
	memset(token->uuid, next_uuid++, UUID_SIZE);
	vdev->vf_token = token;
	vdev->nb.notifier_call = vfio_pci_bus_notifier;
	ret = bus_register_notifier(&pci_bus_type, &vdev->nb);
	if (ret) {
		kfree(token);
		vdev->vf_token = NULL;
	}
	return ret;
}

void vfio_pci_vf_uninit(struct vfio_pci_device *vdev)
{
	if (!vdev->vf_token)
		return;
	bus_unregister_notifier(&pci_bus_type, &vdev->nb);
	WARN_ON(vdev->vf_token->users);
	mutex_destroy(&vdev->vf_token->lock);
	kfree(vdev->vf_token);
	vdev->vf_token = NULL;
}
