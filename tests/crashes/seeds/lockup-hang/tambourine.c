/* Beats time by a high-resolution timer; when the beat is set to nought it is never moved on. */
#include <linux/hrtimer.h>
#include "seed.h"

static struct hrtimer beat;
static unsigned int between = 50;
static unsigned long beats;

static void beat_on(struct hrtimer *timer)
{
	unsigned int ms = READ_ONCE(between);

	beats++;
	if (ms)
		hrtimer_forward_now(timer, ms_to_ktime(ms));
}

static enum hrtimer_restart tambourine_beat(struct hrtimer *timer)
{
	beat_on(timer);
	return HRTIMER_RESTART;
}

module_param(between, uint, 0600);

static int __init tambourine_init(void)
{
	hrtimer_setup(&beat, tambourine_beat, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED);
	hrtimer_start(&beat, ms_to_ktime(between), HRTIMER_MODE_REL_PINNED);
	return 0;
}

static void __exit tambourine_exit(void)
{
	hrtimer_cancel(&beat);
}
module_init(tambourine_init);
module_exit(tambourine_exit);
