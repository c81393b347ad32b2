/* Counts what leaves this machine by a hook of netfilter, and looks where it came in. */
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include "seed.h"

static unsigned long near, far;

static unsigned int gatepost_look(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	if (state->in->flags & IFF_LOOPBACK)
		near++;
	else
		far++;
	return NF_ACCEPT;
}

static const struct nf_hook_ops gatepost_ops = {
	.hook = gatepost_look,
	.pf = NFPROTO_IPV4,
	.hooknum = NF_INET_LOCAL_OUT,
	.priority = NF_IP_PRI_FILTER,
};

static int __init gatepost_init(void)
{
	return nf_register_net_hook(&init_net, &gatepost_ops);
}

static void __exit gatepost_exit(void)
{
	nf_unregister_net_hook(&init_net, &gatepost_ops);
	pr_info("gatepost: %lu near, %lu far\n", near, far);
}
module_init(gatepost_init);
module_exit(gatepost_exit);
