/* Reading counts the sheep in a list below RCU; the list has been made a ring by mistake. */
#include "seed.h"

struct sheep {
	struct sheep *next;
};

static struct sheep flock[4];

static noinline int sheepfold_count(const struct sheep *first)
{
	const struct sheep *sheep;
	int number = 0;

	rcu_read_lock();
	for (sheep = first; sheep; sheep = READ_ONCE(sheep->next))
		number++;
	rcu_read_unlock();
	return number;
}

static ssize_t sheepfold_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	return sheepfold_count(flock) ? 0 : -ENOENT;
}

static const struct file_operations sheepfold_ops = {
	.owner = THIS_MODULE,
	.read = sheepfold_read,
};

static struct miscdevice sheepfold = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sheepfold",
	.fops = &sheepfold_ops,
};

static int __init sheepfold_init(void)
{
	size_t n;

	for (n = 0; n < ARRAY_SIZE(flock); n++)
		flock[n].next = &flock[(n + 1) % ARRAY_SIZE(flock)];
	return misc_register(&sheepfold);
}
module_init(sheepfold_init);
