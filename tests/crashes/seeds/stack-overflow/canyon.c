/* A shout in a canyon, sent back by either wall to the other until it is too faint. */
#include "seed.h"

static struct timer_list shout;
static int loss;
module_param(loss, int, 0644);

static int canyon_east(int loudness);

static noinline int canyon_west(int loudness)
{
	volatile int heard = loudness - READ_ONCE(loss);

	return heard > 0 ? canyon_east(heard) + heard : 0;
}

static noinline int canyon_east(int loudness)
{
	volatile int heard = loudness - READ_ONCE(loss);

	return heard > 0 ? canyon_west(heard) + heard : 0;
}

static void canyon_shout(struct timer_list *timer)
{
	pr_info("canyon: %d\n", canyon_west(90));
}

static int __init canyon_init(void)
{
	timer_setup(&shout, canyon_shout, 0);
	mod_timer(&shout, jiffies + HZ / 5);
	return 0;
}
module_init(canyon_init);

static void __exit canyon_exit(void)
{
	timer_delete_sync(&shout);
}
module_exit(canyon_exit);
