/* Sums the bytes of the writer's page, in place; it lets go of the page once too often. */
#include <linux/highmem.h>
#include <linux/mm.h>
#include "seed.h"

static unsigned long sum;

static ssize_t pier_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	unsigned long start = (unsigned long)text & PAGE_MASK;
	struct page *page;
	char *bytes;
	int i;

	if (get_user_pages_fast(start, 1, FOLL_WRITE, &page) != 1)
		return -EFAULT;
	bytes = kmap(page);
	for (i = 0; i < PAGE_SIZE; i++)
		sum += bytes[i];
	kunmap(page);
	set_page_dirty_lock(page);
	put_page(page);
	put_page(page);
	return count;
}

static const struct file_operations pier_ops = {
	.owner = THIS_MODULE,
	.write = pier_write,
};

static struct miscdevice pier = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pier",
	.fops = &pier_ops,
};
module_misc_device(pier);
