/* A vaporetto; the name of the next pier is written to it, and a name too long is not refused. */
#include "seed.h"

static char *pier;

static ssize_t vaporetto_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char *name = strndup_user(buf, 8);

	if (!name)
		return -ENOMEM;
	if (name[0] >= 'a')
		name[0] -= 'a' - 'A';
	kfree(pier);
	pier = name;
	return count;
}

static const struct file_operations vaporetto_ops = {
	.owner = THIS_MODULE,
	.write = vaporetto_write,
};

static struct miscdevice vaporetto = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vaporetto",
	.fops = &vaporetto_ops,
};
module_misc_device(vaporetto);
