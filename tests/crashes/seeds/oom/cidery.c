/* Shows how many apples are pressed; each look takes a vat to press them in. */
#include <linux/seq_file.h>
#include <linux/vmalloc.h>
#include "seed.h"

#define VAT (2 << 20)

static unsigned long apples;

static int cidery_show(struct seq_file *m, void *unused)
{
	char *vat = vzalloc(VAT);

	if (!vat)
		return -ENOMEM;
	apples += 1000 + vat[0];
	seq_printf(m, "%lu\n", apples);
	return 0;
}

static int __init cidery_init(void)
{
	return proc_create_single("cidery", 0444, NULL, cidery_show) ? 0 : -ENOMEM;
}
module_init(cidery_init);
