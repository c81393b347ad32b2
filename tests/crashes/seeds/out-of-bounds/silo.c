/* A table of sixteen silos; the parameter that fills one takes every number for its row. */
#include "seed.h"

static unsigned long rows[16];

static int silo_fill(const char *text, const struct kernel_param *param)
{
	unsigned long row;
	int error = kstrtoul(text, 0, &row);

	if (error)
		return error;
	rows[row]++;
	return 0;
}

static int silo_total(char *text, const struct kernel_param *param)
{
	unsigned long total = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		total += rows[i];
	return sprintf(text, "%lu\n", total);
}

static const struct kernel_param_ops row_ops = { .set = silo_fill, .get = silo_total };
module_param_cb(row, &row_ops, NULL, 0600);
