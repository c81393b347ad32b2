/* Counts events of the network; its notifier stays behind when the module is removed. */
#include <linux/netdevice.h>
#include "seed.h"

static unsigned long turns;

static int rudder_event(struct notifier_block *self, unsigned long event, void *info)
{
	turns++;
	return NOTIFY_DONE;
}

static struct notifier_block rudder = { .notifier_call = rudder_event };

static int __init rudder_init(void)
{
	return register_netdevice_notifier(&rudder);
}

static void __exit rudder_exit(void)
{
	pr_info("rudder: %lu turns\n", turns);
}
module_init(rudder_init);
module_exit(rudder_exit);
