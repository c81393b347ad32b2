/* Nine skittles, each of which may bear a mark; after each throw somebody tells the score. */
#include "seed.h"

static void skittles_tell(unsigned int fallen)
{
	pr_info("skittles: %u\n", fallen);
}

static struct {
	char marks[9];
	void (*tell)(unsigned int fallen);
} lane = { .tell = skittles_tell };

static ssize_t skittles_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	char *mark = lane.marks;
	size_t i;

	for (i = 0; i < count; i++)
		if (get_user(mark[i], text + i))
			return -EFAULT;
	lane.tell(count);
	return count;
}

static const struct file_operations skittles_ops = {
	.owner = THIS_MODULE,
	.write = skittles_write,
};

static struct miscdevice skittles = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "skittles",
	.fops = &skittles_ops,
};
module_misc_device(skittles);
