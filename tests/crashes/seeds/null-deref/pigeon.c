/* A pigeon that comes home after a while; its home is only known once somebody has built one. */
#include "seed.h"

struct loft {
	char village[16];
	int arrivals;
};

struct pigeon {
	struct timer_list timer;
	struct loft *home;
};

static struct pigeon *bird;

static void pigeon_arrive(struct timer_list *timer)
{
	struct pigeon *pigeon = timer_container_of(pigeon, timer, timer);

	pigeon->home->arrivals++;
}

static int __init pigeon_init(void)
{
	bird = kzalloc(sizeof(*bird), GFP_KERNEL);
	if (!bird)
		return -ENOMEM;
	timer_setup(&bird->timer, pigeon_arrive, 0);
	mod_timer(&bird->timer, jiffies + HZ / 5);
	return 0;
}
module_init(pigeon_init);

static void __exit pigeon_exit(void)
{
	timer_delete_sync(&bird->timer);
	kfree(bird);
}
module_exit(pigeon_exit);
