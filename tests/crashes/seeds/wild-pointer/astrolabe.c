/* Stars under the astrolabe, each with its brightness packed into the top of its address. */
#include "seed.h"
#include <linux/device.h>

#define SHIFT (BITS_PER_LONG - 8)

struct star {
	char name[24];
	long height;
};

static struct star *star;
static unsigned long packed;

static noinline struct star *astrolabe_unpack(unsigned long value)
{
	return (struct star *)value;
}

static ssize_t height_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	struct star *seen = astrolabe_unpack(READ_ONCE(packed));

	seen->height = simple_strtol(buf, NULL, 10);
	return count;
}
static DEVICE_ATTR_WO(height);

static struct attribute *astrolabe_attrs[] = { &dev_attr_height.attr, NULL };
ATTRIBUTE_GROUPS(astrolabe);

static const struct file_operations astrolabe_ops = { .owner = THIS_MODULE };

static struct miscdevice astrolabe = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "astrolabe",
	.fops = &astrolabe_ops,
	.groups = astrolabe_groups,
};

static int __init astrolabe_init(void)
{
	star = kzalloc(sizeof(*star), GFP_KERNEL);
	if (!star)
		return -ENOMEM;
	packed = ((unsigned long)star & ~(0xffUL << SHIFT)) | 0x2bUL << SHIFT;
	return misc_register(&astrolabe);
}
module_init(astrolabe_init);
