/* Replaces its plan under RCU; the old one is freed at once and once more after a grace period. */
#include <linux/rcupdate.h>
#include "seed.h"

struct plan {
	char text[100];
	struct rcu_head rcu;
};

static struct plan *plan;

static ssize_t harrow_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	struct plan *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	struct plan *old;

	if (!fresh)
		return -ENOMEM;
	if (copy_from_user(fresh->text, text, min(count, sizeof(fresh->text) - 1))) {
		kfree(fresh);
		return -EFAULT;
	}
	old = xchg(&plan, fresh);
	if (old) {
		kfree_rcu(old, rcu);
		kfree(old);
	}
	return count;
}

static const struct file_operations harrow_ops = {
	.owner = THIS_MODULE,
	.write = harrow_write,
};

static struct miscdevice harrow = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "harrow",
	.fops = &harrow_ops,
};
module_misc_device(harrow);
