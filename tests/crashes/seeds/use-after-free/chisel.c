/* A chisel whose thread cuts for ever; removal of the module does not stop the thread. */
#include <linux/delay.h>
#include "seed.h"

static unsigned long cuts;

static int chisel_cut(void *unused)
{
	for (;;) {
		msleep(300);
		WRITE_ONCE(cuts, cuts + 1);
	}
	return 0;
}

static int __init chisel_init(void)
{
	return PTR_ERR_OR_ZERO(kthread_run(chisel_cut, NULL, "chisel"));
}

static void __exit chisel_exit(void)
{
	pr_info("chisel: %lu cuts\n", READ_ONCE(cuts));
}
module_init(chisel_init);
module_exit(chisel_exit);
