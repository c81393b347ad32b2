/* A network device of a ropeway; a second start registers the same device once more. */
#include "seed.h"
#include <linux/netdevice.h>
#include <linux/etherdevice.h>

static struct net_device *cabin;

static netdev_tx_t gondola_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops gondola_netdev_ops = {
	.ndo_start_xmit = gondola_xmit,
};

static ssize_t gondola_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	int err = register_netdev(cabin);

	return err ? err : size;
}

static const struct file_operations gondola_ops = {
	.owner = THIS_MODULE,
	.write = gondola_write,
};

static struct miscdevice gondola = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gondola",
	.fops = &gondola_ops,
};

static int __init gondola_init(void)
{
	cabin = alloc_etherdev(0);
	if (!cabin)
		return -ENOMEM;
	cabin->netdev_ops = &gondola_netdev_ops;
	eth_hw_addr_random(cabin);
	return misc_register(&gondola);
}
module_init(gondola_init);
