/* Counts who uses the one spindle; a close drops the count twice, in flush and in release. */
#include <linux/refcount.h>
#include "seed.h"

static refcount_t users = REFCOUNT_INIT(1);

static noinline void spindle_put(void)
{
	if (refcount_dec_and_test(&users))
		pr_info("spindle: at rest\n");
}

static int spindle_open(struct inode *inode, struct file *file)
{
	refcount_inc(&users);
	return 0;
}

static int spindle_flush(struct file *file, fl_owner_t id)
{
	spindle_put();
	return 0;
}

static int spindle_release(struct inode *inode, struct file *file)
{
	spindle_put();
	return 0;
}

static const struct file_operations spindle_ops = {
	.owner = THIS_MODULE,
	.open = spindle_open,
	.flush = spindle_flush,
	.release = spindle_release,
};

static struct miscdevice spindle = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "spindle",
	.fops = &spindle_ops,
};
module_misc_device(spindle);
