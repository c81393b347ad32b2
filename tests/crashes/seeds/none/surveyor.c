/* Shows on request from where it was called; nothing is wrong with it. */
#include "seed.h"
#include <linux/seq_file.h>

static int surveyor_show(struct seq_file *seq, void *unused)
{
	pr_info("surveyor: this is how one comes here\n");
	dump_stack();
	seq_puts(seq, "ok\n");
	return 0;
}

static int __init surveyor_init(void)
{
	return proc_create_single("surveyor", 0444, NULL, surveyor_show) ? 0 : -ENOMEM;
}

static void __exit surveyor_exit(void)
{
	remove_proc_entry("surveyor", NULL);
}

module_init(surveyor_init);
module_exit(surveyor_exit);
