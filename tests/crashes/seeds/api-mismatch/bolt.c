/* An attribute for a device, put on a bare kobject: its function gets no device, and asks it for its data. */
#include <linux/device.h>
#include <linux/kobject.h>
#include "seed.h"

struct bolt {
	unsigned long turns;
};

static struct kobject *bolt;

static ssize_t turns_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct bolt *bolt = dev_get_drvdata(dev);

	return sprintf(text, "%lu\n", READ_ONCE(bolt->turns));
}

static DEVICE_ATTR_RO(turns);

static int __init bolt_init(void)
{
	bolt = kobject_create_and_add("bolt", kernel_kobj);
	if (!bolt)
		return -ENOMEM;
	return sysfs_create_file(bolt, &dev_attr_turns.attr);
}
module_init(bolt_init);
