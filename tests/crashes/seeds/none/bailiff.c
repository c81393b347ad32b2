/* Finds no device of its kind here, and says so; nothing is wrong with it. */
#include "seed.h"

static int __init bailiff_init(void)
{
	pr_err("bailiff: probe failed: no such device (error %d)\n", -ENODEV);
	return -ENODEV;
}
module_init(bailiff_init);
