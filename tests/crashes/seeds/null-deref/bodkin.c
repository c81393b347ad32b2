/* A bodkin in /proc; it is closed by a function for what its open function never made. */
#include "seed.h"
#include <linux/seq_file.h>

static char thread[] = "silk\n";

static ssize_t bodkin_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	return simple_read_from_buffer(buf, size, pos, thread, sizeof(thread) - 1);
}

static const struct proc_ops bodkin_ops = {
	.proc_read = bodkin_read,
	.proc_lseek = default_llseek,
	.proc_release = single_release,
};

static int __init bodkin_init(void)
{
	return proc_create("bodkin", 0444, NULL, &bodkin_ops) ? 0 : -ENOMEM;
}
module_init(bodkin_init);

static void __exit bodkin_exit(void)
{
	remove_proc_entry("bodkin", NULL);
}
module_exit(bodkin_exit);
