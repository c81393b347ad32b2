/* Reads the temperature below a spinlock, and sleeps while the sensor settles. */
#include "seed.h"
#include <linux/delay.h>

static DEFINE_SPINLOCK(bus);

static noinline int kiln_measure(void)
{
	int degrees;

	spin_lock(&bus);
	msleep(20);
	degrees = 900;
	spin_unlock(&bus);
	return degrees;
}

static ssize_t kiln_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	return kiln_measure() > 0 ? 0 : -EIO;
}

static const struct file_operations kiln_ops = {
	.owner = THIS_MODULE,
	.read = kiln_read,
};

static struct miscdevice kiln = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kiln",
	.fops = &kiln_ops,
};
module_misc_device(kiln);
