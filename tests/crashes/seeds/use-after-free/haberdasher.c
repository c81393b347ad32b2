/* Puts its ribbons into the catalogue of another module, and leaves them there when it is removed. */
#include "seed.h"

struct catalogue_item {
	struct list_head list;
	const char *title;
	int (*price)(const struct catalogue_item *item);
	unsigned int asked;
};

extern int catalogue_register(struct catalogue_item *item);

static int ribbon_price(const struct catalogue_item *item)
{
	return 12 + item->asked;
}

static struct catalogue_item ribbon = {
	.title = "ribbon",
	.price = ribbon_price,
};

static int __init haberdasher_init(void)
{
	int (*add)(struct catalogue_item *item) = symbol_get(catalogue_register);
	int error = add ? add(&ribbon) : -ENOENT;

	if (add)
		symbol_put(catalogue_register);
	return error;
}

static void __exit haberdasher_exit(void)
{
	pr_info("haberdasher: asked %u times\n", ribbon.asked);
}
module_init(haberdasher_init);
module_exit(haberdasher_exit);
