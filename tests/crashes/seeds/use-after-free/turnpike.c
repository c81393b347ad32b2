/* Counts new addresses while its file is open; closing it frees what still hangs in the chain of notifiers. */
#include <linux/inetdevice.h>
#include <linux/notifier.h>
#include "seed.h"

#define SIGN 256

struct turnpike {
	char sign[160];
	struct notifier_block block;
	unsigned int passed;
};

static int turnpike_pass(struct notifier_block *block, unsigned long event, void *unused)
{
	container_of(block, struct turnpike, block)->passed++;
	return NOTIFY_DONE;
}

static int turnpike_open(struct inode *inode, struct file *file)
{
	struct turnpike *pike = kzalloc(SIGN, GFP_KERNEL);

	if (!pike)
		return -ENOMEM;
	pike->block.notifier_call = turnpike_pass;
	file->private_data = pike;
	return register_inetaddr_notifier(&pike->block);
}

static int turnpike_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations turnpike_ops = {
	.owner = THIS_MODULE,
	.open = turnpike_open,
	.release = turnpike_release,
};

static struct miscdevice turnpike = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "turnpike",
	.fops = &turnpike_ops,
};

/* What stands on the signs along the road. */
static int signs_set(const char *value, const struct kernel_param *param)
{
	char *sign;
	int i;

	for (i = 0; i < 64; i++) {
		sign = kmalloc(SIGN, GFP_KERNEL);
		if (!sign)
			return -ENOMEM;
		memset(sign, value[0], SIGN);
	}
	return 0;
}

static const struct kernel_param_ops signs_ops = { .set = signs_set };
module_param_cb(signs, &signs_ops, NULL, 0200);
module_misc_device(turnpike);
