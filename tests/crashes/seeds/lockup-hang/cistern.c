/* Writes fill a tank under a lock; one that is too long leaves by the way that keeps the lock. */
#include "seed.h"

static DEFINE_MUTEX(valve);
static char tank[32];

static ssize_t cistern_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	mutex_lock(&valve);
	if (size > sizeof(tank))
		return -EFBIG;
	if (copy_from_user(tank, from, size))
		size = -EFAULT;
	mutex_unlock(&valve);
	return size;
}

static const struct file_operations cistern_ops = {
	.owner = THIS_MODULE,
	.write = cistern_write,
};

static struct miscdevice cistern = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "cistern",
	.fops = &cistern_ops,
};
module_misc_device(cistern);
