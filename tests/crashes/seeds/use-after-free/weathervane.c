/* Counts packets by a tracepoint of the network; the probe stays in it when the module is removed. */
#include <linux/tracepoint.h>
#include "seed.h"

static struct tracepoint *queued;
static atomic_long_t packets;

static void weathervane_queued(void *unused, struct sk_buff *skb)
{
	atomic_long_inc(&packets);
}

static void weathervane_find(struct tracepoint *tp, void *name)
{
	if (!strcmp(tp->name, name))
		queued = tp;
}

static int __init weathervane_init(void)
{
	for_each_kernel_tracepoint(weathervane_find, "net_dev_queue");
	return queued ? tracepoint_probe_register(queued, weathervane_queued, NULL) : -ENOENT;
}

static void __exit weathervane_exit(void)
{
	pr_info("weathervane: %ld packets\n", atomic_long_read(&packets));
}
module_init(weathervane_init);
module_exit(weathervane_exit);
