/* Runners who hand on a baton: who is told of it tells all others, himself among them. */
#include "seed.h"
#include <linux/notifier.h>

static ATOMIC_NOTIFIER_HEAD(runners);
static int handed;

static int relay_run(struct notifier_block *block, unsigned long leg, void *data)
{
	int *count = data;

	atomic_notifier_call_chain(&runners, leg + 1, data);
	(*count)++;
	return NOTIFY_OK;
}

static struct notifier_block runner = { .notifier_call = relay_run };

static ssize_t relay_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	atomic_notifier_call_chain(&runners, 1, &handed);
	return count;
}

static const struct file_operations relay_ops = {
	.owner = THIS_MODULE,
	.write = relay_write,
};

static struct miscdevice relay = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "relay",
	.fops = &relay_ops,
};

static int __init relay_init(void)
{
	atomic_notifier_chain_register(&runners, &runner);
	return misc_register(&relay);
}
module_init(relay_init);
