/* Shows its height in /sys/kernel/trellis; the file is still there when the module is gone. */
#include <linux/kobject.h>
#include <linux/sysfs.h>
#include "seed.h"

static struct kobject *trellis;
static int height = 180;

static ssize_t height_show(struct kobject *kobj, struct kobj_attribute *attr, char *buffer)
{
	return sprintf(buffer, "%d\n", height);
}

static struct kobj_attribute height_attribute = __ATTR_RO(height);

static int __init trellis_init(void)
{
	trellis = kobject_create_and_add("trellis", kernel_kobj);
	if (!trellis)
		return -ENOMEM;
	return sysfs_create_file(trellis, &height_attribute.attr);
}

static void __exit trellis_exit(void)
{
	pr_info("trellis: %d cm\n", height);
}
module_init(trellis_init);
module_exit(trellis_exit);
