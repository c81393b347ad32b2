// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * dimmer: sets the brightness of a lamp that does not exist.
 *
 * /proc/dimmer holds the level. One character is written to it: "+" for
 * brighter, "-" for darker, a digit for a level.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#define DIMMER_MOST 9

static int level = 5;

static int dimmer_apply(char order)
{
	switch (order) {
	case '+':
		level = min(level + 1, DIMMER_MOST);
		break;
	case '-':
		level = max(level - 1, 0);
		break;
	case '0' ... '9':
		level = order - '0';
		break;
	default:
		return -EINVAL;
	}
	pr_info("level %d\n", level);
	return 0;
}

static ssize_t dimmer_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *pos)
{
	int error;

	if (!count)
		return 0;
	error = dimmer_apply(*buf);
	return error ? error : count;
}

static int dimmer_show(struct seq_file *file, void *data)
{
	seq_printf(file, "%d\n", level);
	return 0;
}

static int dimmer_open(struct inode *inode, struct file *file)
{
	return single_open(file, dimmer_show, NULL);
}

static const struct proc_ops dimmer_proc = {
	.proc_open = dimmer_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = dimmer_write,
};

static int __init dimmer_init(void)
{
	if (!proc_create("dimmer", 0600, NULL, &dimmer_proc))
		return -ENOMEM;
	pr_info("level %d\n", level);
	return 0;
}

static void __exit dimmer_exit(void)
{
	remove_proc_entry("dimmer", NULL);
}

module_init(dimmer_init);
module_exit(dimmer_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Dimmer of a lamp that does not exist");
MODULE_VERSION("1.0");
