/* A larkspur, planted in a bed of sysfs when it is written to. */
#include <linux/kobject.h>
#include "seed.h"

static void larkspur_release(struct kobject *kobj)
{
}

static struct kobj_type larkspur_type = {
	.release = larkspur_release,
	.sysfs_ops = &kobj_sysfs_ops,
};

static struct kobject flower;

static noinline int larkspur_plant(void)
{
	return kobject_init_and_add(&flower, &larkspur_type, kernel_kobj, "larkspur");
}

static ssize_t larkspur_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	int error = larkspur_plant();

	return error ? error : count;
}

static const struct file_operations larkspur_ops = {
	.owner = THIS_MODULE,
	.write = larkspur_write,
};

static struct miscdevice larkspur = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "larkspur",
	.fops = &larkspur_ops,
};
module_misc_device(larkspur);
