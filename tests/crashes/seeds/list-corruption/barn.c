/* A barn that takes in its one cow at every write, though it is in already. */
#include <linux/list.h>
#include "seed.h"

struct cow {
	struct list_head stall;
	unsigned long fed;
};

static LIST_HEAD(stalls);
static struct cow cow;

static ssize_t barn_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	list_add(&cow.stall, &stalls);
	cow.fed++;
	return count;
}

static const struct file_operations barn_ops = {
	.owner = THIS_MODULE,
	.write = barn_write,
};

static struct miscdevice barn = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "barn",
	.fops = &barn_ops,
};
module_misc_device(barn);
