// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * label: keeps the label of a device that does not exist.
 *
 * What is written to /proc/label is kept as a string, and read there again.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define LABEL_MOST 64

static char *label;
static DEFINE_MUTEX(lock);

static ssize_t label_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos)
{
	char *fresh;

	if (count > LABEL_MOST)
		return -EINVAL;
	fresh = kmalloc(count, GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;
	if (copy_from_user(fresh, buf, count)) {
		kfree(fresh);
		return -EFAULT;
	}
	fresh[count] = '\0';
	mutex_lock(&lock);
	swap(label, fresh);
	mutex_unlock(&lock);
	kfree(fresh);
	return count;
}

static int label_show(struct seq_file *file, void *data)
{
	mutex_lock(&lock);
	seq_puts(file, label ? label : "");
	mutex_unlock(&lock);
	return 0;
}

static int label_open(struct inode *inode, struct file *file)
{
	return single_open(file, label_show, NULL);
}

static const struct proc_ops label_proc = {
	.proc_open = label_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = label_write,
};

static int __init label_init(void)
{
	return proc_create("label", 0600, NULL, &label_proc) ? 0 : -ENOMEM;
}

static void __exit label_exit(void)
{
	remove_proc_entry("label", NULL);
	kfree(label);
}

module_init(label_init);
module_exit(label_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Label of a device that does not exist");
MODULE_VERSION("1.0");
