// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * fwsize: looks at the firmware file of a device that does not exist.
 *
 * The name of a file is written to /proc/fwsize; its size is then read there.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static loff_t size;

static int fwsize_look(const char *name)
{
	struct file *firmware = filp_open(name, O_RDONLY, 0);

	size = firmware->f_inode->i_size;
	pr_info("%s: %lld bytes\n", name, size);
	return filp_close(firmware, NULL);
}

static ssize_t fwsize_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *pos)
{
	char name[128] = "";
	int error;

	if (count >= sizeof(name))
		return -ENAMETOOLONG;
	if (copy_from_user(name, buf, count))
		return -EFAULT;
	error = fwsize_look(strim(name));
	return error ? error : count;
}

static int fwsize_show(struct seq_file *file, void *data)
{
	seq_printf(file, "%lld\n", size);
	return 0;
}

static int fwsize_open(struct inode *inode, struct file *file)
{
	return single_open(file, fwsize_show, NULL);
}

static const struct proc_ops fwsize_proc = {
	.proc_open = fwsize_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = fwsize_write,
};

static int __init fwsize_init(void)
{
	if (!proc_create("fwsize", 0600, NULL, &fwsize_proc))
		return -ENOMEM;
	return 0;
}

static void __exit fwsize_exit(void)
{
	remove_proc_entry("fwsize", NULL);
}

module_init(fwsize_init);
module_exit(fwsize_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Size of a firmware file");
MODULE_VERSION("1.0");
