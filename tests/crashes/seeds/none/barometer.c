/* Tells of low pressure, as it should; nothing is wrong with it. */
#include "seed.h"

static int barometer_set(const char *value, const struct kernel_param *param)
{
	unsigned int pressure;
	int err = kstrtouint(value, 0, &pressure);

	if (err)
		return err;
	if (pressure < 980)
		pr_warn("barometer: WARNING: pressure %u is low, a storm is likely\n", pressure);
	if (pressure < 950)
		pr_err("barometer: error: pressure %u: gauge reset\n", pressure);
	return 0;
}

static const struct kernel_param_ops barometer_ops = { .set = barometer_set };
module_param_cb(pressure, &barometer_ops, NULL, 0200);
