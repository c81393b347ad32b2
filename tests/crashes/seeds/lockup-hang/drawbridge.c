/* One thread takes the bridge and then the road, the other the road and then the bridge. */
#include "seed.h"
#include <linux/delay.h>

static DEFINE_MUTEX(bridge);
static DEFINE_MUTEX(road);
static struct task_struct *ship, *cart;

static int drawbridge_ship(void *unused)
{
	mutex_lock(&bridge);
	msleep(500);
	mutex_lock(&road); /* has the bridge */
	mutex_unlock(&road);
	mutex_unlock(&bridge);
	return 0;
}

static int drawbridge_cart(void *unused)
{
	mutex_lock(&road);
	msleep(500);
	mutex_lock(&bridge);
	mutex_unlock(&bridge);
	mutex_unlock(&road);
	return 0;
}

static int __init drawbridge_init(void)
{
	ship = kthread_run(drawbridge_ship, NULL, "ship");
	cart = kthread_run(drawbridge_cart, NULL, "cart");
	return PTR_ERR_OR_ZERO(ship) ?: PTR_ERR_OR_ZERO(cart);
}
module_init(drawbridge_init);
