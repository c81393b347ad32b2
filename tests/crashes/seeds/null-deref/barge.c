/* A network interface whose frames go down a lane; sending works on without one. */
#include "seed.h"
#include <linux/etherdevice.h>
#include <linux/netdevice.h>

struct lane {
	long barges;
	long tons;
};

struct barge {
	struct lane *lane;
};

static struct net_device *barge;

static netdev_tx_t barge_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct barge *priv = netdev_priv(dev);

	priv->lane->tons += skb->len;
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops barge_ops = {
	.ndo_start_xmit = barge_xmit,
};

static int __init barge_init(void)
{
	int err;

	barge = alloc_netdev(sizeof(struct barge), "barge%d", NET_NAME_UNKNOWN, ether_setup);
	if (!barge)
		return -ENOMEM;
	barge->netdev_ops = &barge_ops;
	barge->flags |= IFF_NOARP;
	eth_hw_addr_random(barge);
	err = register_netdev(barge);
	if (err)
		free_netdev(barge);
	return err;
}
module_init(barge_init);

static void __exit barge_exit(void)
{
	unregister_netdev(barge);
	free_netdev(barge);
}
module_exit(barge_exit);
