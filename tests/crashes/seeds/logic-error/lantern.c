/* A lamp with a brightness; one beyond the brightest, written to /proc/lantern, ends in a BUG_ON. */
#include "seed.h"

#define BRIGHTEST 255

static unsigned int brightness;

static ssize_t lantern_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	unsigned int wanted;
	int err = kstrtouint_from_user(from, size, 0, &wanted);

	if (err)
		return err;
	BUG_ON(wanted > BRIGHTEST);
	brightness = wanted;
	return size;
}

static const struct proc_ops lantern_ops = {
	.proc_write = lantern_write,
};

static int __init lantern_init(void)
{
	return proc_create("lantern", 0200, NULL, &lantern_ops) ? 0 : -ENOMEM;
}
module_init(lantern_init);
