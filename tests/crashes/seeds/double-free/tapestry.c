/* A tapestry with a motif of its own; a second one is woven after the first. */
#include <linux/debugfs.h>
#include "seed.h"

struct tapestry {
	unsigned int width, height;
	char *motif;
};

static struct tapestry first, second;

static int tapestry_weave(void)
{
	first.width = 300;
	first.motif = kzalloc(190, GFP_KERNEL);
	return first.motif ? 0 : -ENOMEM;
}

static noinline void tapestry_drop(void)
{
	kfree(first.motif);
	kfree(second.motif);
	memset(&first, 0, sizeof(first));
	memset(&second, 0, sizeof(second));
}

static ssize_t tapestry_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	int error = 0;
	char word;

	if (get_user(word, text))
		return -EFAULT;
	if (word == 'w')
		error = tapestry_weave();
	else if (word == 'c')
		second = first;
	else
		tapestry_drop();
	return error ? error : count;
}

static const struct file_operations tapestry_ops = {
	.owner = THIS_MODULE,
	.write = tapestry_write,
};

static int __init tapestry_init(void)
{
	debugfs_create_file("tapestry", 0200, NULL, NULL, &tapestry_ops);
	return 0;
}
module_init(tapestry_init);
