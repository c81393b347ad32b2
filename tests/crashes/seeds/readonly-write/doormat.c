/* A doormat with words on it; blanks around them are taken off before they are shown. */
#include <linux/device.h>
#include <linux/string.h>
#include "seed.h"

static char *words = "Wipe your feet   ";

static noinline const char *doormat_lay(char *text)
{
	return strim(text);
}

static ssize_t words_show(struct device *dev, struct device_attribute *attr, char *text)
{
	return sprintf(text, "%s\n", doormat_lay(words));
}

static DEVICE_ATTR_RO(words);

static struct attribute *doormat_attrs[] = { &dev_attr_words.attr, NULL };
ATTRIBUTE_GROUPS(doormat);

static const struct file_operations doormat_ops = { .owner = THIS_MODULE };

static struct miscdevice doormat = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "doormat",
	.fops = &doormat_ops,
	.groups = doormat_groups,
};
module_misc_device(doormat);
