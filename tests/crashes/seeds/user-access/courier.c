/* A courier who notes where a message lies, and fetches it from there a moment later. */
#include "seed.h"

struct courier {
	struct delayed_work trip;
	const char __user *message;
	int sum;
};

static struct courier *courier;

static void courier_fetch(struct work_struct *work)
{
	struct courier *rider = container_of(to_delayed_work(work), struct courier, trip);
	const char *message = (const char __force *)rider->message;

	rider->sum += READ_ONCE(message[0]);
}

static ssize_t courier_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	courier->message = buf;
	schedule_delayed_work(&courier->trip, HZ / 10);
	return count;
}

static const struct file_operations courier_ops = {
	.owner = THIS_MODULE,
	.write = courier_write,
};

static struct miscdevice office = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "courier",
	.fops = &courier_ops,
};

static int __init courier_init(void)
{
	courier = kzalloc(sizeof(*courier), GFP_KERNEL);
	if (!courier)
		return -ENOMEM;
	INIT_DELAYED_WORK(&courier->trip, courier_fetch);
	return misc_register(&office);
}
module_init(courier_init);
