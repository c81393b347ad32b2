/* A pilgrim who asks the routing table by which way to go to an address. */
#include <net/net_namespace.h>
#include <net/route.h>
#include "seed.h"

static noinline int pilgrim_ask(u32 address)
{
	struct flowi4 to = { .daddr = htonl(address) };
	struct rtable *way = ip_route_output_key(&init_net, &to);

	if (!way)
		return -EHOSTUNREACH;
	pr_info("pilgrim: by way of %s\n", way->dst.dev->name);
	ip_rt_put(way);
	return 0;
}

static ssize_t pilgrim_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	u32 address;
	int error = kstrtou32_from_user(text, count, 0, &address);

	if (!error)
		error = pilgrim_ask(address);
	return error ? error : count;
}

static const struct proc_ops pilgrim_ops = { .proc_write = pilgrim_write };

static int __init pilgrim_init(void)
{
	return proc_create("pilgrim", 0200, NULL, &pilgrim_ops) ? 0 : -ENOMEM;
}
module_init(pilgrim_init);
