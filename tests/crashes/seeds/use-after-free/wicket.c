/* Keeps scores of visits; the score of the last visit can be mended after the visit was freed. */
#include "seed.h"

struct visit {
	unsigned long score;
	char name[184];
};

static struct kmem_cache *visits;
static struct visit *last;

static int wicket_open(struct inode *inode, struct file *file)
{
	last = kmem_cache_zalloc(visits, GFP_KERNEL);
	file->private_data = last;
	return last ? 0 : -ENOMEM;
}

static int wicket_release(struct inode *inode, struct file *file)
{
	kmem_cache_free(visits, file->private_data);
	return 0;
}

static int wicket_mend(const char *text, const struct kernel_param *param)
{
	return last ? kstrtoul(text, 0, &last->score) : -ENOENT;
}

static const struct kernel_param_ops score_ops = { .set = wicket_mend };
module_param_cb(score, &score_ops, NULL, 0200);

static const struct file_operations wicket_ops = {
	.owner = THIS_MODULE,
	.open = wicket_open,
	.release = wicket_release,
};

static struct miscdevice wicket = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "wicket",
	.fops = &wicket_ops,
};

static int __init wicket_init(void)
{
	visits = kmem_cache_create("wicket_visit", sizeof(struct visit), 0, 0, NULL);
	return visits ? misc_register(&wicket) : -ENOMEM;
}
module_init(wicket_init);
