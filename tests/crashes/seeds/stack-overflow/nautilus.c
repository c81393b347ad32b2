/* The chambers of a nautilus are counted from the last inwards; the first leads to the last again. */
#include "seed.h"

struct chamber {
	int width;
	struct chamber *inner;
};

static struct chamber chambers[8];

static noinline int nautilus_width(const struct chamber *chamber)
{
	volatile int width = chamber->width;

	if (!chamber->inner)
		return width;
	return nautilus_width(chamber->inner) + width;
}

static ssize_t nautilus_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	char line[16];
	int length = sprintf(line, "%d\n", nautilus_width(&chambers[7]));

	return simple_read_from_buffer(buf, size, pos, line, length);
}

static const struct file_operations nautilus_ops = {
	.owner = THIS_MODULE,
	.read = nautilus_read,
};

static struct miscdevice nautilus = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "nautilus",
	.fops = &nautilus_ops,
};

static int __init nautilus_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(chambers); i++) {
		chambers[i].width = i + 1;
		chambers[i].inner = &chambers[(i + ARRAY_SIZE(chambers) - 1) % ARRAY_SIZE(chambers)];
	}
	return misc_register(&nautilus);
}
module_init(nautilus_init);
