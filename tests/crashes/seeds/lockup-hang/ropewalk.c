/* A ropewalk; ropes are twisted by work, and on closing the walk is emptied of them. */
#include <linux/delay.h>
#include "seed.h"

static DEFINE_MUTEX(walk);
static unsigned int ropes;

static void ropewalk_twist(struct work_struct *work)
{
	msleep(50);
	mutex_lock(&walk);
	ropes++;
	mutex_unlock(&walk);
}

static DECLARE_WORK(twist, ropewalk_twist);

static int __init ropewalk_init(void)
{
	return 0;
}

static void __exit ropewalk_exit(void)
{
	mutex_lock(&walk);
	schedule_work(&twist);
	msleep(20);
	cancel_work_sync(&twist);
	ropes = 0;
	mutex_unlock(&walk);
}
module_init(ropewalk_init);
module_exit(ropewalk_exit);
