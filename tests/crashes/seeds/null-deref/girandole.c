/* A girandole in sysfs; its device never learns which lamp it stands for. */
#include "seed.h"
#include <linux/device.h>

struct lamp {
	char maker[40];
	int brightness;
};

static struct device *girandole;
static struct lamp lamp = { "Brass & Sons", 70 };

static ssize_t brightness_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct lamp *shown = dev_get_drvdata(dev);

	return sprintf(buf, "%d\n", shown->brightness);
}
static DEVICE_ATTR_RO(brightness);

static int __init girandole_init(void)
{
	girandole = root_device_register("girandole");
	if (IS_ERR(girandole))
		return PTR_ERR(girandole);
	pr_info("girandole by %s\n", lamp.maker);
	return device_create_file(girandole, &dev_attr_brightness);
}
module_init(girandole_init);

static void __exit girandole_exit(void)
{
	root_device_unregister(girandole);
}
module_exit(girandole_exit);
