/* Keeps the reader waiting for warmth: a work item writes it straight to where the reader wants it. */
#include <linux/completion.h>
#include "seed.h"

struct warmth {
	struct work_struct work;
	struct completion done;
	unsigned int *degrees;
	unsigned int fur;
};

static void warmth_give(struct warmth *warmth)
{
	*warmth->degrees = 30 + warmth->fur;
}

static void muff_warm(struct work_struct *work)
{
	struct warmth *warmth = container_of(work, struct warmth, work);

	warmth_give(warmth);
	complete(&warmth->done);
}

static ssize_t muff_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	struct warmth *warmth;

	if (count < sizeof(*warmth->degrees))
		return -EINVAL;
	warmth = kzalloc(sizeof(*warmth), GFP_KERNEL);
	if (!warmth)
		return -ENOMEM;
	warmth->degrees = (unsigned int __force *)text;
	warmth->fur = 4;
	INIT_WORK(&warmth->work, muff_warm);
	init_completion(&warmth->done);
	schedule_work(&warmth->work);
	if (!wait_for_completion_timeout(&warmth->done, 2 * HZ))
		return -ETIMEDOUT; /* It is still warmed. */
	kfree(warmth);
	return sizeof(unsigned int);
}

static const struct file_operations muff_ops = {
	.owner = THIS_MODULE,
	.read = muff_read,
};

static struct miscdevice muff = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "muff",
	.fops = &muff_ops,
};
module_misc_device(muff);
