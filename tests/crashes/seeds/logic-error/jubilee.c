/* Guests of a jubilee leave one after another, by a high-resolution timer. */
#include <linux/hrtimer.h>
#include <linux/refcount.h>
#include "seed.h"

struct feast {
	refcount_t guests;
	struct hrtimer leave;
	unsigned int left;
};

static struct feast *feast;

static enum hrtimer_restart jubilee_leave(struct hrtimer *timer)
{
	refcount_dec(&feast->guests);
	if (++feast->left > 4)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ms_to_ktime(100));
	return HRTIMER_RESTART;
}

static int __init jubilee_init(void)
{
	feast = kzalloc(sizeof(*feast), GFP_KERNEL);
	if (!feast)
		return -ENOMEM;
	refcount_set(&feast->guests, 3);
	hrtimer_setup(&feast->leave, jubilee_leave, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer_start(&feast->leave, ms_to_ktime(100), HRTIMER_MODE_REL);
	return 0;
}
module_init(jubilee_init);
