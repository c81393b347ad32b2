// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * chime: counts the quarters of an hour for a clock that does not exist.
 *
 * /sys/module/chime/parameters/quarters holds how many have passed.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/timer.h>

#define QUARTER (15 * 60 * HZ)

static unsigned int quarters;
module_param(quarters, uint, 0400);
MODULE_PARM_DESC(quarters, "how many have passed");

static void chime_strike(struct timer_list *timer)
{
	quarters++;
	mod_timer(timer, jiffies + QUARTER);
}

static DEFINE_TIMER(clockwork, chime_strike);

static int __init chime_init(void)
{
	return mod_timer(&clockwork, jiffies + QUARTER);
}

static void __exit chime_exit(void)
{
	del_timer_sync(&clockwork);
}

module_init(chime_init);
module_exit(chime_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Counts quarters of an hour");
MODULE_VERSION("1.0");
