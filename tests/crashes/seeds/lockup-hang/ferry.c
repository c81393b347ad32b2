/* A tasklet that unloads a ferry sleeps until the ramp is down. */
#include "seed.h"
#include <linux/delay.h>
#include <linux/interrupt.h>

static struct tasklet_struct unload;
static int loads = 1;

static void ferry_unload(unsigned long unused)
{
	msleep(10);
	WRITE_ONCE(loads, loads - 1);
}

static int __init ferry_init(void)
{
	tasklet_init(&unload, ferry_unload, 0);
	tasklet_schedule(&unload);
	return 0;
}

static void __exit ferry_exit(void)
{
	tasklet_kill(&unload);
}

module_init(ferry_init);
module_exit(ferry_exit);
