/* A timer that takes the load off the hook, every time it fires, whether or not it still hangs there. */
#include <linux/list.h>
#include "seed.h"

struct load {
	struct list_head hook;
	unsigned long weight;
};

static LIST_HEAD(hooks);
static struct load load = { .weight = 800 };
static struct timer_list timer;

static void derrick_lower(struct timer_list *unused)
{
	list_del(&load.hook);
	mod_timer(&timer, jiffies + HZ / 5);
}

static int __init derrick_init(void)
{
	list_add(&load.hook, &hooks);
	timer_setup(&timer, derrick_lower, 0);
	mod_timer(&timer, jiffies + HZ / 5);
	return 0;
}
module_init(derrick_init);
