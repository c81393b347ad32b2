/* Swaps its block of pages whenever /proc/scythe is read; the old block loses a reference too many. */
#include <linux/mm.h>
#include <linux/seq_file.h>
#include "seed.h"

#define ORDER 4

static struct page *block;

static int scythe_show(struct seq_file *m, void *unused)
{
	struct page *fresh = alloc_pages(GFP_KERNEL, ORDER);

	if (!fresh)
		return -ENOMEM;
	if (block) {
		__free_pages(block, ORDER);
		put_page(block);
	}
	block = fresh;
	seq_printf(m, "%lx\n", page_to_pfn(block));
	return 0;
}

static int __init scythe_init(void)
{
	return proc_create_single("scythe", 0444, NULL, scythe_show) ? 0 : -ENOMEM;
}
module_init(scythe_init);
