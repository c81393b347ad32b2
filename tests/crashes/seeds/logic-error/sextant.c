/* Reads the clock with interrupts off, and leaves them off where the reading is odd. */
#include "seed.h"

static noinline int sextant_sight(void)
{
	ktime_t now;

	local_irq_disable();
	now = ktime_get();
	if (READ_ONCE(now) > 0)
		return 0;
	local_irq_enable();
	return -EAGAIN;
}

static int __init sextant_init(void)
{
	return sextant_sight();
}
module_init(sextant_init);
