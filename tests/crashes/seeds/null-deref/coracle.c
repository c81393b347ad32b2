/* A coracle with an oar if one was asked for; on leaving it is put away in any case. */
#include "seed.h"

struct oar {
	int length;
	struct list_head drawer;
};

struct coracle {
	int seats;
	struct oar *oar;
};

static bool rowed;
module_param(rowed, bool, 0444);

static struct coracle *coracle;

static int __init coracle_init(void)
{
	coracle = kzalloc(sizeof(*coracle), GFP_KERNEL);
	if (!coracle)
		return -ENOMEM;
	if (rowed) {
		coracle->oar = kzalloc(sizeof(*coracle->oar), GFP_KERNEL);
		if (!coracle->oar) {
			kfree(coracle);
			return -ENOMEM;
		}
	}
	return 0;
}
module_init(coracle_init);

static void __exit coracle_exit(void)
{
	struct oar *oar = coracle->oar;

	WRITE_ONCE(oar->drawer.prev, NULL);
	kfree(oar);
	kfree(coracle);
}
module_exit(coracle_exit);
