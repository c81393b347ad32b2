/* A thread walks a list below RCU and sleeps on the way, for as long as the day is hot. */
#include "seed.h"
#include <linux/delay.h>
#include <linux/rcupdate.h>

static struct task_struct *sleeper;

static void noinline hammock_nap(void)
{
	rcu_read_lock();
	schedule_timeout_uninterruptible(60 * HZ);
	rcu_read_unlock();
}

static int hammock_thread(void *unused)
{
	while (!kthread_should_stop()) {
		hammock_nap();
		msleep(100);
	}
	return 0;
}

static int __init hammock_init(void)
{
	sleeper = kthread_run(hammock_thread, NULL, "hammock");
	return PTR_ERR_OR_ZERO(sleeper);
}
module_init(hammock_init);
