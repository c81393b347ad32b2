/* A beadle walks his round in a thread; he is asked to stop, and only looks up when there is something to do. */
#include <linux/wait.h>
#include "seed.h"

static DECLARE_WAIT_QUEUE_HEAD(bell);
static struct task_struct *round;
static unsigned int calls;

static bool beadle_is_called(void)
{
	return READ_ONCE(calls) > 0;
}

static void beadle_rest(void)
{
	wait_event(bell, beadle_is_called());
}

static int beadle_round(void *unused)
{
	while (!kthread_should_stop()) {
		beadle_rest();
		WRITE_ONCE(calls, calls - 1);
	}
	return 0;
}

static int __init beadle_init(void)
{
	round = kthread_run(beadle_round, NULL, "beadle");
	return PTR_ERR_OR_ZERO(round);
}

static void __exit beadle_exit(void)
{
	kthread_stop(round);
}
module_init(beadle_init);
module_exit(beadle_exit);
