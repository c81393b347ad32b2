/* A costermonger as a platform device; his driver keeps with each kind of stall how many it found. */
#include <linux/mod_devicetable.h>
#include <linux/platform_device.h>
#include "seed.h"

struct stall {
	const char *sells;
	unsigned int found;
};

static const struct stall fruit = { .sells = "fruit" };

static struct platform_device *device;

static int costermonger_probe(struct platform_device *dev)
{
	const struct platform_device_id *id = platform_get_device_id(dev);
	struct stall *stall = (struct stall *)id->driver_data;

	stall->found++;
	dev_info(&dev->dev, "sells %s\n", stall->sells);
	return 0;
}

static const struct platform_device_id ids[] = {
	{ .name = "costermonger", .driver_data = (kernel_ulong_t)&fruit },
	{ }
};

static struct platform_driver driver = {
	.driver = { .name = "costermonger" },
	.id_table = ids,
	.probe = costermonger_probe,
};

static int __init costermonger_init(void)
{
	int error = platform_driver_register(&driver);

	if (error)
		return error;
	device = platform_device_register_simple("costermonger", -1, NULL, 0);
	return PTR_ERR_OR_ZERO(device);
}
module_init(costermonger_init);
