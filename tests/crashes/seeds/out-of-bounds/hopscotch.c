/* A field of squares as a bitmap; a child marks some from a square on, wherever that is. */
#include <linux/bitmap.h>
#include "seed.h"

#define SQUARES 256

static unsigned long *field;

static int hop(const char *value, unsigned int *from, unsigned int *count)
{
	return sscanf(value, "%u+%u", from, count) == 2 ? 0 : -EINVAL;
}

static int hopscotch_set(const char *value, const struct kernel_param *param)
{
	unsigned int from, count;
	int error = hop(value, &from, &count);

	if (error)
		return error;
	if (count > SQUARES)
		return -ERANGE;
	bitmap_set(field, from, count);
	return 0;
}

static int hopscotch_get(char *text, const struct kernel_param *param)
{
	return sprintf(text, "%*pbl\n", SQUARES, field);
}

static const struct kernel_param_ops hopscotch_ops = { .set = hopscotch_set, .get = hopscotch_get };
module_param_cb(marks, &hopscotch_ops, NULL, 0600);

static int __init hopscotch_init(void)
{
	field = bitmap_zalloc(SQUARES, GFP_KERNEL);
	return field ? 0 : -ENOMEM;
}
module_init(hopscotch_init);
