/* Puts its beads into the catalogue of another module; on removal they are cleared, and then taken out. */
#include "seed.h"

struct catalogue_item {
	struct list_head list;
	const char *title;
	int (*price)(const struct catalogue_item *item);
	unsigned int asked;
};

extern int catalogue_register(struct catalogue_item *item);
extern void catalogue_unregister(struct catalogue_item *item);

static int bead_price(const struct catalogue_item *item)
{
	return 3;
}

static struct catalogue_item beads[3];

static void bead_clear(struct catalogue_item *bead)
{
	memset(bead, 0, sizeof(*bead));
}

static int __init rosary_init(void)
{
	int (*add)(struct catalogue_item *item) = symbol_get(catalogue_register);
	int i;

	if (!add)
		return -ENOENT;
	for (i = 0; i < ARRAY_SIZE(beads); i++) {
		beads[i].title = "bead";
		beads[i].price = bead_price;
		add(&beads[i]);
	}
	symbol_put(catalogue_register);
	return 0;
}

static void __exit rosary_exit(void)
{
	void (*drop)(struct catalogue_item *item) = symbol_get(catalogue_unregister);
	int i;

	for (i = 0; i < ARRAY_SIZE(beads); i++) {
		bead_clear(&beads[i]);
		drop(&beads[i]);
	}
	symbol_put(catalogue_unregister);
}
module_init(rosary_init);
module_exit(rosary_exit);
