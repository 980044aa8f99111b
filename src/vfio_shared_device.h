/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What 5.14's vfio.c and 6.12's vfio_main.c agree on about one device: which
 * name it answers to, and the wait for its last user. Each core includes this
 * once. No locks.
 */
#ifndef VFIOSIM_VFIO_SHARED_DEVICE_H
#define VFIOSIM_VFIO_SHARED_DEVICE_H

#include <vfiosim/kapi/string.h>
#include <vfiosim/kapi/vfio.h>

/* Whether @device answers to @buf: < 0 error, 0 no, > 0 yes. */
static inline int vfio_device_match(struct vfio_device *device, char *buf)
{
	if (device->ops->match)
		return device->ops->match(device, buf);
	return !strcmp(dev_name(device->dev), buf);
}

/*
 * Wait until nobody holds @device, asking its users to let go every ten seconds.
 * A signal is answered once, by a warning, and then never listened to again.
 *
 * Context: may sleep, without bound.
 */
static inline void vfio_device_wait_unused(struct vfio_device *device)
{
	bool interrupted = false;
	unsigned int count = 0;
	long rc = try_wait_for_completion(&device->comp);

	while (rc <= 0) {
		if (device->ops->request)
			device->ops->request(device, count++);

		if (interrupted) {
			rc = wait_for_completion_timeout(&device->comp, HZ * 10);
			continue;
		}

		rc = wait_for_completion_interruptible_timeout(&device->comp, HZ * 10);
		if (rc < 0) {
			interrupted = true;
			dev_warn(device->dev,
				 "in use: task \"%s\" (%d) is blocked until its release",
				 get_current()->comm, task_pid_nr(get_current()));
		}
	}
}

#endif
