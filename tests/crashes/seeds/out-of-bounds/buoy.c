/* A network device that sends a beacon when it is opened; the beacon is larger than its buffer. */
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include "seed.h"

#define BEACON 3000

static struct net_device *device;

static int buoy_open(struct net_device *dev)
{
	struct sk_buff *skb = alloc_skb(ETH_ZLEN, GFP_KERNEL);

	if (!skb)
		return -ENOMEM;
	memset(skb_put(skb, BEACON), 0, ETH_ZLEN);
	kfree_skb(skb);
	return 0;
}

static netdev_tx_t buoy_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops buoy_ops = {
	.ndo_open = buoy_open,
	.ndo_start_xmit = buoy_xmit,
};

static void buoy_setup(struct net_device *dev)
{
	ether_setup(dev);
	eth_hw_addr_random(dev);
	dev->netdev_ops = &buoy_ops;
}

static int __init buoy_init(void)
{
	device = alloc_netdev(0, "buoy%d", NET_NAME_UNKNOWN, buoy_setup);
	return device ? register_netdev(device) : -ENOMEM;
}
module_init(buoy_init);
