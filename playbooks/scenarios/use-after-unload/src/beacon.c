// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * beacon: counts a heartbeat once a second, as a watchdog of a device would.
 *
 * The beat is a piece of work that queues itself again. When the module goes,
 * the beat is told to stop, and then gives back its own memory.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

struct beacon {
	struct delayed_work work;
	unsigned long beats;
	bool stopping;
};

static struct beacon *beacon;

static void beacon_beat(struct work_struct *work)
{
	struct beacon *self = container_of(to_delayed_work(work),
					   struct beacon, work);

	if (READ_ONCE(self->stopping)) {
		pr_info("stopped after %lu beats\n", self->beats);
		kfree(self);
		return;
	}
	self->beats++;
	queue_delayed_work(system_unbound_wq, &self->work, HZ);
}

static int __init beacon_init(void)
{
	beacon = kzalloc(sizeof(*beacon), GFP_KERNEL);
	if (!beacon)
		return -ENOMEM;
	INIT_DELAYED_WORK(&beacon->work, beacon_beat);
	queue_delayed_work(system_unbound_wq, &beacon->work, HZ);
	pr_info("beating\n");
	return 0;
}

static void __exit beacon_exit(void)
{
	/* The next beat sees this and frees the beacon. */
	WRITE_ONCE(beacon->stopping, true);
	pr_info("stopping\n");
}

module_init(beacon_init);
module_exit(beacon_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Heartbeat of a device that does not exist");
MODULE_VERSION("1.0");
