/* Tolls are of several kinds, each with its own functions; that for carts can take no receipt. */
#include <linux/list.h>
#include "seed.h"

struct toll;

struct toll_kind {
	const char *name;
	unsigned int (*due)(const struct toll *toll);
	void (*receipt)(struct toll *toll, unsigned int due);
};

struct toll {
	struct work_struct work;
	const struct toll_kind *kind;
	unsigned int axles;
};

static unsigned int collected;

static unsigned int due_by_axle(const struct toll *toll)
{
	return 3 * toll->axles;
}

static void receipt_on_paper(struct toll *toll, unsigned int due)
{
	pr_info("tollbooth: %s, %u axles, %u pence\n", toll->kind->name, toll->axles, due);
}

static const struct toll_kind kinds[] = {
	{ .name = "coach", .due = due_by_axle, .receipt = receipt_on_paper },
	{ .name = "cart", .due = due_by_axle },
};

static void tollbooth_settle(struct toll *toll)
{
	unsigned int due = toll->kind->due(toll);

	collected += due;
	toll->kind->receipt(toll, due);
}

static void tollbooth_work(struct work_struct *work)
{
	struct toll *toll = container_of(work, struct toll, work);

	tollbooth_settle(toll);
	kfree(toll);
}

static int tollbooth_set(const char *value, const struct kernel_param *param)
{
	struct toll *toll;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!sysfs_streq(value, kinds[i].name))
			continue;
		toll = kzalloc(sizeof(*toll), GFP_KERNEL);
		if (!toll)
			return -ENOMEM;
		toll->kind = &kinds[i];
		toll->axles = 2;
		INIT_WORK(&toll->work, tollbooth_work);
		schedule_work(&toll->work);
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops tollbooth_ops = { .set = tollbooth_set };
module_param_cb(arrive, &tollbooth_ops, NULL, 0200);
