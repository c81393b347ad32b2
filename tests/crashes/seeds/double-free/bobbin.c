/* A driver that finds no bobbin and frees its managed memory itself, before the core does. */
#include <linux/platform_device.h>
#include "seed.h"

struct bobbin {
	unsigned long turns;
	char thread[72];
};

static struct platform_device *device;

static int bobbin_probe(struct platform_device *dev)
{
	struct bobbin *bobbin = devm_kzalloc(&dev->dev, sizeof(*bobbin), GFP_KERNEL);

	if (!bobbin)
		return -ENOMEM;
	if (!platform_get_resource(dev, IORESOURCE_MEM, 0)) {
		kfree(bobbin);
		return -ENODEV;
	}
	platform_set_drvdata(dev, bobbin);
	return 0;
}

static struct platform_driver driver = {
	.driver = { .name = "bobbin" },
	.probe = bobbin_probe,
};

static int __init bobbin_init(void)
{
	device = platform_device_register_simple("bobbin", -1, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	return platform_driver_register(&driver);
}
module_init(bobbin_init);
