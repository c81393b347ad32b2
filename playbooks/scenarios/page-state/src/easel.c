// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * easel: a picture whose colours programs may mix.
 *
 * Whoever opens /dev/easel gets a picture of its own, which is read as bytes;
 * its first page, which holds the palette, is mapped.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#define PICTURE_ORDER 4
#define PICTURE_BYTES (PAGE_SIZE << PICTURE_ORDER)

/* remap_pfn_range maps ordinary memory only where its page is reserved. */
static int easel_open(struct inode *inode, struct file *file)
{
	unsigned long picture = __get_free_pages(GFP_KERNEL | __GFP_ZERO, PICTURE_ORDER);

	if (!picture)
		return -ENOMEM;
	SetPageReserved(virt_to_page((void *)picture));
	file->private_data = (void *)picture;
	return 0;
}

static ssize_t easel_read(struct file *file, char __user *buf, size_t count,
			  loff_t *pos)
{
	return simple_read_from_buffer(buf, count, pos, file->private_data,
				       PICTURE_BYTES);
}

static int easel_mmap(struct file *file, struct vm_area_struct *area)
{
	if (area->vm_pgoff || area->vm_end - area->vm_start != PAGE_SIZE)
		return -EINVAL;
	return remap_pfn_range(area, area->vm_start,
			       virt_to_phys(file->private_data) >> PAGE_SHIFT,
			       PAGE_SIZE, area->vm_page_prot);
}

/* A mapping holds the file, so nobody has the page mapped any more. */
static int easel_release(struct inode *inode, struct file *file)
{
	free_pages((unsigned long)file->private_data, PICTURE_ORDER);
	return 0;
}

static const struct file_operations easel_operations = {
	.owner = THIS_MODULE,
	.open = easel_open,
	.read = easel_read,
	.mmap = easel_mmap,
	.release = easel_release,
	.llseek = default_llseek,
};

static struct miscdevice easel_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "easel",
	.fops = &easel_operations,
	.mode = 0600,
};

module_misc_device(easel_device);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("A picture whose colours programs may mix");
MODULE_VERSION("1.0");
