// SPDX-License-Identifier: MIT
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static struct miscdevice lamp = { .minor = MISC_DYNAMIC_MINOR, .name = "lamp" };
static unsigned int period = 1000;

static int __init lamp_init(void)
{
	misc_register(&lamp); /* BUG */
	return 0;
}

static ssize_t rate_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	unsigned int rate;
	int error = kstrtouint(buf, 10, &rate);

	if (error)
		return error;
	period = 1000 / rate; /* BUG */
	return count;
}

static unsigned int beats = 60;
module_param(beats, uint, 0600);

static unsigned int pause_between(void)
{
	return 60000 / beats; /* BUG */
}
