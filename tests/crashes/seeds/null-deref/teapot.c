/* A teapot that is filled later; the length of a label is taken that nobody has stuck on it. */
#include "seed.h"

struct teapot {
	struct work_struct fill;
	const char *label;
	size_t width;
};

static struct teapot *teapot;

static void teapot_fill(struct work_struct *work)
{
	struct teapot *pot = container_of(work, struct teapot, fill);

	pot->width = strlen(pot->label);
}

static int teapot_set(const char *value, const struct kernel_param *param)
{
	schedule_work(&teapot->fill);
	return 0;
}

static const struct kernel_param_ops teapot_ops = { .set = teapot_set };
module_param_cb(cups, &teapot_ops, NULL, 0200);

static int __init teapot_init(void)
{
	teapot = kzalloc(sizeof(*teapot), GFP_KERNEL);
	if (!teapot)
		return -ENOMEM;
	INIT_WORK(&teapot->fill, teapot_fill);
	return 0;
}
module_init(teapot_init);

static void __exit teapot_exit(void)
{
	cancel_work_sync(&teapot->fill);
	kfree(teapot);
}
module_exit(teapot_exit);
