/* Shows its window, of many panes, to whoever maps it; its pages are not counted for those who look at it. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include "seed.h"

#define ORDER 4

static struct page *window;

static vm_fault_t shopfront_fault(struct vm_fault *vmf)
{
	if (vmf->pgoff >= 1 << ORDER)
		return VM_FAULT_SIGBUS;
	vmf->page = window + vmf->pgoff;
	return 0;
}

static const struct vm_operations_struct shopfront_vm_ops = { .fault = shopfront_fault };

static int shopfront_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &shopfront_vm_ops;
	return 0;
}

/* With both eyes. */
static int shopfront_look(struct file *file, char *seen)
{
	unsigned long eyes[2];
	int i, error = 0;

	for (i = 0; i < ARRAY_SIZE(eyes); i++) {
		eyes[i] = vm_mmap(file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, i << PAGE_SHIFT);
		if (IS_ERR_VALUE(eyes[i]))
			return eyes[i];
		error |= get_user(*seen, (char __user *)eyes[i]);
	}
	while (i--)
		vm_munmap(eyes[i], PAGE_SIZE);
	return error;
}

static ssize_t shopfront_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	char seen = 0;
	int error = shopfront_look(file, &seen);

	if (error)
		return error;
	return put_user(seen, text) ? -EFAULT : 1;
}

static const struct file_operations shopfront_ops = {
	.owner = THIS_MODULE,
	.mmap = shopfront_mmap,
	.read = shopfront_read,
};

static struct miscdevice shopfront = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "shopfront",
	.fops = &shopfront_ops,
};

static int __init shopfront_init(void)
{
	window = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, ORDER);
	if (!window)
		return -ENOMEM;
	memset(page_address(window), 'w', PAGE_SIZE << ORDER);
	return misc_register(&shopfront);
}
module_init(shopfront_init);
