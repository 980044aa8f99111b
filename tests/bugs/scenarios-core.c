// SPDX-License-Identifier: GPL-2.0-only
/* The scenarios of ../core-scenarios.c that the clean core passes, for bug-run. */
#include "../core-scenarios.h"

VFIOSIM_PROGRAM(&core_whole_life, &core_reregister, &core_module_reload, &core_noiommu_life,
		&core_two_first_binds, &core_last_pin_and_first, &core_open_and_unbind,
		&core_close_and_unbind, &core_container_close_and_set, &core_two_set_iommu,
		&core_two_opens, &core_bind_and_open, &core_busy_unbind, &core_duplicate,
		&core_rebind, &core_mixed_kinds, &core_object_life,
		&core_merged_life, &core_merged_set, &core_merged_busy,
		&core_merged_two_open);
