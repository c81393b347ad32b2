/* Blasts are set off by a high-resolution timer, which completes them; the completion was never made ready. */
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include "seed.h"

struct blast {
	struct hrtimer fuse;
	struct completion over;
	unsigned int holes;
};

static enum hrtimer_restart quarry_blow(struct hrtimer *fuse)
{
	struct blast *blast = container_of(fuse, struct blast, fuse);

	blast->holes = 0;
	complete(&blast->over);
	return HRTIMER_NORESTART;
}

static int quarry_blast(unsigned int holes)
{
	struct blast *blast = kzalloc(sizeof(*blast), GFP_KERNEL);

	if (!blast)
		return -ENOMEM;
	blast->holes = holes;
	hrtimer_setup(&blast->fuse, quarry_blow, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer_start(&blast->fuse, ms_to_ktime(200), HRTIMER_MODE_REL);
	return 0;
}

static int __init quarry_init(void)
{
	return quarry_blast(6);
}
module_init(quarry_init);
