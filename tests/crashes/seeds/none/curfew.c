/* A fire drill: the machine is stopped by a panic when its operator asks for one. */
#include "seed.h"

static int curfew_set(const char *value, const struct kernel_param *param)
{
	bool now;
	int err = kstrtobool(value, &now);

	if (!err && now)
		panic("curfew: stopped at the request of the operator");
	return err;
}

static const struct kernel_param_ops curfew_ops = { .set = curfew_set };
module_param_cb(now, &curfew_ops, NULL, 0200);
