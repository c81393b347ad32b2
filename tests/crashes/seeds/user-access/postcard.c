/* A postcard, printed straight into the buffer of whoever reads it. */
#include "seed.h"

static int stamps = 3;
module_param(stamps, int, 0644);

static ssize_t postcard_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	int length;

	if (*pos || size < 32)
		return 0;
	length = sprintf((char __force *)buf, "greetings, %d stamps\n", stamps);
	*pos += length;
	return length;
}

static const struct file_operations postcard_ops = {
	.owner = THIS_MODULE,
	.read = postcard_read,
};

static struct miscdevice postcard = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "postcard",
	.fops = &postcard_ops,
};
module_misc_device(postcard);
