// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * thermo: reads a temperature sensor twice a second.
 *
 * The sensor does not exist; its driver is a table of operations here. What
 * was read last is shown in /proc/thermo. Writing "detach" there gives the
 * sensor back, as pulling the plug of a real one would.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#define THERMO_PERIOD (HZ / 2)

struct thermo_sensor;

struct thermo_ops {
	int (*read)(struct thermo_sensor *sensor);
};

struct thermo_sensor {
	u32 serial;
	int offset;
	unsigned long readings;
	const struct thermo_ops *ops;
	char label[64];
};

static struct {
	struct mutex lock;
	struct kmem_cache *sensors;
	struct thermo_sensor *sensor;
	struct delayed_work poll;
	int millidegrees;
} thermo;

static int thermo_read(struct thermo_sensor *sensor)
{
	return 21000 + sensor->offset;
}

static const struct thermo_ops thermo_ops = { .read = thermo_read };

static void thermo_poll(struct work_struct *work)
{
	struct thermo_sensor *sensor = thermo.sensor;

	thermo.millidegrees = sensor->ops->read(sensor);
	sensor->readings++;
	queue_delayed_work(system_unbound_wq, &thermo.poll, THERMO_PERIOD);
}

static int thermo_attach(void)
{
	struct thermo_sensor *sensor = kmem_cache_zalloc(thermo.sensors,
							GFP_KERNEL);

	if (!sensor)
		return -ENOMEM;
	sensor->serial = 1;
	sensor->ops = &thermo_ops;
	strscpy(sensor->label, "board", sizeof(sensor->label));
	thermo.sensor = sensor;
	queue_delayed_work(system_unbound_wq, &thermo.poll, 0);
	pr_info("sensor %u attached\n", sensor->serial);
	return 0;
}

static void thermo_detach(void)
{
	mutex_lock(&thermo.lock);
	if (thermo.sensor) {
		pr_info("sensor %u detached\n", thermo.sensor->serial);
		kmem_cache_free(thermo.sensors, thermo.sensor);
	}
	mutex_unlock(&thermo.lock);
}

static int thermo_show(struct seq_file *file, void *data)
{
	seq_printf(file, "%d\n", thermo.millidegrees);
	return 0;
}

static int thermo_open(struct inode *inode, struct file *file)
{
	return single_open(file, thermo_show, NULL);
}

static ssize_t thermo_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *pos)
{
	char word[16] = "";

	if (count >= sizeof(word))
		return -EINVAL;
	if (copy_from_user(word, buf, count))
		return -EFAULT;
	if (!sysfs_streq(word, "detach"))
		return -EINVAL;
	thermo_detach();
	return count;
}

static const struct proc_ops thermo_proc = {
	.proc_open = thermo_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = thermo_write,
};

static int __init thermo_init(void)
{
	int error = -ENOMEM;

	mutex_init(&thermo.lock);
	INIT_DELAYED_WORK(&thermo.poll, thermo_poll);
	thermo.sensors = KMEM_CACHE(thermo_sensor, 0);
	if (!thermo.sensors)
		return error;
	if (!proc_create("thermo", 0600, NULL, &thermo_proc))
		goto no_proc;
	error = thermo_attach();
	if (!error)
		return 0;
	remove_proc_entry("thermo", NULL);
no_proc:
	kmem_cache_destroy(thermo.sensors);
	return error;
}

static void __exit thermo_exit(void)
{
	remove_proc_entry("thermo", NULL);
	cancel_delayed_work_sync(&thermo.poll);
	thermo_detach();
	kmem_cache_destroy(thermo.sensors);
}

module_init(thermo_init);
module_exit(thermo_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Reader of a temperature sensor that does not exist");
MODULE_VERSION("1.0");
