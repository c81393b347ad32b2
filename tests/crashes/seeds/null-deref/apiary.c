/* Hives in an xarray, each with its frames; the file in /proc counts them, also those that have swarmed. */
#include <linux/seq_file.h>
#include <linux/xarray.h>
#include "seed.h"

#define HIVES 8

struct hive {
	char queen[24];
	unsigned long honey;
	unsigned int frames;
};

static DEFINE_XARRAY(hives);

static struct hive *hive_of(unsigned long number)
{
	return xa_load(&hives, number);
}

static unsigned int frames_of(unsigned long number)
{
	const struct hive *hive = hive_of(number);

	return hive->frames;
}

static int apiary_show(struct seq_file *m, void *unused)
{
	unsigned long number, total = 0;

	for (number = 0; number < HIVES; number++)
		total += frames_of(number);
	seq_printf(m, "%lu frames\n", total);
	return 0;
}

static int __init apiary_init(void)
{
	unsigned long number;
	struct hive *hive;

	for (number = 0; number < HIVES; number++) {
		hive = kzalloc(sizeof(*hive), GFP_KERNEL);
		if (!hive)
			return -ENOMEM;
		hive->frames = 10 + number;
		if (xa_err(xa_store(&hives, number, hive, GFP_KERNEL)))
			return -ENOMEM;
	}
	kfree(xa_erase(&hives, 5));
	proc_create_single("apiary", 0444, NULL, apiary_show);
	return 0;
}
module_init(apiary_init);
