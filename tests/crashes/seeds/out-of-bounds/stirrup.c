/* Has a label of eight bytes in /sys, into which anything that is written there is copied. */
#include <linux/kobject.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include "seed.h"

static struct kobject *stirrup;
static char label[8];

static ssize_t label_show(struct kobject *kobj, struct kobj_attribute *attr, char *text)
{
	return sprintf(text, "%s\n", label);
}

static ssize_t label_store(struct kobject *kobj, struct kobj_attribute *attr, const char *text,
			   size_t count)
{
	strcpy(label, text);
	return count;
}

static struct kobj_attribute label_attribute = __ATTR_RW(label);

static int __init stirrup_init(void)
{
	stirrup = kobject_create_and_add("stirrup", kernel_kobj);
	if (!stirrup)
		return -ENOMEM;
	return sysfs_create_file(stirrup, &label_attribute.attr);
}
module_init(stirrup_init);
