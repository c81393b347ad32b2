/* A clock whose steps an hour are set in sysfs; with none the length of a step is divided by zero. */
#include "seed.h"
#include <linux/kobject.h>

static struct kobject *folder;
static unsigned int length = 60;

static ssize_t steps_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "%u seconds each\n", length);
}

static noinline unsigned int step_length(unsigned int steps)
{
	return 3600 / steps;
}

static ssize_t steps_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t size)
{
	unsigned int steps;
	int err = kstrtouint(buf, 0, &steps);

	if (err)
		return err;
	WRITE_ONCE(length, step_length(steps));
	return size;
}

static struct kobj_attribute steps = __ATTR_RW(steps);

static int __init sundial_init(void)
{
	folder = kobject_create_and_add("sundial", kernel_kobj);
	return folder ? sysfs_create_file(folder, &steps.attr) : -ENOMEM;
}
module_init(sundial_init);
