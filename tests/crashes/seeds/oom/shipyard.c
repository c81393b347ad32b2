/* Lays a slip as long as its parameter says, and asks for far more than the machine has. */
#include "seed.h"
#include <linux/vmalloc.h>

static void *slip;

static int shipyard_set(const char *value, const struct kernel_param *param)
{
	unsigned long length;
	int err = kstrtoul(value, 0, &length);

	if (err)
		return err;
	vfree(slip);
	slip = vmalloc(length << 20);
	return slip ? 0 : -ENOMEM;
}

static const struct kernel_param_ops shipyard_ops = { .set = shipyard_set };
module_param_cb(length, &shipyard_ops, NULL, 0200);

static void __exit shipyard_exit(void)
{
	vfree(slip);
}
module_exit(shipyard_exit);

static int __init shipyard_init(void)
{
	return 0;
}
module_init(shipyard_init);
