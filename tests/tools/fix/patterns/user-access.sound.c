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
	char sign;

	if (!count || get_user(sign, buf))
		return -EFAULT;
	if (sign == '+')
		pr_info("brighter\n");
	return count;
}

static ssize_t order_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	return simple_read_from_buffer(buf, count, pos, last, sizeof(last));
}

static long order_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct order order;

	if (copy_from_user(&order, (void __user *)arg, sizeof(order)))
		return -EFAULT;
	return order.level;
}

static const struct file_operations order_fops = {
	.owner = THIS_MODULE,
	.write = order_write,
	.read = order_read,
	.unlocked_ioctl = order_ioctl,
};

static ssize_t level_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	unsigned int level;
	int error = kstrtouint_from_user(buf, count, 10, &level);

	if (error)
		return error;
	pr_info("level %u\n", level);
	return count;
}

static const struct proc_ops level_proc = {
	.proc_write = level_write,
};
