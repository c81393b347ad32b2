/* A work item waits with interrupts off for a flag that only the timer interrupt could set. */
#include "seed.h"

static struct timer_list blow;
static int blown;

static void foghorn_blow(struct timer_list *unused)
{
	WRITE_ONCE(blown, 1);
}

static void foghorn_wait(struct work_struct *work)
{
	unsigned long flags;

	local_irq_save(flags);
	mod_timer(&blow, jiffies + 1);
	while (!READ_ONCE(blown))
		cpu_relax();
	local_irq_restore(flags);
}

static DECLARE_DELAYED_WORK(wait, foghorn_wait);

static int __init foghorn_init(void)
{
	timer_setup(&blow, foghorn_blow, TIMER_PINNED);
	schedule_delayed_work_on(1, &wait, HZ);
	return 0;
}
module_init(foghorn_init);
