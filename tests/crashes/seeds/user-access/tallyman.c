/* A tallyman who tells how many have passed by writing it into the caller's structure. */
#include "seed.h"

struct passage {
	unsigned int flags;
	unsigned int passed;
};

static unsigned int passed;

static long tallyman_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct passage *passage = (struct passage *)arg;

	WRITE_ONCE(passage->passed, ++passed);
	return 0;
}

static const struct file_operations tallyman_ops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = tallyman_ioctl,
};

static struct miscdevice tallyman = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tallyman",
	.fops = &tallyman_ops,
};
module_misc_device(tallyman);
