/* Puts its rooms into the catalogue of another module, as an older one wanted them: with the title inside. */
#include "seed.h"

/* As the catalogue of years ago had it. */
struct catalogue_item {
	struct list_head list;
	char title[40];
	unsigned int asked;
};

extern int catalogue_register(struct catalogue_item *item);

static struct catalogue_item rooms[] = {
	{ .title = "room in the south wing" },
	{ .title = "room in the north wing" },
};

static int almshouse_add(int (*add)(struct catalogue_item *item))
{
	size_t i;
	int error = 0;

	for (i = 0; !error && i < ARRAY_SIZE(rooms); i++)
		error = add(&rooms[i]);
	return error;
}

static int __init almshouse_init(void)
{
	int (*add)(struct catalogue_item *item) = symbol_get(catalogue_register);
	int error = add ? almshouse_add(add) : -ENOENT;

	if (add)
		symbol_put(catalogue_register);
	return error;
}
module_init(almshouse_init);
