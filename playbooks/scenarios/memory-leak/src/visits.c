// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * visits: keeps the last visits that a gate tells of.
 *
 * Each write to /proc/visits is one visit. Reading it gives how many came, and
 * how many of them are kept.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define VISITS_MOST 1000
#define VISIT_LONGEST 4000

struct visit {
	struct list_head link;
	ktime_t when;
	size_t length;
	char text[];
};

static LIST_HEAD(visits); /* the oldest first */
static DEFINE_MUTEX(visits_lock);
static unsigned int kept;
static unsigned long came;

static void visits_forget_oldest(void)
{
	struct visit *oldest = list_first_entry(&visits, struct visit, link);

	list_del(&oldest->link);
	kept--;
}

static void visits_keep(struct visit *visit)
{
	mutex_lock(&visits_lock);
	if (kept == VISITS_MOST)
		visits_forget_oldest();
	list_add_tail(&visit->link, &visits);
	kept++;
	came++;
	mutex_unlock(&visits_lock);
}

static ssize_t visits_write(struct file *file, const char __user *text,
			    size_t length, loff_t *offset)
{
	struct visit *visit;

	if (length > VISIT_LONGEST)
		return -EMSGSIZE;
	visit = kmalloc(struct_size(visit, text, length), GFP_KERNEL);
	if (!visit)
		return -ENOMEM;
	if (copy_from_user(visit->text, text, length)) {
		kfree(visit);
		return -EFAULT;
	}
	visit->when = ktime_get_real();
	visit->length = length;
	visits_keep(visit);
	return length;
}

static int visits_show(struct seq_file *file, void *data)
{
	mutex_lock(&visits_lock);
	seq_printf(file, "%lu came, %u are kept\n", came, kept);
	mutex_unlock(&visits_lock);
	return 0;
}

static int visits_open(struct inode *inode, struct file *file)
{
	return single_open(file, visits_show, NULL);
}

static const struct proc_ops visits_ops = {
	.proc_open = visits_open,
	.proc_read = seq_read,
	.proc_write = visits_write,
	.proc_release = single_release,
};

static int __init visits_init(void)
{
	if (!proc_create("visits", 0600, NULL, &visits_ops))
		return -ENOMEM;
	return 0;
}

static void __exit visits_exit(void)
{
	struct visit *visit, *next;

	remove_proc_entry("visits", NULL);
	list_for_each_entry_safe(visit, next, &visits, link)
		kfree(visit);
}

module_init(visits_init);
module_exit(visits_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("The last visits that a gate tells of");
MODULE_VERSION("1.0");
