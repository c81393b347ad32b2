/* Counts baskets in a work item; one delivered too often fails the driver's own assertion. */
#include "seed.h"

#define orchard_assert(what)                                                                  \
	do {                                                                                  \
		if (!(what)) {                                                                \
			pr_emerg("orchard: ASSERTION( %s ) failed: %s:%d:%s()\n", #what,      \
				 kbasename(__FILE__), __LINE__, __func__);                    \
			panic("orchard: LBUG");                                               \
		}                                                                             \
	} while (0)

static int baskets = 2;

static void orchard_deliver(struct work_struct *work)
{
	baskets--;
	orchard_assert(baskets >= 0);
	pr_info("orchard: %d baskets left\n", baskets);
}

static DECLARE_WORK(deliver, orchard_deliver);

static ssize_t orchard_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	schedule_work(&deliver);
	flush_work(&deliver);
	return size;
}

static const struct file_operations orchard_ops = {
	.owner = THIS_MODULE,
	.write = orchard_write,
};

static struct miscdevice orchard = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "orchard",
	.fops = &orchard_ops,
};
module_misc_device(orchard);
