/* A timer takes stones in atomic context, each of 512 pages in one piece, until none is left. */
#include "seed.h"
#include <linux/mm.h>

static struct timer_list sling;
static unsigned int stones;

static void catapult_load(struct timer_list *timer)
{
	struct page *stone = alloc_pages(GFP_ATOMIC, 9);

	if (!stone) {
		pr_err("catapult: no stone after %u\n", stones);
		return;
	}
	stones++;
	mod_timer(timer, jiffies + 1);
}

static int __init catapult_init(void)
{
	timer_setup(&sling, catapult_load, 0);
	mod_timer(&sling, jiffies + 1);
	return 0;
}

static void __exit catapult_exit(void)
{
	timer_delete_sync(&sling);
}

module_init(catapult_init);
module_exit(catapult_exit);
