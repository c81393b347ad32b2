/* A gramophone as a device; the machine has no place for it, and it is put away again. */
#include <linux/device.h>
#include "seed.h"

struct gramophone {
	struct device dev;
	unsigned int turns;
};

static void gramophone_release(struct device *dev)
{
	kfree(container_of(dev, struct gramophone, dev));
}

static int gramophone_wind(struct gramophone *gramophone)
{
	return gramophone->turns ? 0 : -ENODEV;
}

static int __init gramophone_init(void)
{
	struct gramophone *gramophone = kzalloc(sizeof(*gramophone), GFP_KERNEL);
	int error;

	if (!gramophone)
		return -ENOMEM;
	device_initialize(&gramophone->dev);
	gramophone->dev.release = gramophone_release;
	error = dev_set_name(&gramophone->dev, "gramophone");
	if (!error)
		error = gramophone_wind(gramophone);
	if (error) {
		put_device(&gramophone->dev);
		kfree(gramophone);
		return error;
	}
	return device_add(&gramophone->dev);
}
module_init(gramophone_init);
