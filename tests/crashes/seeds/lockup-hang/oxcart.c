/* Oxen before a cart, each with the number of the next; their loads are summed up with interrupts off. */
#include <linux/device.h>
#include <linux/irqflags.h>
#include "seed.h"

#define NOBODY 255

struct ox {
	u8 next;
	unsigned int load;
};

static struct ox oxen[] = { { 1, 80 }, { 2, 75 }, { 1, 90 }, { NOBODY, 60 } };

static noinline unsigned int ox_next(unsigned int ox, unsigned long *load)
{
	*load += READ_ONCE(oxen[ox].load);
	return READ_ONCE(oxen[ox].next);
}

static ssize_t load_show(struct device *dev, struct device_attribute *attr, char *text)
{
	unsigned long load = 0, flags;
	unsigned int ox = 0;

	local_irq_save(flags);
	while (ox != NOBODY)
		ox = ox_next(ox, &load);
	local_irq_restore(flags);
	return sprintf(text, "%lu\n", load);
}

static DEVICE_ATTR_RO(load);

static struct attribute *oxcart_attrs[] = { &dev_attr_load.attr, NULL };
ATTRIBUTE_GROUPS(oxcart);

static const struct file_operations oxcart_ops = { .owner = THIS_MODULE };

static struct miscdevice oxcart = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "oxcart",
	.fops = &oxcart_ops,
	.groups = oxcart_groups,
};
module_misc_device(oxcart);
