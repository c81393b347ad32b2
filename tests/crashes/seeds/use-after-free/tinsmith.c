/* A tinsmith who makes as many cans as /proc/tinsmith is told, and melts them all for a nought. */
#include "seed.h"

struct can {
	unsigned long litres[10];
	struct list_head list;
};

static LIST_HEAD(cans);

static noinline void tinsmith_melt(void)
{
	struct can *can;

	list_for_each_entry(can, &cans, list) {
		list_del(&can->list);
		can->litres[0] = 0;
		kfree(can);
	}
}

static int tinsmith_make(unsigned int many)
{
	struct can *can;

	while (many--) {
		can = kzalloc(sizeof(*can), GFP_KERNEL);
		if (!can)
			return -ENOMEM;
		list_add_tail(&can->list, &cans);
	}
	return 0;
}

static ssize_t tinsmith_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	unsigned int many;
	int error = kstrtouint_from_user(text, count, 0, &many);

	if (error)
		return error;
	if (many)
		error = tinsmith_make(many);
	else
		tinsmith_melt();
	return error ? error : count;
}

static const struct proc_ops tinsmith_ops = { .proc_write = tinsmith_write };

static int __init tinsmith_init(void)
{
	return proc_create("tinsmith", 0200, NULL, &tinsmith_ops) ? 0 : -ENOMEM;
}
module_init(tinsmith_init);
