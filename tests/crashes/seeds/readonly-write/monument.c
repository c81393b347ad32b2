/* A monument; its year is settled once it stands, and can be set as a parameter all the same. */
#include "seed.h"
#include <linux/cache.h>

static int year __ro_after_init = 1901;

static int monument_set(const char *value, const struct kernel_param *param)
{
	int given, err = kstrtoint(value, 10, &given);

	if (err)
		return err;
	WRITE_ONCE(year, given);
	return 0;
}

static int monument_get(char *buffer, const struct kernel_param *param)
{
	return sprintf(buffer, "%d\n", year);
}

static const struct kernel_param_ops monument_ops = {
	.set = monument_set,
	.get = monument_get,
};
module_param_cb(year, &monument_ops, NULL, 0644);
