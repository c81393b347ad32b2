/* Takes itself off the kernel's list of modules when it is removed; the kernel does so once more. */
#include <linux/rculist.h>
#include "seed.h"

static int __init bridle_init(void)
{
	return 0;
}

static void __exit bridle_exit(void)
{
	list_del_rcu(&THIS_MODULE->list);
}
module_init(bridle_init);
module_exit(bridle_exit);
