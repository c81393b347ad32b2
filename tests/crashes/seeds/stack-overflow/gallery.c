/* A gallery in which each word is heard; a copy of it is written to a file, which is set as a parameter. */
#include <linux/uio.h>
#include "seed.h"

static char copy[64];
module_param_string(copy, copy, sizeof(copy), 0644);

static ssize_t gallery_write(struct kiocb *kiocb, struct iov_iter *from)
{
	size_t count = iov_iter_count(from);
	char word[100] = "";
	struct file *file;
	loff_t pos = 0;

	if (copy_from_iter(word, min(count, sizeof(word) - 1), from) == 0)
		return -EFAULT;
	file = filp_open(strim(copy), O_WRONLY, 0);
	if (IS_ERR(file))
		return count;
	kernel_write(file, word, strlen(word), &pos);
	filp_close(file, NULL);
	return count;
}

static const struct file_operations gallery_ops = {
	.owner = THIS_MODULE,
	.write_iter = gallery_write,
};

static struct miscdevice gallery = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gallery",
	.fops = &gallery_ops,
};
module_misc_device(gallery);
