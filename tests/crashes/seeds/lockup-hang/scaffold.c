/* An attribute in sysfs by which one takes the scaffold down removes itself. */
#include "seed.h"
#include <linux/kobject.h>

static struct kobject *folder;

static ssize_t remove_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t size)
{
	sysfs_remove_file(kobj, &attr->attr);
	return size;
}

static struct kobj_attribute remove_attr = __ATTR(remove, 0200, NULL, remove_store);

static int __init scaffold_init(void)
{
	folder = kobject_create_and_add("scaffold", kernel_kobj);
	return folder ? sysfs_create_file(folder, &remove_attr.attr) : -ENOMEM;
}
module_init(scaffold_init);
