/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenarios around a vfio core: sequences for the injection of faults, races
 * that the port gets right, and races that it loses as 5.14 does (section J.3
 * of docs/spec/vfio.md).
 */
#ifndef VFIOSIM_TESTS_CORE_SCENARIOS_H
#define VFIOSIM_TESTS_CORE_SCENARIOS_H

#include <vfiosim.h>

/* Alone: everything there is, from the first bind to the last unbind. */
extern const struct vfiosim_scenario core_whole_life;
extern const struct vfiosim_scenario core_reregister;
extern const struct vfiosim_scenario core_module_reload;
extern const struct vfiosim_scenario core_noiommu_life;

/* For the merged core only. */
extern const struct vfiosim_scenario core_object_life;		/* VF-395 */
extern const struct vfiosim_scenario core_merged_life;
extern const struct vfiosim_scenario core_merged_set;
extern const struct vfiosim_scenario core_merged_busy;
extern const struct vfiosim_scenario core_merged_two_open;

/* Races that end well. */
extern const struct vfiosim_scenario core_two_first_binds;
extern const struct vfiosim_scenario core_last_pin_and_first;
extern const struct vfiosim_scenario core_open_and_unbind;
extern const struct vfiosim_scenario core_close_and_unbind;
extern const struct vfiosim_scenario core_container_close_and_set;
extern const struct vfiosim_scenario core_two_set_iommu;
extern const struct vfiosim_scenario core_two_opens;
extern const struct vfiosim_scenario core_bind_and_open;
extern const struct vfiosim_scenario core_open_and_destroy;
extern const struct vfiosim_scenario core_failed_bind_and_open;
extern const struct vfiosim_scenario core_churn;
extern const struct vfiosim_scenario core_forced_duplicate;
extern const struct vfiosim_scenario core_busy_unbind;

/* Alone. */
extern const struct vfiosim_scenario core_duplicate;
extern const struct vfiosim_scenario core_rebind;
extern const struct vfiosim_scenario core_mixed_kinds;

/* Races that 5.14 loses. */
extern const struct vfiosim_scenario core_set_container_twice;
extern const struct vfiosim_scenario core_set_container_twice_unseen;
extern const struct vfiosim_scenario core_unset_and_set;
extern const struct vfiosim_scenario core_get_device_and_unset;
extern const struct vfiosim_scenario core_status_and_unbind;
extern const struct vfiosim_scenario core_two_binds_of_a_group;
extern const struct vfiosim_scenario core_noiommu_open_and_gone;

/* All of them, ended by NULL. */
extern const struct vfiosim_scenario *const core_scenarios[];

#endif
