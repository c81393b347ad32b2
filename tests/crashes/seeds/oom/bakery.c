/* Bakes a page for each order and writes of no delivery, so that none is ever given back. */
#include "seed.h"
#include <linux/mm.h>

static ssize_t bakery_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	size_t n;

	for (n = 0; n < size; n++)
		if (!alloc_pages(GFP_KERNEL, 2))
			return -ENOMEM;
	return size;
}

static const struct file_operations bakery_ops = {
	.owner = THIS_MODULE,
	.write = bakery_write,
};

static struct miscdevice bakery = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bakery",
	.fops = &bakery_ops,
};
module_misc_device(bakery);
