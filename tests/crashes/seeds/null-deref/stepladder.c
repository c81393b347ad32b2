/* Paints a ladder from a scatterlist, one rung a buffer; it is told of one rung more than there are. */
#include <linux/scatterlist.h>
#include "seed.h"

#define RUNGS 6

static struct sg_table ladder;
static unsigned char paint[RUNGS][64];

static unsigned int stepladder_rung(struct scatterlist *rung)
{
	return rung->length / 4;
}

static unsigned int stepladder_area(struct sg_table *table, unsigned int rungs)
{
	struct scatterlist *rung;
	unsigned int i, area = 0;

	for_each_sg(table->sgl, rung, rungs, i)
		area += stepladder_rung(rung);
	return area;
}

static int stepladder_get(char *text, const struct kernel_param *param)
{
	return sprintf(text, "%u\n", stepladder_area(&ladder, ladder.nents + 1));
}

static const struct kernel_param_ops stepladder_ops = { .get = stepladder_get };
module_param_cb(area, &stepladder_ops, NULL, 0400);

static int __init stepladder_init(void)
{
	unsigned char *bucket = kmalloc(sizeof(paint), GFP_KERNEL);
	struct scatterlist *rung;
	unsigned int i;
	int error = sg_alloc_table(&ladder, RUNGS, GFP_KERNEL);

	if (error || !bucket)
		return -ENOMEM;
	for_each_sg(ladder.sgl, rung, RUNGS, i)
		sg_set_buf(rung, bucket + i * sizeof(paint[0]), sizeof(paint[0]));
	return 0;
}
module_init(stepladder_init);
