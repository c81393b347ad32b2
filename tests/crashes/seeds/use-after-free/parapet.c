/* A platform device that is looked up again on removal; its reference is given back once more than taken. */
#include <linux/platform_device.h>
#include "seed.h"

static struct platform_device *parapet;

static int parapet_is(struct device *dev, const void *name)
{
	return !strcmp(dev_name(dev), name);
}

static void parapet_lower(void)
{
	struct device *dev = bus_find_device(&platform_bus_type, NULL, "parapet.3", (void *)parapet_is);

	if (!dev)
		return;
	dev_info(dev, "lowered\n");
	put_device(dev);
	/* And that of the registration. */
	put_device(dev);
}

static int __init parapet_init(void)
{
	parapet = platform_device_register_simple("parapet", 3, NULL, 0);
	return PTR_ERR_OR_ZERO(parapet);
}

static void __exit parapet_exit(void)
{
	parapet_lower();
	platform_device_unregister(parapet);
}
module_init(parapet_init);
module_exit(parapet_exit);
