/* A list in debugfs whose functions stand in the order: start, next, stop, show. The kernel has another. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "seed.h"

static DEFINE_MUTEX(lock);
static unsigned long doors[4];

static noinline void *latch_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&lock);
	return *pos < ARRAY_SIZE(doors) ? &doors[*pos] : NULL;
}

static noinline void *latch_next(struct seq_file *m, void *door, loff_t *pos)
{
	*pos += 1;
	return *pos < ARRAY_SIZE(doors) ? &doors[*pos] : NULL;
}

static noinline void latch_stop(struct seq_file *m, void *door)
{
	mutex_unlock(&lock);
}

static noinline int latch_show(struct seq_file *m, void *door)
{
	seq_printf(m, "%lu\n", *(unsigned long *)door);
	return 0;
}

static void *const latch_table[] = { latch_start, latch_next, latch_stop, latch_show };

static int latch_open(struct inode *inode, struct file *file)
{
	return seq_open(file, (const struct seq_operations *)latch_table);
}

static const struct file_operations latch_ops = {
	.owner = THIS_MODULE,
	.open = latch_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release,
};

static int __init latch_init(void)
{
	debugfs_create_file("latch", 0400, NULL, NULL, &latch_ops);
	return 0;
}
module_init(latch_init);
