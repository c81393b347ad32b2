/* A table whose size is set through /proc; if there is no memory for a new one, the old is kept but freed. */
#include <linux/vmalloc.h>
#include "seed.h"

#define MOST (1 << 20)

static void *table;

static noinline int anvil_resize(unsigned long size)
{
	void *fresh;

	vfree(table);
	fresh = size <= MOST ? vzalloc(size) : NULL;
	if (!fresh)
		return -ENOMEM;
	table = fresh;
	return 0;
}

static ssize_t anvil_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	unsigned long size;
	int error = kstrtoul_from_user(text, count, 0, &size);

	if (!error)
		error = anvil_resize(size);
	return error ? error : count;
}

static const struct proc_ops anvil_ops = { .proc_write = anvil_write };

static int __init anvil_init(void)
{
	return proc_create("anvil", 0200, NULL, &anvil_ops) ? 0 : -ENOMEM;
}
module_init(anvil_init);
