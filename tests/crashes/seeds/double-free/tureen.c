/* A tureen, counted by who eats from it; the last to leave empties it, and so does closing the lid. */
#include <linux/kref.h>
#include "seed.h"

struct tureen {
	struct kref eaters;
	char soup[100];
};

static void tureen_empty(struct kref *eaters)
{
	kfree(container_of(eaters, struct tureen, eaters));
}

static int tureen_open(struct inode *inode, struct file *file)
{
	struct tureen *tureen = kzalloc(sizeof(*tureen), GFP_KERNEL);

	if (!tureen)
		return -ENOMEM;
	kref_init(&tureen->eaters);
	file->private_data = tureen;
	return 0;
}

static ssize_t tureen_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	struct tureen *tureen = file->private_data;

	kref_get(&tureen->eaters);
	if (count >= sizeof(tureen->soup) || copy_from_user(tureen->soup, text, count))
		count = -EFAULT;
	kref_put(&tureen->eaters, tureen_empty);
	return count;
}

static int tureen_release(struct inode *inode, struct file *file)
{
	struct tureen *tureen = file->private_data;

	kref_put(&tureen->eaters, tureen_empty);
	kfree(tureen);
	return 0;
}

static const struct file_operations tureen_ops = {
	.owner = THIS_MODULE,
	.open = tureen_open,
	.write = tureen_write,
	.release = tureen_release,
};

static struct miscdevice tureen = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tureen",
	.fops = &tureen_ops,
};
module_misc_device(tureen);
