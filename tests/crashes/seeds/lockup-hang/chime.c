/* A chime struck by a high-resolution timer takes the lock of its bells, which whoever polishes them has. */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include "seed.h"

static DEFINE_MUTEX(bells_lock);
static struct hrtimer hour;
static unsigned int struck;

static void bells_strike(unsigned int count)
{
	mutex_lock(&bells_lock); /* to strike */
	struck += count;
	mutex_unlock(&bells_lock);
}

static enum hrtimer_restart chime_hour(struct hrtimer *timer)
{
	bells_strike(12);
	hrtimer_forward_now(timer, ms_to_ktime(200));
	return HRTIMER_RESTART;
}

static ssize_t chime_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	/* Polished. */
	mutex_lock(&bells_lock);
	msleep(600);
	mutex_unlock(&bells_lock);
	return count;
}

static const struct file_operations chime_ops = {
	.owner = THIS_MODULE,
	.write = chime_write,
};

static struct miscdevice chime = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "chime",
	.fops = &chime_ops,
};

static int __init chime_init(void)
{
	hrtimer_setup(&hour, chime_hour, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer_start(&hour, ms_to_ktime(200), HRTIMER_MODE_REL);
	return misc_register(&chime);
}
module_init(chime_init);
