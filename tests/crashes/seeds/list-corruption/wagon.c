/* Who opens a wagon is on a list of riders; closing frees the rider, who stays on the list. */
#include <linux/list.h>
#include "seed.h"

struct rider {
	struct list_head seat;
	char name[40];
};

static LIST_HEAD(riders);

static int wagon_open(struct inode *inode, struct file *file)
{
	struct rider *rider = kzalloc(sizeof(*rider), GFP_KERNEL);

	if (!rider)
		return -ENOMEM;
	list_add(&rider->seat, &riders);
	file->private_data = rider;
	return 0;
}

static int wagon_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations wagon_ops = {
	.owner = THIS_MODULE,
	.open = wagon_open,
	.release = wagon_release,
};

static struct miscdevice wagon = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "wagon",
	.fops = &wagon_ops,
};
module_misc_device(wagon);
