/* A network device that counts its ticks; parking it frees the device, and the timer ticks on. */
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include "seed.h"

struct saddle {
	unsigned long *ticks;
};

static struct net_device *device;
static struct timer_list timer;
static unsigned long ticks;

static netdev_tx_t saddle_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops saddle_ops = { .ndo_start_xmit = saddle_xmit };

static void saddle_tick(struct timer_list *unused)
{
	struct saddle *saddle = netdev_priv(device);

	*saddle->ticks += 1;
	mod_timer(&timer, jiffies + HZ / 4);
}

static void saddle_setup(struct net_device *dev)
{
	ether_setup(dev);
	eth_hw_addr_random(dev);
	dev->netdev_ops = &saddle_ops;
}

static int saddle_park(const char *text, const struct kernel_param *param)
{
	unregister_netdev(device);
	free_netdev(device);
	return 0;
}

static const struct kernel_param_ops park_ops = { .set = saddle_park };
module_param_cb(park, &park_ops, NULL, 0200);

static int __init saddle_init(void)
{
	struct saddle *saddle;

	device = alloc_netdev(sizeof(*saddle), "saddle%d", NET_NAME_UNKNOWN, saddle_setup);
	if (!device)
		return -ENOMEM;
	saddle = netdev_priv(device);
	saddle->ticks = &ticks;
	timer_setup(&timer, saddle_tick, 0);
	mod_timer(&timer, jiffies + HZ / 4);
	return register_netdev(device);
}
module_init(saddle_init);
