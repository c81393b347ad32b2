/* A doorbell; a program leaves the function that shall be called when it rings, and a timer does. */
#include "seed.h"

struct doorbell {
	struct timer_list ring;
	void (*answer)(int times);
	int times;
};

static struct doorbell *bell;

static void doorbell_ring(struct timer_list *timer)
{
	struct doorbell *rung = timer_container_of(rung, timer, ring);

	rung->answer(rung->times);
	rung->times++;
}

static long doorbell_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	bell->answer = (void (*)(int))arg;
	mod_timer(&bell->ring, jiffies + HZ / 10);
	return 0;
}

static const struct file_operations doorbell_ops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = doorbell_ioctl,
};

static struct miscdevice doorbell = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "doorbell",
	.fops = &doorbell_ops,
};

static int __init doorbell_init(void)
{
	bell = kzalloc(sizeof(*bell), GFP_KERNEL);
	if (!bell)
		return -ENOMEM;
	timer_setup(&bell->ring, doorbell_ring, 0);
	return misc_register(&doorbell);
}
module_init(doorbell_init);
