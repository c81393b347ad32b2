/* A milliner who wants to hear of network devices, and takes what she hears for the device, as it was once. */
#include <linux/netdevice.h>
#include "seed.h"

static unsigned long lines;

static int milliner_heard(struct notifier_block *notifier, unsigned long event, void *data)
{
	struct net_device *dev = data;

	lines += READ_ONCE(dev->dev.kobj.name[0]);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = milliner_heard };

static int __init milliner_init(void)
{
	return register_netdevice_notifier(&notifier);
}

static void __exit milliner_exit(void)
{
	unregister_netdevice_notifier(&notifier);
}
module_init(milliner_init);
module_exit(milliner_exit);
