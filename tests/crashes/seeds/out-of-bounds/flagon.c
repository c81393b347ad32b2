/* Flagons stand side by side in a cache of their own; one is filled beyond its brim, over the list of the next. */
#include <linux/debugfs.h>
#include "seed.h"

#define SHELF 64

struct flagon {
	struct list_head shelf;
	unsigned int pints;
	char wine[76];
};

static struct kmem_cache *cellar;
static LIST_HEAD(shelf);
static struct flagon *flagons[SHELF];

static void flagon_blow(void *flagon)
{
	memset(flagon, 0, sizeof(struct flagon));
}

static void flagon_fill(struct flagon *flagon, const char *wine)
{
	char *to = flagon->wine;

	while (*wine)
		*to++ = *wine++;
	*to = 0;
	flagon->pints++;
}

static void flagon_take_all(void)
{
	struct flagon *flagon, *next;

	list_for_each_entry_safe(flagon, next, &shelf, shelf) {
		list_del(&flagon->shelf);
		kmem_cache_free(cellar, flagon);
	}
}

static ssize_t flagon_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	char *wine = memdup_user_nul(text, min_t(size_t, count, 150));

	if (IS_ERR(wine))
		return PTR_ERR(wine);
	if (wine[0] == '-')
		flagon_take_all();
	else
		flagon_fill(flagons[SHELF / 2], wine);
	kfree(wine);
	return count;
}

static const struct file_operations flagon_ops = {
	.owner = THIS_MODULE,
	.write = flagon_write,
};

static int __init flagon_init(void)
{
	int i;

	cellar = kmem_cache_create("flagon", sizeof(struct flagon), 0, SLAB_HWCACHE_ALIGN,
				   flagon_blow);
	if (!cellar)
		return -ENOMEM;
	for (i = 0; i < SHELF; i++) {
		flagons[i] = kmem_cache_alloc(cellar, GFP_KERNEL);
		if (!flagons[i])
			return -ENOMEM;
		list_add_tail(&flagons[i]->shelf, &shelf);
	}
	debugfs_create_file("flagon", 0200, NULL, NULL, &flagon_ops);
	return 0;
}
module_init(flagon_init);
