/* A timer whose function still expects what kernels before 4.15 gave it: the object, not the timer. */
#include "seed.h"

struct mortar {
	unsigned long age;
	struct timer_list timer;
	unsigned long *total;
	unsigned long width;
};

static unsigned long total;
static struct mortar mortar = { .total = &total, .width = 240000 };

static void mortar_set(unsigned long data)
{
	struct mortar *mortar = (struct mortar *)data;

	mortar->age++;
	*mortar->total += 1;
}

static int __init mortar_init(void)
{
	void *function = mortar_set;

	timer_setup(&mortar.timer, function, 0);
	mod_timer(&mortar.timer, jiffies + HZ / 5);
	return 0;
}
module_init(mortar_init);
