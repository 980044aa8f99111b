// SPDX-License-Identifier: GPL-2.0-only
/* Files on the shared anonymous inode. */
#include "steptest.h"

#include "fdtest.h"
#include "pfs.h"

static int error KSTATE;

static void getfile(void *unused)
{
	struct inode *shared;
	struct file *file;

	file = anon_inode_getfile("[note]", &note_fops, (void *)7,
				  O_RDWR | O_CLOEXEC | O_NONBLOCK | O_DIRECT);
	vfiosim_expect(!IS_ERR(file));
	shared = anon_inode_shared();
	vfiosim_expect(file->f_inode == shared && file->f_mapping == &shared->i_data);
	vfiosim_expect(file->f_flags == (O_RDWR | O_NONBLOCK) && file->private_data == (void *)7);
	vfiosim_expect(file->f_mode == (FMODE_READ | FMODE_WRITE | FMODE_CAN_READ |
					FMODE_CAN_WRITE | FMODE_OPENED));
	vfiosim_expect(shared->i_count.counter == 2 && note_module.refcnt.counter == 2);
	vfiosim_expect(file->f_path.dentry->d_count.counter == 1 && file_count(file) == 1);
	vfiosim_expect(!strcmp(file->f_path.dentry->d_name, "[note]"));
	vfiosim_expect(file->f_path.dentry->d_op && file->f_cred == current_cred());
	fput(file);
	task_work_run();
	vfiosim_expect(shared->i_count.counter == 1 && note_module.refcnt.counter == 1);
}

/* FS-112..FS-116, FS-128, FS-129, INV-13 */
START_TEST(file_owns_what_it_stands_on)
{
	static const struct vfiosim_scenario scenario = {
		.name = "getfile", .check = fs_invariants_hold, .tasks = { { "T1", getfile } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static const char long_name[] = "[a-name-that-does-not-fit-in-a-dentry]";

static void try_getfile(void *unused)
{
	struct file *file = anon_inode_getfile(long_name, &note_fops, NULL, O_RDWR);

	error = IS_ERR(file) ? PTR_ERR(file) : 0;
	if (!IS_ERR(file)) {
		vfiosim_expect(!strcmp(file->f_path.dentry->d_name, long_name));
		fput(file);
	}
	task_work_run();
}

static void nothing_held(void *unused)
{
	const struct inode *shared = anon_inode_shared();

	vfiosim_expect(shared->i_count.counter == 1 && note_module.refcnt.counter == 1);
	vfiosim_expect(init_cred.usage.counter == 1 && !files_stat.nr_files);
}

static const struct {
	const char *site;
	int error;
} sites[] = {
	{ "module_going", -ENOENT },		/* ERR-13 */
	{ "anon_inode_inode", -ENODEV },	/* ERR-14 */
	{ "dentry", -ENOMEM },			/* ERR-15 */
	{ "dentry_name", -ENOMEM },
	{ "file_max", -ENFILE },		/* ERR-16 */
	{ "file", -ENOMEM },
	{ "file_security", -EACCES },
};

/* ERR-13..ERR-16, FS-113, FS-114, FS-173 */
START_TEST(failed_file_holds_nothing)
{
	static const struct vfiosim_scenario scenario = {
		.name = "getfile-fails", .check = fs_invariants_hold, .teardown = nothing_held,
		.tasks = { { "T1", try_getfile } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sites); i++) {
		const char *site = step_fault(&scenario, i);

		ck_assert_msg(site && !strcmp(site, sites[i].site), "%zu: %s", i, site);
		ck_assert_int_eq(error, sites[i].error);
		step_finish(VFIOSIM_OK);
	}
	ck_assert_ptr_null(step_fault(&scenario, ARRAY_SIZE(sites)));
	step_finish(VFIOSIM_OK);
}
END_TEST

static void going(void *unused)
{
	note_module.state = MODULE_STATE_GOING;
	try_getfile(NULL);
	vfiosim_expect(error == -ENOENT);
}

/* FS-114, I-32 */
START_TEST(operations_of_a_going_module_are_enoent)
{
	static const struct vfiosim_scenario scenario = {
		.name = "going", .tasks = { { "T1", going } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

/* What vfio does between getfile and fd_install(). */
static void redirect(void *unused)
{
	struct inode *device = pfs_inode_new();
	struct file *file;
	int fd;

	process_begin();
	fd = get_unused_fd_flags(O_CLOEXEC);
	file = anon_inode_getfile("[device]", &note_fops, NULL, O_RDWR);
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	file->f_mapping = device->i_mapping;
	fd_install(fd, file);
	vfiosim_expect(file->f_mode == 0xe001f);
	vfiosim_expect(file_inode(file)->i_mapping != file->f_mapping);
	vfiosim_expect(file->f_mapping->host == device && device->i_count.counter == 1);
	vfiosim_expect(file->f_wb_err == 0);
	close_fd(fd);
	task_work_run();
	pfs_inode_put(device);
	process_end();
}

/* FS-8, FS-9, FS-11, FS-102, FS-116, INV-18 */
START_TEST(redirected_mapping_takes_no_reference)
{
	static const struct vfiosim_scenario scenario = {
		.name = "redirect", .check = fs_invariants_hold, .tasks = { { "T1", redirect } },
	};

	step_all(&scenario, VFIOSIM_OK);
}
END_TEST

static void put_device_too_early(void *unused)
{
	struct inode *device = pfs_inode_new();
	struct file *file;

	process_begin();
	file = anon_inode_getfile("[device]", &note_fops, NULL, O_RDWR);
	file->f_mapping = device->i_mapping;
	fd_install(get_unused_fd_flags(0), file);
	pfs_inode_put(device);
	process_end();
}

/* INV-18 */
START_TEST(file_that_outlives_its_devices_inode_is_found)
{
	static const struct vfiosim_scenario scenario = {
		.name = "early", .check = fs_invariants_hold,
		.tasks = { { "T1", put_device_too_early } },
	};

	step_all_finds(&scenario, "inv-18");
}
END_TEST

STEPTEST_MAIN("anon_inodes",
	file_owns_what_it_stands_on,
	failed_file_holds_nothing,
	operations_of_a_going_module_are_enoent,
	redirected_mapping_takes_no_reference,
	file_that_outlives_its_devices_inode_is_found)
