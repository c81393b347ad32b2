/* Closing a thimble frees it while its work is still at it. */
#include <linux/delay.h>
#include "seed.h"

struct thimble {
	struct work_struct work;
	unsigned long *stitches;
	unsigned long seams[3];
};

static unsigned long stitches;

static void thimble_sew(struct work_struct *work)
{
	struct thimble *thimble = container_of(work, struct thimble, work);

	msleep(1500);
	*thimble->stitches += 1;
}

static int thimble_open(struct inode *inode, struct file *file)
{
	struct thimble *thimble = kzalloc(sizeof(*thimble), GFP_KERNEL);

	if (!thimble)
		return -ENOMEM;
	thimble->stitches = &stitches;
	INIT_WORK(&thimble->work, thimble_sew);
	queue_work(system_unbound_wq, &thimble->work);
	file->private_data = thimble;
	return 0;
}

static int thimble_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations thimble_ops = {
	.owner = THIS_MODULE,
	.open = thimble_open,
	.release = thimble_release,
};

static struct miscdevice thimble = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "thimble",
	.fops = &thimble_ops,
};
module_misc_device(thimble);
