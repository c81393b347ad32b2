/* An easel with layers; the one asked for is looked at though none was ever put there. */
#include "seed.h"

struct canvas {
	int width;
	int height;
};

static struct canvas primed = { 40, 30 };
static unsigned int used = 2;
module_param(used, uint, 0644);

static noinline void easel_mix(u32 colour)
{
	volatile u32 paint[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(paint); i++)
		paint[i] = colour;
}

static noinline long easel_width(unsigned int wanted)
{
	struct canvas *volatile layers[32];
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, used, ARRAY_SIZE(layers)); i++)
		layers[i] = &primed;
	return layers[wanted % ARRAY_SIZE(layers)]->width;
}

static long easel_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	easel_mix(0x00d2691e);
	return easel_width(used + 6);
}

static const struct file_operations easel_ops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = easel_ioctl,
};

static struct miscdevice easel = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "easel",
	.fops = &easel_ops,
};
module_misc_device(easel);
