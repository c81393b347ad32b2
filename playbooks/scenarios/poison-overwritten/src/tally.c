// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * tally: sheets for counting votes that nobody casts.
 *
 * Writing a number to /proc/tally lays out so many sheets, and puts away those
 * that lay there before.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>

#define SHEETS_MOST 200

struct sheet {
	char district[64];
	u32 votes[450];
};

static struct sheet *sheets[SHEETS_MOST];
static DEFINE_MUTEX(lock);

static void tally_clear(void)
{
	unsigned int number;

	for (number = 0; number < SHEETS_MOST; number++) {
		kfree(sheets[number]);
		sheets[number] = NULL;
	}
}

static ssize_t tally_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos)
{
	unsigned int number, wanted;
	int error = kstrtouint_from_user(buf, count, 10, &wanted);

	if (error)
		return error;
	if (wanted > SHEETS_MOST)
		return -E2BIG;
	mutex_lock(&lock);
	tally_clear();
	for (number = 0; number < wanted && !error; number++) {
		sheets[number] = kzalloc(sizeof(*sheets[number]), GFP_KERNEL);
		if (!sheets[number])
			error = -ENOMEM;
	}
	mutex_unlock(&lock);
	return error ? error : count;
}

static const struct proc_ops tally_proc = {
	.proc_write = tally_write,
};

static int __init tally_init(void)
{
	return proc_create("tally", 0200, NULL, &tally_proc) ? 0 : -ENOMEM;
}

static void __exit tally_exit(void)
{
	remove_proc_entry("tally", NULL);
	tally_clear();
}

module_init(tally_init);
module_exit(tally_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Sheets for counting votes that nobody casts");
MODULE_VERSION("1.0");
