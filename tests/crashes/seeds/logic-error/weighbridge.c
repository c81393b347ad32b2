/* Lists weights in debugfs; the list is checked to be sorted while it is shown, and it is not. */
#include "seed.h"
#include <linux/debugfs.h>
#include <linux/seq_file.h>

static const unsigned int weights[] = { 12, 40, 75, 60, 90 };
static struct dentry *folder;

static int weights_show(struct seq_file *seq, void *unused)
{
	unsigned int last = 0;
	size_t n;

	for (n = 0; n < ARRAY_SIZE(weights); n++) {
		WARN(weights[n] < last, "weighbridge: %u after %u\n", weights[n], last);
		last = weights[n];
		seq_printf(seq, "%u\n", last);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(weights);

static int __init weighbridge_init(void)
{
	folder = debugfs_create_dir("weighbridge", NULL);
	debugfs_create_file("weights", 0400, folder, NULL, &weights_fops);
	return 0;
}

static void __exit weighbridge_exit(void)
{
	debugfs_remove(folder);
}

module_init(weighbridge_init);
module_exit(weighbridge_exit);
