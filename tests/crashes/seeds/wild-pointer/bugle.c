/* Calls of a bugle; a used slot is taken again, and what it is to play is left as it was. */
#include "seed.h"
#include <linux/interrupt.h>

struct call {
	void (*play)(struct call *call);
	int pitch;
};

static union {
	u32 samples[16];
	struct call call;
} slot;

static int heard;

static void bugle_blow(unsigned long unused)
{
	struct call *call = &slot.call;

	call->play(call);
	heard += call->pitch;
}

static struct tasklet_struct breath;

static ssize_t bugle_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slot.samples); i++)
		WRITE_ONCE(slot.samples[i], 1000 + 250 * i);
	slot.call.pitch = 440;
	tasklet_schedule(&breath);
	return count;
}

static const struct file_operations bugle_ops = {
	.owner = THIS_MODULE,
	.write = bugle_write,
};

static struct miscdevice bugle = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bugle",
	.fops = &bugle_ops,
};

static int __init bugle_init(void)
{
	tasklet_init(&breath, bugle_blow, 0);
	return misc_register(&bugle);
}
module_init(bugle_init);
