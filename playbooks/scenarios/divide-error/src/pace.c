// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * pace: a thread that beats time for musicians that do not exist.
 *
 * /sys/module/pace/parameters/tempo holds the beats in a minute.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

static unsigned int tempo = 600;
module_param(tempo, uint, 0600);
MODULE_PARM_DESC(tempo, "beats in a minute");

static struct task_struct *conductor;
static unsigned long beats;

static unsigned long pace_interval(void)
{
	return 60 * HZ / READ_ONCE(tempo);
}

static int pace_conduct(void *data)
{
	while (!kthread_should_stop()) {
		beats++;
		schedule_timeout_interruptible(pace_interval());
	}
	return 0;
}

static int __init pace_init(void)
{
	conductor = kthread_run(pace_conduct, NULL, "conductor");
	return PTR_ERR_OR_ZERO(conductor);
}

static void __exit pace_exit(void)
{
	kthread_stop(conductor);
	pr_info("%lu beats\n", beats);
}

module_init(pace_init);
module_exit(pace_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Beats time for musicians that do not exist");
MODULE_VERSION("1.0");
