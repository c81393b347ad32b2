// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * badge: writes names on a badge that does not exist.
 *
 * What is written to /dev/badge is gathered until the file is closed; then it
 * is the name on the badge.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define NAME_MOST 63

struct draft {
	size_t length;
	char name[NAME_MOST + 1];
};

static int badge_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc(sizeof(struct draft), GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static ssize_t badge_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos)
{
	struct draft *draft = file->private_data;

	if (count > NAME_MOST - draft->length)
		return -ENOSPC;
	if (copy_from_user(draft->name + draft->length, buf, count))
		return -EFAULT;
	draft->length += count;
	return count;
}

/* Every close of a descriptor comes here. */
static int badge_flush(struct file *file, fl_owner_t id)
{
	struct draft *draft = file->private_data;

	if (draft->length)
		pr_info("the badge says %.*s\n", (int)draft->length, draft->name);
	kfree(draft);
	return 0;
}

/* The last close comes here. */
static int badge_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations badge_operations = {
	.owner = THIS_MODULE,
	.open = badge_open,
	.write = badge_write,
	.flush = badge_flush,
	.release = badge_release,
	.llseek = noop_llseek,
};

static struct miscdevice badge_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "badge",
	.fops = &badge_operations,
	.mode = 0600,
};

module_misc_device(badge_device);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Names on a badge that does not exist");
MODULE_VERSION("1.0");
