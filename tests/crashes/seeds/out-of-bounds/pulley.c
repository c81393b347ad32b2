/* Gives its label of 60 bytes to a reader, as many bytes of it as the reader asks for. */
#include "seed.h"

#define SIZE 60

static char *label;

static ssize_t pulley_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	if (*pos)
		return 0;
	if (copy_to_user(text, label, count))
		return -EFAULT;
	*pos += count;
	return count;
}

static const struct file_operations pulley_ops = {
	.owner = THIS_MODULE,
	.read = pulley_read,
};

static struct miscdevice pulley = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pulley",
	.fops = &pulley_ops,
};

static int __init pulley_init(void)
{
	label = kzalloc(SIZE, GFP_KERNEL);
	return label ? misc_register(&pulley) : -ENOMEM;
}
module_init(pulley_init);
