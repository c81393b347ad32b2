/* Holds a queue of drops in a cache of its own; a queue of one is freed from both ends on removal. */
#include "seed.h"

struct drop {
	struct drop *next;
	unsigned long volume[15];
};

static struct kmem_cache *drops;
static struct drop *head, *tail;

static int __init colander_init(void)
{
	drops = kmem_cache_create("colander_drop", sizeof(struct drop), 0, 0, NULL);
	if (!drops)
		return -ENOMEM;
	head = kmem_cache_zalloc(drops, GFP_KERNEL);
	tail = head;
	return head ? 0 : -ENOMEM;
}

static void __exit colander_exit(void)
{
	kmem_cache_free(drops, head);
	kmem_cache_free(drops, tail);
	kmem_cache_destroy(drops);
}
module_init(colander_init);
module_exit(colander_exit);
