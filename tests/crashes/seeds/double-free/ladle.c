/* Ladles soup by ioctl; for a command it does not know, the soup is freed where it fails and at the end. */
#include "seed.h"

#define LADLE_POUR 0x4c01

static noinline int ladle_pour(char *soup, unsigned int command)
{
	if (command != LADLE_POUR) {
		kfree(soup);
		return -ENOTTY;
	}
	soup[0] = 1;
	return 0;
}

static long ladle_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	char *soup = kzalloc(200, GFP_KERNEL);
	int error;

	if (!soup)
		return -ENOMEM;
	error = ladle_pour(soup, command);
	kfree(soup);
	return error;
}

static const struct file_operations ladle_ops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = ladle_ioctl,
};

static struct miscdevice ladle = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ladle",
	.fops = &ladle_ops,
};
module_misc_device(ladle);
