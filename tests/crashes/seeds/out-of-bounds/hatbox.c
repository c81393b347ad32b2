/* Boxes with a hat each, packed when the module comes and thrown away when it goes. */
#include "seed.h"

#define BOXES 40

struct hatbox {
	struct hatbox *below;
	unsigned long size;
	char ribbon[48];
};

static struct hatbox *top;

static noinline void *hatbox_buy(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

static noinline int hatbox_pack(void)
{
	struct hatbox *box = hatbox_buy(sizeof(box));

	if (!box)
		return -ENOMEM;
	memset(box, 'h', sizeof(*box));
	box->below = top;
	top = box;
	return 0;
}

static int __init hatbox_init(void)
{
	int error = 0;
	size_t i;

	for (i = 0; !error && i < BOXES; i++)
		error = hatbox_pack();
	return error;
}

static void __exit hatbox_exit(void)
{
	struct hatbox *box;

	while ((box = top)) {
		top = box->below;
		kfree(box);
	}
}
module_init(hatbox_init);
module_exit(hatbox_exit);
