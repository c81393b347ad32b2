/* Trees by height in /proc/arboretum; the tallest is looked for though nothing was planted. */
#include "seed.h"
#include <linux/rbtree.h>
#include <linux/seq_file.h>

struct tree {
	const char *fruit;
	int height;
	long planted;
	struct rb_node node;
};

static struct rb_root trees = RB_ROOT;

static int arboretum_show(struct seq_file *seq, void *unused)
{
	struct tree *tallest = rb_entry(rb_last(&trees), struct tree, node);
	int height = READ_ONCE(tallest->height);

	seq_printf(seq, "%d\n", height);
	return 0;
}

static int __init arboretum_init(void)
{
	return proc_create_single("arboretum", 0444, NULL, arboretum_show) ? 0 : -ENOMEM;
}
module_init(arboretum_init);

static void __exit arboretum_exit(void)
{
	remove_proc_entry("arboretum", NULL);
}
module_exit(arboretum_exit);
