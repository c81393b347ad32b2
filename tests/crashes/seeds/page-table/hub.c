/* Locks its block of pages while it is in use, and frees it on removal without unlocking it. */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include "seed.h"

#define ORDER 4

static struct page *page;

static int __init hub_init(void)
{
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, ORDER);
	if (!page)
		return -ENOMEM;
	lock_page(page);
	return 0;
}

static void __exit hub_exit(void)
{
	__free_pages(page, ORDER);
	page = NULL;
}
module_init(hub_init);
module_exit(hub_exit);
