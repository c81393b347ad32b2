// SPDX-License-Identifier: MIT
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static struct miscdevice lamp = { .minor = MISC_DYNAMIC_MINOR, .name = "lamp" };
static unsigned int period = 1000;

static int __init lamp_init(void)
{
	int error = misc_register(&lamp);

	if (error)
		pr_err("no device: %d\n", error);
	return error;
}

static void __exit lamp_exit(void)
{
	misc_deregister(&lamp);
}

static ssize_t rate_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	unsigned int rate;
	int error = kstrtouint(buf, 10, &rate);

	if (error)
		return error;
	if (!rate)
		return -EINVAL;
	period = 1000 / rate;
	return count;
}

module_init(lamp_init);
module_exit(lamp_exit);

static unsigned int beats = 60;
module_param(beats, uint, 0600);

static unsigned int pause_between(void)
{
	if (!beats)
		return 0;
	return 60000 / beats;
}
