/* A cartwheel, turned by a timer; who greases it holds the axle meanwhile. */
#include <linux/delay.h>
#include "seed.h"

static DEFINE_SPINLOCK(axle);
static struct timer_list timer;
static unsigned int turns, greased;

static void cartwheel_turn(struct timer_list *unused)
{
	spin_lock(&axle); /* to turn */
	turns++;
	spin_unlock(&axle);
}

static noinline void cartwheel_grease(void)
{
	spin_lock(&axle);
	mod_timer(&timer, jiffies + 2);
	mdelay(200);
	greased++;
	spin_unlock(&axle);
}

static ssize_t cartwheel_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	cartwheel_grease();
	return count;
}

static const struct file_operations cartwheel_ops = {
	.owner = THIS_MODULE,
	.write = cartwheel_write,
};

static struct miscdevice cartwheel = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "cartwheel",
	.fops = &cartwheel_ops,
};

static int __init cartwheel_init(void)
{
	timer_setup(&timer, cartwheel_turn, TIMER_PINNED);
	return misc_register(&cartwheel);
}
module_init(cartwheel_init);
