/* A thread that fills a log of one page in vmalloc memory; its last step is one word too far. */
#include <linux/vmalloc.h>
#include "seed.h"

static unsigned long *loads;

static int hoist_lift(void *unused)
{
	unsigned long i, words = PAGE_SIZE / sizeof(*loads);

	for (i = 0; i <= words; i++)
		WRITE_ONCE(loads[i], i);
	return 0;
}

static int __init hoist_init(void)
{
	loads = vzalloc(PAGE_SIZE);
	if (!loads)
		return -ENOMEM;
	return PTR_ERR_OR_ZERO(kthread_run(hoist_lift, NULL, "hoist"));
}
module_init(hoist_init);
