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
static struct lamp first;
static LIST_HEAD(all);

static int read_before(struct lamp *lamp)
{
	int level = lamp->level;

	kfree(lamp);
	return level;
}

static int on_the_way_out(struct lamp *lamp, int error)
{
	if (error) {
		kmem_cache_free(lamps, lamp);
		return error;
	}
	lamp->level = 0;
	return 0;
}

static void again(struct lamp *lamp)
{
	kfree(lamp);
	lamp = kzalloc(sizeof(*lamp), GFP_KERNEL);
	if (lamp)
		lamp->level = 1;
}

static void all_gone(void)
{
	struct lamp *lamp, *next;

	list_for_each_entry_safe(lamp, next, &all, node) {
		list_del(&lamp->node);
		kfree(lamp);
	}
}

static void one_gone(int level)
{
	struct lamp *lamp;

	list_for_each_entry(lamp, &all, node) {
		if (lamp->level == level) {
			list_del(&lamp->node);
			kfree(lamp);
			break;
		}
	}
}

static void unplugged(void)
{
	if (room.lamp) {
		pr_info("level %d\n", room.lamp->level);
		kmem_cache_free(lamps, room.lamp);
		room.lamp = NULL;
	}
}

static void put_once(struct room *one)
{
	put_device(one->dev);
	one->dev = get_device(one->dev);
	put_device(one->dev);
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
	timer_setup(&first.fade, fade, 0);
	INIT_DELAYED_WORK(&first.poll, poll);
	if (!proc_mkdir("lamp", NULL))
		return -ENOMEM;
	return register_reboot_notifier(&at_reboot);
}

static void __exit lamp_exit(void)
{
	unregister_reboot_notifier(&at_reboot);
	remove_proc_entry("lamp", NULL);
	del_timer_sync(&first.fade);
	cancel_delayed_work_sync(&first.poll);
}

module_init(lamp_init);
module_exit(lamp_exit);
MODULE_LICENSE("GPL");
