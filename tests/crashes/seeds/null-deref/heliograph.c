/* A heliograph that wants to hear of new addresses, and leaves no function to be told by. */
#include "seed.h"
#include <linux/inetdevice.h>
#include <linux/notifier.h>

static int seen;

static int heliograph_address(struct notifier_block *block, unsigned long event, void *data)
{
	seen++;
	return NOTIFY_OK;
}

static bool quiet = true;
module_param(quiet, bool, 0444);

static struct notifier_block heliograph;

static int __init heliograph_init(void)
{
	if (!quiet)
		heliograph.notifier_call = heliograph_address;
	return register_inetaddr_notifier(&heliograph);
}
module_init(heliograph_init);

static void __exit heliograph_exit(void)
{
	unregister_inetaddr_notifier(&heliograph);
}
module_exit(heliograph_exit);
