/* Work that sweeps a floor waits for its sweep to be done: for itself. */
#include "seed.h"

static void broom_sweep(struct work_struct *work);
static DECLARE_WORK(sweep, broom_sweep);
static struct workqueue_struct *queue;

static void broom_sweep(struct work_struct *work)
{
	flush_work(work);
}

static ssize_t broom_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	queue_work(queue, &sweep);
	return size;
}

static const struct file_operations broom_ops = {
	.owner = THIS_MODULE,
	.write = broom_write,
};

static struct miscdevice broom = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "broom",
	.fops = &broom_ops,
};

static int __init broom_init(void)
{
	queue = alloc_ordered_workqueue("broom", 0);
	return queue ? misc_register(&broom) : -ENOMEM;
}
module_init(broom_init);
