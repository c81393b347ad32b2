/* Flower boxes on a balcony are large, so they come from vmalloc; they go back as if they were pages. */
#include <linux/gfp.h>
#include <linux/vmalloc.h>
#include "seed.h"

#define BOX (4 * PAGE_SIZE)

static void *boxes[3];

static void box_remove(void *box)
{
	free_pages((unsigned long)box, get_order(BOX));
}

static int __init balcony_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(boxes); i++) {
		boxes[i] = vzalloc(BOX);
		if (!boxes[i])
			return -ENOMEM;
	}
	return 0;
}

static void __exit balcony_exit(void)
{
	int i;

	for (i = ARRAY_SIZE(boxes) - 1; i >= 0; i--)
		box_remove(boxes[i]);
}
module_init(balcony_init);
module_exit(balcony_exit);
