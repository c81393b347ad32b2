/* A table of yarns, by colour; "cut" takes the yarn out of it as often as it is asked to. */
#include <linux/list.h>
#include "seed.h"

struct yarn {
	struct hlist_node node;
	unsigned long length;
};

static struct hlist_head colours[8];
static struct yarn yarn = { .length = 100 };

static int shuttle_cut(const char *text, const struct kernel_param *param)
{
	hlist_del(&yarn.node);
	return 0;
}

static const struct kernel_param_ops cut_ops = { .set = shuttle_cut };
module_param_cb(cut, &cut_ops, NULL, 0200);

static int __init shuttle_init(void)
{
	hlist_add_head(&yarn.node, &colours[3]);
	return 0;
}
module_init(shuttle_init);
