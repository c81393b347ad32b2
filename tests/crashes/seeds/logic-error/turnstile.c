/* Lets one through at each read; a read puts the use count of the module, which only open takes. */
#include "seed.h"

static ssize_t turnstile_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	module_put(THIS_MODULE);
	return put_user('.', to) ? -EFAULT : 1;
}

static const struct file_operations turnstile_ops = {
	.owner = THIS_MODULE,
	.read = turnstile_read,
};

static struct miscdevice turnstile = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "turnstile",
	.fops = &turnstile_ops,
};
module_misc_device(turnstile);
