// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * valve: turns a valve that does not exist.
 *
 * Writing 1 to /proc/valve opens it and waits for its end switch. Where the
 * switch does not answer in time, the write fails with -ETIMEDOUT.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>

#define PATIENCE (8 * HZ)

static bool at_end;
static DEFINE_MUTEX(lock);

static int valve_wait(void)
{
	unsigned long until = jiffies + PATIENCE;

	while (!READ_ONCE(at_end)) {
		if (time_after(jiffies, until))
			return -ETIMEDOUT;
		mdelay(1);
	}
	return 0;
}

static ssize_t valve_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos)
{
	bool wanted;
	int error = kstrtobool_from_user(buf, count, &wanted);

	if (error || !wanted)
		return error ? error : count;
	mutex_lock(&lock);
	error = valve_wait();
	mutex_unlock(&lock);
	return error ? error : count;
}

static const struct proc_ops valve_proc = {
	.proc_write = valve_write,
};

static int __init valve_init(void)
{
	return proc_create("valve", 0200, NULL, &valve_proc) ? 0 : -ENOMEM;
}

static void __exit valve_exit(void)
{
	remove_proc_entry("valve", NULL);
}

module_init(valve_init);
module_exit(valve_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("A valve that does not exist");
MODULE_VERSION("1.0");
