/* Turning the key by ioctl takes a spinlock, and its helper takes the same one again. */
#include "seed.h"

static DEFINE_SPINLOCK(lock);
static int turns;

static noinline void padlock_count(void)
{
	spin_lock(&lock); /* once more */
	turns++;
	spin_unlock(&lock);
}

static long padlock_unlocked_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	spin_lock(&lock);
	padlock_count();
	spin_unlock(&lock);
	return 0;
}

static const struct file_operations padlock_ops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = padlock_unlocked_ioctl,
};

static struct miscdevice padlock = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "padlock",
	.fops = &padlock_ops,
};
module_misc_device(padlock);
