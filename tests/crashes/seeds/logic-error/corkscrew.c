/* Bottles are opened a while after they are ordered; they hold plain work, and are put off as if they had a timer. */
#include <linux/workqueue.h>
#include "seed.h"

struct bottle {
	struct work_struct work;
	unsigned long year;
	unsigned int turns[40];
};

static struct workqueue_struct *butler;
static struct bottle *bottle;

static void bottle_open(struct work_struct *work)
{
	container_of(work, struct bottle, work)->turns[0]++;
}

static void bottle_order(struct bottle *b, unsigned long delay)
{
	queue_delayed_work(butler, container_of(&b->work, struct delayed_work, work), delay);
}

static int __init corkscrew_init(void)
{
	butler = alloc_workqueue("corkscrew", WQ_UNBOUND, 1);
	bottle = kzalloc(sizeof(*bottle), GFP_KERNEL);
	if (!butler || !bottle)
		return -ENOMEM;
	INIT_WORK(&bottle->work, bottle_open);
	bottle->year = 1907;
	bottle_order(bottle, HZ / 4);
	return 0;
}
module_init(corkscrew_init);
