/* Crates come from a cache of their own; one is forgotten on the wharf when the cache is destroyed. */
#include "seed.h"

struct crate {
	char mark[40];
	struct crate *below;
};

static struct kmem_cache *crates;
static struct crate *top;

static void crate_init(void *crate)
{
	memset(crate, 0, sizeof(struct crate));
}

static int __init wharf_init(void)
{
	int n;

	crates = kmem_cache_create("wharf_crate", sizeof(struct crate), 0, 0, crate_init);
	if (!crates)
		return -ENOMEM;
	for (n = 0; n < 3; n++) {
		struct crate *crate = kmem_cache_alloc(crates, GFP_KERNEL);

		if (!crate)
			break;
		crate->below = top;
		top = crate;
	}
	return 0;
}

static void __exit wharf_exit(void)
{
	while (top && top->below) {
		struct crate *crate = top;

		top = crate->below;
		kmem_cache_free(crates, crate);
	}
	kmem_cache_destroy(crates);
}

module_init(wharf_init);
module_exit(wharf_exit);
