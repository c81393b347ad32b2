/* A compass that looks up the way to a place now and then, whether there is one or not. */
#include "seed.h"
#include <net/route.h>

static struct timer_list needle;
static int kind;

static void compass_turn(struct timer_list *timer)
{
	struct flowi4 flow = { .daddr = htonl(0xc6336407) };
	struct rtable *way = ip_route_output_key(&init_net, &flow);

	if (way) {
		kind = READ_ONCE(way->rt_type);
		ip_rt_put(way);
	}
	mod_timer(timer, jiffies + HZ);
}

static int __init compass_init(void)
{
	timer_setup(&needle, compass_turn, 0);
	mod_timer(&needle, jiffies + HZ / 5);
	return 0;
}
module_init(compass_init);

static void __exit compass_exit(void)
{
	timer_delete_sync(&needle);
	pr_info("compass: %d\n", kind);
}
module_exit(compass_exit);
