/* Follows network devices by a notifier, and takes the lock there that its caller holds already. */
#include "seed.h"
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

static int towpath_event(struct notifier_block *self, unsigned long event, void *data)
{
	if (event != NETDEV_CHANGEMTU)
		return NOTIFY_DONE;
	rtnl_lock();
	pr_info("towpath: %s changed\n", netdev_notifier_info_to_dev(data)->name);
	rtnl_unlock();
	return NOTIFY_OK;
}

static struct notifier_block towpath = { .notifier_call = towpath_event };

static int __init towpath_init(void)
{
	return register_netdevice_notifier(&towpath);
}
module_init(towpath_init);
