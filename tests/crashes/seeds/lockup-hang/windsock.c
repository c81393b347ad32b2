/* Setting its parameter takes the lock of all parameters of the module, which the caller has. */
#include "seed.h"

static int direction;

static int windsock_set(const char *value, const struct kernel_param *param)
{
	int err;

	kernel_param_lock(THIS_MODULE);
	err = kstrtoint(value, 0, &direction);
	kernel_param_unlock(THIS_MODULE);
	return err;
}

static const struct kernel_param_ops windsock_ops = { .set = windsock_set };
module_param_cb(direction, &windsock_ops, NULL, 0200);
