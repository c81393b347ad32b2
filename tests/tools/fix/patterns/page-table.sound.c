// SPDX-License-Identifier: MIT
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>

static unsigned long lamp_pfn;

static int lamp_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long size = vma->vm_end - vma->vm_start;

	if (vma->vm_pgoff || size > PAGE_SIZE)
		return -EINVAL;
	return remap_pfn_range(vma, vma->vm_start, lamp_pfn, size, vma->vm_page_prot);
}

static int checked_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vm_iomap_memory(vma, lamp_pfn << PAGE_SHIFT, PAGE_SIZE);
}
