// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * gauge: looks at a tank that does not exist, ten times a second.
 *
 * /sys/module/gauge/parameters/level holds what it saw last.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/timer.h>

struct tank {
	unsigned int litres;
	unsigned int leak;
};

struct gauge {
	const char *name;
	unsigned long looks;
	struct tank *tank;
	struct timer_list timer;
};

static unsigned int level;
module_param(level, uint, 0400);
MODULE_PARM_DESC(level, "litres in the tank");

static struct tank tank = { .litres = 5000, .leak = 1 };
static struct gauge gauge = { .name = "tank 1", .tank = &tank };

static void gauge_look(unsigned long data)
{
	struct gauge *seen = (struct gauge *)data;

	seen->tank->litres -= min(seen->tank->leak, seen->tank->litres);
	level = seen->tank->litres;
	seen->looks++;
	mod_timer(&seen->timer, jiffies + HZ / 10);
}

static int __init gauge_init(void)
{
	timer_setup(&gauge.timer, (void (*)(struct timer_list *))gauge_look, 0);
	mod_timer(&gauge.timer, jiffies + HZ / 10);
	pr_info("looks at %s\n", gauge.name);
	return 0;
}

static void __exit gauge_exit(void)
{
	del_timer_sync(&gauge.timer);
}

module_init(gauge_init);
module_exit(gauge_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Level of a tank that does not exist");
MODULE_VERSION("1.0");
