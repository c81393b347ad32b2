// SPDX-License-Identifier: MIT
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>

struct order {
	int lamp;
	int level;
};

static char last[16];

static ssize_t order_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	if (buf[0] == '+') /* BUG */
		pr_info("brighter\n");
	return count;
}

static ssize_t order_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	memcpy(buf, last, min(count, sizeof(last))); /* BUG */
	return min(count, sizeof(last));
}

static long order_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct order *order = (struct order *)arg;

	return order->level; /* BUG */
}

static const struct file_operations order_fops = {
	.owner = THIS_MODULE,
	.write = order_write,
	.read = order_read,
	.unlocked_ioctl = order_ioctl,
};

static ssize_t level_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	pr_info("level %c\n", *buf); /* BUG */
	return count;
}

static const struct proc_ops level_proc = {
	.proc_write = level_write,
};
