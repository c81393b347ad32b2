/* A large sink from vmalloc, filled by work; a full one is emptied by the work and by the removal. */
#include <linux/delay.h>
#include <linux/vmalloc.h>
#include "seed.h"

#define SINK (12 * PAGE_SIZE)

static unsigned char *sink;

static void scullery_empty(void)
{
	vfree(sink);
}

static void scullery_wash(struct work_struct *work)
{
	memset(sink, 0x55, SINK);
	if (sink[SINK - 1])
		scullery_empty();
}

static DECLARE_DELAYED_WORK(wash, scullery_wash);

static int __init scullery_init(void)
{
	sink = vzalloc(SINK);
	if (!sink)
		return -ENOMEM;
	schedule_delayed_work(&wash, HZ / 10);
	return 0;
}

static void __exit scullery_exit(void)
{
	cancel_delayed_work_sync(&wash);
	scullery_empty();
}
module_init(scullery_init);
module_exit(scullery_exit);
