/* An attribute for a device, put on a bare kobject: its function gets no device, and asks it for its data. */
#include <linux/device.h>
#include <linux/kobject.h>
#include "seed.h"

struct bolt {
	struct kobject kobj;
	unsigned long turns[24];
};

static ssize_t turns_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct bolt *bolt = dev_get_drvdata(dev);

	return sprintf(text, "%lu\n", READ_ONCE(bolt->turns[0]));
}

static DEVICE_ATTR_RO(turns);

static void bolt_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct bolt, kobj));
}

static struct kobj_type bolt_type = {
	.release = bolt_release,
	.sysfs_ops = &kobj_sysfs_ops,
};

static int __init bolt_init(void)
{
	struct bolt *bolt = kzalloc(sizeof(*bolt), GFP_KERNEL);
	size_t i;
	int error;

	if (!bolt)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(bolt->turns); i++)
		bolt->turns[i] = 4096 * 100 + i;
	error = kobject_init_and_add(&bolt->kobj, &bolt_type, kernel_kobj, "bolt");
	return error ? error : sysfs_create_file(&bolt->kobj, &dev_attr_turns.attr);
}
module_init(bolt_init);
