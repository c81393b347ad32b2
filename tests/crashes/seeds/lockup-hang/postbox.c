/* The module does not go before the last letter was fetched, and nobody comes to fetch one. */
#include "seed.h"
#include <linux/completion.h>

static DECLARE_COMPLETION(fetched);

static int __init postbox_init(void)
{
	return 0;
}

static void __exit postbox_exit(void)
{
	wait_for_completion(&fetched);
	pr_info("postbox: empty\n");
}

module_init(postbox_init);
module_exit(postbox_exit);
