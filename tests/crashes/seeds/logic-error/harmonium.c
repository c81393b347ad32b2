/* A thread that pumps at a rhythm; the rhythm gets shorter each time and at last below zero. */
#include "seed.h"

static struct task_struct *pump;
static long pause_ = HZ / 2;

static int harmonium_pump(void *unused)
{
	while (!kthread_should_stop() && pause_ >= -HZ / 4) {
		pause_ -= HZ / 4;
		__set_current_state(TASK_UNINTERRUPTIBLE);
		schedule_timeout(pause_);
	}
	__set_current_state(TASK_RUNNING);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

static int __init harmonium_init(void)
{
	pump = kthread_run(harmonium_pump, NULL, "harmonium");
	return PTR_ERR_OR_ZERO(pump);
}

static void __exit harmonium_exit(void)
{
	kthread_stop(pump);
}

module_init(harmonium_init);
module_exit(harmonium_exit);
