/* A gate that shuts by a high-resolution timer; it is freed on close, before the timer fires. */
#include <linux/hrtimer.h>
#include "seed.h"

struct gate {
	unsigned long opened[4];
	unsigned long *shut;
	unsigned long spare[3];
};

static struct gate *gate;
static struct hrtimer timer;
static unsigned long shut;

static enum hrtimer_restart paddock_shut(struct hrtimer *unused)
{
	*gate->shut += 1;
	return HRTIMER_NORESTART;
}

static int paddock_open(struct inode *inode, struct file *file)
{
	gate = kzalloc(sizeof(*gate), GFP_KERNEL);
	if (!gate)
		return -ENOMEM;
	gate->shut = &shut;
	hrtimer_start(&timer, ms_to_ktime(300), HRTIMER_MODE_REL);
	return 0;
}

static int paddock_release(struct inode *inode, struct file *file)
{
	kfree(gate);
	return 0;
}

static const struct file_operations paddock_ops = {
	.owner = THIS_MODULE,
	.open = paddock_open,
	.release = paddock_release,
};

static struct miscdevice paddock = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "paddock",
	.fops = &paddock_ops,
};

static int __init paddock_init(void)
{
	hrtimer_setup(&timer, paddock_shut, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	return misc_register(&paddock);
}
module_init(paddock_init);
