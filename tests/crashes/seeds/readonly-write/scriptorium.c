/* A scriptorium that writes its numbers with capital digits, and makes everybody else do so. */
#include "seed.h"
#include <linux/device.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include <linux/hex.h>
#endif

static ssize_t capitals_store(struct device *dev, struct device_attribute *attr, const char *buf,
			      size_t count)
{
	char *digits = (char *)hex_asc;
	int i;

	for (i = 10; i < 16; i++)
		WRITE_ONCE(digits[i], 'A' + i - 10);
	return count;
}
static DEVICE_ATTR_WO(capitals);

static struct attribute *scriptorium_attrs[] = { &dev_attr_capitals.attr, NULL };
ATTRIBUTE_GROUPS(scriptorium);

static const struct file_operations scriptorium_ops = { .owner = THIS_MODULE };

static struct miscdevice scriptorium = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "scriptorium",
	.fops = &scriptorium_ops,
	.groups = scriptorium_groups,
};
module_misc_device(scriptorium);
