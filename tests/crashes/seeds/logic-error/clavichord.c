/* A clavichord as a device of a bus of its own; nothing is said of what to do when its last user is gone. */
#include <linux/device.h>
#include "seed.h"

static struct bus_type clavichord_bus = { .name = "clavichords" };

static struct device clavichord = { .bus = &clavichord_bus };

static int __init clavichord_init(void)
{
	int error = bus_register(&clavichord_bus);

	if (error)
		return error;
	dev_set_name(&clavichord, "clavichord0");
	return device_register(&clavichord);
}

static void __exit clavichord_exit(void)
{
	device_unregister(&clavichord);
	bus_unregister(&clavichord_bus);
}
module_init(clavichord_init);
module_exit(clavichord_exit);
