/* Riders hold a counted carousel; its count is never set to one, so the first to get on adds to zero. */
#include "seed.h"
#include <linux/refcount.h>

struct ride {
	refcount_t riders;
	int rounds;
};

static struct ride *ride;

static int carousel_open(struct inode *inode, struct file *file)
{
	refcount_inc(&ride->riders);
	return 0;
}

static const struct file_operations carousel_ops = {
	.owner = THIS_MODULE,
	.open = carousel_open,
};

static struct miscdevice carousel = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "carousel",
	.fops = &carousel_ops,
};

static int __init carousel_init(void)
{
	ride = kzalloc(sizeof(*ride), GFP_KERNEL);
	if (!ride)
		return -ENOMEM;
	ride->rounds = 3;
	return misc_register(&carousel);
}
module_init(carousel_init);
