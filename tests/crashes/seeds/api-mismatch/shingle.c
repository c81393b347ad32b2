/* A file in /proc whose functions are given in the table that kernels before 5.6 wanted. */
#include "seed.h"

struct roof {
	unsigned long rows;
	unsigned long reads;
};

static int shingle_open(struct inode *inode, struct file *file)
{
	struct roof *roof = kzalloc(sizeof(*roof), GFP_KERNEL);

	if (!roof)
		return -ENOMEM;
	file->private_data = roof;
	return 0;
}

static ssize_t shingle_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	struct roof *roof = file->private_data;

	roof->reads++;
	return 0;
}

static const struct file_operations shingle_ops = {
	.owner = THIS_MODULE,
	.open = shingle_open,
	.read = shingle_read,
};

static int __init shingle_init(void)
{
	const void *ops = &shingle_ops;

	return proc_create("shingle", 0444, NULL, ops) ? 0 : -ENOMEM;
}
module_init(shingle_init);
