/* Boats at a pontoon are let go after a grace period; not the function is handed over, but its table. */
#include "seed.h"
#include <linux/rcupdate.h>

struct boat {
	struct rcu_head rcu;
	void *leave;
};

static void pontoon_leave(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct boat, rcu));
}

static struct {
	void (*leave)(struct rcu_head *rcu);
	int berths;
} harbour = { pontoon_leave, 12 };

static ssize_t pontoon_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct boat *boat = kzalloc(sizeof(*boat), GFP_KERNEL);

	if (!boat)
		return -ENOMEM;
	boat->leave = &harbour;
	call_rcu(&boat->rcu, (rcu_callback_t)READ_ONCE(boat->leave));
	return count;
}

static const struct file_operations pontoon_ops = {
	.owner = THIS_MODULE,
	.write = pontoon_write,
};

static struct miscdevice pontoon = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pontoon",
	.fops = &pontoon_ops,
};
module_misc_device(pontoon);
