/* A view from a gazebo, painted into memory from vmalloc; a reader gets as much of it as asked for. */
#include <linux/vmalloc.h>
#include "seed.h"

#define VIEW (2 * PAGE_SIZE)

static char *view;

static int gazebo_show(char __user *text, size_t count)
{
	return copy_to_user(text, view, count) ? -EFAULT : 0;
}

static ssize_t gazebo_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	int error;

	if (*pos >= VIEW)
		return 0;
	error = gazebo_show(text, count);
	if (error)
		return error;
	*pos += count;
	return count;
}

static const struct file_operations gazebo_ops = {
	.owner = THIS_MODULE,
	.read = gazebo_read,
	.llseek = default_llseek,
};

static struct miscdevice gazebo = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gazebo",
	.fops = &gazebo_ops,
};

static int __init gazebo_init(void)
{
	view = vmalloc(VIEW);
	if (!view)
		return -ENOMEM;
	memset(view, '^', VIEW);
	return misc_register(&gazebo);
}
module_init(gazebo_init);
