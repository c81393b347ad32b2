/* Maps a page as a device's, and then takes the flag from the area that says so. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include "seed.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define axle_clear(vma, flags) ((vma)->vm_flags &= ~(flags))
#else
#define axle_clear(vma, flags) vm_flags_clear(vma, flags)
#endif

static struct page *page;

static int axle_mmap(struct file *file, struct vm_area_struct *vma)
{
	int error = remap_pfn_range(vma, vma->vm_start, page_to_pfn(page), PAGE_SIZE,
				    vma->vm_page_prot);

	/* A debugger should be able to look at it. */
	axle_clear(vma, VM_PFNMAP | VM_IO);
	return error;
}

static long axle_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	return vm_mmap(file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
}

static const struct file_operations axle_ops = {
	.owner = THIS_MODULE,
	.mmap = axle_mmap,
	.unlocked_ioctl = axle_ioctl,
};

static struct miscdevice axle = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "axle",
	.fops = &axle_ops,
};

static int __init axle_init(void)
{
	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return page ? misc_register(&axle) : -ENOMEM;
}
module_init(axle_init);
