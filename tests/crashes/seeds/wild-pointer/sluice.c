/* Levels behind a sluice, in memory whose bus address is kept and used to look at them. */
#include "seed.h"
#include <linux/io.h>
#include <linux/seq_file.h>

struct sluice {
	phys_addr_t levels;
	unsigned int gates;
};

static struct sluice sluice = { .gates = 4 };
static u32 *buffer;

static int sluice_show(struct seq_file *seq, void *unused)
{
	const u32 *level = (const u32 *)(unsigned long)sluice.levels;
	unsigned int i;

	for (i = 0; i < sluice.gates; i++)
		seq_printf(seq, "%u\n", READ_ONCE(level[i]));
	return 0;
}

static int __init sluice_init(void)
{
	buffer = kcalloc(1024, sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	sluice.levels = virt_to_phys(buffer);
	return proc_create_single("sluice", 0444, NULL, sluice_show) ? 0 : -ENOMEM;
}
module_init(sluice_init);

static void __exit sluice_exit(void)
{
	remove_proc_entry("sluice", NULL);
	kfree(buffer);
}
module_exit(sluice_exit);
