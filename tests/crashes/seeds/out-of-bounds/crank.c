/* Lists its gears in /sys/kernel/debug/crank; in neutral it reads the name before the first. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "seed.h"

static struct {
	unsigned long ratio;
	const char *names[4];
} gears = { 360000, { "low", "second", "third", "top" } };

static int gear;
module_param(gear, int, 0600);

static int crank_show(struct seq_file *m, void *unused)
{
	const char *name = gears.names[READ_ONCE(gear) - 1];

	while (*name)
		seq_putc(m, *name++);
	seq_putc(m, '\n');
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(crank);

static int __init crank_init(void)
{
	debugfs_create_file("crank", 0400, NULL, NULL, &crank_fops);
	return 0;
}
module_init(crank_init);
