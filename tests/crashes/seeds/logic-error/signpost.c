/* Arms of a signpost are entries in /proc, named by a module parameter; an arm set twice is made twice. */
#include "seed.h"

static struct proc_dir_entry *post;

static int signpost_set(const char *value, const struct kernel_param *param)
{
	char name[16];

	if (!post)
		return -EAGAIN;
	strscpy(name, value, sizeof(name));
	strim(name);
	return proc_mkdir(name, post) ? 0 : -EEXIST;
}

static const struct kernel_param_ops signpost_ops = { .set = signpost_set };
module_param_cb(arm, &signpost_ops, NULL, 0200);

static int __init signpost_init(void)
{
	post = proc_mkdir("signpost", NULL);
	return post ? 0 : -ENOMEM;
}
module_init(signpost_init);
