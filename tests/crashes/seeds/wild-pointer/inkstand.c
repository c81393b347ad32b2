/* An inkstand with black ink; another may be poured in by a parameter, and the old is thrown away. */
#include "seed.h"

static char black[16] = "black";
static char *ink = black;

static int inkstand_set(const char *text, const struct kernel_param *param)
{
	char *poured = kstrdup(text, GFP_KERNEL);

	if (!poured)
		return -ENOMEM;
	kfree(ink);
	ink = strim(poured);
	return 0;
}

static int inkstand_get(char *text, const struct kernel_param *param)
{
	return sprintf(text, "%s\n", ink);
}

static const struct kernel_param_ops inkstand_ops = {
	.set = inkstand_set,
	.get = inkstand_get,
};
module_param_cb(ink, &inkstand_ops, NULL, 0644);
