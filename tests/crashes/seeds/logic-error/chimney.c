/* Sweeps in a tasklet; the sweep of an empty queue, which nobody expects, meets a BUG_ON. */
#include "seed.h"
#include <linux/interrupt.h>

static atomic_t soot = ATOMIC_INIT(1);

static void chimney_sweep(unsigned long unused)
{
	int left = atomic_dec_return(&soot);

	BUG_ON(left < 0);
	pr_info("chimney: %d left\n", left);
}

static struct tasklet_struct sweep;

static ssize_t chimney_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	tasklet_schedule(&sweep);
	return size;
}

static const struct file_operations chimney_ops = {
	.owner = THIS_MODULE,
	.write = chimney_write,
};

static struct miscdevice chimney = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "chimney",
	.fops = &chimney_ops,
};

static int __init chimney_init(void)
{
	tasklet_init(&sweep, chimney_sweep, 0);
	return misc_register(&chimney);
}
module_init(chimney_init);
