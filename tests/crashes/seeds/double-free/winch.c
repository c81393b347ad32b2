/* A network device that drops short packets, and then frees them as if it had sent them. */
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include "seed.h"

#define SHORTEST 200

static struct net_device *device;

static netdev_tx_t winch_xmit(struct sk_buff *skb, struct net_device *dev)
{
	if (skb->len < SHORTEST) {
		dev->stats.tx_dropped++;
		kfree_skb(skb);
	}
	dev->stats.tx_packets++;
	consume_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops winch_ops = { .ndo_start_xmit = winch_xmit };

static void winch_setup(struct net_device *dev)
{
	ether_setup(dev);
	eth_hw_addr_random(dev);
	dev->netdev_ops = &winch_ops;
}

static int __init winch_init(void)
{
	device = alloc_netdev(0, "winch%d", NET_NAME_UNKNOWN, winch_setup);
	return device ? register_netdev(device) : -ENOMEM;
}
module_init(winch_init);
