/* Guests wait in a vestibule for its door to open; the house has put itself in the queue too. */
#include <linux/wait.h>
#include "seed.h"

static DECLARE_WAIT_QUEUE_HEAD(door);
static wait_queue_entry_t house;
static unsigned int opened;

static ssize_t vestibule_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	opened++;
	wake_up_interruptible(&door);
	return count;
}

static const struct file_operations vestibule_ops = {
	.owner = THIS_MODULE,
	.write = vestibule_write,
};

static struct miscdevice vestibule = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vestibule",
	.fops = &vestibule_ops,
};

static int __init vestibule_init(void)
{
	house.private = &vestibule;
	add_wait_queue(&door, &house);
	return misc_register(&vestibule);
}
module_init(vestibule_init);
