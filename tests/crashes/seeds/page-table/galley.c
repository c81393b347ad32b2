/* A read maps a page into the reader and gives the page back, which the mmap function has done too. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include "seed.h"

static struct page *galley_page;

static int galley_mmap(struct file *file, struct vm_area_struct *vma)
{
	int error;

	galley_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!galley_page)
		return -ENOMEM;
	error = vm_insert_page(vma, vma->vm_start, galley_page);
	__free_page(galley_page);
	return error;
}

static ssize_t galley_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	unsigned long start = vm_mmap(file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);

	if (IS_ERR_VALUE(start))
		return start;
	__free_page(galley_page);
	return 0;
}

static const struct file_operations galley_ops = {
	.owner = THIS_MODULE,
	.mmap = galley_mmap,
	.read = galley_read,
};

static struct miscdevice galley = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "galley",
	.fops = &galley_ops,
};
module_misc_device(galley);
