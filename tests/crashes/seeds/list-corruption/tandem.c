/* Riders of a tandem, in a list; a thread lets the last one get off, and the removal of the module all of them. */
#include <linux/delay.h>
#include "seed.h"

struct rider {
	struct list_head seat;
	char name[16];
};

static LIST_HEAD(seats);
static struct rider front = { .name = "front" }, back = { .name = "back" };

static noinline void tandem_part(struct rider *rider)
{
	list_del(&rider->seat);
	pr_info("tandem: %s gets off\n", rider->name);
}

static int tandem_ride(void *unused)
{
	msleep(200);
	tandem_part(&back);
	return 0;
}

static int __init tandem_init(void)
{
	list_add_tail(&front.seat, &seats);
	list_add_tail(&back.seat, &seats);
	return PTR_ERR_OR_ZERO(kthread_run(tandem_ride, NULL, "tandem"));
}

static void __exit tandem_exit(void)
{
	tandem_part(&front);
	tandem_part(&back);
}
module_init(tandem_init);
module_exit(tandem_exit);
