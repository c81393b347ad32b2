/* Vats of a tannery, stirred by work now and then, each by its number. */
#include "seed.h"

#define VATS 3

struct vat {
	char hide[24];
	unsigned long stirred;
};

static struct vat *vats[VATS];
static unsigned int turn;

static noinline struct vat *tannery_vat(unsigned int number)
{
	if (number >= VATS)
		return ERR_PTR(-ENXIO);
	return vats[number];
}

static void tannery_stir(struct work_struct *work)
{
	struct vat *vat = tannery_vat(turn++);

	if (!vat)
		return;
	vat->stirred++;
	schedule_delayed_work(to_delayed_work(work), HZ / 10);
}

static DECLARE_DELAYED_WORK(stir, tannery_stir);

static int __init tannery_init(void)
{
	unsigned int i;

	for (i = 0; i < VATS; i++) {
		vats[i] = kzalloc(sizeof(*vats[i]), GFP_KERNEL);
		if (!vats[i])
			return -ENOMEM;
	}
	schedule_delayed_work(&stir, HZ / 10);
	return 0;
}
module_init(tannery_init);
