/* A coppersmith with a cache for pots and one for pans; a timer polishes one of each and puts them away. */
#include "seed.h"

static struct kmem_cache *pots, *pans;
static struct timer_list hour;

static void coppersmith_polish(struct timer_list *timer)
{
	void *pot = kmem_cache_zalloc(pots, GFP_ATOMIC);
	void *pan = kmem_cache_zalloc(pans, GFP_ATOMIC);

	if (pot)
		kmem_cache_free(pots, pot);
	if (pan)
		kmem_cache_free(pots, pan);
}

static int __init coppersmith_init(void)
{
	pots = kmem_cache_create("coppersmith_pot", 208, 0, SLAB_POISON, NULL);
	pans = kmem_cache_create("coppersmith_pan", 424, 0, SLAB_POISON, NULL);
	if (!pots || !pans)
		return -ENOMEM;
	timer_setup(&hour, coppersmith_polish, 0);
	mod_timer(&hour, jiffies + HZ / 4);
	return 0;
}
module_init(coppersmith_init);
