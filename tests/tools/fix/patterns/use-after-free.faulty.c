// SPDX-License-Identifier: MIT
#include <linux/list.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

struct lamp {
	struct list_head node;
	struct timer_list fade;
	struct delayed_work poll;
	int level;
};

struct room {
	struct lamp *lamp;
	struct device *dev;
};

static struct kmem_cache *lamps;
static struct room room;
static LIST_HEAD(all);

static int read_after(struct lamp *lamp)
{
	kfree(lamp);
	return lamp->level; /* BUG */
}

static int on_the_way_out(struct lamp *lamp, int error)
{
	if (error)
		kmem_cache_free(lamps, lamp);
	lamp->level = 0; /* BUG */
	return error;
}

static void all_gone(void)
{
	struct lamp *lamp;

	list_for_each_entry(lamp, &all, node) {
		list_del(&lamp->node);
		kfree(lamp); /* BUG */
	}
}

static void unplugged(void)
{
	if (room.lamp) {
		pr_info("level %d\n", room.lamp->level);
		kmem_cache_free(lamps, room.lamp); /* BUG */
	}
}

static void put_twice(struct room *one)
{
	put_device(one->dev);
	pr_info("gone\n");
	put_device(one->dev); /* BUG */
}

static void fade(struct timer_list *timer)
{
	mod_timer(timer, jiffies + HZ);
}

static void poll(struct work_struct *work)
{
	pr_info("poll\n");
}

static int down(struct notifier_block *self, unsigned long event, void *data)
{
	return NOTIFY_DONE;
}

static struct notifier_block at_reboot = { .notifier_call = down };

static int __init lamp_init(void)
{
	static struct lamp first;

	timer_setup(&first.fade, fade, 0); /* BUG */
	INIT_DELAYED_WORK(&first.poll, poll); /* BUG */
	if (!proc_mkdir("lamp", NULL)) /* BUG */
		return -ENOMEM;
	return register_reboot_notifier(&at_reboot); /* BUG */
}

static void __exit lamp_exit(void)
{
	pr_info("gone\n");
}

module_init(lamp_init);
module_exit(lamp_exit);
MODULE_LICENSE("GPL");
