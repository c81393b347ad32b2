/* A ladder leaned on every device of the machine, and from there on every device again. */
#include "seed.h"
#include <linux/platform_device.h>

static long rungs;

static int ladder_climb(struct device *dev, void *data)
{
	int err = bus_for_each_dev(&platform_bus_type, NULL, data, ladder_climb);

	rungs++;
	return err;
}

static void ladder_lean(struct work_struct *work)
{
	bus_for_each_dev(&platform_bus_type, NULL, &rungs, ladder_climb);
}

static DECLARE_WORK(lean, ladder_lean);

static int __init ladder_init(void)
{
	schedule_work(&lean);
	return 0;
}
module_init(ladder_init);

static void __exit ladder_exit(void)
{
	cancel_work_sync(&lean);
}
module_exit(ladder_exit);
