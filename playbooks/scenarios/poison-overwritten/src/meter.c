// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * meter: counts the pulses of a water meter that does not exist.
 *
 * Ten times a second it adds what came to the open book. Writing 0 to
 * /sys/kernel/meter/book closes the book, and 1 opens a new one; reading gives
 * the pulses so far.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

struct book {
	u64 opened;
	u64 read;
	u32 pulses;
	char remarks[1900];
};

static struct book *book;
static bool is_open;
static DEFINE_MUTEX(lock);
static struct kobject *folder;

static void meter_read(struct work_struct *work);
static DECLARE_DELAYED_WORK(reading, meter_read);

static void meter_read(struct work_struct *work)
{
	book->read = jiffies;
	book->pulses += 3;
	if (is_open)
		schedule_delayed_work(&reading, HZ / 10);
}

static int meter_open(void)
{
	struct book *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);

	if (!fresh)
		return -ENOMEM;
	fresh->opened = jiffies;
	book = fresh;
	is_open = true;
	schedule_delayed_work(&reading, HZ / 10);
	return 0;
}

static void meter_close(void)
{
	if (!is_open)
		return;
	pr_info("%u pulses\n", book->pulses);
	kfree(book);
	is_open = false;
}

static ssize_t book_store(struct kobject *object,
			  struct kobj_attribute *attribute, const char *buf,
			  size_t count)
{
	bool wanted;
	int error = kstrtobool(buf, &wanted);

	if (error)
		return error;
	mutex_lock(&lock);
	if (!wanted)
		meter_close();
	else if (!is_open)
		error = meter_open();
	mutex_unlock(&lock);
	return error ? error : count;
}

static ssize_t book_show(struct kobject *object,
			 struct kobj_attribute *attribute, char *buf)
{
	ssize_t length;

	mutex_lock(&lock);
	length = sysfs_emit(buf, "%u\n", is_open ? book->pulses : 0);
	mutex_unlock(&lock);
	return length;
}

static struct kobj_attribute book_attribute = __ATTR_RW_MODE(book, 0600);

static int __init meter_init(void)
{
	int error;

	folder = kobject_create_and_add("meter", kernel_kobj);
	if (!folder)
		return -ENOMEM;
	error = meter_open();
	if (!error)
		error = sysfs_create_file(folder, &book_attribute.attr);
	if (error) {
		cancel_delayed_work_sync(&reading);
		meter_close();
		kobject_put(folder);
	}
	return error;
}

static void __exit meter_exit(void)
{
	kobject_put(folder);
	cancel_delayed_work_sync(&reading);
	meter_close();
}

module_init(meter_init);
module_exit(meter_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Pulses of a water meter that does not exist");
MODULE_VERSION("1.0");
