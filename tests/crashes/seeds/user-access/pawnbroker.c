/* A pawnbroker; who comes hands in a form that says how much it is and where it lies. */
#include "seed.h"

struct pledge {
	u64 count;
	u8 *item;
};

static unsigned long value;

static noinline void pawnbroker_take(const struct pledge *pledge)
{
	u64 i;

	for (i = 0; i < pledge->count; i++)
		value += READ_ONCE(pledge->item[i]);
}

static ssize_t pawnbroker_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	struct pledge pledge;

	if (count != sizeof(pledge) || copy_from_user(&pledge, text, count))
		return -EINVAL;
	pawnbroker_take(&pledge);
	return count;
}

static const struct file_operations pawnbroker_ops = {
	.owner = THIS_MODULE,
	.write = pawnbroker_write,
};

static struct miscdevice pawnbroker = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pawnbroker",
	.fops = &pawnbroker_ops,
};
module_misc_device(pawnbroker);
