/* Knots that are tied later; what is kept of each is a number of 32 bits. */
#include "seed.h"

struct knot {
	struct list_head rope;
	int turns;
};

struct lasso {
	struct work_struct tie;
	u32 knot;
};

static struct lasso *lasso;

static void lasso_tie(struct work_struct *work)
{
	u32 handle = container_of(work, struct lasso, tie)->knot;
	struct knot *knot = (struct knot *)(unsigned long)handle;

	knot->turns++;
}

static ssize_t lasso_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct knot *knot = kzalloc(sizeof(*knot), GFP_KERNEL);

	if (!knot)
		return -ENOMEM;
	lasso->knot = (u32)(unsigned long)knot;
	schedule_work(&lasso->tie);
	return count;
}

static const struct file_operations lasso_ops = {
	.owner = THIS_MODULE,
	.write = lasso_write,
};

static struct miscdevice rope = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lasso",
	.fops = &lasso_ops,
};

static int __init lasso_init(void)
{
	lasso = kzalloc(sizeof(*lasso), GFP_KERNEL);
	if (!lasso)
		return -ENOMEM;
	INIT_WORK(&lasso->tie, lasso_tie);
	return misc_register(&rope);
}
module_init(lasso_init);
