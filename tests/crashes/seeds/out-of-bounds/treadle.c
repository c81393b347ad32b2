/* A tasklet that takes the next of four steps at every write; after the fourth it does not begin anew. */
#include <linux/interrupt.h>
#include "seed.h"

static unsigned long taken;

static void treadle_up(void)
{
	taken++;
}

static void treadle_down(void)
{
	taken += 2;
}

static struct {
	void (*steps[4])(void);
	unsigned long weight;
} treadle = {
	{ treadle_up, treadle_down, treadle_up, treadle_down }, 7700000
};

static int step;

static void treadle_step(struct tasklet_struct *unused)
{
	treadle.steps[READ_ONCE(step)]();
	step++;
}

static DECLARE_TASKLET(tasklet, treadle_step);

static ssize_t treadle_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	tasklet_schedule(&tasklet);
	return count;
}

static const struct file_operations treadle_ops = {
	.owner = THIS_MODULE,
	.write = treadle_write,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "treadle",
	.fops = &treadle_ops,
};
module_misc_device(device);
