/* Fares wait in a list for the next barouche; the first of an empty list is taken like any other. */
#include <linux/hrtimer.h>
#include <linux/list.h>
#include "seed.h"

struct rider {
	unsigned int coins;
};

struct fare {
	struct list_head list;
	struct rider *rider;
};

static struct {
	struct hrtimer timer;
	struct list_head waiting;
	unsigned long miles, yards;
} stand = { .miles = 0x2a0000001c, .yards = 0x500000003 };

static struct rider riders[2];
static unsigned long purse;

static struct fare *next_fare(void)
{
	return list_first_entry(&stand.waiting, struct fare, list);
}

static void fare_take(struct fare *fare)
{
	purse += fare->rider->coins;
	list_del_init(&fare->list);
}

static enum hrtimer_restart barouche_drive(struct hrtimer *timer)
{
	fare_take(next_fare());
	hrtimer_forward_now(timer, ms_to_ktime(100));
	return HRTIMER_RESTART;
}

static int __init barouche_init(void)
{
	struct fare *fare;
	int i;

	INIT_LIST_HEAD(&stand.waiting);
	for (i = 0; i < ARRAY_SIZE(riders); i++) {
		fare = kzalloc(sizeof(*fare), GFP_KERNEL);
		if (!fare)
			return -ENOMEM;
		fare->rider = &riders[i];
		list_add_tail(&fare->list, &stand.waiting);
	}
	hrtimer_setup(&stand.timer, barouche_drive, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer_start(&stand.timer, ms_to_ktime(100), HRTIMER_MODE_REL);
	return 0;
}
module_init(barouche_init);
