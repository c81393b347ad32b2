/* Counts how often it is read; nothing is wrong with it. */
#include "seed.h"

static atomic_t reads = ATOMIC_INIT(0);

static int abacus_get(char *buffer, const struct kernel_param *param)
{
	return sprintf(buffer, "%d\n", atomic_inc_return(&reads));
}

static const struct kernel_param_ops abacus_ops = { .get = abacus_get };
module_param_cb(reads, &abacus_ops, NULL, 0444);
