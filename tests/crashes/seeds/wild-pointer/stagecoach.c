/* Coaches by destination; how many seats there are is shown for the one that goes to the coast. */
#include <linux/device.h>
#include "seed.h"

struct coach {
	const char *to;
	unsigned int seats;
};

static struct coach coaches[] = {
	{ "the hills", 6 }, { "the town", 8 }, { "the border", 4 },
};

static void coach_find(const char *to, struct coach **found)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(coaches); i++)
		if (!strcmp(coaches[i].to, to))
			*found = &coaches[i];
}

static ssize_t seats_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct coach *found;

	coach_find("the coast", &found);
	return sprintf(text, "%u\n", READ_ONCE(found->seats));
}

static DEVICE_ATTR_RO(seats);

static struct attribute *stagecoach_attrs[] = { &dev_attr_seats.attr, NULL };
ATTRIBUTE_GROUPS(stagecoach);

static const struct file_operations stagecoach_ops = { .owner = THIS_MODULE };

static struct miscdevice stagecoach = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "stagecoach",
	.fops = &stagecoach_ops,
	.groups = stagecoach_groups,
};
module_misc_device(stagecoach);
