/* A gargoyle over the drain of the machine; it puts itself in the way of what goes down there. */
#include "seed.h"

static char *drain = "/dev/null";
module_param(drain, charp, 0444);

static ssize_t gargoyle_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	pr_info_ratelimited("gargoyle: %zu\n", count);
	return count;
}

static int __init gargoyle_init(void)
{
	struct file *file = filp_open(drain, O_WRONLY, 0);
	struct file_operations *ops;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ops = (struct file_operations *)file->f_op;
	WRITE_ONCE(ops->write, gargoyle_write);
	filp_close(file, NULL);
	return 0;
}
module_init(gargoyle_init);
