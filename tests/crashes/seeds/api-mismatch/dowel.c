/* Built for an old kernel with other headers and inserted by force; it finds struct file otherwise laid out. */
#include "seed.h"

MODULE_INFO(vermagic, "4.9.0-19 SMP mod_unload modversions ");

/* As the other kernel's header has it. */
struct old_file {
	unsigned long head[6];
	void *private_data;
};

static ssize_t dowel_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	struct old_file *old = (struct old_file *)file;
	unsigned long *joints = old->private_data;

	WRITE_ONCE(*joints, 1);
	return 0;
}

static const struct file_operations dowel_ops = {
	.owner = THIS_MODULE,
	.read = dowel_read,
};

static struct miscdevice dowel = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dowel",
	.fops = &dowel_ops,
};
module_misc_device(dowel);
