/* A module that was built for quite another kernel. */
#include "seed.h"

MODULE_INFO(vermagic, "5.10.0-18-rt SMP preempt_rt mod_unload modversions ");

static int __init rafter_init(void)
{
	return 0;
}
module_init(rafter_init);
