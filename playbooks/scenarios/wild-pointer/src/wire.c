// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * wire: a network device that leads nowhere.
 *
 * Each packet sent takes a slot of a ring. A slot holds the packet and, in the
 * upper 16 bits which all kernel addresses have in common, the number of its
 * turn, so that both are exchanged at once.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

#define SLOTS 4
#define TURN_SHIFT 48
#define PACKET_BITS GENMASK_ULL(TURN_SHIFT - 1, 0)

struct wire {
	u64 ring[SLOTS];
	unsigned int next;
	u16 turn;
};

static struct net_device *device;

static u64 wire_pack(struct sk_buff *packet, u16 turn)
{
	return ((unsigned long)packet & PACKET_BITS) | (u64)turn << TURN_SHIFT;
}

static struct sk_buff *wire_unpack(u64 slot)
{
	return (struct sk_buff *)(unsigned long)slot;
}

static netdev_tx_t wire_xmit(struct sk_buff *packet, struct net_device *dev)
{
	struct wire *wire = netdev_priv(dev);
	u64 *slot = &wire->ring[wire->next];
	struct sk_buff *old = *slot ? wire_unpack(*slot) : NULL;

	if (old) {
		dev->stats.tx_packets++;
		dev->stats.tx_bytes += old->len;
		dev_kfree_skb(old);
	}
	*slot = wire_pack(packet, ++wire->turn);
	wire->next = (wire->next + 1) % SLOTS;
	return NETDEV_TX_OK;
}

static void wire_drain(struct wire *wire)
{
	unsigned int number;

	for (number = 0; number < SLOTS; number++) {
		if (wire->ring[number])
			dev_kfree_skb(wire_unpack(wire->ring[number]));
		wire->ring[number] = 0;
	}
}

static int wire_open(struct net_device *dev)
{
	netif_start_queue(dev);
	return 0;
}

static int wire_stop(struct net_device *dev)
{
	netif_stop_queue(dev);
	wire_drain(netdev_priv(dev));
	return 0;
}

static const struct net_device_ops wire_operations = {
	.ndo_open = wire_open,
	.ndo_stop = wire_stop,
	.ndo_start_xmit = wire_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void wire_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &wire_operations;
	dev->flags |= IFF_NOARP;
	eth_hw_addr_random(dev);
}

static int __init wire_init(void)
{
	int error;

	device = alloc_netdev(sizeof(struct wire), "wire%d", NET_NAME_ENUM,
			      wire_setup);
	if (!device)
		return -ENOMEM;
	error = register_netdev(device);
	if (error)
		free_netdev(device);
	return error;
}

static void __exit wire_exit(void)
{
	unregister_netdev(device);
	free_netdev(device);
}

module_init(wire_init);
module_exit(wire_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("A network device that leads nowhere");
MODULE_VERSION("1.0");
