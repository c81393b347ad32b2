/* A thread brings cells into the hive from a cache of its own; none is ever taken out. */
#include "seed.h"

struct cell {
	struct cell *next;
	char honey[1000];
};

static struct kmem_cache *cells;
static struct cell *comb;

static void cell_init(void *cell)
{
	memset(cell, 0, sizeof(struct cell));
}

static int beehive_gather(void *unused)
{
	struct cell *cell;

	while (!kthread_should_stop()) {
		cell = kmem_cache_alloc(cells, GFP_KERNEL);
		if (!cell) {
			schedule_timeout_interruptible(HZ);
			continue;
		}
		cell->next = comb;
		comb = cell;
		cond_resched();
	}
	return 0;
}

static int __init beehive_init(void)
{
	cells = kmem_cache_create("beehive_cell", sizeof(struct cell), 0, 0, cell_init);
	if (!cells)
		return -ENOMEM;
	return PTR_ERR_OR_ZERO(kthread_run(beehive_gather, NULL, "beehive"));
}
module_init(beehive_init);
