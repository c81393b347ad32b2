/* A sled that gets a kick every second, by delayed work; it goes when it is told to. */
#include "seed.h"

static unsigned long kicks;

static void kicksled_kick(struct work_struct *work)
{
	kicks++;
	schedule_delayed_work(to_delayed_work(work), HZ);
}

static DECLARE_DELAYED_WORK(kick, kicksled_kick);

static int __init kicksled_init(void)
{
	schedule_delayed_work(&kick, HZ);
	return 0;
}

static void __exit kicksled_exit(void)
{
	pr_info("kicksled: %lu kicks\n", kicks);
}
module_init(kicksled_init);
module_exit(kicksled_exit);
