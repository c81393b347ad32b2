/* Counts days in a timer; the month is never reset, so that a warning finds day 32. */
#include "seed.h"

#define DAYS 31

static struct timer_list midnight;
static unsigned int day = 29;

static void almanac_midnight(struct timer_list *timer)
{
	day++;
	WARN_ON(day > DAYS);
	if (day <= DAYS)
		mod_timer(timer, jiffies + HZ / 10);
}

static int __init almanac_init(void)
{
	timer_setup(&midnight, almanac_midnight, 0);
	mod_timer(&midnight, jiffies + HZ / 10);
	return 0;
}

static void __exit almanac_exit(void)
{
	timer_delete_sync(&midnight);
}

module_init(almanac_init);
module_exit(almanac_exit);
