/* A timer waits for a ship to answer its light, by polling; no ship ever answers. */
#include "seed.h"

static struct timer_list lamp;
static int answered;

static noinline void lighthouse_poll(void)
{
	while (!READ_ONCE(answered))
		cpu_relax();
}

static void lighthouse_flash(struct timer_list *timer)
{
	lighthouse_poll();
	mod_timer(timer, jiffies + HZ);
}

static int __init lighthouse_init(void)
{
	timer_setup(&lamp, lighthouse_flash, 0);
	mod_timer(&lamp, jiffies + HZ / 2);
	return 0;
}
module_init(lighthouse_init);
