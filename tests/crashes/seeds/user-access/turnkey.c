/* A turnkey who is told in debugfs whom to let in, and keeps the name. */
#include <linux/debugfs.h>
#include "seed.h"

static char *guest;

static ssize_t turnkey_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	char *name = kstrdup((__force const char *)text, GFP_KERNEL);

	if (!name)
		return -ENOMEM;
	kfree(guest);
	guest = name;
	return count;
}

static const struct file_operations turnkey_ops = {
	.owner = THIS_MODULE,
	.write = turnkey_write,
};

static int __init turnkey_init(void)
{
	debugfs_create_file("turnkey", 0200, NULL, NULL, &turnkey_ops);
	return 0;
}
module_init(turnkey_init);
