/* The wheelhouse of a ship as a platform device; its driver wants a window of registers, and gets none. */
#include <linux/ioport.h>
#include <linux/platform_device.h>
#include "seed.h"

struct wheel {
	struct device *dev;
	resource_size_t registers;
	unsigned int spokes;
};

static resource_size_t wheelhouse_window(struct platform_device *pdev)
{
	struct resource *window = platform_get_resource(pdev, IORESOURCE_MEM, 0);

	return window->end - window->start + 1;
}

static int wheelhouse_probe(struct platform_device *pdev)
{
	struct wheel *wheel = devm_kzalloc(&pdev->dev, sizeof(*wheel), GFP_KERNEL);

	if (!wheel)
		return -ENOMEM;
	wheel->dev = &pdev->dev;
	wheel->spokes = 8;
	wheel->registers = wheelhouse_window(pdev);
	platform_set_drvdata(pdev, wheel);
	return 0;
}

static struct platform_driver wheelhouse_driver = {
	.probe = wheelhouse_probe,
	.driver = { .name = "wheelhouse" },
};

static int __init wheelhouse_init(void)
{
	int error = platform_driver_register(&wheelhouse_driver);

	if (error)
		return error;
	return PTR_ERR_OR_ZERO(platform_device_register_simple("wheelhouse", 0, NULL, 0));
}
module_init(wheelhouse_init);
