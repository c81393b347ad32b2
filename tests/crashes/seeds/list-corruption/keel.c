/* Work that adds a plank to a hull; nobody initialised the hull's list of planks. */
#include <linux/list.h>
#include "seed.h"

struct hull {
	struct work_struct work;
	struct list_head planks;
	struct list_head plank;
};

static void keel_lay(struct work_struct *work)
{
	struct hull *hull = container_of(work, struct hull, work);

	list_add_tail(&hull->plank, &hull->planks);
}

static int __init keel_init(void)
{
	struct hull *hull = kzalloc(sizeof(*hull), GFP_KERNEL);

	if (!hull)
		return -ENOMEM;
	INIT_WORK(&hull->work, keel_lay);
	queue_work(system_unbound_wq, &hull->work);
	return 0;
}
module_init(keel_init);
