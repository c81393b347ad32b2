// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * uplink: keeps account of how long the network links of this machine are up.
 *
 * A notifier tells of each link when it comes up, when it is about to go down,
 * and when it is down.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <linux/slab.h>

#define UPLINK_MOST 16

struct uplink_account {
	const char *name;
	unsigned long times;
	s64 seconds;
};

struct uplink {
	ktime_t since;
	struct uplink_account *account;
};

static struct uplink_account loops = { .name = "loopback" };
static struct uplink_account wires = { .name = "wire" };

static struct kmem_cache *cache;
static struct uplink *uplinks[UPLINK_MOST]; /* by the number of the device */

static void uplink_comes_up(const struct net_device *dev)
{
	struct uplink *uplink = kmem_cache_zalloc(cache, GFP_KERNEL);

	if (!uplink)
		return;
	uplink->since = ktime_get();
	uplink->account = dev->flags & IFF_LOOPBACK ? &loops : &wires;
	uplinks[dev->ifindex] = uplink;
}

/* What is still sent is no traffic of this link: here its time ends. */
static void uplink_goes_down(const struct net_device *dev)
{
	struct uplink *uplink = uplinks[dev->ifindex];
	ktime_t up = ktime_sub(ktime_get(), uplink->since);

	uplink->account->seconds += ktime_divns(up, NSEC_PER_SEC);
	kmem_cache_free(cache, uplink);
}

static void uplink_is_down(const struct net_device *dev)
{
	struct uplink_account *account = uplinks[dev->ifindex]->account;

	account->times++;
	uplinks[dev->ifindex] = NULL;
	pr_info("%s: %s links were up %lu times, %lld s\n", dev->name,
		account->name, account->times, account->seconds);
}

static int uplink_event(struct notifier_block *block, unsigned long event,
			void *data)
{
	const struct net_device *dev = netdev_notifier_info_to_dev(data);

	if (dev->ifindex >= UPLINK_MOST)
		return NOTIFY_DONE;
	if (event == NETDEV_UP)
		uplink_comes_up(dev);
	else if (event == NETDEV_GOING_DOWN && uplinks[dev->ifindex])
		uplink_goes_down(dev);
	else if (event == NETDEV_DOWN && uplinks[dev->ifindex])
		uplink_is_down(dev);
	return NOTIFY_DONE;
}

static struct notifier_block uplink_block = { .notifier_call = uplink_event };

static int __init uplink_init(void)
{
	int error;

	cache = kmem_cache_create("uplink", sizeof(struct uplink), 0, 0, NULL);
	if (!cache)
		return -ENOMEM;
	error = register_netdevice_notifier(&uplink_block);
	if (error)
		kmem_cache_destroy(cache);
	return error;
}

static void __exit uplink_exit(void)
{
	int number;

	unregister_netdevice_notifier(&uplink_block);
	for (number = 0; number < UPLINK_MOST; number++)
		if (uplinks[number])
			kmem_cache_free(cache, uplinks[number]);
	kmem_cache_destroy(cache);
}

module_init(uplink_init);
module_exit(uplink_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Account of how long network links are up");
MODULE_VERSION("1.0");
