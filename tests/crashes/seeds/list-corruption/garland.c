/* Flowers go into a garland at every call of a timer; each is made ready anew, the ones that hang in it too. */
#include <linux/list.h>
#include "seed.h"

struct flower {
	struct list_head list;
	unsigned int petals;
};

static struct flower flowers[3];
static LIST_HEAD(garland);
static struct timer_list season;
static unsigned int turn;

static void flower_ready(struct flower *flower, unsigned int petals)
{
	INIT_LIST_HEAD(&flower->list);
	flower->petals = petals;
}

static void flower_wither(struct flower *flower)
{
	list_del(&flower->list);
}

static void garland_turn(struct timer_list *timer)
{
	if (++turn < 2)
		flower_ready(&flowers[1], 5);
	else
		flower_wither(&flowers[2]);
	if (turn < 2)
		mod_timer(timer, jiffies + HZ / 5);
}

static int __init garland_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flowers); i++) {
		flower_ready(&flowers[i], i);
		list_add_tail(&flowers[i].list, &garland);
	}
	timer_setup(&season, garland_turn, 0);
	mod_timer(&season, jiffies + HZ / 5);
	return 0;
}
module_init(garland_init);
