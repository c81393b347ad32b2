/* Work that gives back pages which it took one by one, two at a time. */
#include <linux/gfp.h>
#include "seed.h"

static unsigned long pages[32];

static void boom_drop(struct work_struct *work)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		free_pages(pages[i], 1);
}

static DECLARE_WORK(drop, boom_drop);

static int __init boom_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = __get_free_page(GFP_KERNEL);
		if (!pages[i])
			return -ENOMEM;
	}
	queue_work(system_unbound_wq, &drop);
	return 0;
}
module_init(boom_init);
