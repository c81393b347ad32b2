/* Starting up waits for the first passenger, who cannot come aboard before the start is done. */
#include "seed.h"
#include <linux/wait.h>

static DECLARE_WAIT_QUEUE_HEAD(queue);
static int passengers;

static int gangway_set(const char *value, const struct kernel_param *param)
{
	int err = kstrtoint(value, 0, &passengers);

	wake_up(&queue);
	return err;
}

static const struct kernel_param_ops gangway_ops = { .set = gangway_set };
module_param_cb(passengers, &gangway_ops, NULL, 0200);

static int __init gangway_init(void)
{
	wait_event(queue, READ_ONCE(passengers));
	return 0;
}
module_init(gangway_init);
