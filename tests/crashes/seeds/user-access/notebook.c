/* A notebook that opens at the page written to /proc/notebook; the number is parsed where it lies. */
#include "seed.h"

static int page;

static ssize_t notebook_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	int err = kstrtoint((const char __force *)buf, 10, &page);

	return err ? err : count;
}

static const struct proc_ops notebook_ops = {
	.proc_write = notebook_write,
};

static int __init notebook_init(void)
{
	return proc_create("notebook", 0200, NULL, &notebook_ops) ? 0 : -ENOMEM;
}
module_init(notebook_init);

static void __exit notebook_exit(void)
{
	remove_proc_entry("notebook", NULL);
}
module_exit(notebook_exit);
