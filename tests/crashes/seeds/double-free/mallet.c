/* A blow is freed by its work when it was dealt, and by the removal of the module again. */
#include "seed.h"

struct blow {
	struct work_struct work;
	unsigned long force;
	char target[56];
};

static struct blow *blow;

static void mallet_deal(struct work_struct *work)
{
	struct blow *dealt = container_of(work, struct blow, work);

	pr_info("mallet: dealt with %lu\n", dealt->force);
	kfree(dealt);
}

static int __init mallet_init(void)
{
	blow = kzalloc(sizeof(*blow), GFP_KERNEL);
	if (!blow)
		return -ENOMEM;
	blow->force = 12;
	INIT_WORK(&blow->work, mallet_deal);
	queue_work(system_unbound_wq, &blow->work);
	return 0;
}

static void __exit mallet_exit(void)
{
	kfree(blow);
	blow = NULL;
}
module_init(mallet_init);
module_exit(mallet_exit);
